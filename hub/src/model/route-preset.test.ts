import { expect, test } from 'vitest';
import { isNeverSynced } from './never-synced.ts';
import type { RouteRules } from './route.ts';
import { WOOCOMMERCE_META, writtenOut } from './route-preset.ts';

test('the preset of a shop names addresses key by key, and nothing that is never synced', () => {
  expect(WOOCOMMERCE_META.filter(isNeverSynced)).toEqual([]);
  expect(WOOCOMMERCE_META.filter((key) => !/^(?:billing|shipping)_[a-z_12]+$/u.test(key))).toEqual(
    [],
  );
  expect(new Set(WOOCOMMERCE_META).size).toBe(21);
  expect(WOOCOMMERCE_META).not.toContain('shipping_email');
});

test.each([
  '_woocommerce_persistent_cart_1',
  'wc_last_active',
  'wc_order_count_wp',
  'wc_money_spent_wp',
  'wc_last_order_wp_2',
  '_order_count',
  '_money_spent',
  '_last_order',
  'paying_customer',
  'last_update',
  '_woocommerce_tracks_anon_id',
  'session_tokens',
])('a cart, a total or a session never travels: %s', (key) => {
  expect(isNeverSynced(key)).toBe(true);
});

test('a preset is written out, and takes nothing away from a route that has rules', () => {
  const had: RouteRules = {
    fields: ['email'],
    meta: ['phone', 'billing_city'],
    roles: ['subscriber'],
    creates: true,
    updates: false,
    onDelete: 'strip',
    reassignTo: null,
    loginTaken: 'hold',
  };
  const { meta, roles, ...rest } = writtenOut('woocommerce', had);
  expect(rest).toEqual({ loginTaken: 'suffix' });
  expect(meta).toEqual([
    'phone',
    'billing_city',
    ...WOOCOMMERCE_META.filter((key) => key !== 'billing_city'),
  ]);
  expect(roles).toEqual(['subscriber', 'customer']);
  expect(writtenOut(undefined, had)).toEqual({});
});
