/** Privileged roles as operators name them: what is missing, what a manual sync does, and who is linked. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SyncRequest } from '../api/schemas/sync.ts';
import { Stand } from './test/stand.ts';

let stand: Stand;
const ROLE = 'role:administrator';
const ADMINISTRATOR = ['administrator'];
const ALL: SyncRequest = { from: 'shop', to: ['blog'], accounts: { by: 'all' } };
const mail = (login: string): string => `${login}@x.test`;
const route = async () => (await stand.operations.routes())[0] ?? { id: 0, notConsented: [] };
const name = async (privilegedRoles: string[]) =>
  stand.operations.changeRoute((await route()).id, { rules: { privilegedRoles } });
const consent = (roles: readonly string[]): void => {
  stand.site('blog').guarding.consents = roles;
};
const edit = (site: string, login: string, changes: Record<string, string | boolean>): void =>
  stand.site(site).edit(stand.site(site).byLogin(login)?.id ?? 0, changes);

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog']);
  stand.tellsSites = true;
  for (const site of ['shop', 'blog']) {
    stand.site(site).settle({ login: `${site}-chief`, email: mail(site), role: 'administrator' });
  }
  for (const login of ['boss', 'twin'])
    stand.site('shop').settle({ login, email: mail(login), role: 'administrator' });
  stand.site('shop').settle({ login: 'anna', email: mail('anna') });
  // Anybody may register with an address.
  stand.site('shop').settle({ login: 'cuckoo', email: mail('blog') });
  stand.site('blog').settle({ login: 'twin-b', email: mail('twin'), role: 'administrator' });
  for (const site of ['shop', 'blog']) await stand.connect(site);
  await stand.operations.addRoute({
    source: 'shop',
    target: 'blog',
    both: false,
    rules: { roles: ['administrator', 'author', 'subscriber'] },
  });
  await stand.rest();
});
afterAll(() => stand?.close());

async function plan() {
  const { id } = await stand.operations.planSync(ALL, 'olga');
  await stand.work();
  return id;
}
async function said(id: string): Promise<Record<string, string>> {
  const { accounts } = await stand.operations.syncSteps(id, { limit: 1000 });
  return Object.fromEntries(
    accounts.map(({ login, what, reason }) => [login, reason === null ? what : reason]),
  );
}
async function carryOut(id: string, links?: 'all'): Promise<void> {
  await stand.operations.startPlanned(id, links === undefined ? {} : { links });
  for (let looks = 0; looks < 200; looks += 1) {
    await stand.work();
    if (['done', 'failed'].includes((await stand.operations.sync(id)).state)) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await stand.rest();
}

test('ticking a privileged role says for each route and target what is missing, and stores it', async () => {
  const ticked = await stand.operations.changeSite('shop', { syncRoles: ADMINISTRATOR });
  const need = { role: 'administrator', source: 'shop', target: 'blog', raised: false };
  expect(ticked.syncRoles).toEqual(ADMINISTRATOR);
  expect(ticked.privileged).toEqual([
    {
      ...need,
      route: (await route()).id,
      named: false,
      consented: false,
      steps: [
        'rollcall route change shop blog --privileged-roles administrator',
        'On “blog”, in wp-admin under User Sync or there: wp rollcall privileged allow administrator',
      ],
    },
  ]);
  for (const [role, code] of [
    ['wizard', 'role.unknown'],
    ['author', 'role.not_privileged'],
  ] as const) {
    await expect(name([role])).rejects.toMatchObject({ code });
  }
  expect((await name(ADMINISTRATOR)).notConsented).toEqual(ADMINISTRATOR);
  const again = await stand.operations.changeSite('shop', { syncRoles: ADMINISTRATOR });
  expect(again.privileged).toMatchObject([{ ...need, named: true, consented: false }]);
  consent(ADMINISTRATOR);
  const after = await stand.operations.changeSite('shop', { syncRoles: ADMINISTRATOR });
  expect(after.privileged).toEqual([]);
  expect((await route()).notConsented).toEqual([]);
  const mapped = await stand.operations.changeSite('blog', {
    roleMap: { subscriber: ADMINISTRATOR },
  });
  expect(mapped.privileged).toMatchObject([{ raised: true, named: true, consented: true }]);
  await stand.operations.changeSite('blog', { roleMap: {} });
  await stand.operations.changeSite('shop', { syncRoles: [] });
});

test('T180: consent that is taken back between preview and run makes no administrator', async () => {
  consent([]);
  await name([]);
  expect(await said(await plan())).toMatchObject({ boss: 'account.privileged', anna: 'create' });
  await name(ADMINISTRATOR);
  expect(await said(await plan())).toMatchObject({ boss: 'account.not_consented' });
  consent(ADMINISTRATOR);
  const id = await plan();
  expect(await said(id)).toMatchObject({ boss: 'create', anna: 'create', twin: 'link.unproven' });
  consent([]);
  await carryOut(id);
  expect(stand.site('blog').byLogin('boss')).toBeUndefined();
  expect(stand.site('blog').byLogin('anna')).toBeDefined();
  expect(stand.site('blog').value('anna', ROLE) === true).toBe(false);

  // The hub has not heard of it: the site itself refuses the role.
  consent(ADMINISTRATOR);
  await carryOut(await plan());
  expect(stand.site('blog').value('boss', ROLE)).toBe(true);
  consent([]);
  edit('shop', 'boss', { first_name: 'Late' });
  edit('shop', 'anna', { [ROLE]: true });
  await stand.rest();
  expect(stand.site('blog').value('boss', 'first_name')).toBe('');
  expect(stand.site('blog').value('anna', ROLE) === true).toBe(false);
});

test('T216: an ordinary account is joined with no administrator’s, and so does the preview say', async () => {
  consent(ADMINISTRATOR);
  await name(ADMINISTRATOR);
  expect(await said(await plan())).toMatchObject({ cuckoo: 'link.privileged' });
  const pair = { site: 'shop', login: 'cuckoo', otherSite: 'blog', otherLogin: 'blog-chief' };
  await expect(stand.operations.proveLink(pair, 'olga')).rejects.toMatchObject({
    code: 'link.refused',
  });
});

test('two privileged accounts are joined on an operator’s word alone, and only where route and target name them', async () => {
  const pair = { site: 'shop', login: 'twin', otherSite: 'blog', otherLogin: 'twin-b' };
  consent([]);
  await expect(stand.operations.proveLink(pair, 'olga')).rejects.toMatchObject({
    code: 'link.refused',
  });
  const twin = () => stand.site('blog').byLogin('twin-b')?.uid;
  expect(await said(await plan())).toMatchObject({ twin: 'account.not_consented' });
  consent(ADMINISTRATOR);
  await expect(
    stand.operations.askForProof({ ...pair, kind: 'mail' }, 'olga'),
  ).rejects.toMatchObject({
    code: 'link.refused',
  });
  const id = await plan();
  await carryOut(id);
  expect(twin()).not.toBe(stand.site('shop').byLogin('twin')?.uid);
  await stand.operations.proveLink(pair, 'olga');
  await stand.rest();
  expect(twin()).toBe(stand.site('shop').byLogin('twin')?.uid);
  edit('shop', 'twin', { first_name: 'Both' });
  await stand.rest();
  expect(stand.site('blog').value('twin-b', 'first_name')).toBe('Both');
  // And back along no route.
  await name([]);
  edit('shop', 'twin', { first_name: 'No more' });
  await stand.rest();
  expect(stand.site('blog').value('twin-b', 'first_name')).toBe('Both');
});
