/** What waits for an operator, and what the operator says. */
import { z } from 'zod';
import type { DecidedHeld, DecideHeld, HeldList, HeldQuery } from '../api/schemas/held.ts';
import { MOST_ROWS_SHOWN } from '../api/schemas/words.ts';
import { EMAIL, TURNED_AWAY } from '../model/field.ts';
import type { Delivery, Identity } from '../model/identity.ts';
import { deliveryId, type SiteKey } from '../model/ids.ts';
import { type LogEntry, markedUnconfirmed } from '../model/log-entry.ts';
import type { Reason } from '../reasons.ts';
import type { HeldDelivery, HeldQuery as StoredQuery } from '../sync/ports.ts';
import { heldRows } from './held-facts.ts';
import { operatorNamed, siteNamed } from './names.ts';
import { placeOf, placeText } from './place.ts';
import type { OperationPorts } from './ports.ts';
import { wakeEverything } from './wake-everything.ts';

export async function listHeld(
  ports: OperationPorts,
  { reason, source, look, after, limit = MOST_ROWS_SHOWN }: HeldQuery,
): Promise<HeldList> {
  const rows = await ports.views.held({
    ...(reason === undefined ? {} : { reason }),
    ...(await keyOf(ports, source)),
    ...(after === undefined ? {} : { after: heldPlace(after) }),
    limit,
  });
  const held = await heldRows(ports, rows, { look: look === 'true' });
  return { held, next: rows.length < limit ? null : heldPlaceText(rows.at(-1), 0) };
}

const keyOf = async (
  { registry }: OperationPorts,
  source: string | undefined,
): Promise<Pick<StoredQuery, 'source'>> =>
  source === undefined ? {} : { source: (await siteNamed(registry, source)).key };

/** When it was queued, its id; and for decisions when the first of them was asked for. */
const PlaceSchema = z.tuple([z.int().nonnegative(), z.string(), z.int().nonnegative()]);

const heldPlaceText = (row: HeldPlace | undefined, askedAtMs: number): string | null =>
  row === undefined ? null : placeText([row.queuedAtMs, row.delivery, askedAtMs]);

function heldPlace(given: string): HeldPlace & { readonly askedAtMs: number } {
  const [queuedAtMs, id, askedAtMs] = placeOf(given, PlaceSchema);
  return { queuedAtMs, delivery: deliveryId(id), askedAtMs };
}

type HeldPlace = NonNullable<StoredQuery['after']>;

/** So long at most; then the caller asks for the rest, with `next`. */
const TURN_MS = 20_000;

/** Repeating a decision changes nothing: what is no longer held is left alone. */
export async function decideHeld(
  ports: OperationPorts,
  { deliveries = [], reason, source, decision, after }: DecideHeld,
  by: string,
): Promise<DecidedHeld> {
  const nowMs = await ports.store.nowMs();
  let decided = 0;
  let place = after === undefined ? null : heldPlace(after);
  // What comes in while a person decides is not decided about.
  const askedAtMs = place?.askedAtMs ?? nowMs;
  const all = { reason, queuedUntilMs: askedAtMs, ...(await keyOf(ports, source)) };
  const asked = reason === undefined ? { deliveries } : { ...all, reason };
  do {
    const from = place === null ? {} : { after: place };
    const rows = await ports.views.held({ ...asked, ...from, limit: AT_ONCE });
    if (rows.length > 0) await decideRows(ports, rows, decision, by);
    decided += rows.length;
    const last = rows.length < AT_ONCE ? undefined : rows.at(-1);
    place = last === undefined ? null : { ...last, askedAtMs };
  } while (place !== null && (await ports.store.nowMs()) < nowMs + TURN_MS);
  await wakeEverything(ports);
  return { decided, next: heldPlaceText(place ?? undefined, askedAtMs) };
}

/** One transaction. */
const AT_ONCE = 500;

async function decideRows(
  { store, views }: OperationPorts,
  rows: readonly HeldDelivery[],
  decision: DecideHeld['decision'],
  by: string,
): Promise<void> {
  const asked = new Set<string>(rows.map((row) => row.delivery));
  const uids = [...new Set(rows.map((row) => row.uid))];
  const parties = await views.heldParties(rows.map((row) => row.delivery));
  const from = (row: HeldDelivery) => parties.get(row.delivery)?.source ?? null;
  await store.transaction(async (tx) => {
    const identities = [...(await tx.lockByUid(uids)).values()];
    await tx.save(identities.map((identity) => decideFor(identity, asked, decision)));
    const waiting = new Map(
      identities.flatMap((identity) =>
        [...identity.deliveries.values()].map(({ id, fields }) => [id, fields.get(EMAIL)] as const),
      ),
    );
    await tx.appendLog(
      rows.map((row) => ({
        ...logOf(row, from(row), decision, by),
        ...markedUnconfirmed(row.fields, waiting.get(row.delivery)),
      })),
    );
  });
}

/** A release is no end: what becomes of it then is a row of its own. */
const logOf = (
  row: HeldDelivery,
  source: SiteKey | null,
  decision: DecideHeld['decision'],
  by: string,
): LogEntry => ({
  uid: row.uid,
  login: row.login,
  source,
  target: row.target,
  action: row.reason.startsWith('delete.') ? 'delete' : 'update',
  status: decision === 'release' ? 'released' : 'cancelled',
  reason: row.reason,
  fields: row.fields,
  path: source === null ? [row.target] : [source, row.target],
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
  const stopped = new Map(identity.stopped);
  for (const [target, delivery] of identity.deliveries) {
    if (!asked.has(delivery.id)) continue;
    if (decision === 'reject' && delivery.birth !== null && delivery.held === FLOOD) {
      stopped.set(target, new Map(stopped.get(target)).set(TURNED_AWAY, delivery.birth.stamp));
    }
    const left = decision === 'release' ? released(delivery) : rejected(delivery);
    if (left === null) deliveries.delete(target);
    else deliveries.set(target, { ...left, version: delivery.version + 1, notBeforeMs: 0 });
  }
  return { ...identity, deliveries, stopped };
}

/** Dropped as one: an edit of one of them later is no reason to create it after all. */
const FLOOD: Reason = 'source.creation_limit';

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
