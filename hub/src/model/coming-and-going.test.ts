import { expect, test } from 'vitest';
import { comingAndGoing } from './coming-and-going.ts';
import type { Account, Fact } from './identity.ts';
import { installationId, siteKey, wordPressId } from './ids.ts';
import { type Site, USUAL_SITE_RULES } from './route.ts';
import type { Stamp } from './stamp.ts';

const key = siteKey(1);
const site: Site = {
  key,
  installation: installationId('i1'),
  blog: 1,
  name: 's1',
  url: 'https://s1.test',
  status: 'active',
  createMissing: false,
  rules: { ...USUAL_SITE_RULES, syncRoles: ['customer', 'vip'] },
};
const at = (ms: number): Stamp => [ms, key];

const account = (
  roles: readonly string[] | null,
  known: Account['known'] = new Map(),
): Account => ({
  installation: site.installation,
  wpId: wordPressId(7),
  login: 'anna',
  email: 'anna@x.test',
  registered: '2026-01-01 00:00:00',
  privileged: false,
  outgoingStopped: false,
  incomingRejected: false,
  labelled: true,
  known,
  roles: roles === null ? new Map() : new Map([[key, roles]]),
  gone: null,
  alarm: null,
});
const taken = (role: string, stamp: Stamp): Fact => ({
  field: `role:${role}`,
  site: key,
  value: false,
  stamp,
  path: [key],
});
const look = (before: Account | undefined, now: Account, ...facts: Fact[]) => {
  const { entered, left } = comingAndGoing(before, now, facts, { sites: [site], nowMs: 1_000 });
  return [[...(entered ?? [])], [...(left ?? [])]];
};

test('who gets the first such role came, and who loses the last left when it was taken', () => {
  expect(look(account(['editor']), account(['vip']))).toEqual([[key], []]);
  expect(look(account(['vip']), account(['vip', 'customer']))).toEqual([[], []]);
  expect(look(account(['vip', 'customer']), account(['customer']), taken('vip', at(5)))).toEqual([
    [],
    [],
  ]);
  const both = [taken('vip', at(5)), taken('customer', at(6)), taken('editor', at(9))];
  expect(look(account(['vip', 'customer']), account([]), ...both)).toEqual([[], [[key, at(6)]]]);
});

test('the first look at an account is no change of it', () => {
  expect(look(account(null), account(['vip']))).toEqual([[], []]);
  expect(look(undefined, account(['vip']))).toEqual([[], []]);
  expect(look(account(null), account([]), taken('vip', at(5)))).toEqual([[], []]);
});

test('nobody left whose role was not seen being taken, or long ago', () => {
  expect(look(account(['vip']), account([]))).toEqual([[], []]);
  const known = new Map([[`${key}/role:vip`, at(8)]]);
  expect(look(account(['vip'], known), account([]), taken('vip', at(5)))).toEqual([[], []]);
});

test('nobody left in the future', () => {
  const lost = taken('vip', at(9_000_000));
  expect(look(account(['vip']), account([]), lost)).toEqual([[], [[key, at(1_000)]]]);
});
