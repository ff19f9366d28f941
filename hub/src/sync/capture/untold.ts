/**
 * What a site could not tell of its accounts, for the log.
 *
 * Does: name rows that can't be read, and values that can't travel, with the site's reason.
 * Does not: hold up anything: what could be told is learned beside it (I11).
 * Always true: what is only being saved at that moment is left out; it comes with its own row.
 */
import { randomUUID } from 'node:crypto';
import { FieldNameSchema } from '#contract/account-state.ts';
import type { ChangeRow } from '#contract/messages.ts';
import type { Field } from '../../model/field.ts';
import type { Identity } from '../../model/identity.ts';
import { identityUid, type SiteKey } from '../../model/ids.ts';
import type { LogEntry } from '../../model/log-entry.ts';

export const isUntold = (row: ChangeRow): boolean =>
  row.error !== undefined || row.account?.unreadable !== undefined;

/** `home`: where the row comes from. */
export function untold(
  row: ChangeRow,
  identities: ReadonlyMap<number, Identity>,
  home: SiteKey,
): LogEntry[] {
  const id = row.account?.id ?? row.error?.id ?? 0;
  const identity = identities.get(id);
  const account = [...(identity?.accounts.values() ?? [])].find(({ wpId }) => wpId === id);
  return [...reasonsOf(row)].map(([reason, fields]) => ({
    // Nobody the hub knows: the entry stands for itself.
    uid: identity?.uid ?? identityUid(randomUUID()),
    login: row.account?.login ?? account?.login ?? `account ${id}`,
    source: home,
    target: home,
    action: 'update',
    status: 'held',
    reason,
    fields,
    path: [home],
    actor: row.actor.kind,
    delivery: null,
    attempts: 0,
    durationMs: null,
  }));
}

function reasonsOf(row: ChangeRow): Map<string, Field[]> {
  const reasons = new Map<string, Field[]>();
  if (row.error !== undefined) reasons.set(row.error.code, []);
  for (const [name, reason] of Object.entries(row.account?.unreadable ?? {})) {
    if (reason === 'account.busy') continue;
    const fields = reasons.get(reason) ?? [];
    reasons.set(reason, fields);
    fields.push(...fieldCalled(name));
  }
  return reasons;
}

/** Roles are told by site there: `1/role:editor`. A login is no field. */
function fieldCalled(name: string): Field[] {
  const field = FieldNameSchema.safeParse(name.replace(/^\d+\//u, ''));
  return field.success ? [field.data] : [];
}
