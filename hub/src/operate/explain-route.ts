/**
 * What one route would do with an account now, and the first rule that says no.
 *
 * Always true: the same `decide` is asked that runs for real. What a target refused is told with the
 * reason that it gave, as far back as the Sync Log goes.
 */
import type { Explanation } from '../api/schemas/explain.ts';
import { ACCOUNT, type Field } from '../model/field.ts';
import type { Candidate, Holding, Identity } from '../model/identity.ts';
import type { SiteKey } from '../model/ids.ts';
import { type WhyNot, whyPowerIsKept } from '../model/power.ts';
import type { Route, Site } from '../model/route.ts';
import { type Reason, reasonSentence } from '../reasons.ts';
import { type Decision, decide } from '../sync/decide/decide.ts';
import type { Installation, LogRow, SiteRecord } from '../sync/ports.ts';

export type Why = Explanation['targets'][number]['why'][number];
type Refusals = (target: SiteKey, field: Field) => string | undefined;

export interface Asked {
  readonly identity: Identity;
  readonly holding: Holding;
  readonly route: Route;
  readonly site: SiteRecord;
  readonly target: Site;
  readonly found: readonly Candidate[];
  readonly rolesAreMapped: boolean;
  readonly refusals: Refusals;
  readonly installations: readonly Installation[];
}

export function whyOf(asked: Asked): Why[] {
  const { identity, holding, route, site, target, found, rolesAreMapped } = asked;
  if (route.status === 'paused') return [why('skipped', [], 'route.paused')];
  if (site.status === 'paused' || target.status === 'paused')
    return [why('skipped', [], 'site.paused')];
  if (site.closed === 'ended') return [why('skipped', [], 'site.ended')];
  const silent = troubleOf(asked, site);
  if (silent?.state === 'attention') return [{ ...silent.why, verdict: 'skipped' }];
  const away = troubleOf(asked, target);
  const waiting = waitingOf(identity, target.key);
  const decision = decide({
    identity,
    holding,
    route,
    source: site,
    target,
    candidates: found,
    rolesAreMapped,
  });
  return [
    ...(away === null ? [] : [away.why]),
    ...(target.closed == null
      ? []
      : [why('pending', [], target.closed === 'ended' ? 'site.ended' : 'site.closed')]),
    ...closedThere(identity, route, site, target),
    ...waiting,
    ...fromDecision(decision, asked, waiting.length > 0),
  ];
}

/** A site that can't be spoken to gets nothing, and tells nothing, until it can. */
function troubleOf(
  { installations }: Asked,
  site: Site,
): { readonly state: Installation['state']; readonly why: Why } | null {
  const installation = installations.find(({ id }) => id === site.installation);
  if (installation?.trouble == null) return null;
  const { code: reason, message } = installation.trouble;
  return { state: installation.state, why: { verdict: 'pending', fields: [], reason, message } };
}

/** The site itself says no to all that comes for this account. */
function closedThere({ accounts }: Identity, route: Route, source: Site, target: Site): Why[] {
  const account = accounts.get(target.installation);
  if (account === undefined || account.gone !== null) return [];
  const here = accounts.get(source.installation);
  const kept = whyPowerIsKept(account, route, target, { source, here });
  return [
    ...(account.incomingRejected ? [why('skipped', [], 'account.incoming_rejected')] : []),
    ...(kept === null ? [] : [why('skipped', [], KEPT[kept])]),
  ];
}

const KEPT = {
  unnamed: 'target.privileged_account',
  unconsented: 'account.not_consented',
} as const satisfies Record<WhyNot, Reason>;

/** What is on its way there already. */
function waitingOf(identity: Identity, target: SiteKey): Why[] {
  const delivery = identity.deliveries.get(target);
  if (delivery === undefined) return [];
  if (delivery.held !== null) return [why('held', [...delivery.fields.keys()], delivery.held)];
  const held = [...delivery.fields].filter(([, carried]) => carried.held !== undefined);
  const open = [...delivery.fields].filter(([, carried]) => carried.held === undefined);
  const rows = held.map(([field, carried]) => why('held', [field], carried.held ?? null));
  if (open.length > 0 || delivery.gone !== null || delivery.birth !== null) {
    rows.push({
      verdict: 'pending',
      fields: open.map(([field]) => field),
      reason: null,
      message: 'It is on its way.',
    });
  }
  return rows;
}

const STEADY = new Set(['target.already_holds', 'path.already_visited']);
const STOPPED: Reason = 'path.stopped_at';

function fromDecision(decision: Decision, asked: Asked, alsoWaiting: boolean): Why[] {
  const { identity, holding, target, refusals } = asked;
  const there = identity.accounts.get(target.installation);
  const isThere = there !== undefined && there.gone === null;
  const rows: Why[] = [];
  for (const [reason, fields] of byReason(decision.dropped)) {
    if (STEADY.has(reason)) rows.push(...(isThere ? [inStep(fields)] : []));
    else if (reason === STOPPED) rows.push(...stopped(fields, target.key, refusals));
    else rows.push(why('skipped', fields, reason));
  }
  const isTold = decision.dropped.some((entry) => entry.reason === decisionReason(decision));
  if (decision.kind === 'skip' && !STEADY.has(decision.reason) && !isTold) {
    rows.unshift(wasRefused(decision.reason, asked) ?? why('skipped', [], decision.reason));
  }
  if (decision.kind === 'hold') rows.unshift(why('held', [], decision.reason));
  if (decision.kind === 'deliver' || decision.kind === 'refresh') {
    const fields = decision.kind === 'deliver' ? [...decision.fields.keys()] : [];
    rows.unshift({ verdict: 'pending', fields, reason: null, message: 'It would go there now.' });
  }
  if (rows.length === 0 && !alsoWaiting) rows.push(inStep(holding.facts.map((fact) => fact.field)));
  return rows;
}

const decisionReason = (decision: Decision): Reason | null =>
  decision.kind === 'refresh' ? null : decision.reason;

function byReason(dropped: Decision['dropped']): ReadonlyMap<Reason, readonly Field[]> {
  const reasons = new Map<Reason, Field[]>();
  for (const { field, reason } of dropped) {
    reasons.set(reason, [...(reasons.get(reason) ?? []), field]);
  }
  return reasons;
}

function stopped(fields: readonly Field[], target: SiteKey, refusals: Refusals): Why[] {
  const reasons = new Map<string, Field[]>();
  for (const field of fields) {
    const reason = refusals(target, field) ?? STOPPED;
    reasons.set(reason, [...(reasons.get(reason) ?? []), field]);
  }
  return [...reasons].map(([reason, those]) => why('stopped', those, reason));
}

/** The target would not create the account. */
function wasRefused(reason: Reason, { identity, target, refusals }: Asked): Why | null {
  const isStopped = identity.stopped.get(target.key)?.has(ACCOUNT) === true;
  if (!isStopped || (reason !== STOPPED && reason !== 'target.account_missing')) return null;
  return why('stopped', [], refusals(target.key, ACCOUNT) ?? STOPPED);
}

/** What the targets said last. @param rows refusals, the newest first */
export function refusalsIn(rows: readonly LogRow[]): Refusals {
  const reasons = new Map<string, string>();
  for (const { target, action, fields, reason } of rows) {
    if (reason === null) continue;
    for (const field of action === 'create' ? [ACCOUNT, ...fields] : fields) {
      const key = `${target} ${field}`;
      if (!reasons.has(key)) reasons.set(key, reason);
    }
  }
  return (target, field) => reasons.get(`${target} ${field}`);
}

const inStep = (fields: readonly Field[]): Why => ({
  verdict: 'in_step',
  fields: [...fields],
  reason: null,
  message: 'The target holds what this site holds.',
});

const why = (verdict: Why['verdict'], fields: readonly Field[], reason: string | null): Why => ({
  verdict,
  fields: [...fields],
  reason,
  message: reason === null ? '' : reasonSentence(reason),
});
