/** Conformance: runs within networks, as a hub plans them and as their sites tell of them. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { NO_COUNTS, type RunFromSite } from '../../model/network-run.ts';
import { addPlace, type Place, type World } from './world.ts';

const SPEC = { action: 'fill', sites: 'all', people: 'all', add_back: false } as const;
const FAULT = { code: 'site.unreachable', message: 'Nobody answers.', next: '' };

export function networkRunFacts(world: () => World): void {
  const runs = () => world().storage.networkRuns;

  async function added(starts = true): Promise<{ id: string; place: Place }> {
    const place = await addPlace(world().storage);
    const { installation } = place;
    const id = randomUUID();
    const of = { id, installation, network: 1, main: 1, spec: SPEC };
    await runs().add({ ...of, startedBy: 'ann', starts });
    return { id, place };
  }
  const told = (id: string, change: Partial<RunFromSite> = {}): RunFromSite => ({
    id,
    network: 1,
    main: 1,
    spec: SPEC,
    state: 'running',
    driver: 'hub',
    by: 'ann',
    beganMs: 5,
    endedMs: null,
    counts: { ...NO_COUNTS, total: 40 },
    next: 2,
    ...change,
  });
  const running = async () => {
    const one = await added();
    await runs().change(one.id, ['previewing'], { state: 'running', startedMs: 4 });
    return one;
  };

  test('a run comes back as it was asked for, among those at work', async () => {
    const { id } = await added(false);
    expect(await runs().find(id.toUpperCase())).toMatchObject({
      id,
      state: 'previewing',
      driver: 'hub',
      spec: SPEC,
      previewedTo: 0,
      preview: [],
      counts: NO_COUNTS,
      starts: false,
      wanted: null,
    });
    expect(await runs().find("no id'; --")).toBeNull();
    expect(await runs().atWork()).toContain(id);
  });

  test('a page of a preview counts once, whoever brings it, and none after the run was cancelled', async () => {
    const { id } = await added();
    const site = { blog: 1, add: 3, change: 0, unchanged: 1, skipped: {} };
    const page = { from: 0, to: 1, sites: [site] };
    await Promise.all([runs().previewed(id, page), runs().previewed(id, page)]);
    expect(await runs().find(id)).toMatchObject({ previewedTo: 1, preview: [site] });
    expect(await runs().change(id, ['previewing'], { state: 'cancelled', endedMs: 7 })).toBe(true);
    await runs().previewed(id, { from: 1, to: null, sites: [{ ...site, blog: 2 }] });
    expect(await runs().find(id)).toMatchObject({ previewedTo: 1, preview: [site] });
    expect(await runs().atWork()).not.toContain(id);
  });

  test('what was planned starts once', async () => {
    const { id } = await added(false);
    await runs().previewed(id, { from: 0, to: null, sites: [] });
    await runs().change(id, ['previewing'], { state: 'planned' });
    const start = () => runs().change(id, ['planned'], { state: 'running', startedMs: 4 });
    expect((await Promise.all([start(), start()])).filter(Boolean)).toEqual([true]);
  });

  test('how far a run is counts as its site says; how long it was worked on adds up', async () => {
    const { id, place } = await running();
    const counts = { ...NO_COUNTS, total: 40, done: 20, added: 20 };
    await Promise.all([
      runs().heard(place.installation, told(id, { counts }), { ms: 30, pairs: 20 }),
      runs().heard(place.installation, told(id, { counts }), { ms: 5, pairs: 0 }),
    ]);
    expect(await runs().find(id)).toMatchObject({ counts, next: 2, workedMs: 35, workedPairs: 20 });
  });

  test('what an operator wants stands until just that was obeyed', async () => {
    const { id, place } = await running();
    await runs().change(id, ['running'], { wanted: 'pause', wantedBy: 'ben' });
    await runs().heard(place.installation, told(id), { ms: 1, pairs: 1, obeyed: 'resume' });
    expect(await runs().find(id)).toMatchObject({ wanted: 'pause', wantedBy: 'ben' });
    const paused = told(id, { state: 'paused', next: null });
    await runs().heard(place.installation, paused, { ms: 0, pairs: 0, obeyed: 'pause' });
    expect(await runs().find(id)).toMatchObject({ state: 'paused', wanted: null });
    expect(await runs().atWork()).not.toContain(id);
  });

  test('a run whose network is away is tried again, each time later', async () => {
    const { id, place } = await running();
    await runs().failed(id, FAULT);
    const once = await runs().find(id);
    await runs().failed(id, FAULT);
    const twice = await runs().find(id);
    expect([once?.failures, twice?.failures, twice?.fault]).toEqual([1, 2, FAULT]);
    expect(twice?.retryAtMs).toBeGreaterThan(once?.retryAtMs ?? 0);
    expect(await runs().atWork()).not.toContain(id);
    // Somebody who only looks has not worked on it.
    await runs().heard(place.installation, told(id));
    expect(await runs().find(id)).toMatchObject({ failures: 2, fault: FAULT });
    await runs().heard(place.installation, told(id), { ms: 1, pairs: 1 });
    expect(await runs().find(id)).toMatchObject({ failures: 0, retryAtMs: 0, fault: null });
  });

  test('a site speaks of its own runs alone, and one that it began is listed among them', async () => {
    const [mine, other] = [await running(), await addPlace(world().storage)];
    await runs().heard(other.installation, told(mine.id, { state: 'done' }), {
      ms: 1,
      pairs: 1,
    });
    expect(await runs().find(mine.id)).toMatchObject({ state: 'running' });
    const theirs = randomUUID();
    await runs().heard(other.installation, told(theirs, { driver: 'cron', by: 'trigger' }));
    const listed = await runs().list({ installation: other.installation, network: 1, limit: 9 });
    expect(listed.map(({ id, driver }) => [id, driver])).toEqual([[theirs, 'cron']]);
    // Its own cron goes on with it.
    expect(await runs().atWork()).not.toContain(theirs);
  });
}
