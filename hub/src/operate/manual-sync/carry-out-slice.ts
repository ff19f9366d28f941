/** One slice of a manual sync: looked at once more, kept, asked for. */
import type { AccountState } from '#contract/account-state.ts';
import { type Field, knownKey } from '../../model/field.ts';
import type { Identity } from '../../model/identity.ts';
import type { IdentityUid } from '../../model/ids.ts';
import { isNewer, type Stamp } from '../../model/stamp.ts';
import type { StepChange, StepKey, SyncRunRecord, SyncStep } from '../../model/sync-run.ts';
import { type Reason } from '../../reasons.ts';
import type { SiteRecord, StampOrder } from '../../sync/ports.ts';
import { entryOf } from '../../sync/reconcile/sides.ts';
import type { OperationPorts } from '../ports.ts';
import { adoptPlan, hearBoth } from './adopt/adopt-plan.ts';
import { fillAll } from './adopt/fill-all.ts';
import { chosenIn, hasMovedApart, unreviewed } from './adopt/looked-at.ts';
import { setApart } from './adopt/set-apart.ts';
import type { Asked } from './choose.ts';
import type { Planned } from './plan-page.ts';
import { planStates } from './plan-states.ts';
import { requestOf, stateOf, stepOf } from './plan-sync.ts';
import { proveLinks } from './prove-links.ts';

export interface Doing {
  readonly step: SyncStep;
  readonly now: Planned;
  uid: IdentityUid;
}

/** How many steps are no longer to be done. */
export async function carryOutSlice(
  ports: OperationPorts,
  run: SyncRunRecord,
  asked: Asked,
  steps: readonly SyncStep[],
): Promise<number> {
  const { source } = asked;
  const { adopt } = requestOf(run);
  const crosses = adopt === undefined || adopt.how === 'source_wins';
  if (adopt !== undefined) await hearBoth(ports, asked);
  const planned = await planAgain(ports, run, asked, steps);
  const doing: Doing[] = [];
  const aside: StepChange[] = [];
  const toDo = await stillToDo(ports, run, steps);
  if (toDo.length === 0) return steps.length;
  for (const step of toDo) {
    const now = planned.get(keyOf(step));
    if (step.decision === 'separate') {
      aside.push({ ...place(step), ...(await setApart(ports, run, step, now)) });
      continue;
    }
    const change = whyNot(step, now);
    if (change !== null) aside.push({ ...place(step), ...change });
    else if (now !== undefined) doing.push({ step, now, uid: now.identity.uid });
  }
  await ports.runs.save(run.id, [...aside, ...doing.flatMap(keeping)]);
  aside.push(...(await linkAll(ports, run, source, doing, crosses)));
  const refused = crosses
    ? await stampAll(ports, source, doing, await labelAll(ports, source, doing))
    : new Map<number, string>();
  await offerAll(ports, source, doing);
  const changes =
    adopt?.how === 'fill'
      ? await fillAll(ports, run, source, doing)
      : await outcomes(ports, source, doing, refused);
  await ports.runs.save(run.id, changes);
  return aside.length + changes.filter(({ state }) => state !== undefined).length;
}

const keyOf = ({ wpId, target }: StepKey): string => `${wpId} ${target}`;
const place = ({ wpId, target }: StepKey): StepKey => ({ wpId, target });

/** A site may have taken long to answer: what was paused or cancelled meanwhile is not begun. */
async function stillToDo(
  { runs }: OperationPorts,
  { id }: SyncRunRecord,
  steps: readonly SyncStep[],
): Promise<readonly SyncStep[]> {
  if ((await runs.find(id))?.state !== 'running') return [];
  const open = await runs.steps(id, { states: ['doing', 'planned'], limit: steps.length });
  const keys = new Set(open.map(keyOf));
  return steps.filter((step) => keys.has(keyOf(step)));
}

async function planAgain(
  ports: OperationPorts,
  run: SyncRunRecord,
  { source, ways }: Asked,
  steps: readonly SyncStep[],
): Promise<ReadonlyMap<string, Planned>> {
  const ids = [...new Set(steps.map(({ wpId }) => wpId))];
  const connection = await ports.registry.connection(source.installation);
  const question = { after: 0, limit: ids.length, ids, detail: 'state' } as const;
  const { accounts } = await ports.site.accounts(connection, question);
  const proven = new Map(steps.map((step) => [`${step.login} ${step.target}`, step]));
  const isNamed = (login: string, target: SiteRecord, other: string): boolean => {
    const step = proven.get(`${login} ${target.key}`);
    return step?.proven === true && step.other === other;
  };
  const { mode = 'like_source', adopt } = requestOf(run);
  const targets = new Set(steps.map(({ target }) => target));
  const meant = ways.filter(({ target }) => targets.has(target.key));
  const planFor = { source, ways: meant, mode, isNamed };
  const planned = await planStates(
    ports,
    adopt === undefined ? planFor : { ...planFor, adopt: adoptPlan(adopt, chosenIn(steps)) },
    accounts,
  );
  return new Map(planned.map((one) => [keyOf(stepOf(one)), one]));
}

/** Why nothing is asked for, and what the step becomes; null: it is done. */
function whyNot(
  step: SyncStep,
  now: Planned | undefined,
): Omit<StepChange, 'wpId' | 'target'> | null {
  if (now === undefined) {
    const reason: Reason = 'source.account_missing';
    return { what: 'skip', reason, fields: [], seen: '', state: 'changed', note: reason };
  }
  // It was asked for before, or nobody knows: what came of that is no move of somebody else.
  if (step.state === 'doing') return mayGoOn(now) ? null : again(now);
  const moved = step.pair === null ? hasMoved(step, now) : hasMovedApart(step, stepOf(now));
  if (moved) return again(now);
  return stateOf(now) === 'planned' ? null : { state: 'left' };
}

/** Who has the address there by now was named by nobody, whoever had it when it was begun. */
const mayGoOn = ({ what, reason }: Planned): boolean =>
  what !== 'skip' && what !== 'hold' && !(what === 'link' && reason !== null);

function again(now: Planned): Omit<StepChange, 'wpId' | 'target'> {
  const { wpId: _, target: __, login: ___, ...replanned } = stepOf(unreviewed(now));
  return { ...replanned, state: 'changed', note: 'run.changed_meanwhile' };
}

function hasMoved(step: SyncStep, now: Planned): boolean {
  const fresh = stepOf(now);
  return (
    step.login !== fresh.login ||
    step.what !== fresh.what ||
    step.other !== fresh.other ||
    step.reason !== fresh.reason ||
    step.seen !== fresh.seen
  );
}

/** What was there is kept once: a slice that is done again may meet its own values. */
function keeping({ step, now }: Doing): StepChange[] {
  if (step.state === 'doing') return [];
  const { kept, atLeastMs } = now;
  return [{ ...place(step), state: 'doing', note: null, kept, atLeastMs }];
}

/** What could not be linked under the locks is done with. */
async function linkAll(
  ports: OperationPorts,
  run: SyncRunRecord,
  source: SiteRecord,
  doing: Doing[],
  crosses: boolean,
): Promise<StepChange[]> {
  const links = doing.filter(({ now }) => now.what === 'link');
  if (links.length === 0) return [];
  const { became, refused } = await proveLinks(
    ports,
    links.map(({ now }) => now),
    { source, by: run.startedBy, crosses },
  );
  const changes: StepChange[] = [];
  for (const one of links) {
    const note = refused.get(one.now);
    if (note === undefined) one.uid = became.get(one.uid) ?? one.uid;
    else {
      doing.splice(doing.indexOf(one), 1);
      changes.push({ ...place(one.step), state: 'failed', note });
    }
  }
  await ports.runs.save(run.id, changes);
  // Both sites are told the labels, whether or not something is to go there.
  const targets = links.map(({ now }) => now.way.target.installation);
  for (const installation of new Set([source.installation, ...targets])) {
    await ports.wake.pull(installation);
  }
  return changes;
}

/**
 * The labels must be on the source before it is asked to stamp: those of links that were just proven, or
 * were before the hub was killed. Whose is not there yet waits for the next turn.
 */
async function labelAll(
  ports: OperationPorts,
  source: SiteRecord,
  doing: readonly Doing[],
): Promise<ReadonlySet<IdentityUid>> {
  const uids = [...new Set(doing.map(({ uid }) => uid))];
  const unlabelled = async (): Promise<ReadonlySet<IdentityUid>> => {
    const persons = await ports.store.transaction((tx) => tx.lockByUid(uids));
    const isLabelled = (uid: IdentityUid): boolean =>
      persons.get(uid)?.accounts.get(source.installation)?.labelled === true;
    return new Set(uids.filter((uid) => !isLabelled(uid)));
  };
  if ((await unlabelled()).size === 0) return new Set();
  await ports.pipeline.pull(source.installation);
  return unlabelled();
}

/** By account why the source did not stamp it. */
async function stampAll(
  ports: OperationPorts,
  source: SiteRecord,
  doing: readonly Doing[],
  unlabelled: ReadonlySet<IdentityUid>,
): Promise<ReadonlyMap<number, string>> {
  const orders = new Map<number, StampOrder>();
  for (const { step, now, uid } of doing) {
    const fields = unstamped(step, now, source);
    if (fields.length === 0 || unlabelled.has(uid)) continue;
    const { id } = now.state;
    const before = orders.get(id);
    orders.set(id, {
      id,
      uid,
      blog: source.blog,
      fields: [...new Set([...(before?.fields ?? []), ...fields])],
      atLeastMs: Math.max(before?.atLeastMs ?? 0, atLeastOf(step, now)),
    });
  }
  if (orders.size === 0) return new Map();
  const connection = await ports.registry.connection(source.installation);
  const results = await ports.site.stamp(connection, [...orders.values()]);
  if (source.rules.automatic) await ports.pipeline.pull(source.installation);
  await carryOver(ports, source, doing);
  await ports.pipeline.pull(source.installation);
  const answered = new Map(results.map(({ id, result }) => [id, result]));
  return new Map(
    [...orders.keys()].flatMap((id) => {
      const result = answered.get(id) ?? 'busy';
      return result === 'stamped' ? [] : [[id, result] as const];
    }),
  );
}

/** What the source doesn't let leave by itself goes to the chosen targets, and to nobody else. */
async function carryOver(
  { pipeline }: OperationPorts,
  { installation, rules }: SiteRecord,
  doing: readonly Doing[],
): Promise<void> {
  if (rules.automatic && rules.syncRoles.length === 0) return;
  const changes = doing.filter(({ now }) => now.what === 'update' || now.what === 'link');
  for (const target of new Set(changes.map(({ step }) => step.target))) {
    const there = changes.filter(({ step }) => step.target === target);
    const ids = there.map(({ step }) => step.wpId);
    await pipeline.carry(installation, ids, target);
  }
}

const fieldsOf = ({ step, now }: Pick<Doing, 'step' | 'now'>): readonly Field[] =>
  step.state === 'doing' ? Object.keys(step.kept ?? {}) : now.fields;
const atLeastOf = (step: SyncStep, now: Planned): number =>
  step.state === 'doing' ? step.atLeastMs : now.atLeastMs;

/** What an earlier try has stamped already is on its way. */
function unstamped(step: SyncStep, now: Planned, source: SiteRecord): readonly Field[] {
  const fields = fieldsOf({ step, now });
  if (step.state !== 'doing') return fields;
  const side: { state: AccountState; blog: number } = { state: now.state, blog: source.blog };
  return fields.filter((field) => (entryOf(side, field)?.s[0] ?? 0) < step.atLeastMs);
}

async function offerAll(
  { pipeline }: OperationPorts,
  source: SiteRecord,
  doing: readonly Doing[],
): Promise<void> {
  for (const target of new Set(doing.map(({ step }) => step.target))) {
    const states = doing
      .filter(({ step, now }) => step.target === target && now.what === 'create')
      .map(({ now }) => now.state);
    if (states.length > 0) await pipeline.offer(source.installation, states, target);
  }
}

/** What has been asked for, and with which stamps it travels. */
async function outcomes(
  { store }: OperationPorts,
  source: SiteRecord,
  doing: readonly Doing[],
  refused: ReadonlyMap<number, string>,
): Promise<StepChange[]> {
  const uids = [...new Set(doing.map(({ uid }) => uid))];
  const persons = await store.transaction((tx) => tx.lockByUid(uids));
  return doing.map((one): StepChange => {
    const { step, uid } = one;
    const base = { ...place(step), uid };
    const why = refused.get(step.wpId);
    if (why === 'busy') return { ...base, note: 'account.busy' };
    if (why === 'missing') return { ...base, state: 'failed', note: 'source.account_missing' };
    if (why === 'mismatch') return { ...base, state: 'failed', note: 'identity.label_mismatch' };
    const fields = fieldsOf(one);
    if (step.what === 'create' || fields.length === 0) {
      return { ...base, state: 'sent', note: null, stamps: step.what === 'create' ? null : {} };
    }
    const stamps = stampsOf(persons.get(uid), source, fields, atLeastOf(step, one.now));
    // The next turn looks again.
    if (stamps === null) return { ...base, note: 'run.not_learned' };
    return { ...base, state: 'sent', note: null, stamps };
  });
}

function stampsOf(
  identity: Identity | undefined,
  source: SiteRecord,
  fields: readonly Field[],
  atLeastMs: number,
): Readonly<Record<Field, Stamp>> | null {
  const known = identity?.accounts.get(source.installation)?.known;
  const least: Stamp = [atLeastMs - 1, source.key];
  const stamps: Record<Field, Stamp> = {};
  for (const field of fields) {
    const stamp = known?.get(knownKey(field, source.key));
    if (stamp !== undefined && isNewer(stamp, least)) stamps[field] = stamp;
  }
  // What the source could not stamp, for instance a field that it does not watch, stays where it is.
  return Object.keys(stamps).length === 0 ? null : stamps;
}
