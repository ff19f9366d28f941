import { expect, test } from 'vitest';
import { covers, whyNoEntry } from './meta-pattern.ts';
import { type RouteRules, selects } from './route.ts';

test('a pattern covers what begins like it, a key covers itself alone', () => {
  const keys = ['billing_', 'billing_city', 'Billing_city', 'my_billing_city', 'billing'];
  expect(keys.filter((key) => covers('billing_*', key))).toEqual(['billing_', 'billing_city']);
  expect(keys.filter((key) => covers('billing', key))).toEqual(['billing']);
});

test('what is never synced is selected by no pattern', () => {
  const rules: RouteRules = {
    fields: [],
    meta: ['wc_*', 'session*', '_app*', 'wp_*', 'my_*'],
    roles: [],
    creates: true,
    updates: true,
    onDelete: 'ignore',
    reassignTo: null,
    loginTaken: 'hold',
  };
  const never = [
    'wc_last_active',
    'wc_money_spent_wp',
    'session_tokens',
    '_application_passwords',
    'wp_capabilities',
    'wp_user_level',
    'my_2fa_secret',
  ];
  expect(never.filter((key) => selects(rules, `meta:${key}`))).toEqual([]);
  expect(selects(rules, 'meta:my_size')).toBe(true);
});

test.each([
  ['billing_*', null],
  ['phone', null],
  ['bi*', 'covers too much'],
  ['*', 'covers too much'],
  ['b*g_x', 'is not its end'],
  ['bill**', 'is not its end'],
  ['wc_order_count_*', 'never synced'],
  ['session_tokens*', 'never synced'],
])('%s: %s', (entry, why) => {
  if (why === null) expect(whyNoEntry(entry)).toBeNull();
  else expect(whyNoEntry(entry)).toContain(why);
});
