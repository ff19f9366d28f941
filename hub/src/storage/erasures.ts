/**
 * Erasures: told, settled, and on their way.
 *
 * Always true: the hub's own records are erased for a site as for another site: a step, with a day's share; no
 * settling scans them. An erasure goes to an installation once, and to none that has completed it, so that it ends in
 * every graph; what a site calls an erasure of this hub counts only where the hub asked it for that person.
 */
import { randomUUID } from 'node:crypto';
import { type Kysely, sql, type Transaction } from 'kysely';
import type {
  ErasureStep,
  Erasures,
  NewErasureStep,
  OwnRecords,
  OwnRecordsStep,
} from '../model/erasure.ts';
import type { IdentityUid, InstallationId, SiteKey } from '../model/ids.ts';
import { eraseRecords } from './erase-records.ts';
import { hubNow } from './hub-clock.ts';
import { refuseInside } from './in-transaction.ts';
import type { Database } from './open-database.ts';
import type { Tables } from './tables.ts';

const DAY_MS = 86_400_000;
/** Of one site, in one go. */
const MOST_UNSETTLED = 1_000;
const STEP = ['id', 'root as erasure', 'uid', 'source', 'target', 'state', 'reason'] as const;

export function createErasures({ kysely }: Database): Erasures {
  const outside = (what: string): Kysely<Tables> => {
    refuseInside(`Erasures.${what}`);
    return kysely;
  };
  const steps = (db: Kysely<Tables>) =>
    db.selectFrom('erasure_steps').select([...STEP, 'at_ms as atMs']);
  return {
    note: async (installation, told) => {
      if (told.length === 0) return;
      await outside('note')
        .insertInto('erasures')
        .values(
          told.map(({ row, wpId, login, of }) => ({
            id: randomUUID(),
            installation,
            row,
            wp_id: wpId,
            login,
            root: of,
          })),
        )
        .onConflict((conflict) => conflict.columns(['installation', 'row']).doNothing())
        .execute();
    },
    unsettled: (installation) =>
      outside('unsettled')
        .selectFrom('erasures')
        .select(['id', 'row', 'wp_id as wpId', 'login', 'root as of'])
        .where('installation', '=', installation)
        .where('settled', '=', false)
        .orderBy('at_ms')
        .limit(MOST_UNSETTLED)
        .execute(),
    stepsToday: async (installation) => {
      const { count } = await outside('stepsToday')
        .selectFrom('erasure_steps')
        .select(sql<number>`count(*)::int`.as('count'))
        .where('source', 'in', (sites) =>
          sites.selectFrom('sites').select('key').where('installation', '=', installation),
        )
        .where(sql<boolean>`at_ms > ${hubNow} - ${DAY_MS}`)
        .executeTakeFirstOrThrow();
      return count;
    },
    settle: (id, uid, wanted, own) =>
      outside('settle')
        .transaction()
        .execute((tx) => settle(tx, id, uid, wanted, own)),
    holdBeyond: (installation, allowed, what) =>
      outside('holdBeyond')
        .transaction()
        .execute((tx) => holdBeyond(tx, installation, allowed, what)),
    ownDue: (installation) => ownDue(outside('ownDue'), installation),
    eraseOwn: (id) =>
      outside('eraseOwn')
        .transaction()
        .execute((tx) => eraseOwn(tx, id)),
    waiting: async (installation, limit): Promise<readonly ErasureStep[]> =>
      steps(outside('waiting'))
        .where('installation', '=', installation)
        .where('state', '=', 'waiting')
        .whereRef('source', '<>', 'target')
        .orderBy('id')
        .limit(limit)
        .execute(),
    end: async (id, state, reason) => {
      await outside('end')
        .updateTable('erasure_steps')
        .set({ state, reason, at_ms: sql<number>`${hubNow}` })
        .where('id', '=', id)
        .execute();
    },
    list: (limit) => steps(outside('list')).orderBy('id', 'desc').limit(limit).execute(),
    decide: async (ids, decision) => {
      const state = decision === 'release' ? 'waiting' : 'rejected';
      const decided = await outside('decide')
        .updateTable('erasure_steps')
        .set({
          state,
          released: decision === 'release',
          reason: decision === 'release' ? null : 'erasure.rejected',
        })
        .where('state', '=', 'held')
        .$if(ids !== null, (query) => query.where('id', 'in', [...(ids ?? []), -1]))
        .returning('installation')
        .execute();
      return decided.map(({ installation }) => installation);
    },
    eraseRecords: (uid) =>
      outside('eraseRecords')
        .transaction()
        .execute((tx) => eraseRecords(tx, uid)),
  };
}

async function settle(
  tx: Transaction<Tables>,
  id: string,
  uid: IdentityUid | null,
  wanted: readonly NewErasureStep[],
  own: OwnRecords | null,
): Promise<readonly InstallationId[]> {
  const told = await tx
    .selectFrom('erasures')
    .select(['root', 'settled', 'installation'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (told === undefined || told.settled) return [];
  const asked = uid !== null && (await wasAsked(tx, told.root, uid, told.installation));
  const root = asked ? (told.root ?? id) : id;
  const answered = asked && (await hasCompleted(tx, root, told.installation));
  await tx
    .updateTable('erasures')
    .set({ root, settled: true, login: '' })
    .where('id', '=', id)
    .execute();
  if (uid === null) return [];
  if (own !== null) {
    // What was asked for is within a share already, and answered once.
    const released = asked && !answered && !own.privileged;
    await addOwn(tx, id, uid, told.installation, own.site, released);
  }
  const done = await tx
    .selectFrom('erasures')
    .select('installation')
    .where('root', '=', root)
    .execute();
  const completed = new Set(done.map(({ installation }) => installation));
  const open = await undecided(tx, uid);
  const steps = wanted.filter(
    (step) => !completed.has(step.installation) && !open.has(`${step.source} ${step.installation}`),
  );
  if (steps.length === 0) return [];
  const added = await tx
    .insertInto('erasure_steps')
    .values(steps.map((step) => ({ ...step, root, uid })))
    .onConflict((conflict) => conflict.columns(['root', 'installation']).doNothing())
    .returning('installation')
    .execute();
  return added.map(({ installation }) => installation);
}

/** What waits for the same person by the same word already; told once more it is no more than that. */
async function undecided(tx: Transaction<Tables>, uid: IdentityUid): Promise<ReadonlySet<string>> {
  const rows = await tx
    .selectFrom('erasure_steps')
    .select(['source', 'installation'])
    .where('uid', '=', uid)
    .where('state', 'in', ['waiting', 'held'])
    .execute();
  return new Set(rows.map(({ source, installation }) => `${source} ${installation}`));
}

/** Only what this hub asked that installation for, of that person, goes on as the same erasure. */
async function wasAsked(
  tx: Transaction<Tables>,
  root: string | null,
  uid: IdentityUid,
  installation: InstallationId,
): Promise<boolean> {
  if (root === null) return false;
  const found = await tx
    .selectFrom('erasure_steps')
    .select('id')
    .where('root', '=', root)
    .where('uid', '=', uid)
    .where('installation', '=', installation)
    .executeTakeFirst();
  return found !== undefined;
}

async function hasCompleted(
  tx: Transaction<Tables>,
  root: string,
  installation: InstallationId,
): Promise<boolean> {
  const found = await tx
    .selectFrom('erasures')
    .select('id')
    .where('root', '=', root)
    .where('installation', '=', installation)
    .where('settled', '=', true)
    .executeTakeFirst();
  return found !== undefined;
}

async function addOwn(
  tx: Transaction<Tables>,
  root: string,
  uid: IdentityUid,
  installation: InstallationId,
  site: SiteKey,
  released: boolean,
): Promise<void> {
  const undecided = await tx
    .selectFrom('erasure_steps')
    .select('id')
    .where('installation', '=', installation)
    .where('state', 'in', ['waiting', 'held'])
    .where('uid', '=', uid)
    .whereRef('source', '=', 'target')
    .executeTakeFirst();
  if (undecided !== undefined && !released) return;
  await tx
    .insertInto('erasure_steps')
    .values({ root, uid, installation, source: site, target: site, released })
    .onConflict((conflict) => conflict.columns(['root', 'installation']).doNothing())
    .execute();
}

const ownDue = (
  db: Kysely<Tables>,
  installation: InstallationId,
): Promise<readonly OwnRecordsStep[]> =>
  db
    .selectFrom('erasure_steps')
    .select([...STEP, 'at_ms as atMs', 'released'])
    .where('installation', '=', installation)
    .where('state', '=', 'waiting')
    .whereRef('source', '=', 'target')
    .where(
      sql<boolean>`(released or uid not in (select d.uid from erasure_steps d
        where d.state = 'erased' and d.at_ms > ${hubNow} - ${DAY_MS}))`,
    )
    .orderBy('id')
    .execute();

async function eraseOwn(tx: Transaction<Tables>, id: number): Promise<boolean> {
  const step = await tx
    .updateTable('erasure_steps')
    .set({ state: 'erased', reason: null, at_ms: sql<number>`${hubNow}` })
    .where('id', '=', id)
    .where('state', '=', 'waiting')
    .returning('uid')
    .executeTakeFirst();
  if (step === undefined) return false;
  // Since it was told, the person may have become one with another.
  const today = await tx
    .selectFrom('identities')
    .select(sql<IdentityUid>`coalesce(alias_of, uid)`.as('uid'))
    .where('uid', '=', step.uid)
    .executeTakeFirst();
  await eraseRecords(tx, today?.uid ?? step.uid);
  return true;
}

async function holdBeyond(
  tx: Transaction<Tables>,
  installation: InstallationId,
  allowed: number,
  what: 'there' | 'own',
): Promise<readonly ErasureStep[]> {
  const which = what === 'own' ? '=' : '<>';
  const { count } = await tx
    .selectFrom('erasure_steps')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('installation', '=', installation)
    .where('released', '=', false)
    .whereRef('source', which, 'target')
    .where(
      sql<boolean>`(state = 'waiting' or (state in ('opened', 'erased') and at_ms > ${hubNow} - ${DAY_MS}))`,
    )
    .executeTakeFirstOrThrow();
  if (count <= allowed) return [];
  return tx
    .updateTable('erasure_steps')
    .set({ state: 'held', reason: 'erasure.over_limit' })
    .where('installation', '=', installation)
    .where('state', '=', 'waiting')
    .where('released', '=', false)
    .whereRef('source', which, 'target')
    .returning([...STEP, 'at_ms as atMs'])
    .execute();
}
