import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isNeverSynced } from './never-synced.ts';
import { type RouteRules, selects } from './route.ts';

/** The connector's own test reads the same samples: connector/tests/never-synced.wordpress.test.ts. */
const samples: { never: string[]; may: string[] } = JSON.parse(
  readFileSync(new URL('../../../contract/fixtures/never-synced.json', import.meta.url), 'utf8'),
);

test('what must not travel is recognised under any prefix and in any case', () => {
  expect(samples.never.filter((key) => !isNeverSynced(key))).toEqual([]);
  expect(samples.may.filter(isNeverSynced)).toEqual([]);
});

test('a route that names such a key does not select it', () => {
  const rules: RouteRules = {
    fields: [],
    meta: [...samples.never, ...samples.may],
    roles: [],
    creates: true,
    updates: true,
    onDelete: 'ignore',
    reassignTo: null,
    loginTaken: 'hold',
  };
  expect(samples.never.filter((key) => selects(rules, `meta:${key}`))).toEqual([]);
  expect(samples.may.filter((key) => !selects(rules, `meta:${key}`))).toEqual([]);
});
