/** Links that a source proves by confirming addresses: the hub's half, over a real store. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Fault } from '../errors.ts';
import type { FakeSite } from '../sync/test/fake-site.ts';
import { Stand } from './test/stand.ts';

let stand: Stand;

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog']);
  for (const login of ['elder', 'third', 'fourth', 'fifth']) {
    stand.site('blog').settle({ login: `old-${login}`, email: `${login}@x.test` });
  }
  await stand.connect('shop');
  await stand.connect('blog');
  await stand.operations.addRoute({
    source: 'shop',
    target: 'blog',
    both: false,
    rules: { confirmsAddresses: true, leaveWhen: [{ kind: 'signed_in' }] },
  });
  await stand.rest();
});
afterAll(() => stand.close());

const uids = (login: string) => [
  stand.site('shop').byLogin(login)?.uid,
  stand.site('blog').byLogin(`old-${login}`)?.uid,
];
const isOne = (login: string): boolean => {
  const [one, two] = uids(login);
  return one !== null && one === two;
};
async function comes(login: string): Promise<void> {
  const id = stand.site('shop').register({ login, email: `${login}@x.test` });
  await stand.rest();
  stand.site('shop').signIn(id, 'pw');
  await stand.rest();
}

test('T941: of a target with an older connector, only an address from before Rollcall counts as the person’s own', async () => {
  stand.site('blog').forgetEmailOrigins();
  stand.site('blog').register({ login: 'old-victim', email: 'victim@x.test' });
  await stand.rest();
  await comes('victim');
  await comes('elder');
  expect(isOne('elder')).toBe(true);
  expect(isOne('victim')).toBe(false);
});

/** Requests to the blog for one account's state: nothing else of the hub asks for those here. */
function countAsked(answer: 'as ever' | 'never'): { asked: () => number; end: () => void } {
  const blog = stand.site('blog');
  const real: FakeSite['accounts'] = blog.accounts.bind(blog);
  const accounts = vi.spyOn(blog, 'accounts');
  const single = (request: { ids?: readonly number[] }) => request.ids?.length === 1;
  accounts.mockImplementation((connection, request) =>
    answer === 'never' && single(request)
      ? Promise.reject(new Fault('site.timeout', 'It does not answer.'))
      : real(connection, request),
  );
  return {
    asked: () => accounts.mock.calls.filter(([, request]) => single(request)).length,
    end: () => accounts.mockRestore(),
  };
}

test('T944: a target that backs off is not asked for the sake of another site’s pull, and links are proven once it is back', async () => {
  const { registry } = stand.storage;
  const blog = (await registry.sites()).find(({ name }) => name === 'blog')?.installation;
  if (blog === undefined) throw new Error('no blog');
  const counted = countAsked('as ever');
  await registry.updateInstallation(blog, { retryAtMs: Date.now() + 3_600_000 });
  await comes('fifth');
  expect([counted.asked(), isOne('fifth')]).toEqual([0, false]);
  await registry.updateInstallation(blog, { retryAtMs: 0 });
  for (let turns = 0; turns < 3; turns += 1) await stand.rest();
  counted.end();
  expect(isOne('fifth')).toBe(true);
});

test('T943: a target that answers no question about an account is asked once, not for each link, and not again with the next pull', async () => {
  const counted = countAsked('never');
  for (const login of ['third', 'fourth']) await comes(login);
  await stand.rest();
  expect(counted.asked()).toBe(1);
  counted.end();
  expect([isOne('third'), isOne('fourth')]).toEqual([false, false]);
});
