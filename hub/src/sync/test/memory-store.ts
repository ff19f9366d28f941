/**
 * The engine's store in memory, for tests whose subject is the engine's own logic at thousands
 * of histories. A transaction that throws leaves nothing behind. The real stores have a
 * conformance suite of their own.
 */
import type { Label } from '#contract/messages.ts';
import type { Candidate, Delivery, Identity, Lane } from '../../model/identity.ts';
import {
  type DeliveryId,
  type IdentityUid,
  type InstallationId,
  type SiteKey,
  type WordPressId,
} from '../../model/ids.ts';
import type { LogEntry } from '../../model/log-entry.ts';
import type { Topology } from '../../model/route.ts';
import type {
  CapturedChange,
  ClaimedDelivery,
  Ended,
  Refresh,
  RowRef,
  Store,
  Transaction,
} from '../ports.ts';

interface Tables {
  identities: Map<IdentityUid, Identity>;
  aliases: Map<IdentityUid, IdentityUid>;
  seen: Map<string, { installation: InstallationId; row: string; rev: number; acked: boolean }>;
  /** With a number that tells one asking from the next. */
  refreshes: Map<InstallationId, Map<WordPressId, Omit<Refresh, 'wpId'>>>;
  asked: number;
  restamps: Map<InstallationId, Set<WordPressId>>;
  links: Map<string, { uid: IdentityUid; installation: InstallationId; wpId: WordPressId }>;
  leases: Set<DeliveryId>;
  log: LogEntry[];
  creations: { installation: InstallationId; atMs: number }[];
  cursors: Map<InstallationId, { epoch: string; head: number }>;
}

const DAY_MS = 86_400_000;

export class MemoryStore implements Store {
  tables: Tables = {
    identities: new Map(),
    aliases: new Map(),
    seen: new Map(),
    refreshes: new Map(),
    asked: 0,
    restamps: new Map(),
    links: new Map(),
    leases: new Set(),
    log: [],
    creations: [],
    cursors: new Map(),
  };
  /** The next so many transactions fail at their end, as if the process had been killed. */
  crashes = 0;
  private readonly topology: () => Topology;
  private readonly now: () => number;

  constructor(options: { topology: () => Topology; now: () => number }) {
    this.topology = options.topology;
    this.now = options.now;
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const before = copyOf(this.tables);
    try {
      const result = await work(this.open());
      if (this.crashes > 0) {
        this.crashes -= 1;
        throw new Error('killed before commit');
      }
      return result;
    } catch (error) {
      this.tables = before;
      throw error;
    }
  }

  async nowMs(): Promise<number> {
    return this.now();
  }

  async unacknowledged(installation: InstallationId): Promise<readonly RowRef[]> {
    return [...this.tables.seen.values()]
      .filter((entry) => entry.installation === installation && !entry.acked)
      .map(({ row, rev }): RowRef => [row, rev]);
  }

  async markAcknowledged(installation: InstallationId, rows: readonly RowRef[]): Promise<void> {
    for (const [row, rev] of rows) {
      const entry = this.tables.seen.get(`${installation} ${row} ${rev}`);
      if (entry !== undefined) entry.acked = true;
    }
  }

  async unlabelled(installation: InstallationId, limit: number): Promise<readonly Label[]> {
    const labels: Label[] = [];
    for (const identity of this.tables.identities.values()) {
      const account = identity.accounts.get(installation);
      if (account === undefined || account.labelled || account.gone || account.alarm) continue;
      labels.push({ id: account.wpId, uid: identity.uid, login: account.login });
    }
    return labels.slice(0, limit);
  }

  async markLabelled(
    installation: InstallationId,
    labels: readonly Pick<Label, 'id' | 'uid'>[],
  ): Promise<void> {
    for (const [uid, identity] of this.tables.identities) {
      const account = identity.accounts.get(installation);
      const told = labels.find((label) => label.id === account?.wpId);
      if (account === undefined || told?.uid !== uid) continue;
      const accounts = new Map(identity.accounts).set(installation, { ...account, labelled: true });
      this.tables.identities.set(uid, { ...identity, accounts });
    }
  }

  async refreshes(installation: InstallationId, limit: number): Promise<readonly Refresh[]> {
    const waiting = [...(this.tables.refreshes.get(installation) ?? [])];
    return waiting.slice(0, limit).map(([wpId, asked]) => ({ wpId, ...asked }));
  }

  async restamps(installation: InstallationId): Promise<readonly WordPressId[]> {
    return [...(this.tables.restamps.get(installation) ?? [])];
  }

  async clearRestamps(installation: InstallationId): Promise<void> {
    this.tables.restamps.delete(installation);
  }

  keepLeased(): () => void {
    return () => {};
  }

  async forgetLeases(): Promise<void> {
    this.tables.leases.clear();
  }

  async due() {
    const found = new Map<string, { installation: InstallationId; lane: Lane }>();
    let nextMs: number | null = null;
    for (const { delivery, installation } of this.dueDeliveries()) {
      if (delivery.notBeforeMs <= this.now()) {
        found.set(`${installation} ${delivery.lane}`, { installation, lane: delivery.lane });
      } else nextMs = Math.min(nextMs ?? delivery.notBeforeMs, delivery.notBeforeMs);
    }
    const toRead = [...this.tables.refreshes].flatMap(([id, ids]) => (ids.size > 0 ? id : []));
    return { now: [...found.values()], nextMs, toRead };
  }

  /** Deliveries that wait for nobody, whether due yet or not. */
  *dueDeliveries(): Generator<{
    identity: Identity;
    delivery: Delivery;
    installation: InstallationId;
  }> {
    const { sites } = this.topology();
    for (const identity of this.tables.identities.values()) {
      for (const delivery of identity.deliveries.values()) {
        const site = sites.get(delivery.target);
        if (site === undefined || site.status === 'paused') continue;
        if (delivery.held !== null || this.tables.leases.has(delivery.id)) continue;
        const open = [...delivery.fields.values()].some((carried) => carried.held === undefined);
        if (!open && delivery.birth === null && delivery.gone === null) continue;
        yield { identity, delivery, installation: site.installation };
      }
    }
  }

  private open(): Transaction {
    const { tables } = this;
    return {
      nowMs: async () => this.now(),
      appendChanges: async (installation, changes) => this.append(installation, changes),
      lockByAccount: async (installation, ids) => {
        const found = new Map<WordPressId, Identity>();
        for (const identity of tables.identities.values()) {
          const account = identity.accounts.get(installation);
          if (account && account.gone === null && ids.includes(account.wpId)) {
            found.set(account.wpId, identity);
          }
        }
        return found;
      },
      lockByUid: async (uids) => {
        const found = new Map<IdentityUid, Identity>();
        for (const uid of uids) {
          const identity = tables.identities.get(tables.aliases.get(uid) ?? uid);
          if (identity !== undefined) found.set(uid, identity);
        }
        return found;
      },
      candidates: async (people) => {
        const asked = new Map(people.map((person) => [person.uid, person]));
        return (uid, installation) => this.candidatesOf(asked.get(uid), installation);
      },
      save: async (identities) => {
        for (const identity of identities) tables.identities.set(identity.uid, identity);
      },
      saveLinks: async (links) => {
        for (const link of links) tables.links.set(`${link.uid} ${link.installation}`, link);
      },
      forgetLinksTo: async (installation, ids) => {
        for (const [key, link] of tables.links) {
          if (link.installation !== installation || !ids.includes(link.wpId)) continue;
          tables.links.delete(key);
          for (const account of tables.identities.get(link.uid)?.accounts.values() ?? []) {
            if (account.gone === null) {
              askAgain(tables, account.installation, [account.wpId], { creates: true });
            }
          }
        }
      },
      mergeIdentities: async () => {
        throw new Error('not part of these tests');
      },
      endProof: async () => {
        throw new Error('not part of these tests');
      },
      appendLog: async (entries) => {
        tables.log.push(...entries);
      },
      queueRefresh: async (installation, ids, options) =>
        askAgain(tables, installation, ids, options),
      livingAccounts: async (installation, { after, upTo }) =>
        [...tables.identities.values()].flatMap(({ accounts }) => {
          const account = accounts.get(installation);
          if (account === undefined || account.gone !== null || account.wpId <= after) return [];
          return upTo === null || account.wpId <= upTo ? account.wpId : [];
        }),
      endedAccounts: async (installation, ids) => {
        const found = new Map<WordPressId, Ended[]>();
        for (const { uid, accounts } of tables.identities.values()) {
          const account = accounts.get(installation);
          if (account === undefined || account.gone === null || !ids.includes(account.wpId))
            continue;
          const { login, registered, wpId } = account;
          found.set(wpId, [...(found.get(wpId) ?? []), { uid, login, registered }]);
        }
        return found;
      },
      forgetOutbox: async (installation) => {
        for (const [key, entry] of tables.seen) {
          if (entry.installation === installation) tables.seen.delete(key);
        }
        tables.restamps.delete(installation);
      },
      clearRefreshes: async (installation, refreshes) => {
        const waiting = tables.refreshes.get(installation);
        for (const { wpId, queuedAtMs } of refreshes) {
          if (waiting?.get(wpId)?.queuedAtMs === queuedAtMs) waiting.delete(wpId);
        }
      },
      queueRestamp: async (installation, ids) => addAll(tables.restamps, installation, ids),
      releaseHeld: async (installation, freed) => this.release(installation, freed),
      setCursor: async (installation, cursor) => {
        tables.cursors.set(installation, cursor);
      },
      claim: async (installation, lane, { limit }) => this.claim(installation, lane, limit),
      releaseClaims: async (ids) => {
        for (const id of ids) tables.leases.delete(id);
      },
      retryNow: async () => {},
      creations: async (installation, withinMs) => {
        const mine = tables.creations.filter((entry) => entry.installation === installation);
        const since = (ms: number) => mine.filter(({ atMs }) => atMs > this.now() - ms).length;
        return { recent: since(withinMs), today: since(DAY_MS) };
      },
      noteCreations: async (installation, count) => {
        const entry = { installation, atMs: this.now() };
        tables.creations.push(...Array.from({ length: count }, () => entry));
      },
      deletesDue: async () => ({ due: 0, accounts: 0, doneToday: 0 }),
      holdDeletes: async () => 0,
    };
  }

  private append(installation: InstallationId, changes: readonly CapturedChange[]): number[] {
    return changes.flatMap(({ row, rev }, index) => {
      const key = `${installation} ${row} ${rev}`;
      const present = this.tables.seen.get(key);
      if (present !== undefined) {
        present.acked = false;
        return [];
      }
      this.tables.seen.set(key, { installation, row, rev, acked: false });
      return [index];
    });
  }

  private candidatesOf(
    person: { uid: IdentityUid; email: string; login: string } | undefined,
    installation: InstallationId,
  ): Candidate[] {
    if (person === undefined) return [];
    const asking = this.tables.identities.get(person.uid);
    const found: Candidate[] = [];
    for (const other of this.tables.identities.values()) {
      const account = other.accounts.get(installation);
      if (other.uid === person.uid || account === undefined || account.gone !== null) continue;
      const same = (a: string, b: string) => a !== '' && a.toLowerCase() === b.toLowerCase();
      const byEmail = same(account.email, person.email);
      if (!byEmail && !same(account.login, person.login)) continue;
      const elsewhere = [...(asking?.accounts.keys() ?? [])].some((key) => other.accounts.has(key));
      const { wpId, login } = account;
      const { privileged, privilegedBy } = account;
      const power = privilegedBy === undefined ? { privileged } : { privileged, privilegedBy };
      const by = byEmail ? 'email' : 'login';
      found.push({ by, wpId, uid: other.uid, login, ...power, alreadyElsewhere: elsewhere });
    }
    return found;
  }

  private release(
    installation: InstallationId,
    freed: { emails: readonly string[]; logins: readonly string[] },
  ): number {
    const { sites } = this.topology();
    const taken = new Set(['identity.email_taken', 'identity.login_taken']);
    let count = 0;
    for (const [uid, identity] of this.tables.identities) {
      const deliveries = new Map<SiteKey, Delivery>(identity.deliveries);
      for (const [target, delivery] of deliveries) {
        if (sites.get(target)?.installation !== installation) continue;
        const fields = new Map(delivery.fields);
        for (const [field, { held, ...carried }] of fields) {
          if (held !== undefined && taken.has(held)) fields.set(field, carried);
        }
        const held = delivery.held !== null && taken.has(delivery.held) ? null : delivery.held;
        deliveries.set(target, { ...delivery, fields, held });
        count += freed.emails.length + freed.logins.length > 0 ? 1 : 0;
      }
      this.tables.identities.set(uid, { ...identity, deliveries });
    }
    return count;
  }

  private claim(installation: InstallationId, lane: Lane, limit: number): ClaimedDelivery[] {
    const claimed: ClaimedDelivery[] = [];
    const waiting = [...this.dueDeliveries()];
    for (const entry of waiting) {
      if (entry.installation !== installation || entry.delivery.lane !== lane) continue;
      if (entry.delivery.notBeforeMs > this.now() || claimed.length === limit) continue;
      const delivery = { ...entry.delivery, attempts: entry.delivery.attempts + 1 };
      const deliveries = new Map(entry.identity.deliveries).set(delivery.target, delivery);
      const identity = { ...entry.identity, deliveries };
      this.tables.identities.set(identity.uid, identity);
      this.tables.leases.add(delivery.id);
      claimed.push({ identity, delivery });
    }
    return claimed;
  }
}

function askAgain(
  tables: Tables,
  installation: InstallationId,
  ids: readonly WordPressId[],
  { creates } = { creates: false },
): void {
  const waiting =
    tables.refreshes.get(installation) ?? new Map<WordPressId, Omit<Refresh, 'wpId'>>();
  tables.asked += 1;
  for (const id of ids) {
    const before = waiting.get(id)?.creates ?? false;
    waiting.set(id, { queuedAtMs: tables.asked, creates: creates || before });
  }
  tables.refreshes.set(installation, waiting);
}

function addAll(
  sets: Map<InstallationId, Set<WordPressId>>,
  installation: InstallationId,
  ids: readonly WordPressId[],
): void {
  const present = sets.get(installation) ?? new Set<WordPressId>();
  for (const id of ids) present.add(id);
  sets.set(installation, present);
}

/** Identities are values; only the containers are copied. */
function copyOf(tables: Tables): Tables {
  const seen = new Map([...tables.seen].map(([key, entry]) => [key, { ...entry }]));
  const sets = (of: Map<InstallationId, Set<WordPressId>>) =>
    new Map([...of].map(([key, set]) => [key, new Set(set)]));
  return {
    identities: new Map(tables.identities),
    aliases: new Map(tables.aliases),
    seen,
    refreshes: new Map([...tables.refreshes].map(([key, waiting]) => [key, new Map(waiting)])),
    asked: tables.asked,
    restamps: sets(tables.restamps),
    links: new Map(tables.links),
    leases: new Set(tables.leases),
    log: [...tables.log],
    creations: [...tables.creations],
    cursors: new Map(tables.cursors),
  };
}
