/**
 * What the conformance suite works with: an open storage, a second one on the same database
 * where there can be two, and small builders of the things that are stored.
 */
import { randomUUID } from 'node:crypto';
import type { Carried } from '../../model/carried.ts';
import type { Field } from '../../model/field.ts';
import type { Account, Delivery, Identity } from '../../model/identity.ts';
import {
  deliveryId,
  type IdentityUid,
  type InstallationId,
  identityUid,
  installationId,
  type SiteKey,
  wordPressId,
} from '../../model/ids.ts';
import type { LogEntry } from '../../model/log-entry.ts';
import type { RouteRules } from '../../model/route.ts';
import type { Installation, SiteRecord, Transaction } from '../../sync/ports.ts';
import type { Storage } from '../open-storage.ts';

export interface World {
  readonly storage: Storage;
  /** Another process on the same database; null where there can be only one. */
  readonly second: Storage | null;
  /** How many statements the storage has run so far. */
  readonly statements: () => number;
}

export type NewInstallation = Omit<Installation, 'failures' | 'retryAtMs' | 'lastPulledMs'>;

export const SECRETS = {
  credential: { user: 'hub-service', password: 'abcd EFGH 1234 ijkl' },
  signalSecret: 'a-signal-secret-of-some-length',
};

export const RULES: RouteRules = {
  fields: ['email', 'first_name'],
  meta: ['phone'],
  roles: ['subscriber'],
  creates: true,
  updates: true,
  onDelete: 'delete',
  reassignTo: null,
  loginTaken: 'hold',
};

export interface Place {
  readonly installation: InstallationId;
  readonly site: SiteKey;
  readonly record: SiteRecord;
  readonly saved: NewInstallation;
}

/** A new installation with one site. */
export async function addPlace(
  { registry }: Storage,
  change: { installation?: Partial<NewInstallation>; site?: Partial<SiteRecord> } = {},
): Promise<Place> {
  const [site] = await registry.reserveSiteKeys(1);
  if (site === undefined) throw new Error('no site key');
  const id = installationId(randomUUID());
  const host = `${id.slice(0, 8)}.test`;
  const saved: NewInstallation = {
    id,
    store: randomUUID(),
    home: host,
    multisite: false,
    restUrl: `https://${host}/wp-json/`,
    publicOnly: true,
    contract: 1,
    connector: null,
    wordpress: null,
    state: 'active',
    trouble: null,
    epoch: null,
    head: 0,
    offsetMs: 0,
    lastSignalMs: null,
    ...change.installation,
  };
  const record: SiteRecord = {
    key: site,
    installation: id,
    blog: 1,
    name: host,
    url: `https://${host}`,
    status: 'active',
    createMissing: true,
    rules: {
      automatic: false,
      syncRoles: ['customer'],
      newAccountsADay: 50,
      onRoleLost: 'delete',
      roleMap: { vip: ['member', 'reader'] },
    },
    restUrl: saved.restUrl,
    roles: {
      subscriber: { name: 'Subscriber', privileged: false },
      keeper: { name: 'Keeper', privileged: true },
    },
    defaultRole: 'subscriber',
    powers: ['keeper'],
    consents: ['keeper'],
    network: null,
    closed: null,
    ...change.site,
  };
  await registry.saveInstallation(saved, [record], SECRETS);
  return { installation: id, site, record, saved };
}

let lastWpId = 1000;

export function account(installation: InstallationId, change: Partial<Account> = {}): Account {
  lastWpId += 1;
  return {
    installation,
    wpId: wordPressId(lastWpId),
    login: `person-${lastWpId}`,
    email: `person-${lastWpId}@example.test`,
    registered: '2024-05-06 07:08:09',
    privileged: false,
    outgoingStopped: false,
    incomingRejected: false,
    labelled: false,
    known: new Map(),
    roles: new Map(),
    gone: null,
    alarm: null,
    ...change,
  };
}

export function carried(value: Carried['value'], site: SiteKey, held?: string): Carried {
  const base: Carried = { value, stamp: [1_700_000_000_000, site], path: [site] };
  return held === undefined ? base : { ...base, held };
}

export function delivery(
  target: SiteKey,
  fields: Readonly<Record<Field, Carried>>,
  change: Partial<Delivery> = {},
): Delivery {
  return {
    id: deliveryId(randomUUID()),
    target,
    lane: 'people',
    fields: new Map(Object.entries(fields)),
    birth: null,
    gone: null,
    held: null,
    actor: null,
    attempts: 0,
    version: 1,
    notBeforeMs: 0,
    ...change,
  };
}

export const newUid = (): IdentityUid => identityUid(randomUUID());

export function identity(
  accounts: readonly Account[],
  deliveries: readonly Delivery[] = [],
  uid: IdentityUid = newUid(),
): Identity {
  return {
    uid,
    accounts: new Map(accounts.map((one) => [one.installation, one])),
    deliveries: new Map(deliveries.map((one) => [one.target, one])),
    stopped: new Map(),
  };
}

export function logEntry(place: Place, change: Partial<LogEntry> = {}): LogEntry {
  return {
    uid: newUid(),
    login: 'anna',
    source: null,
    target: place.site,
    action: 'update',
    status: 'delivered',
    reason: null,
    fields: ['email'],
    path: [place.site],
    actor: null,
    delivery: null,
    attempts: 1,
    durationMs: 12,
    ...change,
  };
}

export const save = (storage: Storage, ...identities: Identity[]): Promise<void> =>
  storage.store.transaction((tx) => tx.save(identities));

export async function read(storage: Storage, uid: IdentityUid): Promise<Identity | undefined> {
  return storage.store.transaction(async (tx) => (await tx.lockByUid([uid])).get(uid));
}

export const claim = (
  storage: Storage,
  { installation }: Place,
  options: { lane?: Delivery['lane']; limit?: number; leaseMs?: number } = {},
): ReturnType<Transaction['claim']> =>
  storage.store.transaction((tx) =>
    tx.claim(installation, options.lane ?? 'people', {
      limit: options.limit ?? 10,
      leaseMs: options.leaseMs ?? 60_000,
    }),
  );

/** Waits for a condition with a limit; never sleeps for a fixed time. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('It did not come about within ten seconds.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
