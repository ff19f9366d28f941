/**
 * The parts of an account that are synced, each on its own.
 *
 * `account` is the account's existence: its stamp says when it was born, a tombstone when it
 * ended. Roles belong to a site, everything else to the installation, so what is known of a
 * role is kept under the site's key.
 */
import type { IdentityUid, SiteKey } from './ids.ts';

export type Field = string;
export const ACCOUNT: Field = 'account';
export const PASSWORD: Field = 'password';
export const EMAIL: Field = 'email';

/** Stands beside what a target refused: a person said that somebody in the way there is another person. */
export const apartFrom = (uid: IdentityUid): Field => `${APART}${uid}`;
export const isApart = (field: Field): boolean => field.startsWith(APART);
const APART = 'apart:';

/** Stands there, too: a person has said that this new account of a flood does not come. */
export const TURNED_AWAY: Field = 'turned_away';

export type Value =
  | string
  | number
  | boolean
  | null
  | readonly Value[]
  | { readonly [key: string]: Value };

/** Of a field that is a text, whatever a site has made of it. */
export const textOf = (value: Value | undefined): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '');

export const isRole = (field: Field): boolean => field.startsWith('role:');
export const isMeta = (field: Field): boolean => field.startsWith('meta:');
export const isExtension = (field: Field): boolean => field.startsWith('ext:');
export const roleField = (role: string): Field => `role:${role}`;
export const metaField = (key: string): Field => `meta:${key}`;
export const roleOf = (field: Field): string => field.slice('role:'.length);
export const metaKeyOf = (field: Field): string => field.slice('meta:'.length);

/** Under which name the hub remembers what an installation holds of a field. */
export type KnownKey = string;
export const knownKey = (field: Field, site: SiteKey): KnownKey =>
  isRole(field) ? `${site}/${field}` : field;
