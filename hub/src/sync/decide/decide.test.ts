/** One holding, one route, one answer. Numbers are the invariants of SPEC.md. */
import { describe, expect, test } from 'vitest';
import type { Carried } from '../../model/carried.ts';
import type { Account, Delivery, Fact, Holding, Identity } from '../../model/identity.ts';
import {
  deliveryId,
  identityUid,
  installationId,
  routeId,
  siteKey,
  wordPressId,
} from '../../model/ids.ts';
import { type Route, type Site, type SiteRules, USUAL_SITE_RULES } from '../../model/route.ts';
import type { Stamp } from '../../model/stamp.ts';
import { EVERYTHING } from '../test/world.ts';
import { decide, type Question } from './decide.ts';

const site = (key: number): Site => ({
  key: siteKey(key),
  installation: installationId(`i${key}`),
  blog: 1,
  name: `s${key}`,
  url: `https://s${key}.test`,
  status: 'active',
  createMissing: false,
  rules: USUAL_SITE_RULES,
});
const [source, target] = [site(1), site(2)];
const at = (ms: number, key = 1): Stamp => [ms, siteKey(key)];

const account = (of: Site, change: Partial<Account> = {}): Account => ({
  installation: of.installation,
  wpId: wordPressId(7),
  login: 'anna',
  email: 'anna@x.test',
  registered: '2026-01-01 00:00:00',
  privileged: false,
  outgoingStopped: false,
  incomingRejected: false,
  labelled: true,
  known: new Map(),
  roles: new Map(),
  gone: null,
  alarm: null,
  ...change,
});

const pending = (change: Partial<Delivery>): Delivery => ({
  id: deliveryId('d1'),
  target: target.key,
  lane: 'people',
  fields: new Map(),
  birth: null,
  gone: null,
  held: null,
  actor: null,
  attempts: 0,
  version: 1,
  notBeforeMs: 0,
  ...change,
});
const carried = (stamp: Stamp): Carried => ({ value: 'x', stamp, path: [source.key] });

const fact = (stamp: Stamp, change: Partial<Fact> = {}): Fact => ({
  field: 'first_name',
  site: source.key,
  value: 'Anna',
  stamp,
  path: [source.key],
  ...change,
});

interface Case {
  readonly facts?: readonly Fact[];
  readonly here?: Partial<Account>;
  /** null: no account on the target. */
  readonly there?: Partial<Account> | null;
  readonly waiting?: Partial<Delivery>;
  readonly stopped?: Stamp;
  readonly rules?: Partial<Route['rules']>;
  readonly gone?: Stamp;
  readonly from?: Partial<SiteRules>;
  readonly to?: Partial<Site>;
  readonly holding?: Partial<Holding>;
}

function ask(given: Case) {
  const { facts = [fact(at(10))], here, there, waiting, stopped, rules, gone } = given;
  const identity: Identity = {
    uid: identityUid('u1'),
    accounts: new Map([
      [source.installation, account(source, here)],
      ...(there === null ? [] : [[target.installation, account(target, there)] as const]),
    ]),
    deliveries: new Map(waiting === undefined ? [] : [[target.key, pending(waiting)]]),
    stopped: new Map(
      stopped === undefined ? [] : [[target.key, new Map([['first_name', stopped]])]],
    ),
  };
  const holding: Holding = {
    installation: source.installation,
    facts,
    all: facts,
    complete: true,
    gone: gone === undefined ? null : { stamp: gone, path: [source.key], site: source.key },
    birth: null,
    newlyBorn: false,
    learnedBy: 'capture',
    lane: 'people',
    ...given.holding,
  };
  const route: Route = {
    id: routeId(1),
    source: source.key,
    target: target.key,
    status: 'active',
    rules: { ...EVERYTHING, ...rules },
  };
  const from: Site = { ...source, rules: { ...source.rules, ...given.from } };
  const to: Site = { ...target, ...given.to };
  const question: Question = {
    identity,
    holding,
    route,
    source: from,
    target: to,
    candidates: [],
    rolesAreMapped: given.to?.rules !== undefined || given.from?.roleMap !== undefined,
  };
  const decision = decide(question);
  expect(decide(question)).toEqual(decision);
  return decision.kind === 'deliver'
    ? [decision.kind, ...decision.fields.keys()]
    : [decision.kind, decision.kind === 'refresh' ? null : decision.reason];
}

const knows = (stamp: Stamp): Partial<Account> => ({ known: new Map([['first_name', stamp]]) });
const waits = (stamp: Stamp): Partial<Delivery> => ({
  fields: new Map([['first_name', carried(stamp)]]),
});

describe('a fact', () => {
  test.each<[string, Case, unknown[]]>([
    ['I2: that the target does not hold goes', {}, ['deliver', 'first_name']],
    [
      'I2: newer than what the target is known to hold goes',
      { there: knows(at(9)) },
      ['deliver', 'first_name'],
    ],
    [
      'I2: that the target is known to hold stays',
      { there: knows(at(10)) },
      ['skip', 'target.already_holds'],
    ],
    ['I2: that is on its way stays', { waiting: waits(at(10)) }, ['skip', 'target.already_holds']],
    [
      'I2: newer than what is on its way goes',
      { waiting: waits(at(9)) },
      ['deliver', 'first_name'],
    ],
    [
      'I1: older than what the target holds has lost',
      { there: knows(at(11, 2)) },
      ['skip', 'conflict.superseded'],
    ],
    [
      'I1: older than what is on its way has lost',
      { waiting: waits(at(11, 3)) },
      ['skip', 'conflict.superseded'],
    ],
    [
      'I1: of the same moment loses against the greater site key',
      { there: knows(at(10, 2)) },
      ['skip', 'conflict.superseded'],
    ],
    ['I4: that the target refused stays', { stopped: at(10) }, ['skip', 'path.stopped_at']],
    ['I4: newer than what the target refused goes', { stopped: at(9) }, ['deliver', 'first_name']],
    [
      'that has been through the target stays',
      { facts: [fact(at(10), { path: [target.key, source.key] })] },
      ['skip', 'path.already_visited'],
    ],
    [
      'that the route does not name stays',
      { rules: { fields: ['email'] } },
      ['skip', 'field.not_selected'],
    ],
    ['from before Rollcall stays', { facts: [fact(at(0))] }, ['skip', 'target.already_holds']],
    [
      'on a route without updates stays',
      { rules: { updates: false } },
      ['skip', 'route.updates_off'],
    ],
    [
      'of an account that keeps its changes stays',
      { here: { outgoingStopped: true } },
      ['skip', 'account.outgoing_stopped'],
    ],
    [
      'of a privileged account stays',
      { here: { privileged: true } },
      ['skip', 'account.privileged'],
    ],
    [
      'I6: of an account under alarm stays',
      { here: { alarm: 'identity.label_mismatch' } },
      ['skip', 'identity.label_mismatch'],
    ],
    [
      'I6: for an account under alarm stays',
      { there: { alarm: 'identity.label_mismatch' } },
      ['skip', 'identity.label_mismatch'],
    ],
    [
      'I9: for an account that ended stays',
      { there: { gone: at(5) } },
      ['skip', 'identity.deleted'],
    ],
    [
      'I9: for an account whose end is on its way stays',
      { there: null, waiting: { gone: { stamp: at(5), path: [], how: 'delete' } } },
      ['skip', 'identity.deleted'],
    ],
  ])('%s', (_, given, wanted) => {
    expect(ask(given)).toEqual(wanted);
  });
});

describe('a delete', () => {
  test.each<[string, Case, unknown[]]>([
    ['goes', { gone: at(10) }, ['deliver']],
    [
      'I9: is held when the target was edited after it',
      { gone: at(10), there: knows(at(11, 2)) },
      ['hold', 'delete.newer_edit'],
    ],
    [
      'I2: of an account that ended there already stays',
      { gone: at(10), there: { gone: at(9) } },
      ['skip', 'target.already_holds'],
    ],
    [
      'stays on a route that carries none',
      { gone: at(10), rules: { onDelete: 'ignore' } },
      ['skip', 'route.deletes_off'],
    ],
  ])('%s', (_, given, wanted) => {
    expect(ask(given)).toEqual(wanted);
  });
});

const has = (...roles: string[]): Partial<Account> => ({ roles: new Map([[source.key, roles]]) });
const customers: Partial<SiteRules> = { syncRoles: ['customer', 'vip'] };
const born: Holding['birth'] = {
  login: 'anna',
  registered: '2026-01-01 00:00:00',
  stamp: at(3),
  path: [source.key],
};
const entered: Partial<Holding> = { birth: born, entered: new Set([source.key]) };
const left: Partial<Holding> = { left: new Map([[source.key, at(12)]]) };
const gone = (stamp: Stamp, key = source.key): Partial<Holding> => ({
  gone: { stamp, path: [key], site: key },
});

describe('what leaves a site by itself', () => {
  test.each<[string, Case, unknown[]]>([
    [
      'is nothing where it is off',
      { from: { automatic: false } },
      ['skip', 'source.automatic_off'],
    ],
    [
      'is no delete either where it is off',
      { from: { automatic: false }, holding: gone(at(10)) },
      ['skip', 'source.automatic_off'],
    ],
    [
      'does not bind an operator',
      { from: { automatic: false, ...customers }, holding: { asked: true } },
      ['deliver', 'first_name'],
    ],
    ['has a role that syncs', { from: customers, here: has('vip') }, ['deliver', 'first_name']],
    [
      'has no other role',
      { from: customers, here: has('editor') },
      ['skip', 'source.role_not_selected'],
    ],
    [
      'is nobody whose roles were never told',
      { from: customers },
      ['skip', 'source.role_not_selected'],
    ],
    [
      'is the delete of somebody with the role',
      { from: customers, here: has('customer'), holding: gone(at(10)) },
      ['deliver'],
    ],
    [
      'is the delete of somebody of whom nobody knows whether they may leave',
      { rules: { leaveWhen: [{ kind: 'signed_in' }] }, holding: gone(at(10)) },
      ['deliver'],
    ],
    [
      'is no delete of somebody who is known not to have left',
      {
        rules: { leaveWhen: [{ kind: 'signed_in' }] },
        here: { standing: { signedIn: false, meta: {} } },
        holding: gone(at(10)),
      },
      ['skip', 'route.sign_in_wanted'],
    ],
    [
      'is no delete of somebody else',
      { from: customers, here: has('editor'), holding: gone(at(10)) },
      ['skip', 'source.role_not_selected'],
    ],
    [
      'is a role of this site, not of another one',
      { from: customers, here: { roles: new Map([[target.key, ['customer']]]) } },
      ['skip', 'source.role_not_selected'],
    ],
    [
      'comes whole when somebody gets the role',
      {
        from: customers,
        here: has('customer'),
        there: null,
        facts: [fact(at(10)), fact(at(11), { field: 'nickname' })],
        holding: entered,
      },
      ['deliver', 'first_name', 'nickname'],
    ],
    [
      'and to an account that is there, what it holds less of',
      {
        from: customers,
        here: has('customer'),
        there: knows(at(10)),
        facts: [fact(at(10)), fact(at(11), { field: 'nickname' })],
        holding: entered,
      },
      ['deliver', 'nickname'],
    ],
    [
      'is read whole when a part of it made somebody get the role',
      { from: customers, here: has('customer'), holding: { ...entered, complete: false } },
      ['refresh', null],
    ],
    [
      'ends when the role is lost',
      { from: customers, here: has(), holding: left },
      ['skip', 'source.role_not_selected'],
    ],
    [
      'is a delete when the role is lost and the site says so',
      { from: { ...customers, onRoleLost: 'delete' }, here: has(), holding: left },
      ['deliver'],
    ],
    [
      'I9: is held when the target was edited after the role was lost',
      {
        from: { ...customers, onRoleLost: 'delete' },
        here: has(),
        there: knows(at(13, 2)),
        holding: left,
      },
      ['hold', 'delete.newer_edit'],
    ],
    [
      'is no delete where the route carries none',
      {
        from: { ...customers, onRoleLost: 'delete' },
        here: has(),
        rules: { onDelete: 'ignore' },
        holding: left,
      },
      ['skip', 'route.deletes_off'],
    ],
  ])('%s', (_, given, wanted) => {
    expect(ask(given)).toEqual(wanted);
  });
});

describe('an update for an account that is missing', () => {
  const missing: Case = { there: null, holding: { birth: born } };
  test.each<[string, Case, unknown[]]>([
    ['stays', missing, ['skip', 'target.account_missing']],
    [
      'creates it where the target says so',
      { ...missing, to: { createMissing: true } },
      ['deliver', 'first_name'],
    ],
    [
      'creates it on no route that creates nobody',
      { ...missing, to: { createMissing: true }, rules: { creates: false } },
      ['skip', 'route.creates_off'],
    ],
  ])('%s', (_, given, wanted) => {
    expect(ask(given)).toEqual(wanted);
  });
});

const maps = (roleMap: SiteRules['roleMap']): Partial<Site> => ({
  rules: { ...USUAL_SITE_RULES, roleMap },
});
const role = (name: string, change: Partial<Fact> = {}): Fact =>
  fact(at(10), { field: `role:${name}`, value: true, ...change });
const ROLES = { roles: ['author', 'contributor', 'subscriber'] };

describe('a role that comes to a site with a role map', () => {
  const to = maps({ author: ['writer', 'reader'], contributor: ['helper'] });
  test.each<[string, Case, unknown[]]>([
    [
      'is given as all roles that stand for it',
      { to, facts: [role('author')], rules: ROLES },
      ['deliver', 'role:writer', 'role:reader'],
    ],
    [
      'touches nothing when it is not in the map',
      { to, facts: [role('subscriber')], rules: ROLES },
      ['skip', 'role.not_mapped'],
    ],
    [
      'is still bound by the list of the route',
      { to, facts: [role('author')], rules: { roles: ['contributor'] } },
      ['skip', 'field.not_selected'],
    ],
    [
      'I2: stays when the target is known to hold it under its own name',
      {
        to,
        facts: [role('contributor')],
        rules: ROLES,
        there: { known: new Map([[`${target.key}/role:helper`, at(10)]]) },
      },
      ['skip', 'target.already_holds'],
    ],
    [
      'I2: does not come back to where it has been, under whatever name',
      {
        to,
        facts: [role('contributor', { path: [target.key, source.key] })],
        rules: ROLES,
        there: { known: new Map([[`${target.key}/role:author`, at(10)]]) },
      },
      ['skip', 'path.already_visited'],
    ],
    [
      'fills a new account under the names of the target',
      {
        to,
        there: null,
        facts: [role('contributor'), role('subscriber')],
        rules: ROLES,
        holding: { birth: born, newlyBorn: true },
      },
      ['deliver', 'role:helper'],
    ],
  ])('%s', (_, given, wanted) => {
    expect(ask(given)).toEqual(wanted);
  });
});
