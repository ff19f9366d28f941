/** Which of a route's fields differ between an account on the source and its twin on the target. */
import type { AccountState } from '#contract/account-state.ts';
import { type Field, isRole, roleField, roleOf, type Value } from '../../model/field.ts';
import { siteKey } from '../../model/ids.ts';
import { type RouteRules, selects } from '../../model/route.ts';
import type { Stamp } from '../../model/stamp.ts';
import type { Kept } from '../../model/sync-run.ts';

export interface Compared {
  readonly fields: readonly Field[];
  /** New stamps must not be below this: greater than both sides of every differing field. */
  readonly atLeastMs: number;
  /** The stamps of both sides: when they are the same again later, nothing has moved. */
  readonly seen: string;
  /** What the target holds, and what it would hold. */
  readonly kept: Kept;
}

export interface Side {
  readonly state: AccountState;
  readonly blog: number;
}

export interface Entry {
  readonly v: Value;
  readonly s: Stamp;
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

export const isSame = (one: Value, other: Value): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

function selectedFields(source: Side, target: Side, rules: RouteRules): Set<Field> {
  const names = new Set<Field>();
  for (const side of [source, target]) {
    for (const field of Object.keys(side.state.fields ?? {})) names.add(field);
    for (const role of Object.keys(side.state.roles?.[String(side.blog)] ?? {}))
      names.add(roleField(role));
  }
  return new Set([...names].filter((field) => selects(rules, field)));
}

export function entryOf({ state, blog }: Side, field: Field): Entry | undefined {
  const found = isRole(field)
    ? state.roles?.[String(blog)]?.[roleOf(field)]
    : state.fields?.[field];
  return found && { v: found.v, s: [found.s[0], siteKey(found.s[1])] };
}

/** What a field is taken for where it is not. */
export const blank = (field: Field): Value => {
  if (isRole(field)) return false;
  return field.startsWith('meta:') ? [] : '';
};
