/**
 * Stores identities as they are now.
 *
 * Does: write the rows that differ from what this transaction loaded, at most one statement to
 * delete and one to upsert per table, however many identities there are.
 * Always true: repeating it writes nothing. Deletes go before upserts, so an account can move
 * from one identity to another in one save.
 */
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { Identity } from '../../model/identity.ts';
import type { IdentityUid } from '../../model/ids.ts';
import { hubNow } from '../hub-clock.ts';
import { encodeAccount, encodeDelivery } from './identity-rows.ts';
import { load, lockOnly, type People } from './people.ts';

export async function save(people: People, identities: readonly Identity[]): Promise<void> {
  const last = new Map(identities.map((identity) => [identity.uid, identity]));
  await insertNew(people, [...last.keys()]);
  const differences = differencesOf(people, [...last.values()]);
  await writeAccounts(people, differences);
  await writeDeliveries(people, differences);
  await writeStopped(people, differences);
  for (const identity of last.values()) people.loaded.set(identity.uid, identity);
}

/** New identities get their row; one that exists and wasn't locked is locked and loaded now. */
async function insertNew(people: People, uids: readonly IdentityUid[]): Promise<void> {
  const unseen = uids.filter((uid) => !people.loaded.has(uid));
  if (unseen.length === 0) return;
  const { rows } = await sql<{ uid: IdentityUid }>`
    insert into identities (uid) select unnest(${unseen}::uuid[])
    on conflict do nothing returning uid`.execute(people.db);
  const inserted = new Set(rows.map((row) => row.uid));
  const existing = unseen.filter((uid) => !inserted.has(uid));
  if (existing.length === 0) return;
  await lockOnly(people.db, existing);
  await load(people, existing);
}

interface RowKey {
  readonly uid: IdentityUid;
  readonly key: string | number;
}

interface Difference {
  readonly written: readonly object[];
  readonly deleted: readonly RowKey[];
}

interface Differences {
  readonly accounts: Difference;
  readonly deliveries: Difference;
  readonly stopped: Difference;
}

function differencesOf(people: People, identities: readonly Identity[]): Differences {
  const differ = differenceFrom(people, identities);
  return {
    accounts: differ(({ accounts }) => accounts, encodeAccount),
    deliveries: differ(
      ({ deliveries }) => deliveries,
      (uid, delivery) => encodeDelivery(uid, delivery, people.secrets),
    ),
    stopped: differ(
      ({ stopped }) => stopped,
      (uid, fields, target) => ({ uid, target, fields: Object.fromEntries(fields) }),
    ),
  };
}

const differenceFrom =
  ({ loaded }: People, identities: readonly Identity[]) =>
  <Key extends string | number, Value>(
    partOf: (identity: Identity) => ReadonlyMap<Key, Value>,
    encode: (uid: IdentityUid, value: Value, key: Key) => object,
  ): Difference => {
    const written: object[] = [];
    const deleted: RowKey[] = [];
    for (const identity of identities) {
      const { uid } = identity;
      const present = loaded.get(uid);
      const before = present === undefined ? new Map<Key, Value>() : partOf(present);
      const now = partOf(identity);
      for (const [key, value] of now) {
        if (!isDeepStrictEqual(value, before.get(key))) written.push(encode(uid, value, key));
      }
      for (const key of before.keys()) if (!now.has(key)) deleted.push({ uid, key });
    }
    return { written, deleted };
  };

async function writeAccounts({ db }: People, { accounts }: Differences): Promise<void> {
  if (accounts.deleted.length > 0) {
    await sql`delete from accounts t
      using jsonb_to_recordset(${JSON.stringify(accounts.deleted)}::jsonb) as r(uid uuid, key uuid)
      where t.uid = r.uid and t.installation = r.key`.execute(db);
  }
  if (accounts.written.length === 0) return;
  await sql`
    insert into accounts (uid, installation, wp_id, login, login_key, email, email_key, registered,
      privileged, privileged_by, outgoing_stopped, incoming_rejected, labelled, known, roles, standing, gone,
      alarm)
    select uid, installation, wp_id, login, login_key, email, email_key, registered,
      privileged, nullif(privileged_by, 'null'), outgoing_stopped, incoming_rejected, labelled, known, roles,
      nullif(standing, 'null'), nullif(gone, 'null'), alarm
    from jsonb_to_recordset(${JSON.stringify(accounts.written)}::jsonb) as r(
      uid uuid, installation uuid, wp_id bigint, login text, login_key text, email text,
      email_key text, registered text, privileged boolean, privileged_by jsonb, outgoing_stopped boolean,
      incoming_rejected boolean, labelled boolean, known jsonb, roles jsonb, standing jsonb, gone jsonb,
      alarm text)
    on conflict (uid, installation) do update set
      wp_id = excluded.wp_id, login = excluded.login, login_key = excluded.login_key,
      email = excluded.email, email_key = excluded.email_key, registered = excluded.registered,
      privileged = excluded.privileged, privileged_by = excluded.privileged_by,
      outgoing_stopped = excluded.outgoing_stopped,
      incoming_rejected = excluded.incoming_rejected, labelled = excluded.labelled,
      known = excluded.known, roles = excluded.roles, standing = excluded.standing,
      gone = excluded.gone, alarm = excluded.alarm,
      was_uid = case when not excluded.labelled then accounts.was_uid end`.execute(db);
}

async function writeDeliveries({ db }: People, { deliveries }: Differences): Promise<void> {
  if (deliveries.deleted.length > 0) {
    await sql`delete from deliveries t
      using jsonb_to_recordset(${JSON.stringify(deliveries.deleted)}::jsonb)
        as r(uid uuid, key integer)
      where t.uid = r.uid and t.target = r.key`.execute(db);
  }
  if (deliveries.written.length === 0) return;
  // Place in the queue and lease stay with a delivery; another id is another delivery.
  await sql`
    insert into deliveries (uid, target, id, installation, lane, fields, birth, gone, held, actor,
      attempts, version, not_before_ms, queued_at_ms, waits_email, waits_login)
    select r.uid, r.target, r.id, s.installation, r.lane, r.fields, nullif(r.birth, 'null'),
      nullif(r.gone, 'null'), r.held, r.actor, r.attempts, r.version, r.not_before_ms, ${hubNow},
      r.waits_email, r.waits_login
    from jsonb_to_recordset(${JSON.stringify(deliveries.written)}::jsonb) as r(
      uid uuid, target integer, id text, lane text, fields jsonb, birth jsonb, gone jsonb,
      held text, actor text, attempts integer, version integer, not_before_ms bigint, waits_email text,
      waits_login text)
    left join sites s on s.key = r.target
    on conflict (uid, target) do update set
      id = excluded.id, lane = excluded.lane, fields = excluded.fields, birth = excluded.birth,
      gone = excluded.gone, held = excluded.held, actor = excluded.actor, attempts = excluded.attempts,
      version = excluded.version, not_before_ms = excluded.not_before_ms,
      waits_email = excluded.waits_email, waits_login = excluded.waits_login,
      queued_at_ms = case when deliveries.id = excluded.id
        then deliveries.queued_at_ms else excluded.queued_at_ms end,
      lease_until_ms = case when deliveries.id = excluded.id
        then deliveries.lease_until_ms end`.execute(db);
}

async function writeStopped({ db }: People, { stopped }: Differences): Promise<void> {
  if (stopped.deleted.length > 0) {
    await sql`delete from stopped t
      using jsonb_to_recordset(${JSON.stringify(stopped.deleted)}::jsonb) as r(uid uuid, key integer)
      where t.uid = r.uid and t.target = r.key`.execute(db);
  }
  if (stopped.written.length === 0) return;
  await sql`
    insert into stopped (uid, target, fields)
    select uid, target, fields from jsonb_to_recordset(${JSON.stringify(stopped.written)}::jsonb)
      as r(uid uuid, target integer, fields jsonb)
    on conflict (uid, target) do update set fields = excluded.fields`.execute(db);
}
