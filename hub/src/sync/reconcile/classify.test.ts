/** What is drift, and what explains a difference: one account on two sites. */
import { describe, expect, test } from 'vitest';
import type { AccountState } from '#contract/account-state.ts';
import type { Field, Value } from '../../model/field.ts';
import type { Account, Delivery, Identity } from '../../model/identity.ts';
import {
  deliveryId,
  identityUid,
  installationId,
  routeId,
  siteKey,
  wordPressId,
} from '../../model/ids.ts';
import { type Route, type Site, USUAL_SITE_RULES } from '../../model/route.ts';
import type { Stamp } from '../../model/stamp.ts';
import { classifyExtra, classifyMissing, classifyTwins, type Twins } from './classify.ts';

const HERE = siteKey(1);
const THERE = siteKey(2);
const EDIT = 5_000;

const site = (key: Site['key'], name: string): Site => ({
  key,
  installation: installationId(name),
  blog: 1,
  name,
  url: '',
  status: 'active',
  createMissing: false,
  rules: USUAL_SITE_RULES,
});
const source = site(HERE, 'here');
const target = site(THERE, 'there');
const route: Route = {
  id: routeId(1),
  source: HERE,
  target: THERE,
  status: 'active',
  rules: {
    fields: ['first_name', 'password'],
    meta: ['tags'],
    roles: ['author'],
    creates: true,
    updates: true,
    onDelete: 'delete',
    reassignTo: null,
    loginTaken: 'hold',
  },
};

const account = (at: Site, more: Partial<Account> = {}): Account => ({
  installation: at.installation,
  wpId: wordPressId(7),
  login: 'ann',
  email: 'ann@x.test',
  registered: '',
  privileged: false,
  outgoingStopped: false,
  incomingRejected: false,
  labelled: true,
  known: new Map([['first_name', [EDIT, HERE]]]),
  roles: new Map(),
  gone: null,
  alarm: null,
  ...more,
});
const delivery = (to: Site, more: Partial<Delivery> = {}): Delivery => ({
  id: deliveryId('d'),
  target: to.key,
  lane: 'people',
  fields: new Map(),
  birth: null,
  gone: null,
  held: null,
  actor: null,
  attempts: 0,
  version: 0,
  notBeforeMs: 0,
  ...more,
});
const carrying = (stamp: Stamp, held?: string): Delivery['fields'] =>
  new Map([
    ['first_name', { value: 'x', stamp, path: [HERE], ...(held === undefined ? {} : { held }) }],
  ]);
const person = (accounts: readonly Account[], deliveries: readonly Delivery[] = []): Identity => ({
  uid: identityUid('11111111-1111-4111-8111-111111111111'),
  accounts: new Map(accounts.map((one) => [one.installation, one])),
  deliveries: new Map(deliveries.map((one) => [one.target, one])),
  stopped: new Map(),
});
const both = [account(source), account(target, { known: new Map() })];

type Held = Readonly<Record<Field, readonly [Value, number, number]>>;
const side = (values: Held, unreadable?: Record<string, string>) => {
  const fields: NonNullable<AccountState['fields']> = {};
  for (const [field, [v, ms, key]] of Object.entries(values)) fields[field] = { v, s: [ms, key] };
  const state: AccountState = {
    id: 7,
    uid: null,
    label_ok: true,
    login: 'ann',
    email: '',
    registered: '',
    born: [0, 1],
    privileged: false,
    switches: { stop_outgoing: false, reject_incoming: false },
    fields,
    ...(unreadable === undefined ? {} : { unreadable }),
  };
  return { state, blog: 1 };
};
const told = (more: Partial<Twins>): string[] =>
  classifyTwins({
    route,
    source,
    target,
    identity: person(both),
    here: side({ first_name: ['A', EDIT, 1] }),
    there: side({ first_name: ['B', 10, 2] }),
    rule: null,
    isGrantable: () => true,
    ...more,
  }).map(({ what, reason, fields }) => `${what} ${reason} ${fields.join()}`);

describe('of two that differ', () => {
  test('I14: a delivery on its way, or held, explains as much as it carries', () => {
    const beside = (...deliveries: Delivery[]) => told({ identity: person(both, deliveries) });
    expect(beside()).toEqual(['different drift.behind first_name']);
    const carried = carrying([EDIT, HERE]);
    expect(beside(delivery(target, { fields: carried }))).toEqual([
      'on_its_way drift.on_its_way first_name',
    ]);
    expect(beside(delivery(target, { fields: carrying([EDIT - 1, HERE]) }))).toEqual([
      'different drift.behind first_name',
    ]);
    expect(
      beside(delivery(target, { fields: carrying([EDIT, HERE], 'identity.email_taken') })),
    ).toEqual(['held identity.email_taken first_name']);
    expect(beside(delivery(target, { fields: carried, held: 'delete.newer_edit' }))).toEqual([
      'held delete.newer_edit first_name',
    ]);
  });

  test('what is newer there is drift, unless it is on its way back', () => {
    const there = side({ first_name: ['B', EDIT + 1, 2] });
    expect(told({ there })).toEqual(['different drift.newer_there first_name']);
    const back = delivery(source, { fields: carrying([EDIT + 1, THERE]) });
    expect(told({ there, identity: person(both, [back]) })).toEqual([
      'on_its_way drift.on_its_way first_name',
    ]);
  });

  test('what was refused, what a rule keeps back and what is not heard of yet is no drift', () => {
    const stopped = new Map([[THERE, new Map([['first_name', [EDIT, HERE] as const]])]]);
    expect(told({ identity: { ...person(both), stopped } })).toEqual([
      'by_rule path.stopped_at first_name',
    ]);
    expect(told({ rule: 'source.automatic_off' })).toEqual([
      'by_rule source.automatic_off first_name',
    ]);
    expect(told({ here: side({ first_name: ['A', EDIT + 1, 1] }) })).toEqual([
      'on_its_way drift.not_heard first_name',
    ]);
  });

  test('a value that a site can’t tell is never taken for an empty one', () => {
    const without = (reason: string) => told({ here: side({}, { first_name: reason }) });
    expect(without('source.rewritten_outside')).toEqual([
      'held source.rewritten_outside first_name',
    ]);
    expect(without('account.busy')).toEqual(['on_its_way account.busy first_name']);
    expect(without('value.object')).toEqual(['by_rule value.object first_name']);
  });

  test('passwords differ by their stamps alone, and meta by all of its rows', () => {
    const password = (hash: string, ms: number) => side({ password: [hash, ms, 1] });
    const pair = (here: Twins['here'], there: Twins['there']) =>
      told({
        here,
        there,
        identity: person([
          account(source, { known: new Map([['password', [EDIT, HERE]]]) }),
          account(target),
        ]),
      });
    expect(pair(password('one', EDIT), password('rehashed', EDIT))).toEqual([]);
    expect(pair(password('one', 0), password('other', 0))).toEqual([]);
    expect(pair(password('one', EDIT), password('one', EDIT - 1))).toEqual([
      'different drift.behind password',
    ]);
    const tags = (...rows: string[]) => side({ 'meta:tags': [rows, 0, 1] });
    expect(pair(tags('a', 'b'), tags('a'))).toEqual(['different drift.from_before meta:tags']);
    expect(pair(tags(), side({}))).toEqual([]);
  });
});

describe('of one alone', () => {
  const ways = { route, source, target };
  const offered = { kind: 'deliver', reason: null } as const;

  test('I14: who is missing is drift only where the account would be created now', () => {
    const one = person([account(source)]);
    expect(classifyMissing(one, ways, offered, false).reason).toBe('drift.missing');
    const skip = { kind: 'skip', reason: 'route.creates_off' } as const;
    expect(classifyMissing(one, ways, skip, false).what).toBe('by_rule');
    expect(classifyMissing(null, ways, offered, false).what).toBe('on_its_way');
    const gone = { stamp: [9, HERE] as const, path: [HERE], how: 'delete' } as const;
    const ending = person(both, [delivery(target, { gone, held: 'delete.over_limit' })]);
    expect(classifyMissing(ending, ways, offered, true)).toMatchObject({
      what: 'held',
      reason: 'delete.over_limit',
    });
    expect(classifyMissing(person(both), ways, offered, true)).toMatchObject({
      what: 'missing',
      reason: 'account.vanished',
    });
  });

  test('an account that lives on is as its route says, or drift', () => {
    const ended = account(source, { gone: [9, HERE] });
    const extra = (onDelete: 'delete' | 'strip' | 'ignore', roles: readonly string[]) =>
      classifyExtra({
        ...ways,
        route: { ...route, rules: { ...route.rules, onDelete } },
        identity: person([ended, account(target, { roles: new Map([[THERE, roles]]) })]),
        privileged: false,
        unproven: false,
      })?.what;
    expect([
      extra('delete', []),
      extra('ignore', []),
      extra('strip', []),
      extra('strip', ['author']),
    ]).toEqual(['extra', 'by_rule', 'by_rule', 'extra']);
    const alone = { ...ways, identity: null, privileged: false, unproven: false };
    expect(classifyExtra(alone)?.reason).toBe('drift.extra');
    expect(classifyExtra({ ...alone, privileged: true })?.what).toBe('by_rule');
    expect(classifyExtra({ ...alone, unproven: true })?.reason).toBe('link.unproven');
    expect(classifyExtra({ ...alone, identity: person(both) })).toBeNull();
  });
});
