/** What waits for an operator, and what the operator says. */
import type { DecideHeld, HeldRow } from '../api/schemas/held.ts';
import type { Delivery, Identity } from '../model/identity.ts';
import type { LogEntry } from '../model/log-entry.ts';
import { reasonSentence } from '../reasons.ts';
import type { HeldDelivery } from '../sync/ports.ts';
import { operatorNamed, siteNames } from './names.ts';
import type { OperationPorts } from './ports.ts';
import { wakeEverything } from './wake-everything.ts';

export async function listHeld({ views, registry }: OperationPorts): Promise<readonly HeldRow[]> {
  const nameOf = await siteNames(registry);
  return (await views.held()).map((row) => ({
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
  const { store, views } = ports;
  const asked = new Set(wanted.deliveries);
  const rows = (await views.held()).filter((row) => asked.has(row.delivery));
  const uids = [...new Set(rows.map((row) => row.uid))];
  const decided = await store.transaction(async (tx) => {
    const identities = [...(await tx.lockByUid(uids)).values()];
    const changed = identities.map((identity) => decideFor(identity, asked, wanted.decision));
    await tx.save(changed);
    await tx.appendLog(rows.map((row) => logOf(row, wanted.decision, by)));
    return rows.length;
  });
  await wakeEverything(ports);
  return decided;
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
