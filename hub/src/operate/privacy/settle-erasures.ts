/**
 * With each pull of an installation: settles the erasures that it told of, and asks of it those of other sites.
 *
 * Does: carry an erasure along the routes that carry deletes, to accounts of the same identity; erase the hub's own
 * records of that person, within the same day's share, a person once a day.
 * Does not: cross an unproven link, ask anything of a privileged account, delete an account, or erase the hub's
 * records of somebody who can administer a site anywhere before an operator says so.
 * Always true: more than a day's share for one installation are held, for a person to look at.
 * On failure: throws no fault of a site; what was not asked waits for the next pull.
 */
import { MOST_ERASURES } from '#contract/messages.ts';
import { Fault } from '../../errors.ts';
import type {
  ErasureState,
  ErasureStep,
  Erasures,
  NewErasureStep,
  UnsettledErasure,
} from '../../model/erasure.ts';
import type { Account, Identity } from '../../model/identity.ts';
import type { IdentityUid, InstallationId, SiteKey } from '../../model/ids.ts';
import { firstUnmet } from '../../model/leaving.ts';
import type { LogEntry, LogStatus } from '../../model/log-entry.ts';
import { isAmongThoseWhoLeave, type Route, sitesOf, type Topology } from '../../model/route.ts';
import { isReason, type Reason, reasonSentence } from '../../reasons.ts';
import type { Registry, SitePort, Store, Views, Wake } from '../../sync/ports.ts';

export interface ErasurePorts {
  readonly store: Store;
  readonly registry: Registry;
  readonly site: SitePort;
  readonly views: Pick<Views, 'accountCount'>;
  readonly erasures: Erasures;
  readonly wake: Wake;
  /** So many may be opened on one installation within 24 hours, as for deletes. */
  readonly limit: {
    readonly count: number;
    readonly part: number;
    readonly partAtLeast: number;
    /** What one site's telling may make within 24 hours; the rest of it waits. */
    readonly toldADay?: number;
  };
}

export async function settleErasures(
  ports: ErasurePorts,
  installation: InstallationId,
): Promise<void> {
  const { erasures } = ports;
  await settleAllTold(ports, installation);
  const own = (await erasures.ownDue(installation)).length > 0;
  if (!own && (await erasures.waiting(installation, 1)).length === 0) return;
  const { count, part, partAtLeast } = ports.limit;
  const accounts = await ports.views.accountCount(installation);
  const allowed = Math.min(count, Math.max(partAtLeast, Math.floor(accounts * part)));
  if (own) await eraseOwnRecords(ports, installation, allowed);
  const held = await erasures.holdBeyond(installation, allowed, 'there');
  await log(
    ports,
    held.map((step) => entry(step, 'held', 'erasure.over_limit')),
  );
  await ask(ports, installation, await erasures.waiting(installation, MOST_ERASURES));
}

/** Far more than anybody's requests; without an end a hostile site would fill the store. */
const TOLD_A_DAY = 2_000;

async function settleAllTold(ports: ErasurePorts, installation: InstallationId): Promise<void> {
  const { erasures, wake, registry, limit } = ports;
  const all = await erasures.unsettled(installation);
  if (all.length === 0) return;
  let room = (limit.toldADay ?? TOLD_A_DAY) - (await erasures.stepsToday(installation));
  for (const told of all) {
    if (room <= 0) {
      const code: Reason = 'erasure.too_many';
      await registry.noteEvent(installation, { code, message: reasonSentence(code), actor: null });
      return;
    }
    const woken = await settleTold(ports, installation, told);
    // Itself, for the hub's own records, and whoever is asked.
    room -= 1 + woken.length;
    for (const there of woken) await wake.pull(there);
  }
}

async function eraseOwnRecords(
  ports: ErasurePorts,
  installation: InstallationId,
  allowed: number,
): Promise<void> {
  const { erasures, store } = ports;
  const due = await erasures.ownDue(installation);
  const people = await store.transaction((tx) => tx.lockByUid(due.map(({ uid }) => uid)));
  for (const step of due) {
    if (step.released || !isPrivileged(people.get(step.uid))) continue;
    await erasures.end(step.id, 'held', 'erasure.privileged');
    await log(ports, [entry(step, 'held', 'erasure.privileged')]);
  }
  const held = await erasures.holdBeyond(installation, allowed, 'own');
  await log(
    ports,
    held.map((step) => entry(step, 'held', 'erasure.over_limit')),
  );
  for (const step of await erasures.ownDue(installation)) {
    if (await erasures.eraseOwn(step.id)) {
      await log(ports, [entry(step, 'delivered', 'privacy.erased')]);
    }
  }
}

const isPrivileged = (identity: Identity | undefined): boolean =>
  [...(identity?.accounts.values() ?? [])].some(
    ({ gone, privileged }) => gone === null && privileged,
  );

/** Installations that have something to do. */
async function settleTold(
  { store, registry, erasures }: ErasurePorts,
  installation: InstallationId,
  told: UnsettledErasure,
): Promise<readonly InstallationId[]> {
  const topology = await registry.topology();
  const identity = await identityWith(store, installation, told);
  if (identity === null) return erasures.settle(told.id, null, [], null);
  const { steps, skipped } = stepsOf(identity, installation, topology);
  const home = sitesOf(topology, installation)[0]?.key;
  const own = home === undefined ? null : { site: home, privileged: isPrivileged(identity) };
  const woken = await erasures.settle(told.id, identity.uid, steps, own);
  if (home !== undefined) {
    const base = { uid: identity.uid, source: home };
    await log(
      { store },
      skipped.map(({ target, reason }) => entry({ ...base, target }, 'skipped', reason)),
    );
  }
  return woken;
}

/** The hub's own table says who it is; whoever is in doubt there is nobody. */
async function identityWith(
  store: Store,
  installation: InstallationId,
  { wpId, login }: UnsettledErasure,
): Promise<Identity | null> {
  const found = await store.transaction((tx) => tx.lockByAccount(installation, [wpId]));
  const identity = found.get(wpId) ?? null;
  const account = identity?.accounts.get(installation);
  return account?.login === login && account.alarm === null ? identity : null;
}

interface Steps {
  readonly steps: NewErasureStep[];
  readonly skipped: { readonly target: SiteKey; readonly reason: Reason }[];
}

function stepsOf(identity: Identity, installation: InstallationId, topology: Topology): Steps {
  const all: Steps = { steps: [], skipped: [] };
  const account = identity.accounts.get(installation);
  for (const source of sitesOf(topology, installation)) {
    for (const route of topology.routes.filter((one) => one.source === source.key)) {
      const target = topology.sites.get(route.target);
      const there = target && identity.accounts.get(target.installation);
      if (target === undefined || there === undefined || there.gone !== null) continue;
      const reason = whyNot(route, account, source.rules);
      const known = all.steps.some((step) => step.installation === target.installation);
      if (reason !== null) all.skipped.push({ target: target.key, reason });
      else if (!known) {
        all.steps.push({
          source: source.key,
          target: target.key,
          installation: target.installation,
        });
      }
    }
  }
  return all;
}

function whyNot(
  { rules, source }: Route,
  account: Account | undefined,
  leaving: Parameters<typeof isAmongThoseWhoLeave>[0],
): Reason | null {
  if (account?.privileged === true) return 'account.privileged';
  if (account?.outgoingStopped === true) return 'account.outgoing_stopped';
  if (rules.onDelete === 'ignore') return 'route.deletes_off';
  if (!leaving.automatic) return 'source.automatic_off';
  if (!isAmongThoseWhoLeave(leaving, account?.roles.get(source))) return 'source.role_not_selected';
  return firstUnmet(rules, account, source)?.reason ?? null;
}

async function ask(
  ports: ErasurePorts,
  installation: InstallationId,
  steps: readonly ErasureStep[],
): Promise<void> {
  const { registry, site, erasures } = ports;
  const topology = await registry.topology();
  const people = await ports.store.transaction((tx) => tx.lockByUid(steps.map(({ uid }) => uid)));
  const due = steps.flatMap((step) => {
    const order = orderOf(step, people.get(step.uid), installation, topology);
    return order === null ? [] : [{ step, order }];
  });
  const asked = due.flatMap(({ step, order }) =>
    typeof order === 'string' ? [] : [{ step, order }],
  );
  for (const { step, order } of due) {
    if (typeof order === 'string') await end(ports, step, 'refused', order);
  }
  if (asked.length === 0) return;
  try {
    const orders = asked.map(({ order }) => order);
    const results = await site.erase(await registry.connection(installation), orders);
    for (const { step } of asked) {
      const result = results.find(({ erasure }) => erasure === step.erasure);
      if (result?.result === 'refused') {
        const { reason = '' } = result;
        await end(ports, step, 'refused', isReason(reason) ? reason : 'target.error');
      } else if (result !== undefined) await end(ports, step, 'opened', null);
    }
  } catch (fault) {
    // It is away, or its connector is too old: with a later pull.
    if (!(fault instanceof Fault)) throw fault;
  }
  async function end(
    { store }: Pick<ErasurePorts, 'store'>,
    step: ErasureStep,
    state: ErasureState,
    reason: Reason | null,
  ): Promise<void> {
    await erasures.end(step.id, state, reason);
    await log({ store }, [entry(step, state === 'opened' ? 'delivered' : 'refused', reason)]);
  }
}

/** Null: not now. A reason: not at all. */
function orderOf(
  step: ErasureStep,
  identity: Identity | undefined,
  installation: InstallationId,
  { routes, sites }: Topology,
): Parameters<SitePort['erase']>[1][number] | Reason | null {
  const route = routes.find(
    ({ source, target }) => source === step.source && target === step.target,
  );
  const source = sites.get(step.source);
  const target = sites.get(step.target);
  if (route === undefined || source === undefined || target === undefined) return 'route.removed';
  if (route.rules.onDelete === 'ignore') return 'route.deletes_off';
  if (route.status === 'paused' || target.status === 'paused') return null;
  const account = identity?.accounts.get(installation);
  if (identity === undefined || account === undefined || account.gone !== null) {
    return 'target.account_missing';
  }
  if (account.alarm !== null) return 'identity.label_mismatch';
  if (!account.labelled) return null;
  const { erasure } = step;
  const { uid } = identity;
  return { erasure, uid, source: { url: source.url }, blog: target.blog, id: account.wpId };
}

/** Names nobody. */
const entry = (
  { uid, source, target }: { uid: IdentityUid; source: SiteKey; target: SiteKey },
  status: LogStatus,
  reason: Reason | null,
): LogEntry => ({
  uid,
  login: '',
  source,
  target,
  action: 'erase',
  status,
  reason,
  fields: [],
  path: source === target ? [source] : [source, target],
  actor: null,
  delivery: null,
  attempts: 0,
  durationMs: null,
});

async function log(
  { store }: Pick<ErasurePorts, 'store'>,
  rows: readonly LogEntry[],
): Promise<void> {
  if (rows.length > 0) await store.transaction((tx) => tx.appendLog(rows));
}
