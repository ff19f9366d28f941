/**
 * What a person does with the Sync Log on real sites: finds why something was refused and tries it again,
 * looks at both sides of what is held and resolves it, takes the log along, switches it off.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Explanation } from '#hub/api/schemas/explain.ts';
import type { HeldList, HeldRow } from '#hub/api/schemas/held.ts';
import type { LogPage, LogRow, Retried } from '#hub/api/schemas/log.ts';
import { ErrorSchema } from '#hub/api/schemas/words.ts';
import type { Site } from '#lab/start-site.ts';
import { person, type Stage, startStage } from './stage.ts';

let stage: Stage;
let shop: Site;
let blog: Site;

const insert = (login: string, more: Readonly<Record<string, string>> = {}): string => {
  const given = { user_login: login, user_pass: 'x', role: 'subscriber', ...more };
  const fields = Object.entries({
    user_email: `${login.replace('@', 'at')}@people.test`,
    ...given,
  });
  return `wp_insert_user( array( ${fields.map(([key, value]) => `'${key}' => '${value}'`).join(', ')} ) );`;
};
const firstName = async (site: Site, login: string) => (await person(site, login))?.firstName;
const edit = (site: Site, login: string, name: string): Promise<string> =>
  site.php(
    `wp_update_user( array( 'ID' => get_user_by( 'login', '${login}' )->ID, 'first_name' => '${name}' ) );`,
  );
const log = async (query: string): Promise<LogRow[]> =>
  (await stage.hub.call<LogPage>('GET', `/log?${query}`)).rows;
const held = async (login: string): Promise<HeldRow> => {
  const list = await stage.hub.call<HeldList>('GET', '/held?look=true');
  const row = list.held.find((entry) => entry.login === login);
  if (row === undefined) throw new Error(`${login} is not held: ${JSON.stringify(list)}`);
  return row;
};
const resolve = (row: HeldRow, as: string): Promise<unknown> =>
  stage.hub.call('POST', `/held/${row.delivery}/resolve`, { as });
const retry = (body: object): Promise<Retried> => stage.hub.call('POST', '/log/retry', body);

beforeAll(async () => {
  stage = await startStage({ sites: ['shop', 'blog'], routes: [] });
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
  const others = ['wins', 'apart'].map((login) =>
    insert(login, {
      user_email: `${login}@blog.test`,
      first_name: 'Of the blog',
      display_name: `Blog ${login}`,
      role: 'author',
    }),
  );
  const chief = insert('chief', { user_email: 'chief@blog.test', role: 'administrator' });
  await blog.php([...others, chief].join('\n'));
  await stage.hub.rest();
  await stage.hub.route('shop', 'blog', { both: true });
  await shop.php(
    [
      insert('anna'),
      insert('@sum'),
      ...['wins', 'apart', 'chief'].map((login) => insert(login, { first_name: 'Of the shop' })),
    ].join('\n'),
  );
  await stage.hub.rest();
});
afterAll(() => stage?.end());

test('what was refused says why, and arrives when it is tried again once the site lets it in', async () => {
  await stage.hub.call('PATCH', '/account', { site: 'blog', login: 'anna', rejectIncoming: true });
  await edit(shop, 'anna', 'Anna');
  await stage.hub.rest();
  const [refused] = await log(
    'account=anna&status=refused,failed&reason=account.incoming_rejected',
  );
  expect(refused).toMatchObject({
    source: 'shop',
    target: 'blog',
    action: 'update',
    status: 'refused',
    fields: ['first_name'],
    path: ['shop', 'blog'],
    attempts: 1,
    actor: 'visitor',
    message: expect.stringContaining('reject'),
  });
  expect(refused?.durationMs).toBeGreaterThan(0);
  const { targets } = await stage.hub.call<Explanation>('GET', '/explain?site=shop&login=anna');
  expect(targets[0]?.why).toContainEqual(
    expect.objectContaining({ verdict: 'stopped', reason: 'account.incoming_rejected' }),
  );
  const rows = [refused?.id ?? 0];
  // The site refuses still.
  expect(await retry({ rows })).toMatchObject({ retried: 1 });
  await stage.hub.rest();
  expect(await firstName(blog, 'anna')).toBe('');
  expect((await log('account=anna&status=refused')).length).toBe(2);

  await blog.wp('rollcall', 'flags', 'anna', '--reject-incoming=off');
  await stage.hub.rest();
  expect(await retry({ all: true, site: 'blog' })).toMatchObject({ retried: 1, unreachable: [] });
  await stage.hub.rest();
  expect(await firstName(blog, 'anna')).toBe('Anna');
  expect(await retry({ all: true })).toMatchObject({ retried: 0 });
  expect((await log('account=anna&status=released')).map(({ actor }) => actor)).toEqual([
    expect.stringContaining('operator'),
    expect.stringContaining('operator'),
  ]);
});

test('a clash is shown with both accounts, and the source wins when a person says that they are one', async () => {
  const row = await held('wins');
  expect(row).toMatchObject({
    source: 'shop',
    target: 'blog',
    reason: 'identity.login_taken',
    here: { site: 'shop', email: 'wins@people.test', roles: ['subscriber'] },
    there: null,
    inTheWay: { site: 'blog', email: 'wins@blog.test', name: 'Blog wins', roles: ['author'] },
  });
  // Later than all that the shop holds.
  await edit(blog, 'wins', 'Edited last');
  await stage.hub.rest();
  await resolve(row, 'overwrite');
  await stage.hub.rest();
  const [here, there] = [await person(shop, 'wins'), await person(blog, 'wins')];
  expect(here).toMatchObject({ firstName: 'Of the shop', email: 'wins@people.test' });
  expect(there).toMatchObject({ firstName: 'Of the shop', email: 'wins@people.test' });
  expect(there?.hash).toBe(here?.hash);
  const { status } = await stage.hub.raw('POST', `/held/${row.delivery}/resolve`, { as: 'link' });
  expect(status).toBe(404);
});

test('two persons stay two, and nobody is linked with who administers a site', async () => {
  await resolve(await held('apart'), 'separate');
  const chief = await held('chief');
  const refused = await stage.hub.raw('POST', `/held/${chief.delivery}/resolve`, { as: 'link' });
  const { error } = ErrorSchema.parse(await refused.json());
  expect([refused.status, error.code]).toEqual([409, 'held.not_resolvable']);
  await edit(shop, 'apart', 'Changed');
  await stage.hub.rest();
  const both = [await person(shop, 'apart'), await person(blog, 'apart')];
  expect(both).toMatchObject([
    { firstName: 'Changed', email: 'apart@people.test', roles: ['subscriber'] },
    { firstName: 'Of the blog', email: 'apart@blog.test', roles: ['author'] },
  ]);
  expect(await person(blog, 'chief')).toMatchObject({
    email: 'chief@blog.test',
    roles: ['administrator'],
  });
  const list = await stage.hub.call<HeldList>('GET', '/held');
  expect(list.held.map(({ login }) => login)).toEqual(['chief']);
  const { targets } = await stage.hub.call<Explanation>('GET', '/explain?site=shop&login=apart');
  expect(targets[0]?.why).toContainEqual(
    expect.objectContaining({ verdict: 'skipped', reason: 'identity.kept_apart' }),
  );
});

test('the log goes out whole, and no name in it is a formula', async () => {
  const csv = await (await stage.hub.raw('GET', '/log/export')).text();
  const all = await log('limit=1000');
  const lines = csv.split('\r\n');
  expect(lines.length).toBe(all.length + 2);
  expect(csv).toContain(`,'@sum,`);
  expect(csv).not.toContain(',@sum,');
  const jsonl = await (await stage.hub.raw('GET', '/log/export?format=jsonl&site=blog')).text();
  const ids = jsonl
    .trim()
    .split('\n')
    .map((line): number => JSON.parse(line).id);
  expect(ids).toEqual(all.map(({ id }) => id).toReversed());
  expect(csv + jsonl).not.toMatch(/Of the shop|\$wp\$|\$P\$|\$2y\$/u);
});

test('of a site whose log is off nothing is written, and what arrives arrives', async () => {
  await stage.hub.call('PATCH', '/log/settings/blog', { on: false });
  await edit(shop, 'anna', 'Unlogged');
  await stage.hub.rest();
  await stage.hub.call('PATCH', '/log/settings/blog', { on: true, days: 7 });
  expect(await firstName(blog, 'anna')).toBe('Unlogged');
  const before = await log('account=anna&status=delivered&limit=1');
  await edit(shop, 'anna', 'Logged');
  await stage.hub.rest();
  const [row, ...older] = await log('account=anna&status=delivered&limit=2');
  expect([row?.fields, older]).toEqual([['first_name'], before]);
  expect(await stage.hub.call('GET', '/log/settings')).toEqual({
    days: 30,
    sites: expect.arrayContaining([
      { site: 'shop', on: true, days: null },
      { site: 'blog', on: true, days: 7 },
    ]),
  });
});
