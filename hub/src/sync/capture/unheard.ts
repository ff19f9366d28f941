/**
 * What came to nothing on its own site before the hub had heard of it, for the log.
 *
 * Does: name edits that another site's later one overwrote there, and people who registered and were
 * deleted between two pulls.
 * Does not: teach anything: there is nothing left to spread.
 * Always true: an edit that the account still holds is left out: it was not overwritten after all.
 */
import { randomUUID } from 'node:crypto';
import type { AccountState } from '#contract/account-state.ts';
import type { ChangeRow } from '#contract/messages.ts';
import { type Field, isRole, roleOf } from '../../model/field.ts';
import type { Identity } from '../../model/identity.ts';
import { identityUid, type SiteKey, siteKey } from '../../model/ids.ts';
import type { LogEntry } from '../../model/log-entry.ts';
import type { Site } from '../../model/route.ts';
import { isNewer, type Stamp } from '../../model/stamp.ts';

/** Registered and deleted between two pulls: the hub never labelled it. */
export function endedUnheard(
  row: ChangeRow,
  known: ReadonlyMap<number, Identity>,
  home: SiteKey,
): LogEntry[] {
  const { gone } = row;
  if (gone === undefined || gone.uid !== null || known.has(gone.id)) return [];
  const about = { uid: identityUid(randomUUID()), login: gone.login, actor: actorOf(row) };
  return [{ ...entry(home), ...about, action: 'delete', reason: 'account.ended_unheard' }];
}

/** `sites`: those of the installation that the row comes from, at least one. */
export function overwritten(
  row: ChangeRow,
  identities: ReadonlyMap<number, Identity>,
  sites: readonly [Site, ...Site[]],
): LogEntry[] {
  const { account } = row;
  const identity = account && identities.get(account.id);
  if (account === undefined || identity === undefined) return [];
  return [...overwrittenOn(row, account, sites)].map(([site, fields]) => ({
    ...entry(site),
    uid: identity.uid,
    login: account.login,
    actor: actorOf(row),
    status: 'superseded',
    reason: 'conflict.superseded',
    fields,
  }));
}

/** Site → fields whose edit there was lost. */
function overwrittenOn(
  { overwritten: edits = [] }: ChangeRow,
  account: AccountState,
  sites: readonly [Site, ...Site[]],
): Map<SiteKey, Field[]> {
  const lost = new Map<SiteKey, Field[]>();
  for (const { field, blog, s } of edits) {
    const site = sites.find((one) => one.key === s[1]) ?? sites[0];
    const held = heldOf(account, field, blog ?? site.blog);
    if (held === undefined || !isNewer(held, [s[0], siteKey(s[1])])) continue;
    lost.set(site.key, [...(lost.get(site.key) ?? []), field]);
  }
  return lost;
}

function heldOf(account: AccountState, field: Field, blog: number): Stamp | undefined {
  const held = isRole(field)
    ? account.roles?.[String(blog)]?.[roleOf(field)]
    : account.fields?.[field];
  return held && [held.s[0], siteKey(held.s[1])];
}

const actorOf = ({ actor }: ChangeRow): string =>
  actor.login === undefined ? actor.kind : `${actor.kind} ${actor.login}`;

const entry = (home: SiteKey) =>
  ({
    source: home,
    target: home,
    action: 'update',
    status: 'skipped',
    fields: [],
    path: [home],
    delivery: null,
    attempts: 0,
    durationMs: null,
  }) as const;
