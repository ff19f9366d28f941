/** What waits for an operator, and what the operator says. */
import { type DecideHeld, type HeldRow, MOST_HELD_SHOWN } from '../api/schemas/held.ts';
import type { Delivery, Identity } from '../model/identity.ts';
import type { LogEntry } from '../model/log-entry.ts';
import { reasonSentence } from '../reasons.ts';
import type { HeldDelivery, HeldQuery } from '../sync/ports.ts';
import { operatorNamed, siteNames } from './names.ts';
import type { OperationPorts } from './ports.ts';
import { wakeEverything } from './wake-everything.ts';

export async function listHeld(
  { views, registry }: OperationPorts,
  { reason }: { readonly reason?: string | undefined },
): Promise<readonly HeldRow[]> {
  const nameOf = await siteNames(registry);
  return (
    await views.held({ ...(reason === undefined ? {} : { reason }), limit: MOST_HELD_SHOWN })
  ).map((row) => ({
    delivery: row.delivery,
    uid: row.uid,
    login: row.login,
    target: nameOf(row.target),
    reason: row.reason,
    message: reasonSentence(row.reason),
    fields: [...row.fields],
  }));
}

/** Repeating a decision changes nothing: what is no longer held is left alone. */
export async function decideHeld(
  ports: OperationPorts,
  wanted: DecideHeld,
  by: string,
): Promise<number> {
  const { views } = ports;
  const { deliveries, reason } = wanted;
  let decided = 0;
  for (const part of reason === undefined
    ? inParts(deliveries ?? [])
    : await partsOf(views, reason)) {
    const rows = await views.held({ ...part, limit: AT_ONCE });
    if (rows.length > 0) await decideRows(ports, rows, wanted.decision, by);
    decided += rows.length;
  }
  await wakeEverything(ports);
  return decided;
}

const inParts = (deliveries: readonly string[]): HeldQuery[] =>
  Array.from({ length: Math.ceil(deliveries.length / AT_ONCE) }, (_, part) => ({
    deliveries: deliveries.slice(part * AT_ONCE, (part + 1) * AT_ONCE),
  }));

/** As many as are held now: what is held again meanwhile is not decided about twice. */
async function partsOf(views: OperationPorts['views'], reason: string): Promise<HeldQuery[]> {
  const count = (await views.heldByReason()).find((row) => row.reason === reason)?.count ?? 0;
  return Array.from({ length: Math.ceil(count / AT_ONCE) }, () => ({ reason }));
}

/** One transaction. */
const AT_ONCE = 500;

async function decideRows(
  { store }: OperationPorts,
  rows: readonly HeldDelivery[],
  decision: DecideHeld['decision'],
  by: string,
): Promise<void> {
  const asked = new Set<string>(rows.map((row) => row.delivery));
  const uids = [...new Set(rows.map((row) => row.uid))];
  await store.transaction(async (tx) => {
    const identities = [...(await tx.lockByUid(uids)).values()];
    await tx.save(identities.map((identity) => decideFor(identity, asked, decision)));
    await tx.appendLog(rows.map((row) => logOf(row, decision, by)));
  });
}

/** A release is no end: what becomes of it then is a row of its own. */
const logOf = (row: HeldDelivery, decision: DecideHeld['decision'], by: string): LogEntry => ({
  uid: row.uid,
  login: row.login,
  source: null,
  target: row.target,
  action: 'update',
  status: decision === 'release' ? 'released' : 'cancelled',
  reason: row.reason,
  fields: row.fields,
  path: [row.target],
  actor: operatorNamed(by),
  delivery: row.delivery,
  attempts: 0,
  durationMs: null,
});

function decideFor(
  identity: Identity,
  asked: ReadonlySet<string>,
  decision: DecideHeld['decision'],
): Identity {
  const deliveries = new Map(identity.deliveries);
  for (const [target, delivery] of identity.deliveries) {
    if (!asked.has(delivery.id)) continue;
    const left = decision === 'release' ? released(delivery) : rejected(delivery);
    if (left === null) deliveries.delete(target);
    else deliveries.set(target, { ...left, version: delivery.version + 1, notBeforeMs: 0 });
  }
  return { ...identity, deliveries };
}

function released(delivery: Delivery): Delivery {
  const fields = new Map(
    [...delivery.fields].map(([field, { value, stamp, path }]) => [field, { value, stamp, path }]),
  );
  return { ...delivery, held: null, fields };
}

/** Only what was held is dropped; other fields go on. */
function rejected(delivery: Delivery): Delivery | null {
  if (delivery.held !== null) return null;
  const fields = new Map([...delivery.fields].filter(([, carried]) => carried.held === undefined));
  return fields.size === 0 && delivery.birth === null && delivery.gone === null
    ? null
    : { ...delivery, fields };
}
