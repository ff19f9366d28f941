/**
 * Sites in memory, the real stages, a graph of routes and a clock that moves only when told:
 * everything a property test needs to play a history.
 */

import {
  deliveryId,
  type InstallationId,
  installationId,
  routeId,
  siteKey,
  wordPressId,
} from '../../model/ids.ts';
import {
  type RouteRules,
  type Site,
  type SiteRules,
  type Topology,
  USUAL_SITE_RULES,
} from '../../model/route.ts';
import { carry } from '../capture/carry.ts';
import { census } from '../capture/census.ts';
import { pull } from '../capture/pull.ts';
import { refresh } from '../capture/refresh.ts';
import { type Reread, reread } from '../capture/reread.ts';
import { CREATION_LIMIT } from '../creation-limit.ts';
import { DELETION_LIMIT } from '../deliver/deletion-limit.ts';
import { send } from '../deliver/send.ts';
import type { Connection } from '../ports.ts';
import { spreadLearned } from '../spread-learned.ts';
import { atEachCall, storeAtEachCall } from './at-each-call.ts';
import { FakeSite, type FakeSiteOptions } from './fake-site.ts';
import { MemoryStore } from './memory-store.ts';

export const EVERYTHING: RouteRules = {
  fields: [
    'email',
    'first_name',
    'last_name',
    'nickname',
    'display_name',
    'description',
    'url',
    'locale',
    'password',
  ],
  meta: ['phone'],
  roles: ['subscriber', 'contributor', 'author'],
  creates: true,
  updates: true,
  onDelete: 'delete',
  reassignTo: null,
  loginTaken: 'hold',
};

export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly rules?: Partial<RouteRules>;
}

export class World {
  nowMs = 1_800_000_000_000;
  readonly sites: readonly FakeSite[];
  readonly store: MemoryStore;
  topology: Topology;
  /** The process is killed at the so-manieth call of store or site from now; null: it lives on. */
  killAfter: number | null = null;
  /** Somebody does this at the so-manieth call of store or site from now. */
  meanwhile: { after: number; readonly act: () => void } | null = null;
  private dead = false;
  private readonly suspects = new Set<string>();
  private deliveries = 0;

  /** @param roles by site, where not the usual ones */
  constructor(
    count: number,
    edges: readonly Edge[],
    roles: Readonly<Record<number, FakeSiteOptions['roles']>> = {},
  ) {
    const now = () => this.nowMs;
    this.sites = Array.from({ length: count }, (_, index) => {
      const own = roles[index] === undefined ? {} : { roles: roles[index] };
      return new FakeSite({ key: index + 1, name: `s${index}`, now, ...own });
    });
    this.topology = topologyOf(this.sites, edges);
    this.store = new MemoryStore({ topology: () => this.topology, now });
  }

  /** What a site says of all that leaves it, and all that comes in. */
  rule(index: number, rules: Partial<SiteRules>): void {
    const sites = new Map(this.topology.sites);
    const site = sites.get(siteKey(index + 1));
    if (site === undefined) throw new Error(`no site ${index}`);
    sites.set(site.key, { ...site, rules: { ...site.rules, ...rules } });
    this.topology = { ...this.topology, sites };
  }

  site(index: number): FakeSite {
    const site = this.sites[index];
    if (site === undefined) throw new Error(`no site ${index}`);
    return site;
  }

  /** One pull of one site. A crash or a fault of the site ends it, as it would end a worker. */
  async pull(index: number): Promise<number> {
    const input = { ...this.inputOf(index), cursor: { epoch: null, head: 0 } };
    const ports = this.portsOf(index);
    return this.survive(async () => {
      const { rows } = await pull(input, ports);
      return rows + (await refresh(input, ports)).rows;
    });
  }

  /** A backup was put back, and an operator has said so. */
  async restored(index: number): Promise<Reread> {
    const input = { ...this.inputOf(index), cursor: { epoch: null, head: 0 } };
    const { store } = this;
    this.site(index).down = false;
    store.crashes = 0;
    await store.transaction((tx) => tx.forgetOutbox(input.installation));
    return reread(input, { store, site: this.site(index), spreadBatch: this.spreadBatch() });
  }

  /** Reads who is who, as when the site is connected. */
  async census(index: number): Promise<number> {
    const input = { ...this.inputOf(index), cursor: { epoch: null, head: 0 } };
    const ports = this.portsOf(index);
    return this.survive(() => census(input, ports));
  }

  /** An operator's word: what the account holds goes to the target. */
  async carry(index: number, id: number, target: number): Promise<void> {
    const input = { ...this.inputOf(index), cursor: { epoch: null, head: 0 } };
    await carry([wordPressId(id)], siteKey(target + 1), input, this.portsOf(index));
  }

  async send(index: number): Promise<number> {
    const { connection, ...input } = this.inputOf(index);
    const ports = this.portsOf(index);
    const shared = { ...input, connectionTo: () => connection, deletionLimit: DELETION_LIMIT };
    return this.survive(async () => {
      const people = await send({ ...shared, lane: 'people' }, ports);
      const bulk = await send({ ...shared, lane: 'bulk' }, ports);
      return people.sent + bulk.sent;
    });
  }

  /** Everything up and well again, until nothing moves. Returns the rounds it took. */
  async rest(limit = 200): Promise<number> {
    this.store.crashes = 0;
    await this.startAgain();
    // Who has not acted by now acts before the last round, not in it.
    if (this.meanwhile !== null) this.meanwhile.after = 0;
    this.perhapsAct();
    for (const site of this.sites) {
      site.down = false;
      site.loseReceipts = 0;
      site.loseChanges = 0;
      site.busy.clear();
    }
    for (let round = 1; round <= limit; round += 1) {
      let moved = 0;
      for (const [index] of this.sites.entries())
        moved += (await this.pull(index)) + (await this.send(index));
      if (moved === 0 && !this.isPending()) return round;
      // What backs off or settles becomes due.
      this.nowMs += 700_000;
    }
    throw new Error(`still moving after ${limit} rounds`);
  }

  /** Everything that waits has waited for longer than values are kept. */
  expire(): void {
    for (const [uid, identity] of this.store.tables.identities) {
      const deliveries = new Map(identity.deliveries);
      for (const [target, delivery] of deliveries) {
        const fields = new Map(
          [...delivery.fields].map(([field, carried]) => [
            field,
            { ...carried, value: null, expired: true as const },
          ]),
        );
        deliveries.set(target, { ...delivery, fields });
      }
      this.store.tables.identities.set(uid, { ...identity, deliveries });
    }
  }

  isPending(): boolean {
    return !this.store.dueDeliveries().next().done;
  }

  private portsOf(index: number) {
    const announce = () => this.perhapsDie();
    const store = storeAtEachCall(this.store, announce);
    const site = atEachCall('site', this.site(index), announce);
    return { store, site, spreadBatch: this.spreadBatch(), suspects: this.suspects };
  }

  /** From the fatal call on nothing has an effect, no `catch` and no `finally` either. */
  private perhapsDie(): void {
    this.perhapsAct();
    if (this.killAfter === 0) this.dead = true;
    else if (this.killAfter !== null) this.killAfter -= 1;
    if (this.dead) throw new Error('killed');
  }

  private perhapsAct(): void {
    const { meanwhile } = this;
    if (meanwhile === null) return;
    meanwhile.after -= 1;
    if (meanwhile.after >= 0) return;
    this.meanwhile = null;
    this.nowMs += 1;
    meanwhile.act();
  }

  /** A killed process or an unreachable site is part of the history, not a failure of the test. */
  private async survive(work: () => Promise<number>): Promise<number> {
    try {
      return await work();
    } catch {
      return 1;
    } finally {
      if (this.dead) await this.startAgain();
    }
  }

  private async startAgain(): Promise<void> {
    this.suspects.clear();
    this.dead = false;
    this.killAfter = null;
    await this.store.forgetLeases();
  }

  private spreadBatch() {
    return spreadLearned({
      creationLimit: CREATION_LIMIT,
      settleDeletesMs: 1_000,
      newDeliveryId: () => {
        this.deliveries += 1;
        return deliveryId(`d${this.deliveries}`);
      },
    });
  }

  private inputOf(index: number): {
    installation: InstallationId;
    connection: Connection;
    topology: Topology;
  } {
    const installation = installationOf(index);
    const connection = {
      installation,
      restUrl: '',
      publicOnly: true,
      credential: { user: '', password: '' },
      hub: { id: 'hub', term: 1 },
    };
    return { installation, connection, topology: this.topology };
  }
}

export const installationOf = (index: number): InstallationId => installationId(`i${index}`);

function topologyOf(sites: readonly FakeSite[], edges: readonly Edge[]): Topology {
  const all = sites.map(
    (site, index): Site => ({
      key: siteKey(site.key),
      installation: installationOf(index),
      blog: 1,
      name: site.name,
      url: `https://${site.name}.test`,
      status: 'active',
      createMissing: false,
      rules: USUAL_SITE_RULES,
    }),
  );
  return {
    sites: new Map(all.map((site) => [site.key, site])),
    routes: edges.map(({ from, to, rules }, index) => ({
      id: routeId(index + 1),
      source: siteKey(from + 1),
      target: siteKey(to + 1),
      status: 'active',
      rules: { ...EVERYTHING, ...rules },
    })),
  };
}
