/**
 * Values on their way: field → value, stamp, path.
 *
 * `mergeCarried` is the one merge of the hub. On stamped values it is commutative, associative
 * and idempotent (I1).
 */
import type { Field, Value } from './field.ts';
import type { Path } from './path.ts';
import { compareStamps, type Stamp } from './stamp.ts';

export interface Carried {
  readonly value: Value;
  readonly stamp: Stamp;
  readonly path: Path;
  /** Reason code while the field can't be written at its target; a newer value tries again. */
  readonly held?: string;
  /** The target was away for longer than values are kept: this one is read afresh from its source. */
  readonly expired?: true;
  /** The role of the route's source that was lost, whatever it is called at the target. */
  readonly lost?: string;
  /** An e-mail address that was set otherwise than by its person's word. */
  readonly unconfirmed?: true;
}
export type CarriedFields = ReadonlyMap<Field, Carried>;

/** Newer wins; of equal stamps the shorter path, then the first: the value is the same. */
export function newerCarried(a: Carried, b: Carried): Carried {
  const order = compareStamps(a.stamp, b.stamp);
  if (order !== 0) return order > 0 ? a : b;
  if (a.path.length !== b.path.length) return a.path.length < b.path.length ? a : b;
  return String(a.path) <= String(b.path) ? a : b;
}

export function mergeCarried(a: CarriedFields, b: CarriedFields): Map<Field, Carried> {
  const merged = new Map(a);
  for (const [field, carried] of b) {
    const present = merged.get(field);
    merged.set(field, present === undefined ? carried : newerCarried(present, carried));
  }
  return merged;
}
