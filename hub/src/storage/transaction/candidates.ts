/**
 * Accounts elsewhere that may be the same person, or are in the way.
 *
 * Always true: e-mails and logins are compared byte by byte, lower-cased; one account stands
 * once, by e-mail if both agree; e-mail matches come first.
 */
import { type Kysely, sql } from 'kysely';
import type { Candidate } from '../../model/identity.ts';
import type { IdentityUid, InstallationId } from '../../model/ids.ts';
import type { Power } from '../../model/power.ts';
import type { Tables } from '../tables.ts';
import { keyOf } from './identity-rows.ts';

export interface Person {
  readonly uid: IdentityUid;
  readonly email: string;
  readonly login: string;
  /** Where the person has living accounts that may not be stored yet. */
  readonly on?: readonly InstallationId[];
}

interface CandidateRow {
  asker: IdentityUid;
  installation: InstallationId;
  wp_id: Candidate['wpId'];
  uid: IdentityUid;
  login: string;
  privileged: boolean;
  privileged_by: Power | null;
  by_email: boolean;
  elsewhere: boolean;
}

export async function candidates(
  db: Kysely<Tables>,
  people: readonly Person[],
  installations: readonly InstallationId[],
): Promise<(uid: IdentityUid, installation: InstallationId) => readonly Candidate[]> {
  if (people.length === 0 || installations.length === 0) return () => [];
  const found = new Map<string, Candidate[]>();
  for (const row of await find(db, people, installations)) {
    const key = `${row.asker} ${row.installation}`;
    const list = found.get(key) ?? [];
    found.set(key, list);
    list.push(candidateOf(row));
  }
  return (uid, installation) => found.get(`${uid} ${installation}`) ?? [];
}

const candidateOf = (row: CandidateRow): Candidate => ({
  by: row.by_email ? 'email' : 'login',
  wpId: row.wp_id,
  uid: row.uid,
  login: row.login,
  privileged: row.privileged,
  ...(row.privileged_by === null ? {} : { privilegedBy: row.privileged_by }),
  alreadyElsewhere: row.elsewhere,
});

/** `union`: each half has an index of its own; an `or` would read every account. */
async function find(
  db: Kysely<Tables>,
  people: readonly Person[],
  installations: readonly InstallationId[],
): Promise<CandidateRow[]> {
  const asked = people.map(({ uid, email, login, on }) => ({
    uid,
    email_key: keyOf(email),
    login_key: keyOf(login),
    installations: on ?? [],
  }));
  const where = sql`a.installation = any(${[...installations]}::uuid[]) and a.gone is null`;
  const { rows } = await sql<CandidateRow>`
    with asked as (
      select * from jsonb_to_recordset(${JSON.stringify(asked)}::jsonb)
        as r(uid uuid, email_key text, login_key text, installations jsonb)),
    found as (
      select q.uid as asker, a.uid, a.installation from asked q
        join accounts a on a.email_key = q.email_key and a.email_key <> '' and ${where}
      union
      select q.uid as asker, a.uid, a.installation from asked q
        join accounts a on a.login_key = q.login_key and a.login_key <> '' and ${where})
    select f.asker, a.installation, a.wp_id, a.uid, a.login, a.privileged, a.privileged_by,
      (a.email_key = q.email_key and a.email_key <> '') as by_email,
      exists (
        select 1 from accounts theirs
        where theirs.uid = a.uid and theirs.gone is null and (
          q.installations ? theirs.installation::text
          or exists (select 1 from accounts mine where mine.uid = q.uid
            and mine.installation = theirs.installation and mine.gone is null))) as elsewhere
    from found f join asked q on q.uid = f.asker
      join accounts a on a.uid = f.uid and a.installation = f.installation
    where a.uid <> f.asker
    order by by_email desc, a.wp_id`.execute(db);
  return rows;
}
