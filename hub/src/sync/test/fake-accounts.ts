/**
 * The accounts of a site in memory: values, stamps, labels, tombstones.
 *
 * Always true: it keeps accounts as the connector's ledger does (roles under `role:<name>`, meta as
 * lists of rows); nothing here knows of the outbox.
 */
import type { AccountState } from '#contract/account-state.ts';
import {
  type Field,
  isMeta,
  isRole,
  roleField,
  roleOf,
  textOf,
  type Value,
} from '../../model/field.ts';
import { type SiteKey, siteKey } from '../../model/ids.ts';
import { nextStamp, type Stamp } from '../../model/stamp.ts';

export interface Entry {
  value: Value;
  stamp: Stamp;
}
export interface FakeProof {
  half: string;
  kind: 'mail' | 'password';
  salt: string | null;
  endsMs: number;
  confirmed: boolean;
  verifier: string | null;
}
export interface FakeAccount {
  id: number;
  uid: string | null;
  login: string;
  registered: string;
  born: Stamp;
  fields: Map<Field, Entry>;
  switches: { stop_outgoing: boolean; reject_incoming: boolean; stop_made: boolean };
  /** Halves of proofs that the hub asked for. */
  proofs: FakeProof[];
  /** Somebody has signed in since it is connected. */
  signedIn: boolean;
  /** The address that it registered with, or that its person confirmed. */
  trusted: { readonly email: string; readonly by: 'registration' | 'confirmation' } | null;
  /** It wrote something that would be lost with it. */
  hasContent: boolean;
}

/** A stamp as it goes over the wire. */
export const wire = ([ms, key]: Stamp): [number, number] => [ms, key];

export const fromWire = ([ms, key]: readonly [number, number]): Stamp => [ms, siteKey(key)];

export const same = (a: Value | undefined, b: Value | undefined): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

export class FakeAccounts {
  readonly byId = new Map<number, FakeAccount>();
  readonly tombstones = new Map<string, Stamp>();
  /** An older connector does not. */
  tellsEmailOrigins = true;
  /** An older connector says that somebody is privileged, and not by what. */
  tellsPower = true;
  private nextId = 1;
  private readonly key: SiteKey;
  private readonly privilegedRoles: readonly string[];

  constructor(key: SiteKey, privilegedRoles: readonly string[]) {
    this.key = key;
    this.privilegedRoles = privilegedRoles;
  }

  insert(login: string, registered: string): FakeAccount {
    const account: FakeAccount = {
      id: this.nextId,
      uid: null,
      login,
      registered,
      born: [0, this.key],
      fields: new Map(),
      switches: { stop_outgoing: false, reject_incoming: false, stop_made: false },
      proofs: [],
      signedIn: false,
      trusted: null,
      hasContent: false,
    };
    this.nextId += 1;
    this.byId.set(account.id, account);
    return account;
  }

  all(): readonly FakeAccount[] {
    return [...this.byId.values()];
  }

  byUid(uid: string): FakeAccount | undefined {
    return this.all().find((account) => account.uid === uid);
  }

  /** As WordPress's database compares logins: without regard to case. */
  byLogin(login: string): FakeAccount | undefined {
    return this.all().find((account) => account.login.toLowerCase() === login.toLowerCase());
  }

  byEmail(email: string, except?: FakeAccount): FakeAccount | undefined {
    const wanted = email.toLowerCase();
    if (wanted === '') return undefined;
    return this.all().find((one) => one !== except && emailOf(one).toLowerCase() === wanted);
  }

  /** Gives one stamp to all that really differs; what stays as it was keeps its own. */
  change(account: FakeAccount, changes: Readonly<Record<Field, Value>>, nowMs: number): boolean {
    const differ = Object.entries(changes).filter(([field, value]) => {
      return !same(valueOf(account, field), value);
    });
    const stamp = nextStamp(nowMs, greatestMs(account), this.key);
    for (const [field, value] of differ) account.fields.set(field, { value, stamp });
    if (differ.some(([field]) => field === 'email')) account.trusted = null;
    endMailed(
      account,
      differ.map(([field]) => field),
    );
    return differ.length > 0;
  }

  /** What WordPress makes of what nobody said. */
  fillBlanks(account: FakeAccount, stamp: Stamp): void {
    const { login } = account;
    const blanks: [Field, Value][] = [
      ...BLANK.map((field): [Field, Value] => [field, '']),
      ['nickname', login],
      ['display_name', login],
      ['password', hashOf(login)],
    ];
    for (const [field, value] of blanks) {
      if (!account.fields.has(field)) account.fields.set(field, { value, stamp });
    }
  }

  isPrivileged(account: FakeAccount): boolean {
    return this.powerOf(account).length > 0;
  }

  /** The privileged roles that it has. */
  powerOf(account: FakeAccount): string[] {
    return this.privilegedRoles.filter((role) => hasRole(account, role));
  }

  isPrivilegedRole(role: string): boolean {
    return this.privilegedRoles.includes(role);
  }

  isLastAdministrator(account: FakeAccount): boolean {
    const all = this.all().filter((one) => hasRole(one, 'administrator'));
    return all.length === 1 && all[0] === account;
  }

  state(account: FakeAccount): AccountState {
    const { fields, roles } = fieldsAndRoles(account);
    const signed_in = account.signedIn;
    const by = this.tellsEmailOrigins ? emailBy(account) : undefined;
    const told = by === undefined ? { signed_in } : { signed_in, email_by: by };
    const state = { ...this.who(account), ...told, fields, roles: { '1': roles } };
    const proofs = confirmedOn(account);
    return proofs.length === 0 ? state : { ...state, proofs };
  }

  who(account: FakeAccount): AccountState {
    const { id, uid, login, registered, switches } = account;
    return {
      id,
      uid,
      label_ok: true,
      login,
      email: emailOf(account),
      registered,
      born: wire(account.born),
      privileged: this.isPrivileged(account),
      ...(this.tellsPower && this.isPrivileged(account)
        ? { privileged_by: { roles: { '1': this.powerOf(account) }, other: false } }
        : {}),
      switches: { ...switches },
    };
  }
}

function emailBy(account: FakeAccount): AccountState['email_by'] {
  const { trusted } = account;
  if (trusted !== null && trusted.email === emailOf(account)) return trusted.by;
  return (account.fields.get('email')?.stamp[0] ?? 0) > 0 ? 'other' : undefined;
}

const confirmedOn = ({ proofs }: FakeAccount) =>
  proofs
    .filter(({ confirmed }) => confirmed)
    .map(({ half, verifier }) => (verifier === null ? { half } : { half, verifier }));

/** A mailed link ends with every change of the address or the password. */
export function endMailed(account: FakeAccount, changed: readonly Field[]): void {
  if (!changed.some((field) => field === 'email' || field === 'password')) return;
  account.proofs = account.proofs.filter(({ kind }) => kind !== 'mail');
}

const BLANK = ['first_name', 'last_name', 'description', 'url', 'locale'];
const SALT_AND_SUM = 30;

/** Well formed, as phpass makes them; of no password. */
const hashOf = (login: string): string => {
  const letters = login.replaceAll(/[^0-9A-Za-z]/gu, '.');
  return `$P$B${letters.padEnd(SALT_AND_SUM, '.').slice(0, SALT_AND_SUM)}`;
};

/** What a site would read: false for a role that nobody gave, no rows for meta without any. */
export const valueOf = (account: FakeAccount, field: Field): Value | undefined =>
  account.fields.get(field)?.value ?? absent(field);

const absent = (field: Field): Value | undefined => {
  if (isRole(field)) return false;
  return isMeta(field) ? [] : undefined;
};

function fieldsAndRoles(account: FakeAccount) {
  const fields: NonNullable<AccountState['fields']> = {};
  const roles: Record<string, { v: boolean; s: [number, number] }> = {};
  for (const [field, { value, stamp }] of account.fields) {
    if (isRole(field)) roles[roleOf(field)] = { v: value === true, s: wire(stamp) };
    else fields[field] = { v: value, s: wire(stamp) };
  }
  return { fields, roles };
}

export const emailOf = (account: FakeAccount): string => textOf(account.fields.get('email')?.value);

export const hasRole = (account: FakeAccount, role: string): boolean =>
  account.fields.get(roleField(role))?.value === true;

export const greatestMs = (account: FakeAccount): number =>
  [...account.fields.values()].reduce(
    (most, entry) => Math.max(most, entry.stamp[0]),
    account.born[0],
  );
