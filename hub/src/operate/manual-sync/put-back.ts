/**
 * Takes a manual sync back, account by account.
 *
 * Always true: a field is put back only where the target still holds what the run brought, with the
 * run's own stamp. What is put back is stamped one millisecond after that, in the source's name: every
 * edit since, also one that the hub has not heard of, is newer and wins. It never goes to the source, which
 * the run had not changed. Repeating a part of it changes nothing.
 */
import type { AccountState } from '#contract/account-state.ts';
import { type Carried, mergeCarried } from '../../model/carried.ts';
import { type Field, knownKey } from '../../model/field.ts';
import type { Account, Delivery, Identity } from '../../model/identity.ts';
import { deliveryId, type InstallationId } from '../../model/ids.ts';
import type { Speaker } from '../../model/power.ts';
import { compareStamps, isFromBefore, isNewer, type Stamp } from '../../model/stamp.ts';
import type { StepChange, StepKey, SyncRunRecord, SyncStep } from '../../model/sync-run.ts';
import type { Reason } from '../../reasons.ts';
import type { SiteRecord } from '../../sync/ports.ts';
import { blank, entryOf, isSame } from '../../sync/reconcile/sides.ts';
import { operatorNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { wakeEverything } from '../wake-everything.ts';
import { type Asked, sitesOfRun } from './choose.ts';
import { onlyLinked, partLinked } from './part-linked.ts';
import { powerRefusal, type Way } from './plan-page.ts';
import { removable } from './remove-created.ts';

/** Accounts in one go. */
const SLICE = 100;

export async function putBack(ports: OperationPorts, run: SyncRunRecord): Promise<void> {
  const asked = await sitesOfRun(ports, run);
  let after: StepKey | undefined;
  for (;;) {
    const states = ['arrived', 'held', 'failed', 'stays'] as const;
    const query = { states, limit: SLICE, ...(after && { after }) };
    const steps = await ports.runs.steps(run.id, query);
    for (const way of asked.ways) {
      const there = steps.filter((step) => step.target === way.target.key);
      if (there.length > 0) await putBackOn(ports, run, asked, way, there);
    }
    if (steps.length < SLICE) break;
    after = steps.at(-1);
  }
  await ports.runs.change(run.id, ['undoing'], { state: 'undone', fault: null });
  await wakeEverything(ports);
}

async function putBackOn(
  ports: OperationPorts,
  run: SyncRunRecord,
  { source }: Asked,
  way: Way,
  steps: readonly SyncStep[],
): Promise<void> {
  const { target } = way;
  const linked = steps.filter(onlyLinked);
  const others = steps.filter((step) => !onlyLinked(step));
  const uids = [...new Set(steps.map(({ uid }) => uid))];
  const persons = await ports.store.transaction((tx) => tx.lockByUid(uids));
  const ids = [...persons.values()].flatMap(
    ({ accounts }) => accounts.get(target.installation)?.wpId ?? [],
  );
  const states = await readStates(ports, target, ids);
  const parted = await partLinked(ports, { run, source, target, states }, linked);
  const removes = run.removesCreated
    ? await removable(ports, { source, target, persons, states }, others)
    : new Map<string, Reason | null>();
  const changes = await ports.store.transaction(async (tx) => {
    const found = await tx.lockByUid(uids);
    const nowMs = await tx.nowMs();
    const saved: Identity[] = [];
    const outcome = others.map((step): StepChange => {
      const place = { wpId: step.wpId, target: step.target };
      const identity = found.get(step.uid);
      const input = { step, identity, source, target, way, states, nowMs, run };
      const result =
        step.what === 'create'
          ? takeAway(ports, input, removes.get(step.uid))
          : giveBack(ports, input);
      if (result.identity !== null) saved.push(result.identity);
      const state = result.identity === null ? 'stays' : 'undone';
      // Nothing of it ever arrived.
      return state === 'stays' && result.note === null
        ? place
        : { ...place, state, note: result.note };
    });
    await tx.save(saved);
    return outcome;
  });
  await ports.runs.save(
    run.id,
    [...changes, ...linked.map((step) => partedStep(step, parted))].filter(
      ({ state }) => state !== undefined,
    ),
  );
}

function partedStep(
  { wpId, target }: SyncStep,
  parted: Awaited<ReturnType<typeof partLinked>>,
): StepChange {
  const note = parted.get(wpId) ?? null;
  return { wpId, target, state: note === null ? 'undone' : 'stays', note };
}

async function readStates(
  { registry, site }: OperationPorts,
  target: SiteRecord,
  ids: readonly number[],
): Promise<ReadonlyMap<number, AccountState>> {
  if (ids.length === 0) return new Map();
  const connection = await registry.connection(target.installation);
  const asked = { after: 0, limit: ids.length, ids, detail: 'state' } as const;
  const { accounts } = await site.accounts(connection, asked);
  return new Map(accounts.map((state) => [state.id, state]));
}

interface Input {
  readonly step: SyncStep;
  readonly identity: Identity | undefined;
  readonly source: SiteRecord;
  readonly target: SiteRecord;
  readonly way: Way;
  readonly states: ReadonlyMap<number, AccountState>;
  readonly nowMs: number;
  readonly run: SyncRunRecord;
}
interface Result {
  /** To be stored; null: nothing is put back. */
  readonly identity: Identity | null;
  readonly note: Reason | null;
}
const stays = (note: Reason | null): Result => ({ identity: null, note });

function giveBack(ports: OperationPorts, input: Input): Result {
  const { step, identity, source, target, way, states, run } = input;
  if (step.kept === null) return stays(step.stamps === null ? null : 'run.undo_expired');
  const account = identity?.accounts.get(target.installation);
  const state = account === undefined ? undefined : states.get(account.wpId);
  if (identity === undefined || account === undefined || state === undefined)
    return stays('target.account_missing');
  const here = identity.accounts.get(source.installation);
  const refused = refusalOf(account, { ...way, source, here });
  if (refused !== null) return stays(refused);
  const pending = identity.deliveries.get(target.key);
  const fields = new Map<Field, Carried>();
  for (const [field, { before, after }] of Object.entries(step.kept)) {
    const stamp = step.stamps?.[field];
    const now = entryOf({ state, blog: target.blog }, field);
    if (stamp === undefined || now === undefined) continue;
    if (compareStamps(now.s, stamp) !== 0 || !isSame(now.v, after)) continue;
    const next: Stamp = [stamp[0] + 1, stamp[1]];
    if (!isNewer(next, pending?.fields.get(field)?.stamp)) continue;
    fields.set(field, { value: before?.v ?? blank(field), stamp: next, path: [source.key] });
  }
  const brought = Object.keys(step.stamps ?? {}).length;
  const isWhole = fields.size === brought;
  if (fields.size === 0) return stays(isWhole ? null : 'run.undo_moved');
  const base = pending ?? emptyDelivery(ports, target);
  const delivery: Delivery = {
    ...base,
    fields: mergeCarried(base.fields, fields),
    actor: operatorNamed(run.undoneBy ?? ''),
    version: base.version + 1,
    notBeforeMs: 0,
  };
  const kept = sourceKeepsOut(identity, source, fields);
  return {
    identity: { ...kept, deliveries: new Map(kept.deliveries).set(target.key, delivery) },
    note: isWhole ? null : 'run.undo_moved',
  };
}

/**
 * The source keeps its own values, as before the run: it counts as knowing of what is put back, or the
 * engine would take it for a site that has lost something.
 */
function sourceKeepsOut(
  identity: Identity,
  source: SiteRecord,
  fields: ReadonlyMap<Field, Carried>,
): Identity {
  const account = identity.accounts.get(source.installation);
  if (account === undefined) return identity;
  const known = new Map(account.known);
  for (const [field, { stamp }] of fields) {
    // What was filled in travels nowhere, and neither does its taking back.
    if (isFromBefore(stamp)) continue;
    const key = knownKey(field, source.key);
    if (isNewer(stamp, known.get(key))) known.set(key, stamp);
  }
  return withAccount(identity, source.installation, { ...account, known });
}

const withAccount = (identity: Identity, id: InstallationId, account: Account): Identity => ({
  ...identity,
  accounts: new Map(identity.accounts).set(id, account),
});

/** @param why null: it holds nothing of its own; undefined: nobody asked for that */
function takeAway(ports: OperationPorts, input: Input, why: Reason | null | undefined): Result {
  const { identity, source, target, nowMs, run } = input;
  const account = identity?.accounts.get(target.installation);
  if (identity === undefined || account === undefined || account.gone !== null) return stays(null);
  if (why === undefined) return stays('run.undo_created');
  if (why !== null) return stays(why);
  const base = identity.deliveries.get(target.key) ?? emptyDelivery(ports, target);
  const newest = Math.max(nowMs, ...[...account.known.values()].map(([ms]) => ms + 1));
  const delivery: Delivery = {
    ...base,
    fields: new Map(),
    birth: null,
    // Along this path it is nobody else's end: neither the source's nor, by a ring, the account's elsewhere.
    gone: { stamp: [newest, source.key], path: [source.key], how: 'delete', ordered: true },
    actor: operatorNamed(run.undoneBy ?? ''),
    version: base.version + 1,
    notBeforeMs: nowMs,
  };
  const deliveries = new Map(identity.deliveries).set(target.key, delivery);
  return { identity: { ...identity, deliveries }, note: null };
}

function refusalOf(account: Account, way: Way & Speaker): Reason | null {
  if (account.gone !== null) return 'identity.deleted';
  if (account.alarm !== null) return 'identity.label_mismatch';
  return powerRefusal(account, way);
}

const emptyDelivery = (ports: OperationPorts, target: SiteRecord): Delivery => ({
  id: deliveryId(ports.newId()),
  target: target.key,
  lane: 'bulk',
  fields: new Map(),
  birth: null,
  gone: null,
  held: null,
  actor: null,
  attempts: 0,
  version: 0,
  notBeforeMs: 0,
});
