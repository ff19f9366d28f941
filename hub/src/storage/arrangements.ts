/**
 * Sites, routes and groups as operators set them, read and replaced as one value.
 *
 * Does: write what differs, set-based, and look again at what waits for a route that changed.
 * Always true: whoever changes sites, routes or groups waits for the row that holds the revision; so
 * nothing comes between what `plan` was shown and what is written.
 * On failure: nothing has changed. Two that waited for each other are told apart by another try.
 */
import type { Kysely, Transaction } from 'kysely';
import type { Arrangement, Arrangements, Rearranged } from '../model/arrangement.ts';
import { readArrangement } from './arrangement/read-arrangement.ts';
import { writeArrangement } from './arrangement/write-arrangement.ts';
import { refuseInside } from './in-transaction.ts';
import type { Database } from './open-database.ts';
import { revision } from './registry/sites.ts';
import type { Tables } from './tables.ts';

const TRIES = 3;

export function createArrangements({ kysely }: Database): Arrangements {
  const outside = (what: string): Kysely<Tables> => {
    refuseInside(`Arrangements.${what}`);
    return kysely;
  };
  return {
    read: async () =>
      outside('read')
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute(async (tx) => ({ revision: await revision(tx), now: await readArrangement(tx) })),
    change: async (plan) => change(outside('change'), plan),
    groupNames: async () => {
      const rows = await outside('groupNames')
        .selectFrom('routes')
        .innerJoin('groups', 'groups.id', 'routes.group_id')
        .select(['routes.id', 'groups.name'])
        .execute();
      return new Map(rows.map(({ id, name }) => [id, name]));
    },
  };
}

async function change(
  kysely: Kysely<Tables>,
  plan: Parameters<Arrangements['change']>[0],
): Promise<Rearranged> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await kysely.transaction().execute(async (tx) => {
        const arranged = await lockArrangement(tx);
        const before: Arrangement = await readArrangement(tx);
        return writeArrangement(tx, before, plan(before, arranged));
      });
    } catch (error) {
      if (tried === TRIES || !isDeadlock(error)) throw error;
    }
  }
}

/** The same row that every change of the arranged tables locks first (see their triggers). */
async function lockArrangement(tx: Transaction<Tables>): Promise<string> {
  const { revision: locked } = await tx
    .selectFrom('arranged')
    .select('revision')
    .forUpdate()
    .executeTakeFirstOrThrow();
  return locked;
}

/** SQLSTATE deadlock_detected. */
const isDeadlock = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === '40P01';
