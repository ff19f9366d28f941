/**
 * Which hub this store is, and whether this process may speak for it.
 *
 * Does: make the hub's id, its first term and the key check at first start; compare the key with
 * the check at every start; raise the term on a take-over, and let the sites that refused the older
 * one be asked again.
 * Always true: there is one row; the term never goes down.
 * On failure: `secret.unreadable` (wrong or missing key), `data.elsewhere` (started at another
 * place without a take-over); nothing has changed then.
 */
import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { Fault, type FaultCode } from '../errors.ts';
import type { HubIdentity } from '../sync/ports.ts';
import type { Database } from './open-database.ts';
import { findKey, type KeySource, type Secrets, secretsOf } from './secrets.ts';
import type { Tables } from './tables.ts';

const CHECK_PURPOSE = 'hub.key-check';
const CHECK_TEXT = 'rollcall';

/** Opens the secrets of a store; at first start the store becomes a hub with an id of its own. */
export async function openSecrets({ kysely }: Database, source: KeySource): Promise<Secrets> {
  const check = await keyCheck(kysely);
  const secrets = secretsOf(findKey(source, check === null));
  if (check === null) await becomeHub(kysely, secrets);
  // Read again: of two processes that start a new store together, one made the check.
  const sealed = check ?? (await keyCheck(kysely));
  if (sealed === null || secrets.open(CHECK_PURPOSE, sealed) !== CHECK_TEXT) {
    throw new Fault('secret.unreadable', 'The store’s key check is not what it should be.');
  }
  return secrets;
}

async function keyCheck(kysely: Kysely<Tables>): Promise<string | null> {
  const row = await kysely.selectFrom('hub_meta').select('key_check').executeTakeFirst();
  return row?.key_check ?? null;
}

async function becomeHub(kysely: Kysely<Tables>, secrets: Secrets): Promise<void> {
  const key_check = secrets.seal(CHECK_PURPOSE, CHECK_TEXT);
  await kysely
    .insertInto('hub_meta')
    .values({
      hub_id: randomUUID(),
      term: 1,
      key_check,
      started_host: null,
      started_folder: null,
      started_url: null,
    })
    .onConflict((conflict) => conflict.column('one').doNothing())
    .execute();
}

export async function hubIdentity({ kysely }: Database): Promise<HubIdentity> {
  const { hub_id: id, term } = await kysely
    .selectFrom('hub_meta')
    .select(['hub_id', 'term'])
    .executeTakeFirstOrThrow();
  return { id, term };
}

/** Raises the term: connectors refuse whoever still speaks with the older one. */
export async function takeOver({ kysely }: Database): Promise<HubIdentity> {
  return kysely.transaction().execute(async (tx) => {
    await tx
      .updateTable('installations')
      .set({ state: 'active', trouble: null, failures: 0, retry_at_ms: 0 })
      .where('state', '=', 'attention')
      .where(sql<string>`trouble->>'code'`, '=', 'site.superseded' satisfies FaultCode)
      .execute();
    const { hub_id: id, term } = await tx
      .updateTable('hub_meta')
      .set({ term: sql`term + 1` })
      .returning(['hub_id', 'term'])
      .executeTakeFirstOrThrow();
    return { id, term };
  });
}

/** Where a hub runs: enough to tell a backup tried out on a laptop from the hub itself. */
export interface Place {
  /** The machine, where the store lies on it; null: any (several processes share a database). */
  readonly host: string | null;
  /**
   * The data folder as its file system knows it, or null. A container has another host name at each
   * start, and the same folder; a copied folder is another one, and lies on another machine.
   */
  readonly folder?: string | null;
  /** Where sites reach the hub; null: not known. */
  readonly url: string | null;
}

/**
 * Says where the hub is started. The first place is remembered, another one is refused unless
 * it takes over, which raises the term. Safe to repeat.
 * @throws Fault `data.elsewhere`
 */
export async function startAt(
  database: Database,
  place: Place,
  options: { readonly takeOver: boolean },
): Promise<HubIdentity> {
  const { kysely } = database;
  const row = await kysely
    .selectFrom('hub_meta')
    .select(['started_host', 'started_folder', 'started_url'])
    .executeTakeFirstOrThrow();
  const folder = place.folder ?? null;
  // A hub whose folder was put back from a backup is where it was: its host knows it. One in a
  // container is known by its folder. What is neither is somewhere else.
  const elsewhere = differs(row.started_host, place.host) && !isSame(row.started_folder, folder);
  const moved = elsewhere || differs(row.started_url, place.url);
  if (moved && !options.takeOver) {
    const before = [row.started_host, row.started_url].filter((part) => part !== null).join(', ');
    throw new Fault(
      'data.elsewhere',
      `This store was last used by a hub at ${before}; this one would speak for it from another place, so it does not start.`,
    );
  }
  if (options.takeOver) await takeOver(database);
  await kysely
    .updateTable('hub_meta')
    .set({
      started_host: place.host ?? row.started_host,
      started_folder: folder ?? row.started_folder,
      started_url: place.url ?? row.started_url,
    })
    .execute();
  return hubIdentity(database);
}

const isSame = (before: string | null, now: string | null): boolean =>
  before !== null && before === now;

const differs = (before: string | null, now: string | null): boolean =>
  before !== null && now !== null && before !== now;
