/** What `status` and the history say of sites that are not what they were, over a real store. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stand } from './test/stand.ts';

let stand: Stand;

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog']);
  await stand.connect('shop');
  await stand.connect('blog');
  await stand.operations.addRoute({ source: 'shop', target: 'blog', both: true });
  await stand.rest();
});
afterAll(() => stand.close());

const status = (look = true) => stand.operations.status({ look });
const siteOf = async (name: string) => (await status()).sites.find((site) => site.name === name);
const history = async (site: string) => {
  const events = await stand.operations.siteEvents({ site, limit: 100 });
  return events.map(({ code, by, next }) => [code, by, next !== null]);
};
const REWRITTEN = 'source.rewritten_outside';

test('a hold of rewritten values is in the status while it lasts, and in the history once', async () => {
  const shop = stand.site('shop');
  shop.heldOutside = '7 accounts were changed past WordPress.';
  await stand.rest();
  shop.heldOutside = '9 accounts were changed past WordPress.';
  await stand.rest();
  expect((await siteOf('shop'))?.warnings).toEqual([
    { code: REWRITTEN, message: '9 accounts were changed past WordPress.' },
  ]);
  expect((await siteOf('blog'))?.warnings).toEqual([]);
  expect(await history('shop')).toEqual([[REWRITTEN, null, true]]);

  await stand.operations.siteRewritten('shop', { take: 'others' }, 'olga');
  expect((await siteOf('shop'))?.warnings).toEqual([]);
  shop.heldOutside = 'Again.';
  await stand.rest();
  shop.heldOutside = null;
  await stand.rest();
  expect((await siteOf('shop'))?.warnings).toEqual([]);
  expect(await history('shop')).toEqual([
    [REWRITTEN, null, false],
    ['source.read_anew', 'operator olga', false],
    [REWRITTEN, null, false],
  ]);
});

test('a copy is in status and history, with what to do', async () => {
  const blog = (await stand.operations.sites()).find((site) => site.name === 'blog');
  const signal = { epoch: 'e', head: 1, woke_at: 'staging.test' };
  await stand.operations.acceptSignal(blog?.installation ?? '', signal);
  expect(await siteOf('blog')).toMatchObject({
    trouble: null,
    warnings: [{ code: 'installation.copied' }],
  });
  const [copied] = await stand.operations.siteEvents({ site: 'blog', limit: 1 });
  expect(copied?.message).toContain('staging.test');
  expect(copied?.next).toContain('rollcall site moved blog');
  for (let at = 0; at < 100; at += 1) {
    await stand.operations.acceptSignal(blog?.installation ?? '', { ...signal, woke_at: `s${at}` });
  }
  expect((await history('blog')).length).toBeLessThan(20);
});

test('a site that fails, was never read or is stopped is not idle; a paused one is', async () => {
  expect(await status()).toMatchObject({ idle: true, delivered: true, unasked: [] });
  stand.site('blog').down = true;
  // Nobody has tried yet; who looks sees it.
  expect(await status(false)).toMatchObject({ idle: true });
  expect(await status()).toMatchObject({ idle: false, delivered: true, unasked: ['blog'] });
  await stand.rest();
  expect(await status(false)).toMatchObject({ idle: false, delivered: true, unasked: ['blog'] });
  await stand.operations.changeSite('blog', { status: 'paused' });
  expect(await status()).toMatchObject({ idle: true, unasked: [] });
  stand.site('blog').down = false;
  await stand.operations.changeSite('blog', { status: 'active' });
  await stand.work();
  expect(await status(false)).toMatchObject({ idle: true });

  const blog = (await stand.storage.registry.installations()).find(({ store }) => store === 'blog');
  if (blog === undefined) throw new Error('blog is not connected');
  await stand.storage.registry.updateInstallation(blog.id, { lastPulledMs: null });
  expect(await status()).toMatchObject({ idle: false, delivered: true, unasked: ['blog'] });
  await stand.rest();
  expect(await status()).toMatchObject({ idle: true });

  stand.site('blog').epoch = 'epoch-2';
  await stand.rest();
  expect(await status()).toMatchObject({ idle: false, delivered: true, unasked: ['blog'] });
  expect((await history('blog'))[0]).toEqual(['source.rewound', null, true]);
});
