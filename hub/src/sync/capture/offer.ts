/**
 * Offers accounts to one target: an operator's manual sync, or the repair of a comparison. Those that the
 * target doesn't have are offered as if they had just registered; of others goes what it holds less of.
 *
 * Always true: it goes along the one route to that target, by its rules, and takes the same road
 * as any change; what the target refused before is tried again only by an operator's word.
 */
import type { AccountState } from '#contract/account-state.ts';
import type { ChangeRow } from '#contract/messages.ts';
import { isApart, knownKey, roleField } from '../../model/field.ts';
import type { Account, Identity } from '../../model/identity.ts';
import { type SiteKey, siteKey, wordPressId } from '../../model/ids.ts';
import { type Site, sitesOf } from '../../model/route.ts';
import { isNewer } from '../../model/stamp.ts';
import type { Transaction } from '../ports.ts';
import { keepLessons, learnRows, type PullInput, type PullPorts } from './pull.ts';

export interface OfferOptions {
  /** As if they had just registered. */
  readonly asNew: boolean;
  /** By an operator's word; else a site's own rules hold, and what was refused stays so. */
  readonly asked: boolean;
  /**
   * Accounts with changes that the hub has not heard of yet are left out: these are for all routes, and
   * come with the next pull.
   */
  readonly onlyHeard?: boolean;
}

export async function offer(
  states: readonly AccountState[],
  target: SiteKey,
  input: PullInput,
  { store, spreadBatch }: PullPorts,
  { asNew, asked, onlyHeard = false }: OfferOptions = { asNew: true, asked: true },
): Promise<void> {
  const { topology } = input;
  const only = { ...topology, routes: topology.routes.filter((route) => route.target === target) };
  await store.transaction(async (tx) => {
    const nowMs = await tx.nowMs();
    const context = { topology: only, nowMs, lane: 'bulk', again: true, asNew, asked } as const;
    const meant = onlyHeard ? await heardOf(tx, states, input) : states;
    const rows = meant.map((state) => toRow(state, nowMs));
    const lessons = await learnRows(tx, rows, input, context);
    const again = lessons.map((taught) => {
      const { identity } = taught.lesson;
      const free = asked ? withoutStops(identity, target) : identity;
      return { ...taught, lesson: { ...taught.lesson, identity: free } };
    });
    await keepLessons(tx, again, input, context, spreadBatch);
  });
}

async function heardOf(
  tx: Transaction,
  states: readonly AccountState[],
  { installation, topology }: PullInput,
): Promise<readonly AccountState[]> {
  const ids = states.map(({ id }) => wordPressId(id));
  const identities = await tx.lockByAccount(installation, ids);
  const sites = sitesOf(topology, installation);
  return states.filter((state) => {
    const known = identities.get(wordPressId(state.id))?.accounts.get(installation)?.known;
    return known !== undefined && isHeard(state, known, sites);
  });
}

function isHeard(state: AccountState, known: Account['known'], sites: readonly Site[]): boolean {
  const fields = Object.entries(state.fields ?? {}).map(([field, { s }]) => [field, s] as const);
  const roles = sites.flatMap(({ blog, key }) =>
    Object.entries(state.roles?.[String(blog)] ?? {}).map(
      ([role, { s }]) => [knownKey(roleField(role), key), s] as const,
    ),
  );
  return [...fields, ...roles].every(
    ([key, [ms, site]]) => !isNewer([ms, siteKey(site)], known.get(key)),
  );
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
