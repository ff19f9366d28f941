/** One account on two sites: what each says of a field. */
import type { AccountState } from '#contract/account-state.ts';
import { type Field, isRole, roleField, roleOf, type Value } from '../../model/field.ts';
import { siteKey } from '../../model/ids.ts';
import { type RouteRules, selects } from '../../model/route.ts';
import type { Stamp } from '../../model/stamp.ts';

export interface Side {
  readonly state: AccountState;
  readonly blog: number;
}

export interface Entry {
  readonly v: Value;
  readonly s: Stamp;
}

export const isSame = (one: Value, other: Value): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

/** Fields that either side tells of and the route carries. */
export function selectedFields(source: Side, target: Side, rules: RouteRules): ReadonlySet<Field> {
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

/** Why a site can't tell of a field now; undefined: it can. */
export const untoldIn = ({ state, blog }: Side, field: Field): string | undefined =>
  state.unreadable?.[isRole(field) ? `${blog}/${field}` : field];
