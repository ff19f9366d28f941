/**
 * Operations, acts and values that the conformance cases are made of.
 */
import { randomUUID } from 'node:crypto';
import type { AccountState } from '#contract/account-state.ts';
import type { DeleteOperation, Receipt, WriteOperation } from '#contract/messages.ts';
import { PHPASS } from './sample-hashes.ts';
import type { Act } from './site-under-test.ts';

/** Key of the site that changes come from; there are smaller and greater ones. */
export const THERE = 500;
export const THERE_URL = 'https://there.test';
const SOURCE = { url: THERE_URL, key: THERE };
/** No site of these tests has so many accounts. */
export const NOBODY = 999_999;

export type Fields = WriteOperation['fields'];
export type StampedValue = Fields[string];

/** An account that is there: whom an operation is about. */
export interface Somebody {
  readonly id: number;
  readonly uid: string;
  readonly login: string;
}

/** Came from elsewhere; every field has the stamp `[ms, THERE]`. */
export interface Guest extends Somebody {
  readonly ms: number;
}
export const GUEST_FIELDS = {
  first_name: 'Gia',
  last_name: 'Guest',
  nickname: 'gigi',
  display_name: 'Gia G.',
  description: 'Came along',
  url: 'http://guest.test',
  password: PHPASS,
  'meta:phone': ['030 1', '030 2'],
  'role:author': true,
  'role:subscriber': true,
} as const;

/** Values with one stamp. */
export const stamped = (
  values: Readonly<Record<string, StampedValue['v']>>,
  ms: number,
  key = THERE,
): Fields =>
  Object.fromEntries(Object.entries(values).map(([name, v]) => [name, { v, s: [ms, key] }]));

/** So many seconds ago, ms. */
export const past = (seconds: number): number => Date.now() - seconds * 1_000;

/** Field → what became of it, or why not. */
export const outcomes = (receipt: Receipt | undefined): Record<string, string> =>
  Object.fromEntries(
    Object.entries(receipt?.fields ?? {}).map(([name, { r, why }]) => [name, why ?? r]),
  );

export const results = (receipts: readonly Receipt[]) =>
  receipts.map(({ result, reason }) => (reason === undefined ? result : `${result} ${reason}`));

export const values = (account: AccountState | undefined): Record<string, unknown> =>
  Object.fromEntries(Object.entries(account?.fields ?? {}).map(([name, { v }]) => [name, v]));

let count = 0;

/** A login that nobody has had. */
export function fresh(word = 'person'): string {
  count += 1;
  return `${word}-${count}`;
}

export const mailOf = (login: string): string => `${login}@people.test`;

export const register = (login: string, more: { role?: string } = {}): Act => ({
  do: 'register',
  login,
  email: mailOf(login),
  ...more,
});
export const edit = (login: string, changes: Readonly<Record<string, string>>): Act => ({
  do: 'edit',
  login,
  changes,
});

/** How an account is to come about that is nowhere yet. */
export const birth = (
  login: string,
  change: Partial<NonNullable<WriteOperation['create']>> = {},
) => {
  const born: [number, number] = [past(100), THERE];
  return { login, registered: '2020-01-02 03:04:05', born, default_role: false, ...change };
};

/** Creates somebody; the e-mail address comes along with the other fields. */
export const creation = (
  login: string,
  fields: Fields = {},
  change: Partial<WriteOperation> = {},
): WriteOperation => ({
  kind: 'write',
  op: fresh('op'),
  uid: randomUUID(),
  source: SOURCE,
  blog: 1,
  id: null,
  create: birth(login),
  fields: { ...stamped({ email: mailOf(login) }, past(100)), ...fields },
  ...change,
});

/** A write to somebody who is there. */
export const write = (
  { id, uid }: { readonly id: number | null; readonly uid: string },
  fields: Fields,
): WriteOperation => ({
  kind: 'write',
  op: fresh('op'),
  uid,
  source: SOURCE,
  blog: 1,
  id,
  create: null,
  fields,
});

export const deletion = (
  { id, uid }: { readonly id: number | null; readonly uid: string },
  change: Partial<DeleteOperation> = {},
): DeleteOperation => ({
  kind: 'delete',
  op: fresh('op'),
  uid,
  source: SOURCE,
  blog: 1,
  id,
  gone: [Date.now(), THERE],
  reassign: null,
  how: 'delete',
  ...change,
});
