/** One claimed delivery on its way through a send. */
import type { Receipt } from '#contract/messages.ts';
import { EMAIL } from '../../model/field.ts';
import { type LogEntry, markedUnconfirmed } from '../../model/log-entry.ts';
import type { Site } from '../../model/route.ts';
import { nameChanged } from '../../model/suffixed-login.ts';
import type { ClaimedDelivery } from '../ports.ts';
import type { Composed } from './compose.ts';

/** Rows of a delivery say of an address that went with it whether its person had confirmed it. */
export const marked = ({ claimed }: Item, entries: readonly LogEntry[]): LogEntry[] =>
  entries.map((entry) => ({
    ...entry,
    ...markedUnconfirmed(entry.fields, claimed.delivery.fields.get(EMAIL)),
  }));

export interface Item {
  readonly claimed: ClaimedDelivery;
  readonly composed: Composed;
  readonly target: Site;
}

/** An operation that the target has answered. */
export interface Answered {
  readonly item: Item;
  readonly receipt: Receipt;
}

export function logBase({ claimed, composed, target }: Item): LogEntry {
  const account = [...claimed.identity.accounts.values()][0];
  return {
    uid: claimed.identity.uid,
    login: composed.delivery.birth?.login ?? account?.login ?? '',
    source: composed.source,
    target: target.key,
    action: claimed.delivery.gone === null ? 'update' : 'delete',
    status: 'delivered',
    reason: null,
    fields: [],
    path: [...composed.path, target.key],
    actor: claimed.delivery.actor,
    delivery: claimed.delivery.id,
    attempts: claimed.delivery.attempts,
    durationMs: null,
  };
}

/**
 * What an earlier try has brought, of which no answer came: nobody has said so yet. A field that is
 * there with another stamp lost against a later edit, which was said when that was learned.
 */
export function logArrived(item: Item): LogEntry[] {
  const { arrived, born } = item.composed;
  const tried = item.claimed.delivery.attempts > 1;
  if (!tried || (arrived.size === 0 && !born)) return [];
  const fields = [...arrived.keys()];
  if (!born) return [{ ...logBase(item), fields }];
  const { delivery, identity } = item.claimed;
  const reason = nameChanged(delivery.birth, identity.accounts.get(item.target.installation));
  return [{ ...logBase(item), action: 'create', reason, fields }];
}

/** What no route carries any more, or not as the privileged role that it would become. */
export function logCancelled(item: Item): LogEntry[] {
  const { cancelled, end } = item.composed;
  return (['route.removed', 'role.raised'] as const).flatMap((reason): LogEntry[] => {
    const fields = cancelled.flatMap((one) => (one.reason === reason ? one.field : []));
    const isEnd = end === 'cancelled' && reason === 'route.removed';
    if (fields.length === 0 && !isEnd) return [];
    return [{ ...logBase(item), fields, status: 'cancelled', reason }];
  });
}
