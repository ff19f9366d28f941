/**
 * What failed is tried again now, by an operator's word: what backs off is due at once, and what a
 * target refused for a reason that can pass is offered to it once more.
 *
 * Always true: it takes the same road as any change, so what is there by now is not sent again, and
 * repeating it finds nothing to do. What is held is left alone: `held` is for that.
 * On failure: a source that can't be asked is named in the answer; the others are done.
 */
import type { Retried, Retry } from '../api/schemas/log.ts';
import { Fault } from '../errors.ts';
import { ACCOUNT, knownKey } from '../model/field.ts';
import type { Delivery, Identity } from '../model/identity.ts';
import { deliveryId, type IdentityUid, type SiteKey } from '../model/ids.ts';
import type { Topology } from '../model/route.ts';
import { isNewer } from '../model/stamp.ts';
import type { Reason } from '../reasons.ts';
import { spread } from '../sync/decide/spread.ts';
import type { LogRow } from '../sync/ports.ts';
import { readStates } from './alarms/read-states.ts';
import { operatorNamed, siteNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';
import { wakeEverything } from './wake-everything.ts';

/** Refusals that a change on the target, on the route or of the connector can end. */
const MAY_PASS: ReadonlySet<string> = new Set<Reason>([
  'account.incoming_rejected',
  'account.not_consented',
  'email.missing',
  'field.not_watched',
  'field.unknown',
  'password.mail_limit',
  'password.unverifiable',
  'request.invalid',
  'request.too_large',
  'role.not_consented',
  'role.not_grantable',
  'role.unknown',
  'route.missing',
  'target.error',
  'target.heir_missing',
  'target.last_administrator',
  'target.privileged_account',
  'target.read_only',
  'target.site_missing',
]);

/** One transaction, and one page of the log. */
const AT_ONCE = 500;
/** So long at most; then the caller asks for the rest, with `next`. */
const TURN_MS = 20_000;

interface Done {
  retried: number;
  readonly unreachable: Set<string>;
}

export async function retry(ports: OperationPorts, wanted: Retry, by: string): Promise<Retried> {
  const { views, registry, store } = ports;
  const done: Done = { retried: 0, unreachable: new Set() };
  const site =
    wanted.site === undefined ? {} : { site: (await siteNamed(registry, wanted.site)).key };
  let next: number | null = null;
  if (wanted.rows !== undefined) {
    const rows = await views.log({ ids: wanted.rows, limit: wanted.rows.length });
    await retryRows(ports, rows, by, done);
  } else {
    if (wanted.after === undefined) done.retried += await hastenAll(ports, site.site);
    const endMs = (await store.nowMs()) + TURN_MS;
    let afterId: number | null = wanted.after ?? 0;
    do {
      const rows = await views.log({ statuses: ['refused'], ...site, afterId, limit: AT_ONCE });
      await retryRows(ports, rows, by, done);
      afterId = rows.length < AT_ONCE ? null : (rows.at(-1)?.id ?? null);
    } while (afterId !== null && (await store.nowMs()) < endMs);
    next = afterId;
  }
  await openWays(ports);
  return { retried: done.retried, unreachable: [...done.unreachable].toSorted(), next };
}

async function retryRows(
  ports: OperationPorts,
  rows: readonly LogRow[],
  by: string,
  done: Done,
): Promise<void> {
  const failed = rows.filter((row) => row.status === 'failed');
  const refused = rows.filter(
    (row) => row.status === 'refused' && row.reason !== null && MAY_PASS.has(row.reason),
  );
  done.retried += await hasten(ports, failed);
  done.retried += await deleteAgain(
    ports,
    refused.filter((row) => row.action === 'delete'),
    by,
  );
  const open = await stillStopped(
    ports,
    refused.filter((row) => row.action !== 'delete'),
  );
  for (const group of groupsOf(open)) await offerAgain(ports, group, by, done);
}

type Whose = Pick<LogRow, 'uid' | 'target'>;

/** What backs off there is due now. What is held, or settles before a delete, is not. */
async function hasten({ store }: OperationPorts, rows: readonly Whose[]): Promise<number> {
  if (rows.length === 0) return 0;
  return store.transaction(async (tx) => {
    const nowMs = await tx.nowMs();
    const identities = await tx.lockByUid([...new Set(rows.map((row) => row.uid))]);
    const changed = new Map<IdentityUid, Identity>();
    let count = 0;
    for (const { uid, target } of rows) {
      const found = identities.get(uid);
      const identity = found && (changed.get(found.uid) ?? found);
      const delivery = identity?.deliveries.get(target);
      if (identity === undefined || delivery === undefined || !backsOff(delivery, nowMs)) continue;
      const deliveries = new Map(identity.deliveries);
      deliveries.set(target, { ...delivery, notBeforeMs: 0, version: delivery.version + 1 });
      changed.set(identity.uid, { ...identity, deliveries });
      count += 1;
    }
    await tx.save([...changed.values()]);
    return count;
  });
}

const backsOff = ({ held, attempts, notBeforeMs }: Delivery, nowMs: number): boolean =>
  held === null && attempts > 0 && notBeforeMs > nowMs;

async function hastenAll(ports: OperationPorts, target: SiteKey | undefined): Promise<number> {
  let count = 0;
  for (;;) {
    const rows = await ports.views.backingOff({
      ...(target === undefined ? {} : { target }),
      limit: AT_ONCE,
    });
    const hastened = await hasten(ports, rows);
    count += hastened;
    if (rows.length < AT_ONCE || hastened === 0) return count;
  }
}

/** Refused, nothing newer has arrived since, and nobody has retried it. */
async function stillStopped(
  { store, registry }: OperationPorts,
  rows: readonly LogRow[],
): Promise<readonly (LogRow & { readonly identity: Identity })[]> {
  if (rows.length === 0) return [];
  const { sites } = await registry.topology();
  const uids = [...new Set(rows.map((row) => row.uid))];
  const identities = await store.transaction((tx) => tx.lockByUid(uids));
  const asked = new Set<string>();
  return rows.flatMap((row) => {
    const identity = identities.get(row.uid);
    const there = sites.get(row.target)?.installation;
    if (identity === undefined || there === undefined) return [];
    const { known } = identity.accounts.get(there) ?? {};
    const stopped = identity.stopped.get(row.target);
    const fields = row.action === 'create' ? [ACCOUNT, ...row.fields] : row.fields;
    const open = fields.some((field) => {
      const stamp = stopped?.get(field);
      return stamp !== undefined && isNewer(stamp, known?.get(knownKey(field, row.target)));
    });
    const key = `${identity.uid} ${row.target}`;
    if (!open || asked.has(key)) return [];
    asked.add(key);
    return { ...row, identity };
  });
}

type Open = Awaited<ReturnType<typeof stillStopped>>[number];

/** From one site to one other, and created there or not. */
function groupsOf(rows: readonly Open[]): readonly (readonly Open[])[] {
  const groups = new Map<string, Open[]>();
  for (const row of rows) {
    const key = `${row.source} ${row.target} ${row.action === 'create'}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

async function offerAgain(
  ports: OperationPorts,
  rows: readonly Open[],
  by: string,
  done: Done,
): Promise<void> {
  const { registry, pipeline, store } = ports;
  const [{ source, target, action } = { source: null, target: null, action: null }] = rows;
  const site = (await registry.sites()).find(({ key }) => key === source);
  if (site === undefined || target === null) return;
  const { installation } = site;
  const ids = rows.flatMap(({ identity }) => {
    const account = identity.accounts.get(installation);
    return account === undefined || account.gone !== null ? [] : account.wpId;
  });
  if (ids.length === 0) return;
  try {
    if (action === 'create') {
      await pipeline.offer(
        installation,
        await readStates(ports, installation, ids, 'state'),
        target,
      );
    } else await pipeline.carry(installation, ids, target);
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    done.unreachable.add(site.name);
    return;
  }
  await store.transaction((tx) => tx.appendLog(rows.map((row) => saysRetried(row, by))));
  done.retried += ids.length;
}

/** The account ended on its source, and the target would not let it go. */
async function deleteAgain(
  { store, registry, newId }: OperationPorts,
  rows: readonly LogRow[],
  by: string,
): Promise<number> {
  if (rows.length === 0) return 0;
  const topology = await registry.topology();
  return store.transaction(async (tx) => {
    const nowMs = await tx.nowMs();
    const identities = await tx.lockByUid([...new Set(rows.map((row) => row.uid))]);
    const changed = new Map<IdentityUid, Identity>();
    const again: LogRow[] = [];
    for (const row of rows) {
      const found = identities.get(row.uid);
      const identity = found && (changed.get(found.uid) ?? found);
      if (identity === undefined) continue;
      const next = withDelete(identity, row, { topology, nowMs, newId });
      if (next === identity) continue;
      changed.set(next.uid, next);
      again.push(row);
    }
    await tx.save([...changed.values()]);
    await tx.appendLog(again.map((row) => saysRetried(row, by)));
    return again.length;
  });
}

function withDelete(
  identity: Identity,
  { source, target, actor }: LogRow,
  given: { topology: Topology; nowMs: number; newId: () => string },
): Identity {
  const { sites, routes } = given.topology;
  const site = source === null ? undefined : sites.get(source);
  const stamp = site && identity.accounts.get(site.installation)?.gone;
  if (site === undefined || stamp == null) return identity;
  const only = routes.filter((route) => route.source === source && route.target === target);
  return spread({
    identity,
    holding: {
      installation: site.installation,
      facts: [],
      all: [],
      complete: true,
      gone: { stamp, path: [site.key], site: site.key },
      asked: true,
      birth: null,
      newlyBorn: false,
      learnedBy: 'receipt',
      lane: 'people',
    },
    topology: { sites, routes: only },
    candidates: () => [],
    nowMs: given.nowMs,
    settleDeletesMs: 0,
    actor,
    newDeliveryId: () => deliveryId(given.newId()),
  }).identity;
}

/** What becomes of it is a row of its own. */
const saysRetried = (row: LogRow, by: string) => ({
  uid: row.uid,
  login: row.login,
  source: row.source,
  target: row.target,
  action: row.action,
  status: 'released' as const,
  reason: row.reason,
  fields: row.fields,
  path: row.path,
  actor: operatorNamed(by),
  delivery: null,
  attempts: 0,
  durationMs: null,
  ...(row.unconfirmed === true ? { unconfirmed: true as const } : {}),
});

/** A person has looked: sites that back off are asked at once. */
async function openWays(ports: OperationPorts): Promise<void> {
  const { registry } = ports;
  for (const { id, state, retryAtMs } of await registry.installations()) {
    if (state === 'active' && retryAtMs > 0)
      await registry.updateInstallation(id, { retryAtMs: 0 });
  }
  await wakeEverything(ports);
}
