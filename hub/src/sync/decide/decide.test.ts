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
import type { Route, Site } from '../../model/route.ts';
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
}

function ask({ facts = [fact(at(10))], here, there, waiting, stopped, rules, gone }: Case) {
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
  };
  const route: Route = {
    id: routeId(1),
    source: source.key,
    target: target.key,
    status: 'active',
    rules: { ...EVERYTHING, ...rules },
  };
  const question: Question = { identity, holding, route, source, target, candidates: [] };
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
