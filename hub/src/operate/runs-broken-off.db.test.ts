/** A manual sync that was broken off in the middle of a slice, and what happened before it went on. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fault } from '../errors.ts';
import { Stand } from './test/stand.ts';

/** Was on the shop before Rollcall was. */
const NEWTON = { login: 'newton', email: 'newton@x.test' };
let stand: Stand;

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog']);
  stand.site('shop').settle(NEWTON);
  await stand.connect('shop');
  await stand.connect('blog');
  await stand.operations.addRoute({ source: 'shop', target: 'blog', both: true });
  await stand.rest();
});
afterAll(() => stand.close());

test('T932: whoever took the address meanwhile is linked to nobody, and stays whatever is taken back', async () => {
  const accounts = { by: 'accounts' as const, logins: [NEWTON.login] };
  const { id } = await stand.operations.planSync({ from: 'shop', to: ['blog'], accounts }, 'olga');
  await stand.work();
  const { runs } = stand.storage;
  const real = { ...runs };
  // Killed at the moment at which the slice has been begun.
  Object.assign(runs, {
    save: async (...args: Parameters<typeof real.save>) => {
      await real.save(...args);
      throw new Fault('database.unreachable', 'killed');
    },
  });
  await stand.operations.startPlanned(id, {});
  await stand.work();
  Object.assign(runs, real);
  const step = async () => (await stand.operations.syncSteps(id, {})).accounts[0];
  expect(await step()).toMatchObject({ what: 'create', state: 'doing' });

  const other = { login: 'mallory', email: NEWTON.email };
  stand.site('blog').register(other);
  await stand.rest();
  for (let turn = 0; turn < 10; turn += 1) {
    await stand.tick();
    await stand.work();
  }
  await stand.rest();
  expect(await step()).toMatchObject({ what: 'link', state: 'changed' });
  const uidOn = (site: string, login: string) => stand.site(site).byLogin(login)?.uid;
  expect(uidOn('blog', 'mallory')).not.toBe(uidOn('shop', 'newton'));
  await stand.operations.undoSync(id, {}, 'olga');
  for (let turn = 0; turn < 10; turn += 1) {
    await stand.tick();
    await stand.work();
  }
  await stand.rest();
  expect(stand.site('blog').byLogin('mallory')).toBeDefined();
});
