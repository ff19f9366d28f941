/** People prove themselves that two accounts are theirs: the hub's half, over a real store. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AskedProof, AskForProof } from '../api/schemas/proof.ts';
import { Fault } from '../errors.ts';
import { installationId } from '../model/ids.ts';
import { FakeSite } from '../sync/test/fake-site.ts';
import { Stand } from './test/stand.ts';

let stand: Stand;

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog']);
  const blog = stand.site('blog');
  for (const login of PEOPLE) blog.settle({ login: `old-${login}`, email: `${login}@x.test` });
  blog.settle({ login: 'old-root', email: 'root@x.test', role: 'administrator' });
  await stand.connect('shop');
  await stand.connect('blog');
  await stand.operations.addRoute({ source: 'shop', target: 'blog', both: true });
  for (const login of [...PEOPLE, 'root']) {
    stand.site('shop').register({ login, email: `${login}@x.test` });
  }
  await stand.rest();
});
afterAll(() => stand.close());
const PEOPLE = [
  'raced',
  'old',
  'many',
  'lisa',
  'half',
  'lied',
  'same',
  'other',
  'rose',
  'moved',
  'late',
  'taken',
  'away',
];

const idOf = (site: string, login: string): number => stand.site(site).byLogin(login)?.id ?? 0;
const uids = (login: string) => [
  stand.site('shop').byLogin(login)?.uid,
  stand.site('blog').byLogin(`old-${login}`)?.uid,
];
const isOne = (login: string): boolean => {
  const [one, two] = uids(login);
  return one !== null && one === two;
};
const ask = (login: string, kind: AskForProof['kind'] = 'mail', withinSeconds = 3600) =>
  stand.operations.askForProof(
    { site: 'shop', login, otherSite: 'blog', otherLogin: `old-${login}`, kind, withinSeconds },
    'olga',
  );
async function now({ id }: Pick<AskedProof, 'id'>): Promise<AskedProof | undefined> {
  return (await stand.operations.askedProofs()).find((proof) => proof.id === id);
}
/** What the sites remember of halves, confirmed or not. */
const halves = (login: string) =>
  [stand.site('shop').byLogin(login), stand.site('blog').byLogin(`old-${login}`)].map(
    (account) => account?.proofs.length,
  );
const confirm = (site: string, login: string) => stand.site(site).confirmMailed(idOf(site, login));
const rowsOf = async (login: string) =>
  (await stand.operations.log({ account: login, limit: 100 })).rows.filter(
    (row) => row.action === 'link' && row.actor !== null,
  );

/** An edit on either account, and what the other one has then. */
async function crosses(login: string): Promise<readonly [unknown, unknown]> {
  stand.site('shop').edit(idOf('shop', login), { first_name: `${login} of shop` });
  stand.site('blog').edit(idOf('blog', `old-${login}`), { last_name: `${login} of blog` });
  await stand.rest();
  return [
    stand.site('blog').value(`old-${login}`, 'first_name'),
    stand.site('shop').value(login, 'last_name'),
  ];
}
const NOTHING = ['', ''];

test('T411: a link confirmed in both mailboxes makes two accounts one person, by the name of who asked', async () => {
  const proof = await ask('lisa');
  expect(proof.halves.map(({ asked }) => asked)).toEqual([true, true]);
  expect((await ask('lisa')).id).toBe(proof.id);
  confirm('shop', 'lisa');
  confirm('blog', 'old-lisa');
  await stand.rest();
  expect(await now(proof)).toMatchObject({ ended: 'proven', message: null });
  expect(isOne('lisa')).toBe(true);
  expect(await crosses('lisa')).toEqual(['lisa of shop', 'lisa of blog']);
  expect(halves('lisa')).toEqual([0, 0]);
  expect(await rowsOf('lisa')).toMatchObject([
    { status: 'released', actor: 'mailed link asked by olga', path: ['shop', 'blog'] },
  ]);
  await expect(ask('lisa')).rejects.toMatchObject({ code: 'link.refused' });
});

test('T412: one half alone links nobody, and nothing crosses', async () => {
  const proof = await ask('half');
  confirm('shop', 'half');
  await stand.rest();
  expect(await now(proof)).toMatchObject({ ended: null });
  expect((await now(proof))?.halves.map((half) => half.confirmedAt !== null)).toEqual([
    true,
    false,
  ]);
  expect(isOne('half')).toBe(false);
  expect(await crosses('half')).toEqual(NOTHING);
});

/** As `explain` shows it: on which sides it was confirmed, and how it ended. */
const explained = async (site: string, login: string) =>
  (await stand.operations.explain(site, login)).proofs.map(
    ({ ended, halves }) => [ended, ...halves.map((one) => one.confirmedAt !== null)] as const,
  );

test('explain shows what was asked last for both accounts, and doctor what waits', async () => {
  expect(await explained('shop', 'half')).toEqual([[null, true, false]]);
  expect(await explained('blog', 'old-half')).toEqual([[null, true, false]]);
  expect(await explained('shop', 'old')).toEqual([]);
  const { unproven } = await stand.operations.explain('shop', 'old');
  expect(unproven).toMatchObject([{ login: 'old-old' }]);
  expect(unproven[0]?.next).toContain('rollcall link shop old blog old-old');
  const root = await stand.operations.explain('shop', 'root');
  expect(root.unproven[0]?.next).toMatch(/can administer/u);
  const links = async () =>
    (await stand.operations.doctor()).checks.find(({ what }) => what === 'links');
  expect(await links()).toMatchObject({
    level: 'ok',
    message: expect.stringMatching(/^\d+ links wait for proof; \d+ proofs are open, [1-9]/u),
    next: expect.stringContaining('rollcall proof list'),
  });
});

test('T413: a site that confirms the other site’s half, or its own for another account, links nobody', async () => {
  const proof = await ask('lied');
  const stored = await stand.storage.proofs.find(proof.id);
  const [mine, theirs] = stored?.halves ?? [];
  const shop = stand.site('shop');
  const lie = (login: string, half: string | undefined) => {
    const base = { kind: 'mail', salt: null, endsMs: Number.MAX_SAFE_INTEGER } as const;
    shop
      .byLogin(login)
      ?.proofs.push({ ...base, half: half ?? '', confirmed: true, verifier: null });
    shop.edit(idOf('shop', login), { first_name: `liar ${half ?? ''}` });
  };
  lie('lied', theirs?.half);
  lie('taken', theirs?.half);
  lie('taken', mine?.half);
  await stand.rest();
  expect((await now(proof))?.halves.map((half) => half.confirmedAt !== null)).toEqual([
    false,
    false,
  ]);
  expect([isOne('lied'), isOne('taken')]).toEqual([false, false]);
  for (const login of ['lied', 'taken']) shop.byLogin(login)?.proofs.splice(0);
});

test('T414: the same password at both sign-ins links, two passwords do not, and the first try counts', async () => {
  const [same, other] = [await ask('same', 'password'), await ask('other', 'password')];
  stand.site('shop').signIn(idOf('shop', 'same'), 'one and the same');
  stand.site('blog').signIn(idOf('blog', 'old-same'), 'one and the same');
  stand.site('shop').signIn(idOf('shop', 'other'), 'mine');
  stand.site('blog').signIn(idOf('blog', 'old-other'), 'somebody else’s');
  await stand.rest();
  expect(await now(same)).toMatchObject({ ended: 'proven' });
  expect(await rowsOf('same')).toMatchObject([{ actor: 'same password asked by olga' }]);
  expect(await crosses('same')).toEqual(['same of shop', 'same of blog']);
  expect(await now(other)).toMatchObject({ ended: 'proof.passwords_differ' });
  expect(await rowsOf('other')).toMatchObject([
    { status: 'refused', reason: 'proof.passwords_differ', actor: 'same password asked by olga' },
  ]);
  stand.site('blog').signIn(idOf('blog', 'old-other'), 'mine');
  expect(await crosses('other')).toEqual(NOTHING);
  expect([halves('same'), halves('other')]).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

test('T415: who can administer a site is not asked, and not linked when it came about since', async () => {
  await expect(ask('root')).rejects.toMatchObject({ code: 'link.refused' });
  expect(stand.site('shop').byLogin('root')?.proofs).toEqual([]);
  const proof = await ask('rose');
  confirm('blog', 'old-rose');
  await stand.rest();
  // Its role gets a capability: no change of the account, and no row tells of it.
  const account = stand.site('blog').byLogin('old-rose');
  account?.fields.set('role:administrator', { value: true, stamp: account.born });
  confirm('shop', 'rose');
  await stand.rest();
  expect(await now(proof)).toMatchObject({ ended: 'account.privileged' });
  expect(isOne('rose')).toBe(false);
  expect(halves('rose')).toEqual([0, 0]);
});

test('T416: an address that changed after its link was confirmed takes the confirmation back', async () => {
  const proof = await ask('moved');
  confirm('shop', 'moved');
  await stand.rest();
  stand.site('shop').edit(idOf('shop', 'moved'), { email: 'somebody-else@x.test' });
  confirm('blog', 'old-moved');
  await stand.rest();
  expect(await now(proof)).toMatchObject({ ended: 'proof.account_changed' });
  expect(isOne('moved')).toBe(false);
  expect(await crosses('moved')).toEqual(NOTHING);
});

test('T417: what is confirmed when the time is over, or after it was taken back, links nobody', async () => {
  const late = await ask('late', 'mail', 1);
  const taken = await ask('taken');
  confirm('shop', 'late');
  confirm('shop', 'taken');
  await stand.rest();
  const withdrawn = await stand.operations.withdrawProof(taken.id, 'otto');
  expect(withdrawn).toMatchObject({ ended: 'proof.withdrawn' });
  expect(halves('taken')).toEqual([0, 0]);
  const over = Date.parse(late.ends);
  while ((await stand.storage.store.nowMs()) <= over) await new Promise((go) => setTimeout(go, 20));
  confirm('blog', 'old-late');
  confirm('blog', 'old-taken');
  await stand.rest();
  expect(await now(late)).toMatchObject({ ended: 'proof.expired' });
  expect([isOne('late'), isOne('taken')]).toEqual([false, false]);
  expect(await explained('shop', 'late')).toEqual([['proof.expired', true, false]]);
  expect(await explained('shop', 'taken')).toEqual([['proof.withdrawn', true, false]]);
  expect(await rowsOf('late')).toMatchObject([{ status: 'cancelled', reason: 'proof.expired' }]);
  expect(await rowsOf('taken')).toMatchObject([
    { status: 'cancelled', reason: 'proof.withdrawn', actor: 'operator otto' },
  ]);
  expect((await ask('late')).id).not.toBe(late.id);
  await expect(stand.operations.withdrawProof('no such id', 'otto')).rejects.toThrow(Fault);
});

test('T418: a site that is away holds up nothing; it is told when it is back', async () => {
  const proof = await ask('away');
  confirm('shop', 'away');
  await stand.rest();
  const blog = stand.site('blog');
  blog.down = true;
  await stand.operations.withdrawProof(proof.id, 'otto');
  stand.site('shop').edit(idOf('shop', 'lisa'), { first_name: 'meanwhile' });
  await stand.rest();
  expect(halves('away')).toEqual([0, 1]);
  blog.down = false;
  const blogId = (await stand.operations.sites()).find(({ name }) => name === 'blog')?.installation;
  await stand.storage.registry.updateInstallation(installationId(blogId ?? ''), { retryAtMs: 0 });
  await stand.rest();
  expect(halves('away')).toEqual([0, 0]);
  expect(blog.value('old-lisa', 'first_name')).toBe('meanwhile');
});

test('T417: a proof that is withdrawn while the sites are asked once more links nobody', async () => {
  const proof = await ask('raced');
  confirm('shop', 'raced');
  confirm('blog', 'old-raced');
  const blog = stand.site('blog');
  const { store } = stand.storage;
  blog.accounts = async (connection, request) => {
    const answer = await FakeSite.prototype.accounts.call(blog, connection, request);
    if (request.ids?.[0] === idOf('blog', 'old-raced')) {
      await store.transaction((tx) => tx.endProof(proof.id, 'proof.withdrawn'));
    }
    return answer;
  };
  await stand.rest();
  Reflect.deleteProperty(blog, 'accounts');
  expect(await now(proof)).toMatchObject({ ended: 'proof.withdrawn' });
  expect(isOne('raced')).toBe(false);
});

test('a connector that can’t ask yet is named, and nothing stays open', async () => {
  const blog = stand.site('blog');
  blog.proofs = async () => {
    throw new Fault('site.no_connector', 'No such route.');
  };
  await expect(ask('old')).rejects.toMatchObject({ code: 'site.connector_too_old' });
  Reflect.deleteProperty(blog, 'proofs');
  await stand.rest();
  expect(halves('old')).toEqual([0, 0]);
  const [newest] = await stand.operations.askedProofs();
  expect(newest).toMatchObject({ ended: 'proof.withdrawn', halves: [{ login: 'old' }, {}] });
});

test('a site that has mailed as much as it may is asked again by itself', async () => {
  const blog = stand.site('blog');
  blog.proofs = async (_connection, orders) =>
    orders.map(({ id, half }) => ({ id, half, result: 'refused', reason: 'proof.mail_limit' }));
  const proof = await ask('many');
  expect(proof.halves.map(({ asked }) => asked)).toEqual([true, false]);
  Reflect.deleteProperty(blog, 'proofs');
  await stand.rest();
  expect((await now(proof))?.halves.map(({ asked }) => asked)).toEqual([true, true]);
  expect(halves('many')).toEqual([1, 1]);
});
