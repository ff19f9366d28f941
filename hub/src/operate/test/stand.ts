/**
 * The hub's operations over a real store, with sites in memory that are connected as real ones
 * are: for tests whose subject is what an operator can do.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusAnswer } from '#contract/messages.ts';
import type { Operations } from '../../api/operations.ts';
import { Fault } from '../../errors.ts';
import type { Lane } from '../../model/identity.ts';
import { deliveryId, type InstallationId, installationId } from '../../model/ids.ts';
import { lastBackupMs } from '../../storage/backup/back-up.ts';
import { hubIdentity, startAt, takeOver } from '../../storage/hub-meta.ts';
import { openStorage, type Storage } from '../../storage/open-storage.ts';
import { CREATION_LIMIT } from '../../sync/creation-limit.ts';
import { DELETION_LIMIT } from '../../sync/deliver/deletion-limit.ts';
import type { NetworkPort } from '../../sync/network-port.ts';
import { buildPipeline, type Pipeline } from '../../sync/pipeline.ts';
import type { Connection, HubIdentity, SitePort, Wake } from '../../sync/ports.ts';
import { FakeSite } from '../../sync/test/fake-site.ts';
import { OlderSite } from '../../sync/test/older-site.ts';
import { withMarks } from '../../sync/with-marks.ts';
import { withProofs } from '../../sync/with-proofs.ts';
import { keepingSites } from '../keep-sites.ts';
import { workOnRun } from '../manual-sync/work-on-run.ts';
import { workOnNetworkRun } from '../networks/work-on-network-run.ts';
import { buildOperations } from '../operations.ts';
import type { OperationPorts } from '../ports.ts';
import { provingInTurns } from '../proofs/prove-in-turns.ts';
import { settleProofs } from '../proofs/settle-proofs.ts';
import { workOnReconcile } from '../reconcile/work-on-reconcile.ts';
import { FakeNetwork } from './fake-network.ts';

const ROLES = {
  administrator: { name: 'Administrator', privileged: true },
  author: { name: 'Author', privileged: false },
  subscriber: { name: 'Subscriber', privileged: false },
};

export class Stand {
  readonly operations: Operations;
  readonly storage: Storage;
  /** Sites tell of their roles and guards whenever they are asked, not only when they are connected. */
  tellsSites = false;
  /** So much later than it is do lists of sites arrive. */
  laterMs = 0;
  readonly keepSites: ReturnType<typeof keepingSites>;
  private readonly sites = new Map<string, FakeSite>();
  /** Sites that are networks, with two sites besides their own. */
  private readonly networks = new Map<string, FakeNetwork>();
  private readonly pipeline: Pipeline;
  readonly ports: OperationPorts;
  private readonly woken: (() => Promise<unknown>)[] = [];
  /** Wakes that were asked for a later time, in ms from then. */
  readonly askedLater: { readonly installation: InstallationId; readonly afterMs: number }[] = [];
  private readonly folder: string;
  private readonly hub: HubIdentity;

  /** @param older those whose connector speaks the contract's version before */
  static async open(names: readonly string[], older: readonly string[] = []): Promise<Stand> {
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-stand-'));
    const secretKey = randomBytes(32).toString('hex');
    const storage = await openStorage({ dataFolder: folder }, { secretKey });
    const hub = await startAt(storage.database, { host: null, url: null }, { takeOver: false });
    return new Stand(folder, storage, hub, names, older);
  }

  private constructor(
    folder: string,
    storage: Storage,
    hub: HubIdentity,
    names: readonly string[],
    older: readonly string[],
  ) {
    this.folder = folder;
    this.storage = storage;
    this.hub = hub;
    for (const [index, name] of names.entries()) {
      const Site = older.includes(name) ? OlderSite : FakeSite;
      this.sites.set(name, new Site({ key: index + 1, name, now: Date.now }));
    }
    const { store, registry, views, logKeeping, marks, proofs, runs, reconciles } = storage;
    const site = withProofs(withMarks(this.port(), marks), proofs);
    const wake = this.wake();
    const clock = { nowMs: async () => (await store.nowMs()) + this.laterMs };
    this.keepSites = keepingSites({ store: clock, registry, marks, wake });
    const proveBySource = provingInTurns({ store, registry, views, site, wake });
    this.pipeline = buildPipeline(
      {
        store,
        registry,
        site,
        wake,
        signalUrl: (id) => `https://hub.test/api/v1/signals/${id}`,
        keepSites: (id, status) => this.keepSites(id, status),
        settleProofs: async (id) => {
          await settleProofs({ store, registry, site, proofs, wake }, id);
          await proveBySource(id);
        },
        report: () => {},
      },
      {
        creationLimit: CREATION_LIMIT,
        deletionLimit: DELETION_LIMIT,
        pollMs: 1_000,
        pollSignallingMs: 1_000,
        settleDeletesMs: 0,
        newDeliveryId: () => deliveryId(randomUUID()),
      },
    );
    this.ports = {
      store,
      registry,
      views,
      logKeeping,
      marks,
      proofs,
      runs,
      reconciles,
      networkRuns: storage.networkRuns,
      site,
      network: this.networkPort(),
      wake,
      approvals: storage.approvals,
      arrangements: storage.arrangements,
      erasures: storage.erasures,
      pipeline: this.pipeline,
      introductions: {
        discover: async (typed) => ({ restUrl: restUrl(typed), publicOnly: true }),
        status: async (door) => this.statusOf(door.restUrl),
        connect: async (door) => ({
          credential: { user: 'hub', password: 'secret' },
          status: await this.statusOf(door.restUrl),
        }),
        approvePage: async (typed) => `https://${typed}.test/wp-admin/authorize-application.php`,
        signIn: async () => {
          throw new Error('a site in memory has no sign-in form');
        },
        whyRefused: (fault) => fault,
        revoke: async () => true,
      },
      hub: {
        id: hub.id,
        name: 'Rollcall',
        term: async () => (await hubIdentity(storage.database)).term,
        takeOver: async () => {
          await takeOver(storage.database);
        },
        verifyToken: async () => null,
        ready: async () => true,
        lastBackupMs: () => lastBackupMs(storage.database),
        backUp: () => Promise.reject(new Error('a backup is the business of main.ts')),
      },
      version: '0',
      connectorVersion: '0',
      publicUrl: () => 'https://hub.test',
      newSecret: () => randomBytes(32).toString('base64url'),
      newId: () => randomUUID(),
    };
    this.operations = buildOperations(this.ports);
  }

  site(name: string): FakeSite {
    const found = this.sites.get(name);
    if (found === undefined) throw new Error(`no site ${name}`);
    return found;
  }

  /** From here on the site is a network; call it before `connect`. */
  asNetwork(name: string): FakeNetwork {
    const site = this.site(name);
    const blogs = [
      { blog: 1, name },
      { blog: 2, name: 'Shop' },
      { blog: 3, name: 'Press' },
    ];
    const network = new FakeNetwork(`${name}.test`, blogs, () => [...site.accountsById.values()]);
    this.networks.set(name, network);
    return network;
  }

  connect(name: string): Promise<unknown> {
    const appPassword = 'abcd efgh';
    return this.operations.addSite({ url: name, name, user: 'admin', appPassword });
  }

  /** Does what workers were woken for, and nothing else: no site is pulled that wasn't asked for. */
  async work(): Promise<void> {
    for (let task = this.woken.shift(); task !== undefined; task = this.woken.shift()) await task();
  }

  /** What a hub does every so often: manual syncs and comparisons under way have another turn. */
  async tick(): Promise<void> {
    const { runs, reconciles, newId } = this.ports;
    for (const id of await runs.atWork()) await workOnRun(this.ports, id);
    for (const id of await this.ports.networkRuns.atWork()) await workOnNetworkRun(this.ports, id);
    await reconciles.startDue(newId);
    for (const id of await reconciles.atWork()) await workOnReconcile(this.ports, id);
  }

  /** Pulls and sends until nothing moves. */
  async rest(): Promise<void> {
    await this.operations.runUntilIdle({ waitMs: 10_000 });
    this.woken.length = 0;
  }

  async close(): Promise<void> {
    await this.storage.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private wake(): Wake {
    return {
      pull: async (id: InstallationId, when) => {
        if (when === undefined) this.woken.push(() => this.pipeline.pull(id));
        else this.askedLater.push({ installation: id, ...when });
      },
      deliver: async (id: InstallationId, lane: Lane) => {
        this.woken.push(() => this.pipeline.send(id, lane));
      },
      run: async (id) => {
        this.woken.push(async () => {
          await workOnRun(this.ports, id);
          await workOnReconcile(this.ports, id);
          await workOnNetworkRun(this.ports, id);
        });
      },
      due: async () => {},
    };
  }

  /** Speaks to the site that the connection's address names. */
  private port(): SitePort {
    const at = (connection: Connection): FakeSite => this.site(nameIn(connection.restUrl));
    return {
      status: async (connection) => {
        const name = nameIn(connection.restUrl);
        const status = await at(connection).status(connection);
        return this.tellsSites ? { ...status, sites: [this.blogOf(name)] } : status;
      },
      changes: (connection, request) => at(connection).changes(connection, request),
      accounts: (connection, request) => at(connection).accounts(connection, request),
      digests: (connection, request) => at(connection).digests(connection, request),
      labels: (connection, labels) => at(connection).labels(connection, labels),
      apply: (connection, request) => at(connection).apply(connection, request),
      settings: (connection, settings) => at(connection).settings(connection, settings),
      stamp: (connection, stamps) => at(connection).stamp(connection, stamps),
      outside: (connection, request) => at(connection).outside(connection, request),
      guard: (connection, request) => at(connection).guard(connection, request),
      switches: (connection, orders) => at(connection).switches(connection, orders),
      erase: (connection, orders) => at(connection).erase(connection, orders),
      proofs: (connection, orders) => at(connection).proofs(connection, orders),
      newCredential: (connection) => at(connection).newCredential(connection),
      disconnect: (connection) => at(connection).disconnect(connection),
    };
  }

  private networkPort(): NetworkPort {
    const at = (connection: Connection): NetworkPort => {
      const network = this.networks.get(nameIn(connection.restUrl));
      if (network === undefined)
        throw new Fault('network.unknown', 'There is no such network here.');
      return network.port;
    };
    return {
      show: async (connection, id) => at(connection).show(connection, id),
      settings: async (connection, change) => at(connection).settings(connection, change),
      preview: async (connection, asked) => at(connection).preview(connection, asked),
      begin: async (connection, run) => at(connection).begin(connection, run),
      page: async (connection, run, blog) => at(connection).page(connection, run, blog),
      control: async (connection, run, order) => at(connection).control(connection, run, order),
      runs: async (connection, asked) => at(connection).runs(connection, asked),
      rows: async (connection, asked) => at(connection).rows(connection, asked),
    };
  }

  private async statusOf(url: string): Promise<StatusAnswer> {
    const name = nameIn(url);
    const credential = { user: '', password: '' };
    const installation = installationId(randomUUID());
    const { roundTripMs: _, ...status } = await this.site(name).status({
      installation,
      restUrl: url,
      publicOnly: true,
      credential,
      hub: this.hub,
    });
    if (status.sites.length > 0) return status;
    const blog = this.blogOf(name);
    const network = this.networks.get(name);
    if (network === undefined) return { ...status, sites: [blog] };
    const sites = [1, 2, 3].map((id) => ({
      ...blog,
      blog: id,
      name: ['', name, 'Shop', 'Press'][id] ?? '',
      url: `${blog.url}/${id}`,
      rest_url: `${blog.url}/${id}/wp-json/`,
    }));
    return { ...status, multisite: true, sites };
  }

  private blogOf(name: string): StatusAnswer['sites'][number] {
    return {
      blog: 1,
      name,
      url: `https://${name}.test`,
      rest_url: restUrl(name),
      roles: ROLES,
      default_role: 'subscriber',
      grantable: ['subscriber', 'author'],
      consents: [...this.site(name).guarding.consents],
      read_only: false,
    };
  }
}

const restUrl = (name: string): string => `https://${name}.test/wp-json/`;
const nameIn = (url: string): string => new URL(url).hostname.replace('.test', '');
