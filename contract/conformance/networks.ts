/**
 * What every network does that speaks `rollcall/v1/network/`, as facts. The real connector passes it, and so does the
 * network in memory that the hub's own tests run on.
 *
 * Always true: each case begins with nobody on a site, but for those that it names.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NetworkPort } from '#hub/sync/network-port.ts';
import type { Connection } from '#hub/sync/ports.ts';
import type { NetworkRun, NetworkSpec } from '../network-messages.ts';

export interface NetworkUnderTest {
  readonly port: NetworkPort;
  /** At the REST root of this site. */
  at(blog: number): Connection;
  /** The main site and two others, which have `subscriber` for their default role. */
  readonly sites: readonly [number, number, number];
  readonly superAdmin: number;
  /** Accounts with no power anywhere, in the order of their ids. */
  readonly people: readonly [number, number, number];
  /** Nobody is on any of the sites, but for these; settings are as at first. */
  reset(members: readonly (readonly [blog: number, id: number, role: string])[]): Promise<void>;
  /** On the network itself, past the hub: these sites, and no others, are never written to. */
  exclude(blogs: readonly number[]): Promise<void>;
  /** Somebody there gives a member another role. */
  give(blog: number, id: number, role: string): Promise<void>;
  /** Null: no member. */
  roles(blog: number, id: number): Promise<readonly string[] | null>;
  stop(): Promise<void>;
}

const BOUND = 50;

export function describeNetworks(start: () => Promise<NetworkUnderTest>): void {
  let under: NetworkUnderTest;
  beforeAll(async () => {
    under = await start();
  });
  afterAll(() => under?.stop());
  beforeEach(() => under.reset([]));

  const main = () => under.at(under.sites[0]);
  const spec = (change: Partial<NetworkSpec> = {}): NetworkSpec => ({
    action: 'fill',
    sites: [...under.sites],
    people: [...under.people, under.superAdmin].toSorted((a, b) => a - b),
    add_back: false,
    ...change,
  });
  const begin = (of: NetworkSpec = spec(), id: string = randomUUID()) =>
    under.port.begin(main(), { id, network: 1, spec: of, by: 'operator ann' });

  /** Until it is no longer under way. @param asked is given the sites that were asked for a page */
  async function toTheEnd(run: NetworkRun, asked = new Set<number>()): Promise<NetworkRun> {
    let now = run;
    for (let page = 0; page < BOUND && now.next !== null; page++) {
      if (now.state !== 'running' && now.state !== 'undoing') return now;
      asked.add(now.next);
      now = await under.port.page(under.at(now.next), now.id, now.next);
    }
    return now;
  }

  async function previewed(of: NetworkSpec) {
    const sites = [];
    for (let after: number | null = 0; after !== null; ) {
      const page = await under.port.preview(main(), { network: 1, spec: of, after });
      sites.push(...page.sites);
      after = page.after;
    }
    return sites;
  }

  describe('a network', () => {
    it('shows its sites and settings, all triggers off; of another number there is none', async () => {
      const [network, second] = await under.port.show(main(), null);
      expect(second).toBeUndefined();
      expect(network).toMatchObject({ id: 1, main: under.sites[0] });
      expect(network?.sites.map(({ blog }) => blog)).toEqual(under.sites);
      expect(network?.settings).toEqual({
        new_account: false,
        new_site: false,
        role_change: false,
        role_sites: 'existing',
        privileged_roles: [],
        excluded: [],
        site_admins: false,
      });
      expect(network?.accounts).toBeGreaterThan(3);
      await expect(under.port.show(main(), 99)).rejects.toMatchObject({ code: 'network.unknown' });
    });

    it('has its triggers switched and is tightened by a hub, and never loosened', async () => {
      const on = { network: 1, new_account: true, role_sites: 'all' as const };
      const exclude = [under.sites[2]];
      const now = await under.port.settings(main(), { ...on, exclude });
      expect(now).toMatchObject({ new_account: true, role_sites: 'all', excluded: exclude });
      const loosening = { network: 1, site_admins: true, new_account: false };
      await expect(under.port.settings(main(), loosening)).rejects.toMatchObject({
        code: 'site.guard_refused',
      });
      const after = await under.port.settings(main(), { network: 1, exclude: [] });
      expect(after).toEqual(now);
      const [shown] = await under.port.show(main(), 1);
      expect(shown?.sites.find(({ blog }) => blog === exclude[0])?.closed).toBe('excluded');
    });
  });

  describe('a run', () => {
    it('does what its preview counted, which wrote nothing; a second one finds nothing to do', async () => {
      const [first, second] = under.sites;
      const [anna, ben] = under.people;
      await under.reset([[second, anna, 'author']]);
      const counted = await previewed(spec());
      expect(await under.roles(first, ben)).toBeNull();
      expect(counted.map(({ add, unchanged }) => [add, unchanged])).toEqual([
        [3, 0],
        [2, 1],
        [3, 0],
      ]);
      const run = await toTheEnd(await begin());
      expect(run).toMatchObject({ state: 'done', next: null, driver: 'hub', by: 'operator ann' });
      expect(run.counts).toMatchObject({ total: 12, done: 12, added: 8, changed: 0, unchanged: 1 });
      expect(run.counts.skipped).toEqual({ 'network.super_admin': 3 });
      expect(await under.roles(first, ben)).toEqual(['subscriber']);
      expect(await under.roles(second, anna)).toEqual(['author']);
      const again = await toTheEnd(await begin());
      expect(again.counts).toMatchObject({ added: 0, unchanged: 9 });
    });

    it('is begun once for its id, and goes on at its own next site alone', async () => {
      const run = await begin();
      expect(await begin(spec({ people: 'all' }), run.id)).toEqual(run);
      expect(run).toMatchObject({ state: 'running', next: under.sites[0] });
      const last = under.sites[2];
      expect(await under.port.page(under.at(last), run.id, last)).toEqual(run);
      expect(await under.roles(last, under.people[0])).toBeNull();
      const runs = await under.port.runs(main(), { network: 1, limit: 1 });
      expect(runs).toEqual([run]);
      await expect(under.port.page(main(), randomUUID(), 1)).rejects.toMatchObject({
        code: 'network.run_unknown',
      });
    });

    it('passes by sites on which there is nothing to do, with its beginning and behind a page', async () => {
      const [first, second, third] = under.sites;
      const [anna, ben, cleo] = under.people;
      const full = [first, second, third].flatMap((blog) =>
        [anna, ben, cleo].map((id) => [blog, id, 'author'] as const),
      );
      await under.reset(full);
      const done = { state: 'done', next: null, counts: { total: 12, done: 12, added: 0 } };
      const over = await begin();
      expect(over).toMatchObject(done);
      expect(over.counts).toMatchObject({ unchanged: 9, skipped: { 'network.super_admin': 3 } });
      expect(await begin(spec(), over.id)).toEqual(over);

      await under.reset(full.filter(([blog, id]) => blog !== second || id !== ben));
      const run = await begin();
      expect(run).toMatchObject({ state: 'running', next: second, counts: { unchanged: 3 } });
      expect(run.counts).toMatchObject({ done: 4, skipped: { 'network.super_admin': 1 } });
      const asked = new Set<number>();
      const filled = await toTheEnd(run, asked);
      expect(filled).toMatchObject({ ...done, counts: { ...done.counts, added: 1, unchanged: 8 } });
      expect([...asked]).toEqual([second]);

      asked.clear();
      const undone = await toTheEnd(await under.port.control(main(), run.id, 'undo'), asked);
      expect(undone).toMatchObject({ state: 'undone', counts: { removed: 1 } });
      expect([...asked]).toEqual([first, second]);
      expect(await under.roles(second, ben)).toBeNull();
      expect(await under.roles(third, ben)).toEqual(['author']);
    });

    it('names only sites of its network', async () => {
      await expect(begin(spec({ sites: [9_999] }))).rejects.toMatchObject({
        code: 'network.refused',
      });
    });

    it('stands still while it is paused, and goes on where it was', async () => {
      const { id } = await begin();
      const paused = await under.port.control(main(), id, 'pause');
      expect(paused.state).toBe('paused');
      expect(await under.port.control(main(), id, 'pause')).toEqual(paused);
      const [first] = under.sites;
      expect((await under.port.page(main(), id, first)).counts.done).toBe(0);
      const run = await toTheEnd(await under.port.control(main(), id, 'resume'));
      expect(run).toMatchObject({ state: 'done', counts: { added: 9 } });
      await expect(under.port.control(main(), id, 'pause')).rejects.toMatchObject({
        code: 'network.wrong_state',
      });
    });

    it('copies the roles of one site to the others', async () => {
      const [first, second, third] = under.sites;
      const [anna, ben] = under.people;
      const members = [
        [first, anna, 'author'],
        [second, anna, 'subscriber'],
        [second, ben, 'editor'],
      ] as const;
      await under.reset(members);
      const copy = { action: 'copy', from: first, memberships: 'existing' } as const;
      const run = await toTheEnd(await begin(spec({ ...copy, people: [anna, ben] })));
      expect(run.counts).toMatchObject({ total: 4, changed: 1, added: 0 });
      expect(run.counts.skipped).toEqual({ 'network.not_a_member': 1, 'network.no_role': 2 });
      expect(await under.roles(second, anna)).toEqual(['author']);
      expect(await under.roles(second, ben)).toEqual(['editor']);
      expect(await under.roles(third, anna)).toBeNull();
    });

    it('is taken back, but for what somebody has touched; once more, when what stood in the way has gone', async () => {
      const [first, second, third] = under.sites;
      const [anna, ben, cleo] = under.people;
      await under.reset([[first, cleo, 'author']]);
      const { id } = await toTheEnd(await begin());
      await under.give(third, anna, 'editor');
      await under.exclude([second]);
      const undo = async () => toTheEnd(await under.port.control(main(), id, 'undo'));
      expect(await under.port.control(main(), id, 'undo')).toMatchObject({
        state: 'undoing',
        next: first,
        ended_ms: null,
      });
      const closed = { state: 'undone', next: null, counts: { removed: 4, kept: 4 } };
      expect(await undo()).toMatchObject(closed);
      expect((await undo()).counts).toMatchObject({ kept: 4, left: { 'network.site_closed': 3 } });
      expect(await under.roles(first, cleo)).toEqual(['author']);
      expect(await under.roles(first, ben)).toBeNull();
      expect(await under.roles(second, ben)).toEqual(['subscriber']);
      await under.exclude([]);
      const last = await undo();
      expect(last).toMatchObject({ state: 'undone', counts: { added: 8, removed: 7, kept: 1 } });
      expect(last.counts.left).toEqual({});
      expect(await under.roles(second, ben)).toBeNull();
      expect(await under.roles(third, anna)).toEqual(['editor']);
      await expect(undo()).rejects.toMatchObject({ code: 'network.nothing_to_undo' });
      const { rows } = await under.port.rows(main(), { run: id, limit: 4 });
      expect(rows.map((row) => [row.blog, row.id])).toEqual([[third, anna]]);
    });

    it('tells whom it added and what they had, page by page', async () => {
      const run = await toTheEnd(await begin(spec({ people: [...under.people] })));
      const rows = [];
      let place: { readonly after?: string } | null = {};
      while (place !== null) {
        const page = await under.port.rows(main(), { run: run.id, limit: 4, ...place });
        rows.push(...page.rows);
        place = page.after === null ? null : { after: page.after };
      }
      const pairs = new Set(rows.map(({ id, blog }) => `${id} ${blog}`));
      expect([rows.length, pairs.size]).toEqual([9, 9]);
      expect(rows[0]).toMatchObject({ was: null, now: ['subscriber'], touched: false });
    });
  });
}
