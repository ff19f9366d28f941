/**
 * Proofs of links: what was asked of which account, and what came back.
 *
 * Always true: at most one proof of a kind is open for a pair; a half is confirmed once, by the
 * installation that it was made for, for its account, before the end; the first verifier counts.
 */
import { type Kysely, sql } from 'kysely';
import type { InstallationId } from '../model/ids.ts';
import { type Confirmation, isVerifier, type NewProof, type Proof } from '../model/proof.ts';
import type { Proofs } from '../sync/ports.ts';
import { hubNow } from './hub-clock.ts';
import { refuseInside } from './in-transaction.ts';
import type { Database } from './open-database.ts';
import { readProofs, sealVerifier } from './proof-rows.ts';
import type { Secrets } from './secrets.ts';
import type { Tables } from './tables.ts';

/** Shown at once. */
const MOST_SHOWN = 1_000;

export function createProofs({ kysely }: Database, secrets: Secrets): Proofs {
  const outside = (what: string): Kysely<Tables> => {
    refuseInside(`Proofs.${what}`);
    return kysely;
  };
  const one = async (db: Kysely<Tables>, where: ReturnType<typeof sql>): Promise<Proof | null> =>
    (await readProofs(db, secrets, where, 1))[0] ?? null;
  return {
    open: async (proof) => {
      const db = outside('open');
      const id = await open(db, proof);
      const found = await one(db, sql`p.id = ${id}`);
      if (found === null) throw new Error('a proof was just opened');
      return found;
    },
    find: async (id) => one(outside('find'), sql`p.id::text = ${id}`),
    list: async () => readProofs(outside('list'), secrets, sql`true`, MOST_SHOWN),
    concerning: async (id) =>
      readProofs(
        outside('concerning'),
        secrets,
        sql`exists (select 1 from proof_halves h where h.proof = p.id and h.installation = ${id}
          and not h.forgotten) and (p.ended is null or p.ends_ms > ${hubNow})`,
        MOST_SHOWN,
      ),
    noteAsked: async (half) => {
      await outside('noteAsked')
        .updateTable('proof_halves')
        .set({ asked: true })
        .where('half', '=', half)
        .execute();
    },
    noteForgotten: async (half) => {
      await outside('noteForgotten')
        .updateTable('proof_halves')
        .set({ forgotten: true })
        .where('half', '=', half)
        .execute();
    },
    confirm: async (id, confirmations) => confirm(outside('confirm'), secrets, id, confirmations),
  };
}

/** The id of the one that is open for this pair now: this, or the one before it. */
async function open(db: Kysely<Tables>, { halves, ...proof }: NewProof): Promise<string> {
  const pair = halves
    .map(({ installation, wpId }) => `${installation} ${wpId}`)
    .toSorted()
    .join(' ');
  return db.transaction().execute(async (tx) => {
    const { id, kind, startedBy, endsMs, salt } = proof;
    const { rows } = await sql<{ id: string; fresh: boolean }>`
      insert into proofs (id, kind, pair, started_by, ends_ms, salt)
      values (${id}, ${kind}, ${pair}, ${startedBy}, ${endsMs}::bigint, ${salt})
      on conflict (pair, kind) where ended is null do update set pair = excluded.pair
      returning id, id = ${id} as fresh`.execute(tx);
    const [kept] = rows;
    if (kept === undefined) throw new Error('no proof was kept');
    if (!kept.fresh) return kept.id;
    const rowsOf = halves.map(({ wpId, ...half }, side) => ({
      ...half,
      side,
      wp_id: wpId,
      proof: id,
    }));
    await tx.insertInto('proof_halves').values(rowsOf).execute();
    return kept.id;
  });
}

/**
 * What a site names that it was never given is not even looked up: a hostile one can name as much as
 * fits its answer.
 */
async function confirm(
  db: Kysely<Tables>,
  secrets: Secrets,
  installation: InstallationId,
  confirmations: readonly Confirmation[],
): Promise<number> {
  const { rows } = await sql<{ half: string; wp_id: number; kind: string }>`
    select h.half, h.wp_id, p.kind from proof_halves h join proofs p on p.id = h.proof
    where h.installation = ${installation} and not h.forgotten and h.confirmed_ms is null
      and p.ended is null and p.ends_ms > ${hubNow}`.execute(db);
  const waiting = new Map(rows.map((row) => [row.half, row]));
  let count = 0;
  for (const { half, wpId, verifier } of confirmations) {
    const row = waiting.get(half);
    if (row === undefined || row.wp_id !== wpId) continue;
    const byPassword = row.kind === 'password';
    if (byPassword && !isVerifier(verifier)) continue;
    waiting.delete(half);
    const sealed = byPassword ? sealVerifier(secrets, half, verifier ?? '') : null;
    const { numAffectedRows } = await sql`
      update proof_halves h set confirmed_ms = ${hubNow}, verifier = ${sealed}
      from proofs p where p.id = h.proof and p.ended is null and h.half = ${half}
        and h.confirmed_ms is null`.execute(db);
    count += Number(numAffectedRows ?? 0);
  }
  return count;
}
