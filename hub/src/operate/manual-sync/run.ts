/**
 * Carries a manual sync out: proves the links that it named, stamps what differs on the source,
 * offers what is missing; from there everything takes the same road as any edit.
 *
 * Does not: write to a target by itself.
 * Always true: a run that is repeated does only what is still to be done.
 * On failure: the run is `failed` with its fault; what was done stands.
 */
import type { SyncRequest, SyncRun } from '../../api/schemas/sync.ts';
import { Fault } from '../../errors.ts';
import { type IdentityUid, type SiteKey, wordPressId } from '../../model/ids.ts';
import type { SiteRecord, StampOrder } from '../../sync/ports.ts';
import { moment, operatorNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { linkRow, older, whyNotOne } from '../prove-link.ts';
import { pagesOf, resolve } from './choose.ts';
import { type Planned, planPage, type Way } from './plan-page.ts';

interface Waiting {
  readonly uid: IdentityUid;
  readonly target: SiteKey;
}

export interface Run {
  view: SyncRun;
  waiting: Waiting[];
  /** Who started it. */
  readonly by: string;
}

/** How many people are looked at in one go while counting what has arrived. */
const LOOK = 500;

export class SyncRuns {
  private readonly runs = new Map<string, Run>();
  private readonly ports: OperationPorts;

  constructor(ports: OperationPorts) {
    this.ports = ports;
  }

  async start(request: SyncRequest, by: string): Promise<SyncRun> {
    const { source, ways } = await resolve(this.ports, request);
    const run: Run = { view: await this.firstView(request, source, ways), waiting: [], by };
    this.runs.set(run.view.id, run);
    // Runs on by itself; what goes wrong is shown in the run.
    void this.carryOut(run, request, source, ways);
    return run.view;
  }

  async look(id: string): Promise<SyncRun> {
    const run = this.runs.get(id);
    if (run === undefined) throw new Fault('request.not_found', `There is no sync run “${id}”.`);
    if (run.view.state === 'delivering') await this.count(run);
    return run.view;
  }

  private async firstView(
    { to }: SyncRequest,
    source: SiteRecord,
    ways: readonly Way[],
  ): Promise<SyncRun> {
    return {
      id: this.ports.newId(),
      state: 'preparing',
      from: source.name,
      to: ways.length === to.length ? ways.map((way) => way.target.name) : [...to],
      accounts: null,
      prepared: 0,
      pending: 0,
      delivered: 0,
      skipped: 0,
      held: 0,
      failed: 0,
      startedAt: moment(await this.ports.store.nowMs()),
      endedAt: null,
      fault: null,
    };
  }

  private async carryOut(
    run: Run,
    request: SyncRequest,
    source: SiteRecord,
    ways: readonly Way[],
  ): Promise<void> {
    try {
      let accounts = 0;
      for await (const states of pagesOf(this.ports, source, request.accounts)) {
        accounts += states.length;
        const planned = await planPage(this.ports, source, ways, states, request.links);
        await this.carryOutPage(run, planned, source);
        run.view = { ...run.view, prepared: accounts, pending: run.waiting.length };
      }
      await this.ports.pipeline.pull(source.installation);
      run.view = { ...run.view, accounts, state: 'delivering' };
      await this.count(run);
    } catch (error) {
      await this.fail(run, error);
    }
  }

  private async carryOutPage(run: Run, all: readonly Planned[], source: SiteRecord): Promise<void> {
    const { pipeline } = this.ports;
    const planned = all.filter((entry) => entry.what !== 'link' || entry.reason === null);
    run.view = { ...run.view, skipped: run.view.skipped + all.length - planned.length };
    const links = planned.filter((entry) => entry.what === 'link');
    const uids = await this.proveLinks(links, source, run.by);
    if (links.length > 0) {
      // The new labels must be on the source before it is asked to stamp.
      await pipeline.pull(source.installation);
    }
    const changes = planned.filter((entry) => entry.what === 'link' || entry.what === 'update');
    await this.orderStamps(changes, uids, source);
    for (const target of new Set(planned.map((entry) => entry.way.target))) {
      const missing = planned.filter(
        (entry) => entry.what === 'create' && entry.way.target === target,
      );
      const states = missing.map((entry) => entry.state);
      if (states.length > 0) await pipeline.offer(source.installation, states, target.key);
    }
    for (const entry of planned) {
      if (entry.what === 'skip') run.view = { ...run.view, skipped: run.view.skipped + 1 };
      if (entry.what === 'hold') run.view = { ...run.view, held: run.view.held + 1 };
      if (entry.what === 'skip' || entry.what === 'hold' || entry.what === 'unchanged') continue;
      const uid = uids.get(entry.identity.uid) ?? entry.identity.uid;
      run.waiting.push({ uid, target: entry.way.target.key });
    }
  }

  /** The operator's run named these links: from now on each pair is one person. */
  private async proveLinks(
    links: readonly Planned[],
    source: SiteRecord,
    by: string,
  ): Promise<Map<IdentityUid, IdentityUid>> {
    const became = new Map<IdentityUid, IdentityUid>();
    for (const { identity, candidate, state, way } of links) {
      if (candidate === null) continue;
      await this.ports.store.transaction(async (tx) => {
        const found = await tx.lockByUid([identity.uid, candidate.uid]);
        const one = found.get(identity.uid);
        const two = found.get(candidate.uid);
        if (one === undefined || two === undefined || one.uid === two.uid) return;
        if (whyNotOne(one, two) !== null) return;
        const { into, from } = older(one, two);
        await tx.mergeIdentities(into.uid, from.uid);
        await tx.appendLog([
          linkRow(into.uid, state.login, [source.key, way.target.key], operatorNamed(by)),
        ]);
        became.set(identity.uid, into.uid);
      });
    }
    return became;
  }

  private async orderStamps(
    changes: readonly Planned[],
    uids: ReadonlyMap<IdentityUid, IdentityUid>,
    source: SiteRecord,
  ): Promise<void> {
    const orders = new Map<number, StampOrder>();
    for (const { state, identity, fields, atLeastMs } of changes) {
      if (fields.length === 0) continue;
      const uid = uids.get(identity.uid) ?? identity.uid;
      const before = orders.get(state.id);
      orders.set(state.id, {
        id: state.id,
        uid,
        blog: source.blog,
        fields: [...new Set([...(before?.fields ?? []), ...fields])],
        atLeastMs: Math.max(before?.atLeastMs ?? 0, atLeastMs),
      });
    }
    if (orders.size === 0) return;
    const connection = await this.ports.registry.connection(source.installation);
    await this.ports.site.stamp(connection, [...orders.values()]);
    if (source.rules.automatic) await this.ports.pipeline.pull(source.installation);
    await this.carryOver(changes, source);
    await this.ports.pipeline.pull(source.installation);
  }

  /** What the source doesn't let leave by itself goes to the chosen targets, and to nobody else. */
  private async carryOver(changes: readonly Planned[], { installation, rules }: SiteRecord) {
    if (rules.automatic && rules.syncRoles.length === 0) return;
    for (const target of new Set(changes.map(({ way }) => way.target.key))) {
      const there = changes.filter(({ way }) => way.target.key === target);
      const ids = there.map(({ state }) => wordPressId(state.id));
      await this.ports.pipeline.carry(installation, ids, target);
    }
  }

  /** What has arrived by now, what waits, what is held or refused. */
  private async count(run: Run): Promise<void> {
    const still: Waiting[] = [];
    let { delivered, held, failed } = run.view;
    for (let from = 0; from < run.waiting.length; from += LOOK) {
      const part = run.waiting.slice(from, from + LOOK);
      const identities = await this.ports.store.transaction((tx) =>
        tx.lockByUid([...new Set(part.map((entry) => entry.uid))]),
      );
      for (const entry of part) {
        const identity = identities.get(entry.uid);
        const delivery = identity?.deliveries.get(entry.target);
        if (delivery === undefined) {
          if ((identity?.stopped.get(entry.target)?.size ?? 0) > 0) failed += 1;
          else delivered += 1;
        } else if (delivery.held !== null) held += 1;
        else still.push(entry);
      }
    }
    const ended = still.length === 0;
    run.waiting = still;
    run.view = { ...run.view, pending: still.length, delivered, held, failed };
    if (ended) {
      const endedAt = moment(await this.ports.store.nowMs());
      run.view = { ...run.view, state: 'done', endedAt };
    }
  }

  private async fail(run: Run, error: unknown): Promise<void> {
    const fault =
      error instanceof Fault
        ? error
        : new Fault('internal.fault', 'The run broke off.', { cause: error });
    const { code, message, next } = fault;
    const endedAt = moment(await this.ports.store.nowMs());
    run.view = { ...run.view, state: 'failed', endedAt, fault: { code, message, next } };
  }
}
