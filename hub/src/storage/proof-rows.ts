/** Proofs as they are stored, and how one ends. Verifiers are sealed at rest. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Proof, ProofHalf } from '../model/proof.ts';
import type { Secrets } from './secrets.ts';
import type { Tables } from './tables.ts';

const purposeOf = (half: string): string => `proof.verifier:${half}`;

export const sealVerifier = (secrets: Secrets, half: string, verifier: string): string =>
  secrets.seal(purposeOf(half), verifier);

type HalfRow = Omit<ProofHalf, 'confirmedMs' | 'wpId'> & {
  readonly confirmed_ms: number | null;
  readonly wp_id: ProofHalf['wpId'];
};

/** @param where over `proofs p`; the newest first */
export async function readProofs(
  db: Kysely<Tables>,
  secrets: Secrets,
  where: RawBuilder<unknown>,
  limit: number,
): Promise<readonly Proof[]> {
  const { rows } = await sql<{
    id: string;
    kind: Proof['kind'];
    started_by: string;
    at_ms: number;
    ends_ms: number;
    salt: string | null;
    ended: string | null;
    halves: readonly HalfRow[];
  }>`
    select p.id, p.kind, p.started_by, p.at_ms, p.ends_ms, p.salt, p.ended,
      (select jsonb_agg(to_jsonb(h) order by h.side) from proof_halves h where h.proof = p.id) as halves
    from proofs p where ${where} order by p.at_ms desc, p.id limit ${limit}`.execute(db);
  return rows.flatMap(({ started_by, at_ms, ends_ms, halves, ...row }) => {
    const [one, two] = halves.map((half) => halfOf(half, secrets));
    if (one === undefined || two === undefined) return [];
    const proof = { ...row, startedBy: started_by, atMs: at_ms, endsMs: ends_ms };
    return { ...proof, halves: [one, two] as const };
  });
}

const halfOf = (row: HalfRow, secrets: Secrets): ProofHalf => ({
  installation: row.installation,
  site: row.site,
  wpId: row.wp_id,
  login: row.login,
  registered: row.registered,
  half: row.half,
  asked: row.asked,
  confirmedMs: row.confirmed_ms,
  verifier: row.verifier === null ? null : secrets.open(purposeOf(row.half), row.verifier),
  forgotten: row.forgotten,
});

/** False: it had ended before. */
export async function endProof(db: Kysely<Tables>, id: string, ended: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('proofs')
    .set({ ended })
    .where('id', '=', id)
    .where('ended', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return false;
  await db.updateTable('proof_halves').set({ verifier: null }).where('proof', '=', id).execute();
  return true;
}
