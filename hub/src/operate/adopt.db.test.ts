/** Two grown user bases are brought together: who is who, what a person decides, what is done about it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DecisionRow, SyncRequest, SyncRun, SyncStepRow } from '../api/schemas/sync.ts';
import { Fault } from '../errors.ts';
import type { Value } from '../model/field.ts';
import { siteKey } from '../model/ids.ts';
import { Stand } from './test/stand.ts';

const hash = (letter: string): string => `$2y$10$${letter.repeat(53)}`;
type How = NonNullable<SyncRequest['adopt']>;

let stand: Stand;
const shop = () => stand.site('shop');
const blog = () => stand.site('blog');
const third = () => stand.site('third');

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog', 'third']);
  for (const name of ['anna', 'bert', 'cora', 'dora', 'emil', 'greta']) {
    shop().settle({ login: name, email: `${name}@x.test` });
    blog().settle({ login: `${name}-b`, email: `${name.toUpperCase()}@x.test` });
  }
  third().settle({ login: 'bert-t', email: 'bert@x.test' });
  shop().settle({ login: 'clash', email: 'clash@shop.test' });
  blog().settle({ login: 'clash', email: 'clash@blog.test' });
  shop().settle({ login: 'other', email: 'other@shop.test' });
  blog().settle({ login: 'other', email: 'other@blog.test' });
  shop().settle({ login: 'two', email: 'two@x.test' });
  blog().settle({ login: 'two', email: 'two-b@x.test' });
  blog().settle({ login: 'two-b', email: 'two@x.test' });
  shop().settle({ login: 'boss', email: 'boss@x.test', role: 'administrator' });
  blog().settle({ login: 'boss-b', email: 'boss@x.test' });
  shop().settle({ login: 'chief', email: 'chief@x.test' });
  blog().settle({ login: 'chief-b', email: 'chief@x.test', role: 'administrator' });
  shop().settle({ login: 'accent', email: 'ádmin@x.test' });
  blog().settle({ login: 'accent-b', email: 'ádmin@x.test' });
  shop().settle({ login: 'here', email: 'here@x.test' });
  blog().settle({ login: 'there', email: 'there@x.test' });
  blog().settle({ login: 'nina', email: 'nina@blog.test' });
  for (const name of ['shop', 'blog', 'third']) await stand.connect(name);
  await stand.operations.addRoute({
    source: 'shop',
    target: 'blog',
    both: true,
    rules: { meta: ['phone', 'city'], roles: ['author', 'subscriber'] },
  });
  await stand.operations.addRoute({ source: 'blog', target: 'third', both: true });
  await stand.rest();
}, 60_000);
afterAll(() => stand?.close());

/** Values that differ as those do that are older than Rollcall: nobody has edited them. */
function settled(site: string, login: string, values: Record<string, Value>): void {
  const account = stand.site(site).byLogin(login);
  for (const [field, value] of Object.entries(values))
    account?.fields.set(field, { value, stamp: [0, siteKey(stand.site(site).key)] });
}

async function plan(how: How, more: Partial<SyncRequest> = {}): Promise<SyncRun> {
  const request: SyncRequest = { from: 'shop', to: ['blog'], accounts: { by: 'all' }, adopt: how };
  const { id } = await stand.operations.planSync({ ...request, ...more }, 'olga');
  await stand.work();
  const planned = await stand.operations.sync(id);
  expect(planned).toMatchObject({ state: 'planned', fault: null });
  return planned;
}

async function toItsEnd(id: string): Promise<SyncRun> {
  for (let turns = 0; turns < 20; turns += 1) {
    await stand.work();
    await stand.rest();
    const run = await stand.operations.sync(id);
    if (['done', 'cancelled', 'failed', 'undone'].includes(run.state)) return run;
    await stand.tick();
  }
  throw new Error(`it does not end: ${JSON.stringify(await stand.operations.sync(id))}`);
}

async function started(id: string): Promise<SyncRun> {
  await stand.operations.startPlanned(id, {});
  return toItsEnd(id);
}

const chosen = (...logins: string[]): Partial<SyncRequest> => ({
  accounts: { by: 'accounts', logins },
});

async function rows(id: string): Promise<ReadonlyMap<string, SyncStepRow>> {
  const { accounts } = await stand.operations.syncSteps(id, {});
  return new Map(accounts.map((row) => [row.login, row]));
}

async function decisionsOn(
  id: string,
  wanted: Record<string, DecisionRow['decision']>,
): Promise<DecisionRow[]> {
  const found = await rows(id);
  return Object.entries(wanted).map(([key, decision], index) => {
    const [login = '', with_] = key.split('=');
    const row = found.get(login);
    const other = row?.others.find((one) => with_ === undefined || one.login === with_);
    if (row === undefined || other === undefined) throw new Error(`no pair ${key}`);
    return {
      line: index + 2,
      id: row.id,
      login,
      email: row.email ?? '',
      otherId: other.id,
      other: other.login,
      otherEmail: other.email,
      decision,
    };
  });
}

describe('a plan', () => {
  test('names who is the same person, who clashes and why, and who is only here or there', async () => {
    const run = await plan({ how: 'link' });
    expect(run.adopt).toEqual({
      how: 'link',
      createMissing: false,
      roles: false,
      same: 6,
      clash: 6,
      onlyHere: 1,
      onlyThere: 2,
      undecided: 6,
    });
    const found = await rows(run.id);
    const told = [...found.values()].map((row) => [row.login, row.pair, row.what, row.reason]);
    expect(told).toEqual([
      ...['anna', 'bert', 'cora', 'dora', 'emil', 'greta'].map((login) => [
        login,
        'same',
        'link',
        null,
      ]),
      ['clash', 'clash', 'hold', 'link.login_only'],
      ['other', 'clash', 'hold', 'link.login_only'],
      ['two', 'clash', 'hold', 'link.two_candidates'],
      ['boss', 'clash', 'hold', 'account.privileged'],
      ['chief', 'clash', 'hold', 'link.privileged'],
      ['accent', 'clash', 'hold', 'email.malformed'],
      ['here', 'only_here', 'skip', 'run.only_here'],
    ]);
    expect(found.get('two')?.others.map(({ login }) => login)).toEqual(['two-b', 'two']);
    const { accounts } = await stand.operations.onlyThere(run.id, {});
    expect(accounts.map(({ login }) => login)).toEqual(['there', 'nina']);
    const same = await stand.operations.syncSteps(run.id, { pair: 'same', limit: 2 });
    expect(same.accounts.map(({ login }) => login)).toEqual(['anna', 'bert']);
  });

  test('is made first, and for one target', async () => {
    const request = { from: 'shop', to: ['blog'], accounts: { by: 'all' } } as const;
    const adopt = { how: 'link' } as const;
    const { operations } = stand;
    const invalid = { code: 'request.invalid' };
    await expect(
      operations.startSync({ ...request, to: ['blog'], adopt }, 'o'),
    ).rejects.toMatchObject(invalid);
    await expect(
      operations.planSync({ ...request, to: ['blog', 'third'], adopt }, 'o'),
    ).rejects.toMatchObject(invalid);
    await expect(
      operations.planSync({ ...request, to: ['blog'], mode: 'like_source', adopt }, 'o'),
    ).rejects.toMatchObject(invalid);
    const { id } = await plan(adopt);
    await expect(operations.startPlanned(id, { links: 'all' })).rejects.toMatchObject(invalid);
  });
});

describe('decisions', () => {
  test('T171: with one wrong line nothing is taken, and each wrong one is named', async () => {
    const { id } = await plan({ how: 'link' });
    const good = await decisionsOn(id, { clash: 'link', other: 'separate', 'two=two': 'link' });
    const [clash, other, two] = good;
    const [boss] = await decisionsOn(id, { boss: 'link' });
    if (clash === undefined || other === undefined || two === undefined || boss === undefined)
      throw new Error('four pairs are decided about');
    const wrong = {
      again: [clash, { ...clash, line: 9 }],
      'no such pair': [{ ...clash, id: 999 }],
      'not those of the plan': [clash, { ...other, otherEmail: 'mallory@x.test' }],
      'can’t be linked': [clash, { ...boss, line: 7 }],
    };
    for (const [message, decisions] of Object.entries(wrong)) {
      const refused = stand.operations.decideSync(id, { decisions });
      await expect(refused).rejects.toMatchObject({
        code: 'decisions.refused',
        message: expect.stringMatching(new RegExp(`^Line \\d+: .*${message}`, 'u')),
      });
    }
    expect((await stand.operations.sync(id)).adopt?.undecided).toBe(6);
    expect([...(await rows(id)).values()].every(({ decision }) => decision === null)).toBe(true);
    // Somebody moves after the plan.
    shop().edit(shop().byLogin('clash')?.id ?? 0, { email: 'clash-new@shop.test' });
    await stand.rest();
    await expect(stand.operations.decideSync(id, { decisions: good })).rejects.toMatchObject({
      message: expect.stringMatching(/^Line 2: one of the accounts changed/u),
    });
  });

  test('link, separate and skip do what they say, and the next plan knows of it', async () => {
    const { id } = await plan({ how: 'link' }, chosen('clash', 'other', 'two', 'anna'));
    const decisions = await decisionsOn(id, {
      clash: 'link',
      other: 'separate',
      'two=two': 'link',
      anna: 'skip',
    });
    await stand.operations.decideSync(id, { decisions });
    const run = await started(id);
    expect(run).toMatchObject({ state: 'done', delivered: 3, failed: 0, changed: 0 });
    const next = await rows((await plan({ how: 'link' })).id);
    expect(next.get('clash')).toMatchObject({ pair: 'same', what: 'unchanged' });
    expect(next.get('two')).toMatchObject({ pair: 'same', what: 'unchanged' });
    expect(next.get('other')).toMatchObject({ pair: 'clash', what: 'hold' });
    expect(next.get('anna')).toMatchObject({ pair: 'same', what: 'link' });
    expect(shop().byLogin('clash')?.uid).toBe(blog().byLogin('clash')?.uid);
    expect(shop().byLogin('anna')?.uid).not.toBe(blog().byLogin('anna-b')?.uid);
    // Nothing crossed.
    expect(blog().value('clash', 'email')).toBe('clash@blog.test');
  });
});

const field = (site: string, login: string, name = 'first_name') =>
  stand.site(site).value(login, name);
const edit = (site: string, login: string, changes: Record<string, string>): void => {
  stand.site(site).edit(stand.site(site).byLogin(login)?.id ?? 0, changes);
};
const uidOf = (site: string, login: string) => stand.site(site).byLogin(login)?.uid;
const applied = () => [shop(), blog(), third()].map((site) => site.applied.length);

describe('a run', () => {
  test('T172: that only links lets nothing cross, in either direction; later edits travel', async () => {
    settled('shop', 'anna', { first_name: 'Anna S', password: hash('s'), 'meta:phone': ['1'] });
    settled('blog', 'anna-b', { first_name: 'Anna B', password: hash('b') });
    // Known to the hub, and not linked yet.
    edit('shop', 'anna', { description: 'edited while they were two' });
    await stand.rest();
    const { id } = await plan({ how: 'link' }, chosen('anna'));
    const before = applied();
    expect(await started(id)).toMatchObject({ state: 'done', delivered: 1 });
    expect(applied()).toEqual(before);
    expect(uidOf('blog', 'anna-b')).toBe(uidOf('shop', 'anna'));
    expect([field('blog', 'anna-b'), field('shop', 'anna')]).toEqual(['Anna B', 'Anna S']);
    expect(field('blog', 'anna-b', 'password')).toBe(hash('b'));
    expect(field('blog', 'anna-b', 'description')).toBe('');
    edit('blog', 'anna-b', { last_name: 'of blog' });
    await stand.rest();
    expect(field('shop', 'anna', 'last_name')).toBe('of blog');
    await stand.operations.undoSync(id, {}, 'olga');
    expect(await toItsEnd(id)).toMatchObject({ state: 'undone', undone: 0, stays: 1 });
    expect((await rows(id)).get('anna')?.note?.code).toBe('run.undo_crossed');
    expect(uidOf('blog', 'anna-b')).toBe(uidOf('shop', 'anna'));
  });

  test('T172: drops what waited for an account beside the one that it links', async () => {
    shop().register({ login: 'nina', email: 'nina@shop.test', password: hash('s') });
    await stand.rest();
    expect((await stand.operations.held({})).held).toMatchObject([
      { reason: 'identity.login_taken' },
    ]);
    const { id } = await plan({ how: 'link' }, chosen('nina'));
    await stand.operations.decideSync(id, { decisions: await decisionsOn(id, { nina: 'link' }) });
    const before = applied();
    expect(await started(id)).toMatchObject({ state: 'done', delivered: 1 });
    expect(applied()).toEqual(before);
    expect(uidOf('blog', 'nina')).toBe(uidOf('shop', 'nina'));
    expect(field('blog', 'nina', 'email')).toBe('nina@blog.test');
    expect((await stand.operations.held({})).held).toEqual([]);
    // What an ended run keeps of a pair goes with the person's other records.
    await stand.operations.erasePerson({ site: 'shop', login: 'nina' }, 'olga');
    const [erased] = (await stand.operations.syncSteps(id, {})).accounts;
    expect(erased).toMatchObject({ login: '', other: null, email: null, others: [] });
  });

  test('T173: fills what is empty and nobody has edited, and what it fills travels no further', async () => {
    settled('shop', 'bert', {
      first_name: 'Bert S',
      last_name: 'Filled',
      description: 'shop says',
      url: 'https://shop.test/bert',
      password: hash('s'),
      'meta:phone': ['1', '2'],
      'meta:city': ['Rome'],
      'role:author': true,
    });
    settled('blog', 'bert-b', {
      first_name: 'Bert B',
      password: '',
      'meta:city': ['Oslo'],
      'meta:phone': [''],
    });
    // Emptied by a person, since Rollcall.
    edit('blog', 'bert-b', { description: 'soon gone' });
    await stand.rest();
    edit('blog', 'bert-b', { description: '' });
    await stand.rest();
    // One person on a third site, too, where the target's changes go.
    const pair = { login: 'bert-b', otherSite: 'third', otherLogin: 'bert-t' };
    await stand.operations.proveLink({ site: 'blog', ...pair }, 'olga');
    await stand.rest();
    settled('third', 'bert-t', { last_name: 'Bert T' });
    const { id } = await plan({ how: 'fill' }, chosen('bert'));
    const found = await rows(id);
    expect(found.get('bert')?.fields.toSorted()).toEqual(['last_name', 'meta:phone', 'url']);
    const shopBefore = structuredClone([...(shop().byLogin('bert')?.fields ?? [])]);
    expect(await started(id)).toMatchObject({ state: 'done', delivered: 1, failed: 0 });
    expect(field('blog', 'bert-b', 'last_name')).toBe('Filled');
    expect(field('blog', 'bert-b', 'url')).toBe('https://shop.test/bert');
    expect(field('blog', 'bert-b', 'meta:phone')).toEqual(['1', '2']);
    expect(field('blog', 'bert-b', 'meta:city')).toEqual(['Oslo']);
    expect(field('blog', 'bert-b', 'description')).toBe('');
    // Not even where there is none.
    expect([field('blog', 'bert-b'), field('blog', 'bert-b', 'password')]).toEqual(['Bert B', '']);
    expect(blog().byLogin('bert-b')?.fields.get('role:author')?.value ?? false).toBe(false);
    // Neither back nor on, and an edit wins over it.
    expect([...(shop().byLogin('bert')?.fields ?? [])]).toEqual(shopBefore);
    expect([field('third', 'bert-t', 'last_name'), field('third', 'bert-t', 'url')]).toEqual([
      'Bert T',
      '',
    ]);
    edit('shop', 'bert', { last_name: 'Edited' });
    await stand.rest();
    expect(field('blog', 'bert-b', 'last_name')).toBe('Edited');
    expect(field('third', 'bert-t', 'last_name')).toBe('Edited');

    // Taken back: what nobody has touched since is empty again, and the source keeps its own.
    await stand.operations.undoSync(id, {}, 'olga');
    expect(await toItsEnd(id)).toMatchObject({ state: 'undone', undone: 1 });
    expect(field('blog', 'bert-b', 'url')).toBe('');
    expect(field('blog', 'bert-b', 'last_name')).toBe('Edited');
    expect(field('shop', 'bert', 'url')).toBe('https://shop.test/bert');
    // And filled once more, with roles.
    const again = await plan({ how: 'fill', roles: true }, chosen('bert'));
    expect((await rows(again.id)).get('bert')?.fields).toContain('role:author');
    expect(await started(again.id)).toMatchObject({ state: 'done', delivered: 1 });
    expect(field('blog', 'bert-b', 'url')).toBe('https://shop.test/bert');
    expect(blog().byLogin('bert-b')?.fields.get('role:author')?.value).toBe(true);
    await stand.rest();
    expect(field('shop', 'bert', 'url')).toBe('https://shop.test/bert');
  });

  test('makes the target like the source where that was asked for, and creates who is missing', async () => {
    settled('shop', 'cora', { first_name: 'Cora S', password: hash('s') });
    settled('blog', 'cora-b', { first_name: 'Cora B', password: hash('b') });
    const how = { how: 'source_wins', createMissing: true } as const;
    const { id } = await plan(how, chosen('cora', 'here'));
    const found = await rows(id);
    expect(found.get('cora')?.fields).toEqual(expect.arrayContaining(['first_name', 'password']));
    expect(found.get('here')).toMatchObject({ pair: 'only_here', what: 'create' });
    expect(await started(id)).toMatchObject({ state: 'done', delivered: 2, failed: 0 });
    expect(field('blog', 'cora-b')).toBe('Cora S');
    expect(field('blog', 'cora-b', 'password')).toBe(hash('s'));
    expect(field('blog', 'here', 'email')).toBe('here@x.test');
  });

  test('T174: leaves alone whom somebody moved since, and links nobody whom the plan did not name', async () => {
    const { id } = await plan({ how: 'link' }, chosen('dora', 'emil', 'greta'));
    // Dora's account there gives up its address, and somebody else registers with it.
    edit('blog', 'dora-b', { email: 'elsewhere@x.test' });
    blog().register({ login: 'mallory', email: 'dora@x.test', password: hash('m') });
    // Emil's account there may administer by now, and the hub has not heard of it.
    const emil = blog().byLogin('emil-b');
    emil?.fields.set('role:administrator', { value: true, stamp: [0, siteKey(blog().key)] });
    // Greta's account there is gone, and another one has its very login and address.
    const gone = blog().byLogin('greta-b')?.id ?? 0;
    blog().remove(gone);
    blog().register({ login: 'greta-b', email: 'GRETA@x.test', password: hash('m') });
    expect(await started(id)).toMatchObject({ state: 'done', delivered: 0, changed: 3 });
    const found = await rows(id);
    expect(found.get('dora')?.note?.code).toBe('run.changed_meanwhile');
    await stand.operations.resumeSync(id);
    expect(await toItsEnd(id)).toMatchObject({ state: 'done', delivered: 0 });
    expect(uidOf('blog', 'mallory')).not.toBe(uidOf('shop', 'dora'));
    expect(uidOf('blog', 'dora-b')).not.toBe(uidOf('shop', 'dora'));
    expect(uidOf('blog', 'emil-b')).not.toBe(uidOf('shop', 'emil'));
    expect(uidOf('blog', 'greta-b')).not.toBe(uidOf('shop', 'greta'));
    emil?.fields.delete('role:administrator');
  });

  test('T175: a source that gives one address to two of its accounts links neither by itself', async () => {
    shop().register({ login: 'emil-twin', email: 'EMIL@x.test' });
    await stand.rest();
    const { id } = await plan({ how: 'source_wins' });
    const found = await rows(id);
    for (const login of ['emil', 'emil-twin']) {
      expect(found.get(login)).toMatchObject({
        pair: 'clash',
        what: 'hold',
        reason: 'link.two_candidates',
      });
    }
    const both = await decisionsOn(id, { emil: 'link', 'emil-twin': 'link' });
    await expect(stand.operations.decideSync(id, { decisions: both })).rejects.toMatchObject({
      message: expect.stringContaining('links somebody else to the same account'),
    });
    await stand.operations.cancelSync(id);
    shop().remove(shop().byLogin('emil-twin')?.id ?? 0);
    await stand.rest();
  });

  test('I7: that broke off after it had linked and filled goes on, and sends nothing twice', async () => {
    settled('shop', 'emil', { url: 'https://emil.test' });
    const { id } = await plan({ how: 'fill' }, chosen('emil'));
    const { runs } = stand.storage;
    const real = { ...runs };
    let saves = 0;
    Object.assign(runs, {
      save: async (...args: Parameters<typeof real.save>) => {
        saves += 1;
        if (saves === 3) throw new Fault('database.unreachable', 'killed');
        await real.save(...args);
      },
    });
    const before = blog().applied.length;
    await stand.operations.startPlanned(id, {});
    await stand.work();
    Object.assign(runs, real);
    expect((await rows(id)).get('emil')?.state).toBe('doing');
    await stand.tick();
    expect(await toItsEnd(id)).toMatchObject({ state: 'done', delivered: 1, changed: 0 });
    expect(field('blog', 'emil-b', 'url')).toBe('https://emil.test');
    expect(blog().applied.length - before).toBe(1);
  });
});
