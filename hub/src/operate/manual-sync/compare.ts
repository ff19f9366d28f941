/** Which of a route's fields differ between an account on the source and its twin on the target. */
import type { AccountState } from '#contract/account-state.ts';
import { type Field, isRole, roleField, roleOf } from '../../model/field.ts';
import { type RouteRules, selects } from '../../model/route.ts';

export interface Compared {
  readonly fields: readonly Field[];
  /** New stamps must not be below this: greater than both sides of every differing field. */
  readonly atLeastMs: number;
}

export interface Side {
  readonly state: AccountState;
  readonly blog: number;
}

export function compare(source: Side, target: Side, rules: RouteRules): Compared {
  const fields: Field[] = [];
  let atLeastMs = 0;
  for (const field of selectedFields(source, target, rules)) {
    const here = entryOf(source, field);
    const there = entryOf(target, field);
    if (JSON.stringify(here?.v ?? blank(field)) === JSON.stringify(there?.v ?? blank(field)))
      continue;
    fields.push(field);
    atLeastMs = Math.max(atLeastMs, (here?.s[0] ?? 0) + 1, (there?.s[0] ?? 0) + 1);
  }
  return { fields, atLeastMs };
}

function selectedFields(source: Side, target: Side, rules: RouteRules): Set<Field> {
  const names = new Set<Field>();
  for (const side of [source, target]) {
    for (const field of Object.keys(side.state.fields ?? {})) names.add(field);
    for (const role of Object.keys(side.state.roles?.[String(side.blog)] ?? {}))
      names.add(roleField(role));
  }
  return new Set([...names].filter((field) => selects(rules, field)));
}

function entryOf({ state, blog }: Side, field: Field) {
  return isRole(field) ? state.roles?.[String(blog)]?.[roleOf(field)] : state.fields?.[field];
}

const blank = (field: Field): unknown => {
  if (isRole(field)) return false;
  return field.startsWith('meta:') ? [] : '';
};
