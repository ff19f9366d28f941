/**
 * Is a value that comes in one that the site in memory takes? As Rollcall_Incoming and
 * Rollcall_Values of the connector say, in the same order.
 */
import {
  type Field,
  isExtension,
  isMeta,
  isRole,
  metaKeyOf,
  textOf,
  type Value,
} from '../../model/field.ts';
import { covers } from '../../model/meta-pattern.ts';
import { isNeverSynced } from '../../model/never-synced.ts';
import { isFromFuture, type Stamp } from '../../model/stamp.ts';

/** Reason code, or null. `watched` null: every meta key is. */
export function whyNot(
  field: Field,
  { value, stamp }: { readonly value: Value; readonly stamp: Stamp },
  { nowMs, watched }: { readonly nowMs: number; readonly watched: readonly string[] | null },
): string | null {
  if (isFromFuture(stamp, nowMs)) return 'stamp.in_future';
  if (isMeta(field) && isNeverSynced(metaKeyOf(field))) return 'field.never_synced';
  const dangerous = whyNotPlain(value);
  if (dangerous !== null) return dangerous;
  if (isRole(field)) return typeof value === 'boolean' ? null : 'value.malformed';
  if (isMeta(field)) return whyNotMeta(metaKeyOf(field), value, watched);
  if (isExtension(field)) return 'field.unknown';
  return typeof value === 'string' ? whyNotText(field, value) : 'value.malformed';
}

function whyNotMeta(key: string, value: Value, watched: readonly string[] | null): string | null {
  if (watched !== null && !watched.some((entry) => covers(entry, key))) return 'field.not_watched';
  return Array.isArray(value) ? null : 'value.malformed';
}

/** Bounds of the users table's columns. */
const LONGEST: Readonly<Record<string, number>> = { email: 100, url: 100, display_name: 250 };

function whyNotText(field: Field, text: string): string | null {
  if (field === 'password') return isVerifiable(text) ? null : 'password.unverifiable';
  if (field === 'email' && text !== '' && !EMAIL.test(text)) return 'email.malformed';
  return text.length > (LONGEST[field] ?? Number.POSITIVE_INFINITY) ? 'value.malformed' : null;
}

/** What sanitize_email() leaves as it is, near enough. */
const EMAIL = /^[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/iu;

const HASHES = [
  /^\$P\$[./0-9A-Za-z]{31}$/u,
  /^\$wp\$2y\$\d\d\$[./0-9A-Za-z]{53}$/u,
  /^\$2y\$\d\d\$[./0-9A-Za-z]{53}$/u,
];
const isVerifiable = (hash: string): boolean => HASHES.some((form) => form.test(hash));

/** What WordPress's is_serialized() takes for PHP's serialised form, near enough. */
const SERIALISED = /^(?:N;|[bid]:[-0-9.E+]+;|s:\d+:".*";|[aOE]:\d+:.*[;}])$/su;

function whyNotPlain(value: Value): string | null {
  if (typeof value === 'string') return SERIALISED.test(value.trim()) ? 'value.serialized' : null;
  if (Array.isArray(value)) {
    for (const part of value) {
      const why = whyNotPlain(part);
      if (why !== null) return why;
    }
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const keys = Object.keys(value);
  if (keys.some((key) => /^(?:0|-?[1-9]\d*|__proto__)$/u.test(key))) return 'value.object';
  return whyNotPlain(Object.values(value));
}

/** As usermeta gives a row back: text, unless it is a list. */
export function asStored(field: Field, value: Value): Value {
  if (!isMeta(field) || !Array.isArray(value)) return value;
  return value.map((row) => (typeof row === 'object' && row !== null ? row : asText(row)));
}

/** WordPress leaves nobody without these two. */
export const asKept = (field: Field, stored: Value, login: string): Value =>
  ['nickname', 'display_name'].includes(field) && (stored === '' || stored === '0')
    ? login
    : stored;

function asText(row: Value): string {
  if (row === true) return '1';
  return row === false || row === null ? '' : textOf(row);
}
