/** Conformance: marks, by which hub and site see that one of them went back. */
import { expect, test } from 'vitest';
import { addPlace, type World } from './world.ts';

export function markFacts(world: () => World): void {
  const marks = () => world().storage.marks;
  const place = async () => (await addPlace(world().storage)).installation;
  const stranger = { n: 1, id: 'f'.repeat(16) };

  test('an offer is what the site may hold and one that was never given before', async () => {
    const id = await place();
    const first = await marks().offer(id);
    expect(first).toMatchObject({ held: [null], next: { n: 1 } });
    const second = await marks().offer(id);
    expect(second.held).toEqual([null, first.next]);
    expect(second.next.n).toBe(2);
    await marks().settle(id, second.next, second.next);
    expect((await marks().offer(id)).held).toEqual([second.next]);
  });

  test('an answer that was lost is no alarm, whatever the site holds of it', async () => {
    const id = await place();
    const first = await marks().offer(id);
    await marks().settle(id, first.next, first.next);
    const lost = await marks().offer(id);
    expect(await marks().judge(id, first.next)).toBeNull();
    expect(await marks().judge(id, lost.next)).toBeNull();
    // Unused: the site held on to what it had.
    await marks().settle(id, lost.next, first.next);
    expect((await marks().offer(id)).held).toEqual([first.next]);
  });

  test('an older mark, or none, is a site that went back; a later one is this hub', async () => {
    const id = await place();
    expect(await marks().judge(id, stranger)).toBe('hub');
    const first = await marks().offer(id);
    await marks().settle(id, first.next, first.next);
    const second = await marks().offer(id);
    await marks().settle(id, second.next, second.next);
    expect(await marks().judge(id, first.next)).toBe('site');
    expect(await marks().judge(id, null)).toBe('site');
    expect(await marks().judge(id, { ...stranger, n: second.next.n })).toBe('site');
    expect(await marks().judge(id, { ...stranger, n: second.next.n + 1 })).toBe('hub');
    await marks().reset(id, first.next);
    expect(await marks().judge(id, first.next)).toBeNull();
    expect(await marks().judge(id, second.next)).toBe('hub');
  });

  test('a site that never answers does not make the list grow for ever', async () => {
    const id = await place();
    const offers = [];
    for (let tried = 0; tried < 40; tried += 1) offers.push(await marks().offer(id));
    const last = offers.at(-1);
    expect(last?.held.length).toBeLessThanOrEqual(10);
    for (const offer of offers) expect(await marks().judge(id, offer.next)).toBeNull();
  });

  test('marks of one installation say nothing of another', async () => {
    const [one, other] = [await place(), await place()];
    const { next } = await marks().offer(one);
    await marks().settle(one, next, next);
    expect((await marks().offer(other)).held).toEqual([null]);
  });
}
