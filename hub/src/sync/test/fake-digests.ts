/** Digests as a connector makes them; other bytes are summed up, and nobody compares them with a real one's. */
import { createHash } from 'node:crypto';
import type { AccountState } from '#contract/account-state.ts';
import type { DigestsAnswer } from '#contract/messages.ts';
import { type Field, PASSWORD, roleField, type Value } from '../../model/field.ts';
import { covers } from '../../model/meta-pattern.ts';

/** Hexadecimal digits. */
const LENGTH = 32;

export function digestOf(
  { id, uid, fields = {}, roles = {} }: AccountState,
  chosen: readonly Field[],
): DigestsAnswer['digests'][number] {
  const parts: [Field, Value][] = [];
  for (const [field, { v, s }] of Object.entries(fields)) {
    parts.push([field, field === PASSWORD ? stampOf(s) : v]);
  }
  for (const [role, { v }] of Object.entries(roles['1'] ?? {})) parts.push([roleField(role), v]);
  const told = parts.filter(
    ([field, value]) => !isBlank(value) && chosen.some((entry) => covers(entry, field)),
  );
  const text = JSON.stringify(told.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { id, uid, digest: createHash('sha256').update(text).digest('hex').slice(0, LENGTH) };
}

const stampOf = (stamp: readonly [number, number]): readonly number[] =>
  stamp[0] > 0 ? stamp : [];

const isBlank = (value: Value): boolean =>
  value === '' || value === false || (Array.isArray(value) && value.length === 0);
