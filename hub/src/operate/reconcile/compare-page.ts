/**
 * A page of the source's accounts beside their twins on the target: what differs, who is missing, and why.
 *
 * Does: read sums first, and values only of those whose sums differ; have both sites pulled before it calls
 * anything drift that a row of their outboxes may explain.
 * Does not: write to a site, or to the store beyond what a pull learns.
 * Always true: what the hub believes is read before the values that it is held against, where the first look said
 * drift: what arrives while they are compared must not look like something that the target has lost. The same `decide` says who should be on the target that decides for real (I10).
 */
import type { AccountState } from '#contract/account-state.ts';
import { ACCOUNT, type Field, isRole, roleOf } from '../../model/field.ts';
import type { Account, Candidate, Identity } from '../../model/identity.ts';
import { type WordPressId, wordPressId } from '../../model/ids.ts';
import type { DriftRow, Found } from '../../model/reconcile.ts';
import { isFromBefore } from '../../model/stamp.ts';
import type { Reason } from '../../reasons.ts';
import { decide } from '../../sync/decide/decide.ts';
import type { Transaction } from '../../sync/ports.ts';
import {
  alarmOf,
  classifyMissing,
  classifyTwins,
  type Finding,
  type Offered,
} from '../../sync/reconcile/classify.ts';
import { readStates } from '../alarms/read-states.ts';
import { holdingOf } from '../holding-of.ts';
import { powerRefusal } from '../manual-sync/plan-page.ts';
import { takesRole } from '../manual-sync/target-guard.ts';
import type { OperationPorts } from '../ports.ts';
import { type Comparison, comparedFields } from './comparison.ts';
import { digestsOf, type Summed } from './digest-pages.ts';

export interface FoundOne extends Pick<DriftRow, 'side' | 'wpId' | 'uid' | 'login' | 'fields'> {
  readonly what: Exclude<Found, 'in_step'>;
  readonly reason: Reason;
  /** The same person's account on the target, where there is one by the hub's own table. */
  readonly twin: WordPressId | null;
}

/** @returns everything but who is in step */
export async function comparePage(
  ports: OperationPorts,
  comparison: Comparison,
  summed: readonly Summed[],
): Promise<readonly FoundOne[]> {
  const suspects = await suspectsAmong(ports, comparison, summed);
  if (suspects.ids.length === 0) return [];
  const first = judge(comparison, suspects, await believed(ports, comparison, suspects.ids));
  if (!first.some(({ reason }) => MAY_BE_EXPLAINED.has(reason))) return first;
  await pullBoth(ports, comparison);
  const now = await believed(ports, comparison, suspects.ids);
  return judge(comparison, await readValues(ports, comparison, suspects.ids, now), now);
}

/** By a change that one of the sites has not told of yet. */
const MAY_BE_EXPLAINED: ReadonlySet<Reason> = new Set<Reason>([
  'account.vanished',
  'drift.believed',
  'drift.extra',
  'drift.missing',
  'drift.newer_there',
  'drift.not_heard',
]);
export const mayBeExplained = (reason: Reason): boolean => MAY_BE_EXPLAINED.has(reason);

export async function pullBoth({ pipeline }: OperationPorts, { source, target }: Comparison) {
  await pipeline.pull(source.installation);
  await pipeline.pull(target.installation);
}

interface Suspects {
  readonly ids: readonly WordPressId[];
  readonly here: ReadonlyMap<number, AccountState>;
  /** By their ids on the target. */
  readonly there: ReadonlyMap<number, AccountState>;
}

async function suspectsAmong(
  ports: OperationPorts,
  comparison: Comparison,
  summed: readonly Summed[],
): Promise<Suspects> {
  const { source, target } = comparison;
  const ids = summed.map(({ id }) => wordPressId(id));
  const identities = await ports.store.transaction((tx) =>
    tx.lockByAccount(source.installation, ids),
  );
  const twinOf = (id: number) => livingOn(identities.get(wordPressId(id)), comparison)?.wpId;
  const twins = ids.flatMap((id) => twinOf(id) ?? []);
  const there = await digestsOf(ports, target, comparedFields(comparison), twins);
  const differing = summed.filter(({ id, digest }) => {
    const twin = twinOf(id);
    const other = twin === undefined ? undefined : there.get(twin);
    return digest === null || other === undefined || other !== digest;
  });
  const pairs = differing.filter(({ id }) => there.has(twinOf(id) ?? 0));
  const values = await readValues(
    ports,
    comparison,
    pairs.map(({ id }) => wordPressId(id)),
    { identities },
  );
  return { ...values, ids: differing.map(({ id }) => wordPressId(id)) };
}

/** Of these and their twins. */
async function readValues(
  ports: OperationPorts,
  comparison: Comparison,
  ids: readonly WordPressId[],
  { identities }: Pick<Believed, 'identities'>,
): Promise<Suspects> {
  const { source, target } = comparison;
  const twins = ids.flatMap((id) => livingOn(identities.get(id), comparison)?.wpId ?? []);
  const [here, over] = await Promise.all([
    readStates(ports, source.installation, ids, 'state'),
    readStates(ports, target.installation, twins, 'state'),
  ]);
  return {
    ids,
    here: new Map(here.map((state) => [state.id, state])),
    there: new Map(over.map((state) => [state.id, state])),
  };
}

function livingOn(
  identity: Identity | undefined,
  { target }: Pick<Comparison, 'target'>,
): Account | undefined {
  const account = identity?.accounts.get(target.installation);
  return account === undefined || account.gone !== null ? undefined : account;
}

/** What the hub knows, at one moment. */
type Believed = Awaited<ReturnType<typeof known>>;

const believed = (
  { store }: OperationPorts,
  comparison: Comparison,
  ids: readonly WordPressId[],
): Promise<Believed> => store.transaction((tx) => known(tx, comparison, ids));

function judge(
  comparison: Comparison,
  suspects: Suspects,
  { identities, candidates }: Believed,
): readonly FoundOne[] {
  return suspects.ids.flatMap((wpId): FoundOne[] => {
    const identity = identities.get(wpId);
    const here = identity?.accounts.get(comparison.source.installation);
    // Deleted since the page was read; the delete is on its way, or a rule keeps it.
    if (here !== undefined && here.gone !== null) return [];
    const findings =
      identity === undefined || here === undefined
        ? [classifyMissing(null, comparison, OFFERED_NOTHING, false)]
        : judgeOne(comparison, suspects, identity, here, candidates(identity));
    const twin = livingOn(identity, comparison)?.wpId ?? null;
    const who = { uid: identity?.uid ?? null, login: here?.login ?? '' };
    return findings.map((finding) => ({ ...finding, ...who, side: 'source', wpId, twin }));
  });
}

const OFFERED_NOTHING: Offered = { kind: 'skip', reason: null };

async function known(tx: Transaction, comparison: Comparison, ids: readonly WordPressId[]) {
  const { source, target } = comparison;
  const identities = await tx.lockByAccount(source.installation, ids);
  const people = [...identities.values()].flatMap((identity) => {
    const here = identity.accounts.get(source.installation);
    if (here === undefined || identity.accounts.has(target.installation)) return [];
    return [{ uid: identity.uid, email: here.email, login: here.login }];
  });
  const found = people.length === 0 ? null : await tx.candidates(people, [target.installation]);
  const candidates = ({ uid }: Identity): readonly Candidate[] =>
    found?.(uid, target.installation) ?? [];
  return { identities, candidates };
}

function judgeOne(
  comparison: Comparison,
  { here: states, there: twins }: Suspects,
  identity: Identity,
  here: Account,
  candidates: readonly Candidate[],
): readonly Finding[] {
  const alarm = alarmOf(here);
  if (alarm !== null) return [{ what: 'held', reason: alarm, fields: [] }];
  const there = livingOn(identity, comparison);
  const state = states.get(here.wpId);
  const twin = there === undefined ? undefined : twins.get(there.wpId);
  // It is no longer on its own site; the next comparison tells why.
  if (twin !== undefined && state === undefined) return [];
  if (state === undefined || twin === undefined || there === undefined) {
    const offered = offer(comparison, identity, here, candidates);
    return [classifyMissing(identity, comparison, offered, there !== undefined)];
  }
  const held = alarmOf(there);
  if (held !== null) return [{ what: 'held', reason: held, fields: [] }];
  const { source, target, guard } = comparison;
  const takes = takesRole(guard, comparison.route, source);
  return classifyTwins({
    ...comparison,
    identity,
    here: { state, blog: source.blog },
    there: { state: twin, blog: target.blog },
    rule: ruleOf(comparison, identity, here, there),
    isGrantable: (field: Field) => !isRole(field) || takes(roleOf(field)),
  });
}

/** What would become of the account if it were offered to the target now, as the repair would do it. */
function offer(
  { source, target, route, guard, rolesAreMapped }: Comparison,
  identity: Identity,
  here: Account,
  candidates: readonly Candidate[],
): Offered {
  const born = here.known.get(ACCOUNT);
  const newlyBorn = born !== undefined && !isFromBefore(born);
  const holding = holdingOf(source, here, { newlyBorn });
  const decision = decide({ identity, holding, route, source, target, candidates, rolesAreMapped });
  if (decision.kind === 'refresh') return { kind: 'refresh', reason: null };
  if (decision.kind === 'deliver' && guard.readOnly)
    return { kind: 'skip', reason: 'target.read_only' };
  return decision;
}

/** These say something of single fields, or that there is nothing to do. */
const OF_FIELDS: ReadonlySet<Reason> = new Set<Reason>([
  'conflict.superseded',
  'field.not_selected',
  'path.already_visited',
  'path.stopped_at',
  'role.not_mapped',
  'target.already_holds',
]);

/** The first rule that lets nothing of the account through. */
function ruleOf(
  { source, target, route, guard, rolesAreMapped }: Comparison,
  identity: Identity,
  here: Account,
  there: Account,
): Reason | null {
  const holding = holdingOf(source, here, { newlyBorn: false });
  const question = { identity, holding, route, source, target, candidates: [], rolesAreMapped };
  const decision = decide(question);
  if (decision.kind === 'skip' && !OF_FIELDS.has(decision.reason)) return decision.reason;
  if (there.incomingRejected) return 'account.incoming_rejected';
  const kept = powerRefusal(there, { route, target, source, here });
  if (kept !== null) return kept;
  if (guard.readOnly) return 'target.read_only';
  return route.rules.updates ? null : 'route.updates_off';
}
