/**
 * What one installation was found to hold → what has to travel, along every outgoing route.
 *
 * Does: the one consequence of every fact, learned by capture or by receipt alike (I3).
 * Does not: load, store, log or send; it returns the identity as it should be stored, and says
 * what was decided.
 * Always true: repeating it with the same holding changes nothing.
 */
import { mergeCarried } from '../../model/carried.ts';
import { EMAIL, type Field } from '../../model/field.ts';
import type { Delivery, Holding, Identity, Lane } from '../../model/identity.ts';
import type { DeliveryId, InstallationId } from '../../model/ids.ts';
import {
  type LogAction,
  type LogEntry,
  type LogStatus,
  markedUnconfirmed,
} from '../../model/log-entry.ts';
import { extendPath } from '../../model/path.ts';
import { mapsRoles, routesFrom, type Site, sitesOf, type Topology } from '../../model/route.ts';
import type { FoundLink, Spread, SpreadInput } from '../../model/spread.ts';
import { compareStamps } from '../../model/stamp.ts';
import type { Reason } from '../../reasons.ts';
import { type Decision, decide } from './decide.ts';

export interface Decided extends Spread {
  readonly decisions: readonly Decision[];
}

export function spread(input: SpreadInput): Decided {
  let { identity } = input;
  const decisions: Decision[] = [];
  const log: LogEntry[] = [];
  const links: FoundLink[] = [];
  const rolesAreMapped = someMapRoles(input.topology);
  for (const { route, source, target } of routesOut(input.topology, input.holding.installation)) {
    const candidates = identity.accounts.has(target.installation)
      ? []
      : input.candidates(target.installation);
    const { holding, creationsUsedUp } = input;
    const question = {
      identity,
      holding,
      route,
      source,
      target,
      candidates,
      creationsUsedUp,
      rolesAreMapped,
    };
    const decision = decide(question);
    decisions.push(decision);
    log.push(...logOf(decision, input, identity));
    if (decision.kind === 'skip' && decision.candidate !== null) {
      links.push({ installation: target.installation, candidate: decision.candidate });
    }
    if (decision.kind === 'deliver' || decision.kind === 'hold') {
      const next = enqueue(identity, target, decision, input);
      log.push(...heldBy(next, identity, target, decision, input));
      identity = next;
    }
  }
  const needsRefresh = decisions.some((decision) => decision.kind === 'refresh');
  return { identity, decisions, log, links, needsRefresh };
}

/** Anywhere: a value may have been through a map on its way. */
export const someMapRoles = ({ sites }: Topology): boolean =>
  [...sites.values()].some(({ rules }) => mapsRoles(rules));

export function* routesOut(topology: Topology, installation: InstallationId) {
  for (const source of sitesOf(topology, installation)) {
    for (const route of routesFrom(topology, source.key)) {
      const target = topology.sites.get(route.target);
      if (target !== undefined) yield { route, source, target };
    }
  }
}

function enqueue(
  identity: Identity,
  target: Site,
  decision: Extract<Decision, { kind: 'deliver' | 'hold' }>,
  input: SpreadInput,
): Identity {
  const present = identity.deliveries.get(target.key);
  const base = present ?? emptyDelivery(input.newDeliveryId(), target, input.holding.lane);
  const merged =
    decision.gone === null
      ? withFields(base, decision, input.holding.lane)
      : withGone(base, decision.gone, decision.reason, input.nowMs + input.settleDeletesMs);
  const deliveries = new Map(identity.deliveries);
  deliveries.set(target.key, {
    ...merged,
    actor: input.actor ?? base.actor,
    version: base.version + 1,
  });
  return { ...identity, deliveries };
}

const emptyDelivery = (id: DeliveryId, target: Site, lane: Lane): Delivery => ({
  id,
  target: target.key,
  lane,
  fields: new Map(),
  birth: null,
  gone: null,
  held: null,
  actor: null,
  attempts: 0,
  version: 0,
  notBeforeMs: 0,
});

function withFields(
  base: Delivery,
  decision: Extract<Decision, { kind: 'deliver' | 'hold' }>,
  lane: Lane,
): Delivery {
  return {
    ...base,
    fields: mergeCarried(base.fields, decision.fields),
    birth: base.birth ?? decision.birth,
    held: decision.kind === 'hold' ? decision.reason : base.held,
    lane: lane === 'people' ? 'people' : base.lane,
    notBeforeMs: 0,
  };
}

/** A delete ends what is older than it; an edit known to be newer holds it. */
function withGone(
  base: Delivery,
  gone: NonNullable<Delivery['gone']>,
  reason: Reason | null,
  notBeforeMs: number,
): Delivery {
  const newer = [...base.fields].filter(
    ([, carried]) => compareStamps(carried.stamp, gone.stamp) > 0,
  );
  const held = reason ?? (newer.length > 0 ? 'delete.newer_edit' : null);
  return { ...base, gone, fields: new Map(newer), birth: null, held, notBeforeMs };
}

/** Reasons that say only "nothing to do here": in a mesh they would drown the log. */
const QUIET: ReadonlySet<Reason> = new Set(['target.already_holds', 'path.already_visited']);

function logOf(decision: Decision, input: SpreadInput, identity: Identity): LogEntry[] {
  const entries: LogEntry[] = [];
  const superseded = decision.dropped.filter((entry) => entry.reason === 'conflict.superseded');
  if (superseded.length > 0 && input.holding.learnedBy === 'capture') {
    const fields = superseded.map((entry) => entry.field);
    entries.push(entry(decision, input, identity, 'superseded', 'conflict.superseded', fields));
  }
  if (decision.kind === 'skip' && !QUIET.has(decision.reason)) {
    const fields = input.holding.facts.map((fact) => fact.field);
    if (decision.reason !== 'conflict.superseded') {
      entries.push(entry(decision, input, identity, 'skipped', decision.reason, fields));
    }
  }
  if (decision.kind === 'hold') {
    const fields = [...decision.fields.keys()];
    entries.push(entry(decision, input, identity, 'held', decision.reason, fields));
  }
  if (decision.kind === 'deliver') {
    for (const [field, { held }] of decision.fields) {
      if (held !== undefined) entries.push(entry(decision, input, identity, 'held', held, [field]));
    }
  }
  return entries;
}

function entry(
  decision: Decision,
  input: SpreadInput,
  identity: Identity,
  status: LogStatus,
  reason: string | null,
  fields: readonly Field[],
): LogEntry {
  const { holding } = input;
  const account = identity.accounts.get(holding.installation);
  return {
    uid: identity.uid,
    login: account?.login ?? holding.birth?.login ?? '',
    source: decision.route.source,
    target: decision.route.target,
    action: actionOf(decision, holding),
    status,
    reason,
    fields,
    path: extendPath(holding.facts[0]?.path ?? holding.gone?.path ?? [], decision.route.source),
    actor: input.actor,
    delivery: null,
    attempts: 0,
    durationMs: null,
    ...markedUnconfirmed(
      fields,
      holding.facts.find(({ field }) => field === EMAIL),
    ),
  };
}

/** A delete that meets an edit which waits, and is newer. */
function heldBy(
  next: Identity,
  before: Identity,
  target: Site,
  decision: Decision,
  input: SpreadInput,
): LogEntry[] {
  const held = next.deliveries.get(target.key)?.held ?? null;
  if (decision.kind !== 'deliver' || decision.gone === null || held === null) return [];
  if (before.deliveries.get(target.key)?.held === held) return [];
  const fields = [...(next.deliveries.get(target.key)?.fields.keys() ?? [])];
  return [entry(decision, input, before, 'held', held, fields)];
}

function actionOf(decision: Decision, holding: Holding): LogAction {
  const ends = 'gone' in decision && decision.gone !== null;
  if (ends || holding.gone !== null) return 'delete';
  return holding.newlyBorn ? 'create' : 'update';
}
