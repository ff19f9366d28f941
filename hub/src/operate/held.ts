/** What waits for an operator, and what the operator says. */
import type { DecideHeld, HeldRow, ProveLink, ProvenLink } from '../api/schemas/held.ts';
import { Fault } from '../errors.ts';
import type { Delivery, Identity } from '../model/identity.ts';
import { reasonSentence } from '../reasons.ts';
import type { SiteRecord } from '../sync/ports.ts';
import { siteNamed, siteNames } from './names.ts';
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
export async function decideHeld(ports: OperationPorts, wanted: DecideHeld): Promise<number> {
  const { store, views } = ports;
  const asked = new Set(wanted.deliveries);
  const rows = (await views.held()).filter((row) => asked.has(row.delivery));
  const uids = [...new Set(rows.map((row) => row.uid))];
  const decided = await store.transaction(async (tx) => {
    const identities = [...(await tx.lockByUid(uids)).values()];
    const changed = identities.map((identity) => decideFor(identity, asked, wanted.decision));
    await tx.save(changed);
    if (wanted.decision === 'reject') {
      await tx.appendLog(
        rows.map((row) => ({
          uid: row.uid,
          login: row.login,
          source: null,
          target: row.target,
          action: 'update',
          status: 'cancelled',
          reason: row.reason,
          fields: row.fields,
          path: [row.target],
          actor: 'operator',
          delivery: row.delivery,
          attempts: 0,
          durationMs: null,
        })),
      );
    }
    return rows.length;
  });
  await wakeEverything(ports);
  return decided;
}

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

/** "These two accounts are one person", said by an operator. Their values then go both ways. */
export async function proveLink(ports: OperationPorts, wanted: ProveLink): Promise<ProvenLink> {
  const { registry, store, wake } = ports;
  const site = await siteNamed(registry, wanted.site);
  const other = await siteNamed(registry, wanted.otherSite);
  const one = await identityOn(ports, site, wanted.login);
  const two = await identityOn(ports, other, wanted.otherLogin);
  if (one.uid === two.uid) return { uid: one.uid, already: true };
  refuseDoubled(one, two, site, other);
  const { into, from } = older(one, two);
  await store.transaction(async (tx) => {
    await tx.mergeIdentities(into.uid, from.uid);
    for (const identity of [one, two]) {
      for (const account of identity.accounts.values()) {
        await tx.queueRefresh(account.installation, [account.wpId]);
      }
    }
  });
  for (const installation of new Set([...one.accounts.keys(), ...two.accounts.keys()])) {
    await wake.pull(installation);
  }
  return { uid: into.uid, already: false };
}

async function identityOn(
  { views }: OperationPorts,
  site: SiteRecord,
  login: string,
): Promise<Identity> {
  const identity = await views.identityByLogin(site.installation, login);
  if (identity === null) {
    throw new Fault('account.unknown', `The hub knows of no account “${login}” on “${site.name}”.`);
  }
  return identity;
}

/** Privileged accounts are never linked, and nobody has two accounts on one installation. */
function refuseDoubled(one: Identity, two: Identity, site: SiteRecord, other: SiteRecord): void {
  const accounts = [...one.accounts.values(), ...two.accounts.values()];
  const privileged = accounts.find((account) => account.privileged);
  if (privileged !== undefined) {
    throw new Fault(
      'link.refused',
      `“${privileged.login}” can administer its site; it is not linked.`,
    );
  }
  for (const installation of one.accounts.keys()) {
    if (two.accounts.has(installation)) {
      const where = installation === site.installation ? site.name : other.name;
      throw new Fault('link.refused', `Both persons have an account of their own on “${where}”.`);
    }
  }
}

/** The older uid stays; the other becomes its alias for ever. */
export function older(one: Identity, two: Identity): { into: Identity; from: Identity } {
  const age = (identity: Identity): string =>
    [...identity.accounts.values()].map((account) => account.registered).sort()[0] ?? '';
  const order = age(one).localeCompare(age(two)) || one.uid.localeCompare(two.uid);
  return order <= 0 ? { into: one, from: two } : { into: two, from: one };
}
