/** A link that an adopt run made is taken back with the run, where nothing came of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fault } from '../errors.ts';
import { Stand } from './test/stand.ts';

const hash = (letter: string): string => `$2y$10$${letter.repeat(53)}`;
let stand: Stand;
const shop = () => stand.site('shop');
const blog = () => stand.site('blog');
const third = () => stand.site('third');
const SITES = ['shop', 'blog', 'third'];

beforeAll(async () => {
  stand = await Stand.open(SITES);
  for (const name of ['emil', 'greta', 'iris', 'jana', 'kurt']) {
    shop().settle({ login: name, email: `${name}@x.test` });
    blog().settle({ login: `${name}-b`, email: `${name.toUpperCase()}@x.test` });
  }
  third().settle({ login: 'jana-t', email: 'jana@x.test' });
  for (const name of SITES) await stand.connect(name);
  await stand.operations.addRoute({ source: 'shop', target: 'blog', both: true });
  await stand.operations.addRoute({ source: 'blog', target: 'third', both: true });
  await stand.rest();
});
afterAll(() => stand?.close());

const field = (site: string, login: string, name = 'first_name') =>
  stand.site(site).value(login, name);
const edit = (site: string, login: string, changes: Record<string, string>): void => {
  stand.site(site).edit(stand.site(site).byLogin(login)?.id ?? 0, changes);
};
const uidOf = (site: string, login: string) => stand.site(site).byLogin(login)?.uid;

async function toItsEnd(id: string) {
  for (let turns = 0; turns < 20; turns += 1) {
    await stand.work();
    await stand.rest();
    const run = await stand.operations.sync(id);
    if (['done', 'failed', 'undone'].includes(run.state)) return run;
    await stand.tick();
  }
  throw new Error(`it does not end: ${JSON.stringify(await stand.operations.sync(id))}`);
}

/** A run that links two and does nothing else. */
async function linkedOnly(login: string): Promise<string> {
  const accounts = { by: 'accounts' as const, logins: [login] };
  const wanted = { from: 'shop', to: ['blog'], accounts, adopt: { how: 'link' as const } };
  const { id } = await stand.operations.planSync(wanted, 'olga');
  await stand.work();
  await stand.operations.startPlanned(id, {});
  expect(await toItsEnd(id)).toMatchObject({ state: 'done', delivered: 1 });
  expect(uidOf('blog', `${login}-b`)).toBe(uidOf('shop', login));
  return id;
}

/** Why the link stays; null: it does not. */
async function undone(id: string): Promise<string | null> {
  await stand.operations.undoSync(id, {}, 'olga');
  const run = await toItsEnd(id);
  const [step] = (await stand.operations.syncSteps(id, {})).accounts;
  const note = step?.note?.code ?? null;
  expect([run.state, run.undone, run.stays]).toEqual([
    'undone',
    note === null ? 1 : 0,
    note === null ? 0 : 1,
  ]);
  return note;
}

test('T938: parts whom it linked, where nothing came of it: nothing crosses afterwards, and they can be linked again', async () => {
  const before = [uidOf('shop', 'greta'), uidOf('blog', 'greta-b')];
  const id = await linkedOnly('greta');
  const joined = uidOf('shop', 'greta');
  const held = [shop(), blog(), third()].map((at) => at.applied.length);
  expect(await undone(id)).toBeNull();
  const [here, there] = [uidOf('shop', 'greta'), uidOf('blog', 'greta-b')];
  expect(here).toBe(joined);
  expect([...before, here]).not.toContain(there);
  edit('shop', 'greta', { first_name: 'Greta of shop' });
  edit('blog', 'greta-b', { last_name: 'of blog', password: hash('x') });
  await stand.rest();
  expect([field('blog', 'greta-b'), field('shop', 'greta', 'last_name')]).toEqual(['', '']);
  expect(field('shop', 'greta', 'password')).not.toBe(hash('x'));
  expect([shop(), blog()].map((at) => at.applied.length)).toEqual(held.slice(0, 2));
  const [row] = (await stand.operations.log({ account: 'greta', action: ['link'], limit: 1 })).rows;
  expect(row).toMatchObject({ status: 'cancelled', reason: 'run.undone_link', target: 'blog' });
  expect(await stand.storage.views.alarmsByKind()).toEqual([]);
  const again = await linkedOnly('greta');
  edit('shop', 'greta', { description: 'crosses now' });
  await stand.rest();
  expect(field('blog', 'greta-b', 'description')).toBe('crosses now');
  expect(await undone(again)).toBe('run.undo_crossed');
});

test('T938: keeps a link whose values were overwritten since, as the log still tells that they crossed', async () => {
  const id = await linkedOnly('emil');
  const [route] = (await stand.operations.routes()).filter(({ source }) => source === 'blog');
  await stand.operations.changeRoute(route?.id ?? 0, { rules: { updates: false } });
  edit('shop', 'emil', { first_name: 'Emil of shop' });
  await stand.rest();
  edit('blog', 'emil-b', { first_name: 'Emil of blog' });
  await stand.rest();
  expect(await undone(id)).toBe('run.undo_crossed');
  await stand.operations.changeRoute(route?.id ?? 0, { rules: { updates: true } });
  await stand.rest();
  expect(uidOf('blog', 'emil-b')).toBe(uidOf('shop', 'emil'));
});

test('T938: keeps a link of which the log does not say who made it, and that of a person with a third account', async () => {
  await stand.operations.changeSiteLog('blog', { on: false }, 'olga');
  const untold = await linkedOnly('kurt');
  await stand.operations.changeSiteLog('blog', { on: true }, 'olga');
  expect(await undone(untold)).toBe('run.undo_linked');
  expect(uidOf('blog', 'kurt-b')).toBe(uidOf('shop', 'kurt'));
  await stand.operations.proveLink(
    { site: 'blog', login: 'jana-b', otherSite: 'third', otherLogin: 'jana-t' },
    'olga',
  );
  expect(await undone(await linkedOnly('jana'))).toBe('run.undo_linked');
  expect(uidOf('blog', 'jana-b')).toBe(uidOf('shop', 'jana'));
});

test('T938: whoever dies between the site’s new label and its own note parts them with the next turn', async () => {
  const id = await linkedOnly('iris');
  const real = blog().labels.bind(blog());
  let asked = 0;
  blog().labels = async (connection, labels) => {
    const results = await real(connection, labels);
    asked += 1;
    if (asked === 1) throw new Fault('site.timeout', 'blog took too long');
    return results;
  };
  expect(await undone(id)).toBeNull();
  blog().labels = real;
  expect(uidOf('blog', 'iris-b')).not.toBe(uidOf('shop', 'iris'));
  edit('blog', 'iris-b', { first_name: 'Iris of blog' });
  await stand.rest();
  expect(field('shop', 'iris')).toBe('');
  expect(asked).toBe(2);
});
