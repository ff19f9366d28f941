/**
 * Presets: rules that belong together, under one name.
 *
 * Always true: a preset is written out into the route's rules when it is given, and not remembered.
 * What `route show` tells is all there is; rules that are changed later are changed, and no preset
 * changes them back.
 */
import type { RouteRules } from './route.ts';

export type Preset = 'woocommerce';

/**
 * Addresses that WooCommerce keeps with a customer, key by key: a pattern would carry what other plugins
 * put under such names. Source: WC_Customer_Data_Store.
 */
const ADDRESS = [
  'first_name',
  'last_name',
  'company',
  'address_1',
  'address_2',
  'city',
  'state',
  'postcode',
  'country',
  'phone',
];
export const WOOCOMMERCE_META: readonly string[] = [
  ...ADDRESS.map((name) => `billing_${name}`),
  'billing_email',
  ...ADDRESS.map((name) => `shipping_${name}`),
];

type Written = Pick<RouteRules, 'meta' | 'roles' | 'loginTaken'>;

/** Shops derive logins from names: `anna.smith` is two people, not a clash. */
const RULES: Readonly<Record<Preset, Written>> = {
  woocommerce: { meta: WOOCOMMERCE_META, roles: ['customer'], loginTaken: 'suffix' },
};

/** @param rules those of the route that it is given to: it takes nothing away from them */
export function writtenOut(
  preset: Preset | undefined,
  rules?: Partial<RouteRules>,
): Partial<RouteRules> {
  if (preset === undefined) return {};
  const { meta, roles, loginTaken } = RULES[preset];
  return {
    meta: [...new Set([...(rules?.meta ?? []), ...meta])],
    roles: [...new Set([...(rules?.roles ?? []), ...roles])],
    loginTaken,
  };
}
