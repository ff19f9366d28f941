/**
 * Offers accounts to one target: an operator's manual sync, never anything automatic. Those that the
 * target doesn't have are offered as if they had just registered; of others goes what it holds less of.
 *
 * Always true: it goes along the one route to that target, by its rules, and takes the same road
 * as any change; what the target refused before is tried again.
 */
import type { AccountState } from '#contract/account-state.ts';
import type { ChangeRow } from '#contract/messages.ts';
import { isApart } from '../../model/field.ts';
import type { Identity } from '../../model/identity.ts';
import type { SiteKey } from '../../model/ids.ts';
import { keepLessons, learnRows, type PullInput, type PullPorts } from './pull.ts';

export async function offer(
  states: readonly AccountState[],
  target: SiteKey,
  input: PullInput,
  { store, spreadBatch }: PullPorts,
  { asNew }: { readonly asNew: boolean } = { asNew: true },
): Promise<void> {
  const { topology } = input;
  const only = { ...topology, routes: topology.routes.filter((route) => route.target === target) };
  await store.transaction(async (tx) => {
    const nowMs = await tx.nowMs();
    const asked = { again: true, asNew, asked: true } as const;
    const context = { topology: only, nowMs, lane: 'bulk', ...asked } as const;
    const rows = states.map((state) => toRow(state, nowMs));
    const lessons = await learnRows(tx, rows, input, context);
    const again = lessons.map((taught) => ({
      ...taught,
      lesson: { ...taught.lesson, identity: withoutStops(taught.lesson.identity, target) },
    }));
    await keepLessons(tx, again, input, context, spreadBatch);
  });
}

function withoutStops(identity: Identity, target: SiteKey): Identity {
  const stopped = new Map(identity.stopped);
  const apart = [...(stopped.get(target) ?? [])].filter(([field]) => isApart(field));
  stopped.delete(target);
  if (apart.length > 0) stopped.set(target, new Map(apart));
  return { ...identity, stopped };
}

/** A state that was read, in the shape of a row of the outbox. */
export const toRow = (account: AccountState, at: number): ChangeRow => ({
  row: '0000000000000000',
  rev: 1,
  kind: 'update',
  at,
  blog: 1,
  actor: { kind: 'hub' },
  account,
});
