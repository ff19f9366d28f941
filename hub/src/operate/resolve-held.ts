/**
 * One thing that is held, decided about by a person who has seen both sides.
 *
 * Does: `link` says that who is in the way is the same person; `overwrite` says so, too, and lets the
 * source's values win, or lets a delete win over the edit that holds it; `separate` says that they are
 * two persons, and that this one gets no account there as long as the other one is in the way;
 * `release` and `reject` are those of `held`.
 * Always true: nothing is overwritten of somebody who could not be linked: no account that may
 * administer its site, nobody who has another account where this person has one.
 * On failure: throws `held.unknown`, `held.not_resolvable`, `link.refused` or what the sites answer;
 * it is held as before.
 */
import type { AccountState } from '#contract/account-state.ts';
import type { HeldRow, Resolution, ResolvedHeld } from '../api/schemas/held.ts';
import { Fault } from '../errors.ts';
import { apartFrom, EMAIL, roleField } from '../model/field.ts';
import type { Delivery, Identity } from '../model/identity.ts';
import type { SiteKey } from '../model/ids.ts';
import { type LogEntry, markedUnconfirmed } from '../model/log-entry.ts';
import { selects } from '../model/route.ts';
import { newerOf, type Stamp } from '../model/stamp.ts';
import type {
  HeldAccount,
  HeldDelivery,
  HeldParties,
  SiteRecord,
  StampOrder,
  Transaction,
} from '../sync/ports.ts';
import { readStates } from './alarms/read-states.ts';
import { decideHeld } from './held.ts';
import { choicesOf, heldRows } from './held-facts.ts';
import { operatorNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';
import { proveLink } from './prove-link.ts';
import { wakeEverything } from './wake-everything.ts';

/** @throws Fault `held.unknown` */
export async function showHeld(ports: OperationPorts, delivery: string): Promise<HeldRow> {
  const [row] = await heldRows(ports, [await find(ports, delivery)], { look: true });
  if (row === undefined) throw unknown(delivery);
  return row;
}

export async function resolveHeld(
  ports: OperationPorts,
  { delivery, as, by }: { readonly delivery: string; readonly as: Resolution; readonly by: string },
): Promise<ResolvedHeld> {
  const row = await find(ports, delivery);
  const parties = (await ports.views.heldParties([row.delivery])).get(row.delivery);
  if (parties === undefined) throw unknown(delivery);
  const choices = choicesOf(row.reason, parties);
  if (!choices.includes(as)) {
    const may = choices.join(', ');
    throw new Fault('held.not_resolvable', `This can’t be resolved as “${as}”; it can as ${may}.`);
  }
  if (as === 'release' || as === 'reject') {
    await decideHeld(ports, { deliveries: [delivery], decision: as }, by);
  } else if (as === 'separate') await keepApart(ports, row, parties, by);
  else if (row.reason === 'delete.newer_edit') await letDeleteWin(ports, row, by);
  else await linkThem(ports, { row, parties, by }, { sourceWins: as === 'overwrite' });
  await wakeEverything(ports);
  return { delivery, as };
}

async function find({ views }: OperationPorts, delivery: string): Promise<HeldDelivery> {
  const [row] = await views.held({ deliveries: [delivery], limit: 1 });
  if (row === undefined) throw unknown(delivery);
  return row;
}

const unknown = (delivery: string): Fault =>
  new Fault('held.unknown', `Nothing is held under the id “${delivery}”.`);

interface Pair {
  readonly row: HeldDelivery;
  readonly parties: HeldParties;
  readonly by: string;
}

/** The link frees what was held, and both read each other's values: the later one counts. */
async function linkThem(
  ports: OperationPorts,
  { row, parties: { source, here, inTheWay }, by }: Pair,
  { sourceWins }: { readonly sourceWins: boolean },
): Promise<void> {
  const sites = await ports.registry.sites();
  const [from, to] = [source, row.target].map((key) => sites.find((site) => site.key === key));
  if (from === undefined || to === undefined || here === null || inTheWay === null) {
    throw unknown(row.delivery);
  }
  if (sourceWins) await stampLater(ports, here, inTheWay, [from, to]);
  const pair = { login: here.login, otherSite: to.name, otherLogin: inTheWay.login };
  await proveLink(ports, { site: from.name, ...pair }, by);
}

/** What the source holds of what the route carries becomes the latest edit. */
async function stampLater(
  ports: OperationPorts,
  here: HeldAccount,
  inTheWay: HeldAccount,
  [from, to]: readonly [SiteRecord, SiteRecord],
): Promise<void> {
  const route = (await ports.registry.topology()).routes.find(
    ({ source, target }) => source === from.key && target === to.key,
  );
  const [mine] = await readStates(ports, from.installation, [here.wpId], 'state');
  const [theirs] = await readStates(ports, to.installation, [inTheWay.wpId], 'state');
  if (route === undefined || mine === undefined || theirs === undefined) throw notNow();
  const roles = Object.keys(mine.roles?.[String(from.blog)] ?? {}).map(roleField);
  const held = [...Object.keys(mine.fields ?? {}), ...roles];
  const order: StampOrder = {
    id: here.wpId,
    uid: here.uid,
    blog: from.blog,
    fields: held.filter((field) => selects(route.rules, field)),
    atLeastMs: latestMs(theirs) + 1,
  };
  const connection = await ports.registry.connection(from.installation);
  const [stamped] = await ports.site.stamp(connection, [order]);
  if (stamped?.result !== 'stamped') throw notNow();
}

const notNow = (): Fault =>
  new Fault('held.not_resolvable', 'One of the accounts is being saved, or is not there any more.');

function latestMs({ fields = {}, roles = {} }: AccountState): number {
  const held = [
    ...Object.values(fields),
    ...Object.values(roles).flatMap((one) => Object.values(one)),
  ];
  return Math.max(0, ...held.map(({ s: [ms] }) => ms));
}

/** Each is told apart from the other, so that neither is held again for the other's sake. */
async function keepApart(
  { store }: OperationPorts,
  row: HeldDelivery,
  { source, inTheWay }: HeldParties,
  by: string,
): Promise<void> {
  if (source === null || inTheWay === null) throw unknown(row.delivery);
  await store.transaction(async (tx) => {
    const nowMs = await tx.nowMs();
    const found = await tx.lockByUid([row.uid, inTheWay.uid]);
    const [one, two] = [found.get(row.uid), found.get(inTheWay.uid)];
    if (one === undefined || two === undefined || one.uid === two.uid) throw unknown(row.delivery);
    const here = heldIn(one, row);
    if (here === undefined) throw unknown(row.delivery);
    const told = apart(withoutHeld(one, here), row.target, two, [nowMs, row.target]);
    await tx.save([told, apart(two, source, one, [nowMs, source])]);
    const email = here.fields.get(EMAIL);
    await tx.appendLog([
      {
        ...logOf(row, source, 'cancelled', 'identity.kept_apart', by),
        ...markedUnconfirmed(row.fields, email),
      },
    ]);
  });
}

const heldIn = (identity: Identity, { target, delivery }: HeldDelivery): Delivery | undefined => {
  const found = identity.deliveries.get(target);
  return found?.id === delivery ? found : undefined;
};

function apart(identity: Identity, target: SiteKey, other: Identity, at: Stamp): Identity {
  const stopped = new Map(identity.stopped);
  stopped.set(target, new Map(stopped.get(target)).set(apartFrom(other.uid), at));
  return { ...identity, stopped };
}

/** A field that was held is not offered again with the same value. */
function withoutHeld(identity: Identity, delivery: Delivery): Identity {
  const { target } = delivery;
  const deliveries = new Map(identity.deliveries);
  const stopped = new Map(identity.stopped);
  const fields = new Map(delivery.fields);
  const here = new Map(stopped.get(target));
  for (const [field, carried] of delivery.fields) {
    if (delivery.held === null && carried.held === undefined) continue;
    fields.delete(field);
    if (delivery.held === null) here.set(field, newerOf(carried.stamp, here.get(field)));
  }
  if (delivery.held !== null || fields.size === 0) deliveries.delete(target);
  else deliveries.set(target, { ...delivery, fields, version: delivery.version + 1 });
  return { ...identity, deliveries, stopped: stopped.set(target, here) };
}

/** It ends the edit, too: it is the operator's delete from now on. */
async function letDeleteWin(
  { store }: OperationPorts,
  row: HeldDelivery,
  by: string,
): Promise<void> {
  await store.transaction(async (tx: Transaction) => {
    const nowMs = await tx.nowMs();
    const identity = (await tx.lockByUid([row.uid])).get(row.uid);
    const delivery = identity && heldIn(identity, row);
    if (identity === undefined || delivery === undefined || delivery.gone === null) {
      throw unknown(row.delivery);
    }
    const stamp = newerOf([nowMs, delivery.gone.stamp[1]], delivery.gone.stamp);
    const now: Delivery = {
      ...delivery,
      gone: { ...delivery.gone, stamp, ordered: true },
      fields: new Map(),
      held: null,
      version: delivery.version + 1,
      notBeforeMs: 0,
      actor: operatorNamed(by),
    };
    await tx.save([{ ...identity, deliveries: new Map(identity.deliveries).set(row.target, now) }]);
    const source = delivery.gone.path.at(-1) ?? null;
    const email = delivery.fields.get(EMAIL);
    await tx.appendLog([
      {
        ...logOf(row, source, 'released', row.reason, by),
        ...markedUnconfirmed(row.fields, email),
      },
    ]);
  });
}

const logOf = (
  row: HeldDelivery,
  source: SiteKey | null,
  status: LogEntry['status'],
  reason: string,
  by: string,
): LogEntry => ({
  uid: row.uid,
  login: row.login,
  source,
  target: row.target,
  action: row.reason.startsWith('delete.') ? 'delete' : 'update',
  status,
  reason,
  fields: row.fields,
  path: source === null ? [row.target] : [source, row.target],
  actor: operatorNamed(by),
  delivery: row.delivery,
  attempts: 0,
  durationMs: null,
});
