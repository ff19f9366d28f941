/**
 * Meta that never travels, whatever a list says: capabilities, sessions, secrets, second factors,
 * screen settings, carts and order totals. Source: WordPress 7.1, WooCommerce and the common
 * two-factor plugins.
 *
 * Always true: class-rollcall-never-synced.php holds the same lists and refuses on its own;
 * test/catalogues.test.ts fails when they differ.
 */

/** By their full name. Core fields travel as fields, not as meta. */
export const NEVER_KEYS: readonly string[] = [
  'first_name',
  'last_name',
  'nickname',
  'description',
  'locale',
  'session_tokens',
  'application_passwords',
  '_application_passwords',
  '_new_email',
  'default_password_nag',
  'primary_blog',
  'source_domain',
  'dismissed_wp_pointers',
  'community-events-location',
  'wc_last_active',
  'paying_customer',
  'last_update',
  '_order_count',
  '_money_spent',
  '_last_order',
  '_woocommerce_tracks_anon_id',
  '_woocommerce_load_saved_cart_after_login',
];

export const NEVER_BEGINNINGS: readonly string[] = [
  'rollcall_',
  '_rollcall_',
  'closedpostboxes_',
  'metaboxhidden_',
  'meta-box-order_',
  'screen_layout_',
  'googleauthenticator_',
  'wfls-',
  'simba_tfa_',
  'tfa_',
  'mo2f_',
  '_woocommerce_persistent_cart',
  'wc_order_count_',
  'wc_money_spent_',
  'wc_last_order_',
];

/** Regular expressions over the lower-cased key, as both languages read them. */
export const NEVER_PATTERNS: readonly string[] = [
  '(?:^|_)(?:capabilities|user_level|user-settings(?:-.*)?|user-roles|dashboard_quick_press_last_post_id|persisted_preferences|media_library_mode)$',
  '^manage.*columnshidden$',
  'two[_-]?factor|2fa|totp|backup_codes|webauthn|u2f|passkey',
];

/** A database's collation may take a key that is not plain for one of those above. */
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/u;
/** Longest key that the connector watches, bytes. */
const LONGEST_KEY = 190;

const patterns = NEVER_PATTERNS.map((pattern) => new RegExp(pattern, 'u'));

/** Compared without regard to case, as a site's database does. */
export function isNeverSynced(metaKey: string): boolean {
  const key = metaKey.trim().toLowerCase();
  if (!PLAIN.test(key) || key.length > LONGEST_KEY) return true;
  return (
    NEVER_KEYS.includes(key) ||
    NEVER_BEGINNINGS.some((beginning) => key.startsWith(beginning)) ||
    patterns.some((pattern) => pattern.test(key))
  );
}
