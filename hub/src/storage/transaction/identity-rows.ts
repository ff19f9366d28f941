/**
 * Identities as table rows, and back.
 *
 * Does: seal and open the values of password fields; keep any text storable.
 * Always true: decoding what was encoded gives the same identity, except that U+0000 and lone
 * surrogates in logins and e-mails become U+FFFD (PostgreSQL has no way to store them).
 */

import type { Selectable } from 'kysely';
import type { Carried } from '../../model/carried.ts';
import { EMAIL, type Field, PASSWORD, type Value } from '../../model/field.ts';
import type { Account, Delivery, Identity } from '../../model/identity.ts';
import { type IdentityUid, type InstallationId, type SiteKey, siteKey } from '../../model/ids.ts';
import type { Standing } from '../../model/leaving.ts';
import type { Power } from '../../model/power.ts';
import type { Stamp } from '../../model/stamp.ts';
import type { Reason } from '../../reasons.ts';
import type { Secrets } from '../secrets.ts';
import type { StoredField, Tables } from '../tables.ts';

/** Text that PostgreSQL can hold. */
export const storable = (text: string): string =>
  Buffer.from(text, 'utf8').toString('utf8').replaceAll('\u0000', '\uFFFD');

/** E-mails and logins are compared byte by byte, lower-cased the same way on both sides. */
export const keyOf = (text: string): string => storable(text).toLowerCase();

const passwordPurpose = (uid: IdentityUid): string => `delivery.password:${uid}`;

export const encodeAccount = (uid: IdentityUid, account: Account) => ({
  uid,
  installation: account.installation,
  wp_id: account.wpId,
  login: storable(account.login),
  login_key: keyOf(account.login),
  email: storable(account.email),
  email_key: keyOf(account.email),
  registered: storable(account.registered),
  privileged: account.privileged,
  privileged_by: account.privilegedBy === undefined ? null : storablePower(account.privilegedBy),
  outgoing_stopped: account.outgoingStopped,
  incoming_rejected: account.incomingRejected,
  labelled: account.labelled,
  known: Object.fromEntries(account.known),
  roles: Object.fromEntries([...account.roles].map(([site, names]) => [site, names.map(storable)])),
  standing: account.standing === undefined ? null : storableStanding(account.standing),
  gone: account.gone,
  alarm: account.alarm,
});

const storablePower = ({ roles, other }: Power): Power => ({
  other,
  roles: Object.fromEntries(
    Object.entries(roles).map(([site, names]) => [site, names.map(storable)]),
  ),
});

const storableStanding = ({ meta, ...told }: Standing): Standing => ({
  ...told,
  meta: Object.fromEntries(Object.entries(meta).map(([key, rows]) => [key, rows.map(storable)])),
});

export const decodeAccount = (row: Selectable<Tables['accounts']>): Account => ({
  installation: row.installation,
  wpId: row.wp_id,
  login: row.login,
  email: row.email,
  registered: row.registered,
  privileged: row.privileged,
  ...(row.privileged_by === null ? {} : { privilegedBy: row.privileged_by }),
  outgoingStopped: row.outgoing_stopped,
  incomingRejected: row.incoming_rejected,
  labelled: row.labelled,
  known: new Map(Object.entries(row.known)),
  roles: decodeRoles(row.roles),
  ...(row.standing === null ? {} : { standing: row.standing }),
  gone: row.gone,
  alarm: row.alarm,
});

export const decodeRoles = (roles: Selectable<Tables['accounts']>['roles']): Account['roles'] =>
  new Map(Object.entries(roles).map(([site, names]) => [siteKey(Number(site)), names]));

export const encodeDelivery = (uid: IdentityUid, delivery: Delivery, secrets: Secrets) => ({
  uid,
  target: delivery.target,
  id: delivery.id,
  lane: delivery.lane,
  fields: Object.fromEntries(
    [...delivery.fields].map(([field, carried]) => [
      field,
      encodeField(uid, field, carried, secrets),
    ]),
  ),
  birth:
    delivery.birth === null
      ? null
      : {
          ...delivery.birth,
          login: storable(delivery.birth.login),
          registered: storable(delivery.birth.registered),
        },
  gone: delivery.gone,
  held: delivery.held,
  actor: delivery.actor === null ? null : storable(delivery.actor),
  attempts: delivery.attempts,
  version: delivery.version,
  not_before_ms: delivery.notBeforeMs,
  ...waitsFor(delivery),
});

export const decodeDelivery = (
  row: Selectable<Tables['deliveries']>,
  secrets: Secrets,
): Delivery => ({
  id: row.id,
  target: row.target,
  lane: row.lane,
  fields: new Map(
    Object.entries(row.fields).map(([field, stored]) => [
      field,
      decodeField(row.uid, stored, secrets),
    ]),
  ),
  birth: row.birth,
  gone: row.gone,
  held: row.held,
  actor: row.actor,
  attempts: row.attempts,
  version: row.version,
  notBeforeMs: row.not_before_ms,
});

function encodeField(
  uid: IdentityUid,
  field: Field,
  carried: Carried,
  secrets: Secrets,
): StoredField {
  const text = JSON.stringify(carried.value);
  return {
    ...(field === PASSWORD ? { z: secrets.seal(passwordPurpose(uid), text) } : { v: text }),
    s: carried.stamp,
    p: carried.path,
    ...(carried.held === undefined ? {} : { held: carried.held }),
    ...(carried.expired === undefined ? {} : { x: true as const }),
    ...(carried.lost === undefined ? {} : { l: storable(carried.lost) }),
    ...(carried.unconfirmed === undefined ? {} : { u: true as const }),
  };
}

function decodeField(uid: IdentityUid, stored: StoredField, secrets: Secrets): Carried {
  const text = stored.z === undefined ? stored.v : secrets.open(passwordPurpose(uid), stored.z);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by encodeField alone
  const value = JSON.parse(text ?? 'null') as Value;
  return {
    value,
    stamp: stored.s,
    path: stored.p,
    ...(stored.held === undefined ? {} : { held: stored.held }),
    ...(stored.x === undefined ? {} : { expired: true }),
    ...(stored.l === undefined ? {} : { lost: stored.l }),
    ...(stored.u === undefined ? {} : { unconfirmed: true }),
  };
}

const EMAIL_TAKEN: Reason = 'identity.email_taken';
const LOGIN_TAKEN: Reason = 'identity.login_taken';

/** The address or login that must become free before this is tried again. */
function waitsFor(delivery: Delivery): { waits_email: string | null; waits_login: string | null } {
  const email = delivery.fields.get(EMAIL);
  const forEmail = delivery.held === EMAIL_TAKEN || email?.held === EMAIL_TAKEN;
  const address = typeof email?.value === 'string' ? keyOf(email.value) : null;
  const login = delivery.birth === null ? null : keyOf(delivery.birth.login);
  return {
    waits_email: forEmail ? address : null,
    waits_login: delivery.held === LOGIN_TAKEN ? login : null,
  };
}

export const decodeStopped = (row: Selectable<Tables['stopped']>): ReadonlyMap<Field, Stamp> =>
  new Map(Object.entries(row.fields));

/** Assembles identities from the rows of their three tables. */
export function assemble(
  uids: readonly IdentityUid[],
  rows: {
    accounts: readonly Selectable<Tables['accounts']>[];
    deliveries: readonly Selectable<Tables['deliveries']>[];
    stopped: readonly Selectable<Tables['stopped']>[];
  },
  secrets: Secrets,
): Map<IdentityUid, Identity> {
  const parts = new Map(
    uids.map((uid) => [
      uid,
      {
        uid,
        accounts: new Map<InstallationId, Account>(),
        deliveries: new Map<SiteKey, Delivery>(),
        stopped: new Map<SiteKey, ReadonlyMap<Field, Stamp>>(),
      },
    ]),
  );
  for (const row of rows.accounts) {
    parts.get(row.uid)?.accounts.set(row.installation, decodeAccount(row));
  }
  for (const row of rows.deliveries) {
    parts.get(row.uid)?.deliveries.set(row.target, decodeDelivery(row, secrets));
  }
  for (const row of rows.stopped) {
    parts.get(row.uid)?.stopped.set(row.target, decodeStopped(row));
  }
  return parts;
}
