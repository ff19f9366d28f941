/** Sites that move, and hubs of which there is one too many: who is spoken to, who may speak, who says what. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Diagnosis } from '#hub/api/schemas/doctor.ts';
import type { RemovedSite, SiteView } from '#hub/api/schemas/site.ts';
import type { SiteEvent } from '#hub/api/schemas/site-event.ts';
import type { HubOptions, RunningHub } from '#hub/cli/hub-process.ts';
import { startHub } from '#hub/main.ts';
import { openStorage } from '#hub/storage/open-storage.ts';
import { SELF_SIGNED } from '#hub/wordpress/test/self-signed.ts';
import { signIn } from '#lab/sign-in.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { CONNECTOR, createAccount, ENGINE, Hub, person, prepare, REST_MS } from './stage.ts';
import { frontBefore } from './test/two-scheme-front.ts';

/** A site behind a proxy that redirects its REST API to another host; with plain addresses it still answers. */
const REDIRECTS = `<?php
if ( 'https' === ( $_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '' ) ) {
	$_SERVER['HTTPS'] = 'on';
}
if ( 0 === strpos( $_SERVER['REQUEST_URI'] ?? '', '/wp-json/' ) ) {
	add_action( 'plugins_loaded', function () {
		$to = get_option( 'test_redirect' );
		if ( $to ) {
			header( 'Location: ' . $to . '/?rest_route=' . substr( strtok( $_SERVER['REQUEST_URI'], '?' ), 8 ), true, 301 );
			exit;
		}
	} );
}
`;

/** Names that lead here, and a certificate that counts. */
const WORLD: Parameters<typeof startHub>[1] = {
  ca: SELF_SIGNED.cert,
  resolve: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
};

const endings: (() => Promise<unknown>)[] = [];
let shop: Site;
let blog: Site;
let folder: string;
let running: RunningHub;
let hub: Hub;

const start = async (
  dataFolder: string,
  options: Partial<HubOptions> = {},
): Promise<[RunningHub, Hub]> => {
  const settings = { port: 0, pollSeconds: 1, settleDeletesSeconds: 1 };
  const started = await startHub({ dataFolder, ...settings, ...options }, WORLD);
  endings.push(() => started.stop());
  return [started, new Hub(started)];
};
async function newFolder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'rollcall-hub-'));
  endings.push(() => rm(made, { recursive: true, force: true }));
  return made;
}
async function site(name: string): Promise<Site> {
  const started = await startSite({
    name,
    engine: ENGINE,
    connector: CONNECTOR,
    muPlugins: { 'redirects.php': REDIRECTS },
  });
  endings.push(() => started.stop());
  await prepare(started);
  return started;
}
async function copyOf(from: Site, name: string): Promise<Site> {
  const copy = await startSite({ name, from: await from.snapshot(), connector: CONNECTOR });
  endings.push(() => copy.stop());
  return copy;
}

beforeAll(async () => {
  folder = await newFolder();
  [shop, blog] = await Promise.all([site('shop'), site('blog')]);
  [running, hub] = await start(folder);
  await hub.connect(shop);
  await hub.connect(blog);
  await hub.route('shop', 'blog', { both: true });
  await createAccount(shop, 'anna', { firstName: 'Anna' });
  await hub.rest();
  await waitUntil(async () => (await person(blog, 'anna')) !== null, REST_MS);
});
afterAll(async () => {
  for (let ending = endings.pop(); ending !== undefined; ending = endings.pop()) await ending();
});

const rename = (where: Site, name: string): Promise<string> =>
  where.wp('user', 'update', 'anna', `--first_name=${name}`, '--skip-email');
const nameOn = async (where: Site): Promise<string | undefined> =>
  (await person(where, 'anna'))?.firstName;
const arrives = (where: Site, name: string): Promise<void> =>
  waitUntil(async () => (await nameOn(where)) === name, REST_MS);
async function troubleOf(of: Hub, name: string): Promise<string | undefined> {
  const { sites } = await of.status(false);
  return sites.find((entry) => entry.name === name)?.trouble?.code;
}
const stopsWith = (of: Hub, name: string, code: string): Promise<void> =>
  waitUntil(async () => (await troubleOf(of, name)) === code, REST_MS);
const doctorCodes = async (of: Hub): Promise<(string | null)[]> =>
  (await of.call<Diagnosis>('GET', '/doctor')).checks.map(({ code }) => code);
const RefusalSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
async function refusal(of: Hub, path: string, body: object): Promise<[string, string]> {
  const { error } = RefusalSchema.parse(await (await of.raw('POST', path, body)).json());
  return [error.code, error.message];
}

test('T837: where its REST API redirects, a site is looked for on its own host, and nothing is sent elsewhere', async () => {
  const asked: IncomingMessage[] = [];
  const stranger = createServer((request, answer) => {
    asked.push(request);
    answer.end('{}');
  });
  await new Promise<void>((resolve) => {
    stranger.listen(0, '127.0.0.1', resolve);
  });
  const address = stranger.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  await shop.wp('option', 'update', 'test_redirect', `http://127.0.0.1:${address.port}`);
  await rename(shop, 'Redirected');
  await arrives(blog, 'Redirected');
  await blog.wp('user', 'update', 'anna', '--last_name=Back', '--skip-email');
  await waitUntil(async () => (await person(shop, 'anna'))?.lastName === 'Back', REST_MS);
  expect(asked).toEqual([]);
  expect(await troubleOf(hub, 'shop')).toBeUndefined();
  expect(await doctorCodes(hub)).toContain('installation.found_again');
  stranger.close();
  await shop.wp('option', 'delete', 'test_redirect');
});

let copy: Site;
test('T838: where the site and a copy of it both answer as the site, the hub stays with the one it knows', async () => {
  await hub.rest();
  copy = await copyOf(shop, 'double');
  const path = '/sites/shop/moved';
  // Nobody has said anything in the copy's wp-admin.
  expect((await refusal(hub, path, { url: copy.url }))[0]).toBe('site.moved');
  await waitUntil(async () => {
    await copy.wp('option', 'get', 'home');
    return (await doctorCodes(hub)).includes('installation.copied');
  }, REST_MS);
  // The operator says so here, and the copy is heard of no more; it is still silent by itself.
  await hub.call('POST', '/sites/shop/copy', {});
  expect(await doctorCodes(hub)).not.toContain('installation.copied');
  expect((await refusal(hub, '/sites/shop/copy', {}))[0]).toBe('site.no_copy');
  await copy.php('Rollcall_Address::say_moved();');
  const [code, message] = await refusal(hub, path, { url: copy.url });
  expect(code).toBe('site.two_of_one');
  expect(message).toContain(new URL(copy.url).host);
  // Another site is not taken for it either.
  expect((await refusal(hub, path, { url: blog.url }))[0]).not.toBe('site.moved');
  await rename(copy, 'Copied');
  await rename(shop, 'Still here');
  await arrives(blog, 'Still here');
  await hub.rest();
  expect([await nameOn(shop), await nameOn(copy)]).toEqual(['Still here', 'Copied']);
});

const ofHub = (where: Site): Promise<string> =>
  where.php(`global $wpdb;
    $all = get_users( array( 'search' => 'rollcall*', 'fields' => 'user_login' ) );
    echo Rollcall_Settings::is_bound() ? 'bound' : 'free', ' ', count( $all ), ' ',
      $wpdb->get_var( 'SELECT COUNT(*) FROM ' . Rollcall_Tables::accounts() . ' WHERE uid IS NOT NULL' ) > 0 ? 'labels' : 'no labels';`);

test('T192: a copy that is said to be one becomes a site of its own, and nothing of the original is linked to it', async () => {
  await copy.php('Rollcall_Address::say_copy();');
  expect(await ofHub(copy)).toBe('free 0 no labels');
  await hub.connect(copy);
  await hub.route('shop', 'double', { both: true });
  await hub.rest();
  const { sites } = await hub.call<{ sites: SiteView[] }>('GET', '/sites');
  const own = (part: 'key' | 'installation') => new Set(sites.map((entry) => entry[part])).size;
  expect([own('key'), own('installation')]).toEqual([3, 3]);
  expect(await ofHub(copy)).toBe('bound 1 labels');
  await rename(copy, 'Only here');
  await rename(shop, 'Only there');
  await arrives(blog, 'Only there');
  await hub.rest();
  expect([await nameOn(shop), await nameOn(copy)]).toEqual(['Only there', 'Only here']);
});

test('T193: a site that can’t be told is not forgotten unless it is forced; its users stay, and it is free once an administrator or the hub said so', async () => {
  await copy.pause();
  await createAccount(shop, 'petra');
  await arrivesAt(blog, 'petra');
  const refused = await hub.raw('DELETE', '/sites/double');
  expect([refused.status, RefusalSchema.parse(await refused.json()).error.code]).toEqual([
    409,
    'site.not_told',
  ]);
  expect((await hub.status(false)).sites).toHaveLength(3);
  const gone = await hub.call<RemovedSite>('DELETE', '/sites/double?force=true');
  expect(gone).toEqual({ removed: ['double'], released: false });
  expect(
    (await hub.log('&account=petra')).map(({ status, reason }) => [status, reason]),
  ).toContainEqual(['cancelled', 'site.removed']);
  await copy.resume();
  // It still counts on the hub; its own wp-admin ends that.
  expect(await ofHub(copy)).toBe('bound 1 labels');
  await release(copy);
  expect(await ofHub(copy)).toBe('free 0 labels');
  expect(await nameOn(copy)).toBe('Only here');
  expect(await person(copy, 'petra')).toBeNull();

  await hub.connect(copy);
  await hub.rest();
  expect(await hub.call<RemovedSite>('DELETE', '/sites/double')).toEqual({
    removed: ['double'],
    released: true,
  });
  expect(await ofHub(copy)).toBe('free 0 labels');
  expect(await nameOn(copy)).toBe('Only here');
  await rename(shop, 'Goes on');
  await arrives(blog, 'Goes on');
  const history = await hub.call<{ events: SiteEvent[] }>('GET', '/site-events');
  expect(history.events.filter(({ code }) => code === 'site.removed')).toHaveLength(2);
});

const arrivesAt = (where: Site, login: string): Promise<void> =>
  waitUntil(async () => (await person(where, login)) !== null, REST_MS);

/** As an administrator does it under User Sync. */
async function release(where: Site): Promise<void> {
  const { visitor } = await signIn(where, where.adminLogin, where.adminPassword);
  const fields = await visitor.form('/wp-admin/admin.php?page=rollcall', 'rollcall-guard');
  await visitor.submit('/wp-admin/admin-post.php', { ...fields, release: '1' });
}

test('T839: a site that moved to another address goes on there, and nobody is lost or doubled', async () => {
  await hub.rest();
  const there = await copyOf(shop, 'moved');
  await shop.pause();
  // Visitors come before anybody has said anything; so does an edit from the other side.
  await createAccount(there, 'berta', { firstName: 'Berta' });
  await rename(there, 'Moved');
  await blog.wp('user', 'update', 'anna', '--last_name=Blog', '--skip-email');
  await there.php('Rollcall_Address::say_moved();');
  await hub.call('POST', '/sites/shop/moved', { url: there.url });
  await arrives(blog, 'Moved');
  await waitUntil(async () => (await person(blog, 'berta')) !== null, REST_MS);
  await waitUntil(async () => (await person(there, 'anna'))?.lastName === 'Blog', REST_MS);
  await hub.rest();
  for (const login of ['anna', 'berta']) {
    const [here, other] = [await person(there, login), await person(blog, login)];
    expect({ ...other, id: 0 }).toEqual({ ...here, id: 0 });
  }
  for (const where of [there, blog]) {
    expect(await where.wp('user', 'list', '--field=user_login', '--orderby=user_login')).toBe(
      ['admin', 'anna', 'berta', 'petra', 'rollcall-hub'].join('\n'),
    );
  }
  const { sites } = await hub.status(false);
  expect(sites.map(({ name, url, trouble }) => [name, url, trouble])).toContainEqual([
    'shop',
    there.url,
    null,
  ]);
  shop = there;
});

test('T840: a hub whose folder was copied to another place does not start', async () => {
  await hub.rest();
  await running.stop();
  const laptop = await newFolder();
  await cp(folder, laptop, { recursive: true });
  // The folder was another machine's: this is how its own store says so.
  const storage = await openStorage({ dataFolder: laptop }, { dataFolder: laptop });
  await sql`update hub_meta set started_host = 'production'`.execute(storage.database.kysely);
  await storage.close();
  await expect(start(laptop)).rejects.toMatchObject({ code: 'data.elsewhere' });

  // Taking over is a person's word. The hub before it is refused from then on, and says why.
  const [second, taken] = await start(laptop, { takeOver: true });
  await rename(shop, 'Taken over');
  await arrives(blog, 'Taken over');
  await taken.rest();
  [running, hub] = await start(folder);
  await stopsWith(hub, 'shop', 'site.superseded');
  await stopsWith(hub, 'blog', 'site.superseded');
  expect(await doctorCodes(hub)).toContain('site.superseded');
  await running.stop();
  [running, hub, folder] = [second, taken, laptop];
});

test('T841: of two hubs with one identity at most one speaks to a site, and the other says why not', async () => {
  await hub.rest();
  await running.stop();
  const twin = await newFolder();
  await cp(folder, twin, { recursive: true });
  [running, hub] = await start(folder);
  const [second, other] = await start(twin);
  await rename(shop, 'Twins');
  const rewound = async (of: Hub) =>
    (await of.status(false)).sites.filter(({ trouble }) => trouble?.code === 'hub.rewound').length;
  // The site signals to one of them alone; the other one would ask minutes later.
  const ask = (of: Hub) => of.call('POST', '/sites/shop/test');
  await waitUntil(async () => {
    await Promise.all([ask(hub), ask(other)]);
    return (await rewound(hub)) + (await rewound(other)) > 0;
  }, REST_MS);
  await waitUntil(async () => {
    await rename(shop, `Twins ${Date.now()}`);
    await Promise.all([ask(hub), ask(other)]);
    return (await troubleOf(hub, 'shop')) !== (await troubleOf(other, 'shop'));
  }, REST_MS);
  await second.stop();
  // Whoever stays says so, and goes on.
  await hub.call('POST', '/recovery', {});
  await rename(shop, 'One again');
  await arrives(blog, 'One again');
  await hub.rest();
  expect((await hub.status(false)).sites.map(({ trouble }) => trouble)).toEqual([null, null]);
});

test('T845: a site that goes over to https, or to www, is followed there, and both directions go on', async () => {
  const fronts = await Promise.all([shop, blog].map((where) => frontBefore(where, SELF_SIGNED)));
  endings.push(...fronts.map((front) => () => front.close()));
  const [forShop, forBlog] = fronts;
  const moves = [
    { where: shop, front: forShop, from: 'http://localhost', to: 'https://localhost' },
    { where: blog, front: forBlog, from: 'http://blog.test', to: 'http://www.blog.test' },
  ];
  const standsAt = async (where: Site, url: string) => {
    await where.php(`update_option( 'home', '${url}' ); update_option( 'siteurl', '${url}' );`);
  };
  for (const { where, front, from } of moves) {
    const url = `${from}:${front?.port}`;
    await standsAt(where, url);
    await where.php('Rollcall_Address::say_moved();');
    await hub.call('POST', `/sites/${where.name === 'blog' ? 'blog' : 'shop'}/moved`, { url });
  }
  await rename(shop, 'Before');
  await arrives(blog, 'Before');
  await hub.rest();
  for (const { where, front, to } of moves) {
    const url = `${to}:${front?.port}`;
    await standsAt(where, url);
    front?.choose(url);
  }
  await rename(shop, 'After');
  await arrives(blog, 'After');
  await blog.wp('user', 'update', 'anna', '--last_name=Followed', '--skip-email');
  await waitUntil(async () => (await person(shop, 'anna'))?.lastName === 'Followed', REST_MS);
  await hub.rest();
  const { sites } = await hub.status(false);
  expect(sites.map(({ name, url, trouble }) => [name, url, trouble])).toEqual([
    ['shop', `https://localhost:${forShop?.port}`, null],
    ['blog', `http://www.blog.test:${forBlog?.port}`, null],
  ]);
  const { checks } = await hub.call<Diagnosis>('GET', '/doctor');
  const found = checks.filter(({ code }) => code === 'installation.found_again');
  expect(found.map(({ subject }) => subject).sort()).toEqual(['blog', 'shop']);
  await running.stop();
});
