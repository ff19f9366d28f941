/** Links that a source proves by confirming addresses: the hub's half, over a real store. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stand } from './test/stand.ts';

let stand: Stand;

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog']);
  for (const login of ['elder', 'third', 'fourth']) {
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
