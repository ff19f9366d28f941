/** Which of a route's fields differ between an account on the source and its twin on the target. */
import type { Field } from '../../model/field.ts';
import type { RouteRules } from '../../model/route.ts';
import type { Stamp } from '../../model/stamp.ts';
import type { Kept } from '../../model/sync-run.ts';
import { blank, entryOf, isSame, type Side, selectedFields } from '../../sync/reconcile/sides.ts';

export interface Compared {
  readonly fields: readonly Field[];
  /** New stamps must not be below this: greater than both sides of every differing field. */
  readonly atLeastMs: number;
  /** The stamps of both sides: when they are the same again later, nothing has moved. */
  readonly seen: string;
  /** What the target holds, and what it would hold. */
  readonly kept: Kept;
}

/** @param without fields that the target takes from nobody */
export function compare(
  source: Side,
  target: Side,
  rules: RouteRules,
  without: (field: Field) => boolean = () => false,
): Compared {
  const fields: Field[] = [];
  const seen: [Field, Stamp | null, Stamp | null][] = [];
  const kept: Record<Field, Kept[Field]> = {};
  let atLeastMs = 0;
  for (const field of [...selectedFields(source, target, rules)].sort()) {
    if (without(field)) continue;
    const here = entryOf(source, field);
    const there = entryOf(target, field);
    const after = here?.v ?? blank(field);
    if (isSame(after, there?.v ?? blank(field))) continue;
    fields.push(field);
    seen.push([field, here?.s ?? null, there?.s ?? null]);
    kept[field] = { before: there ?? null, after };
    atLeastMs = Math.max(atLeastMs, (here?.s[0] ?? 0) + 1, (there?.s[0] ?? 0) + 1);
  }
  return { fields, atLeastMs, seen: JSON.stringify(seen), kept };
}
