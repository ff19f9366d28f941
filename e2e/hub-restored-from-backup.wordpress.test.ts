/** A hub whose store is put back to an earlier state, or lost: its sites went on, and nobody pays for it. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Diagnosis } from '#hub/api/schemas/doctor.ts';
import type { HeldRow } from '#hub/api/schemas/held.ts';
import type { Alarm, Recovery } from '#hub/api/schemas/recovery.ts';
import type { HubOptions, RunningHub } from '#hub/cli/hub-process.ts';
import { startHub } from '#hub/main.ts';
import { signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { Hub, POLL_SECONDS, person, prepare, REST_MS, startStorySite } from './stage.ts';

const endings: (() => Promise<unknown>)[] = [];
let shop: Site;
let blog: Site;
let academy: Site;
let folder: string;
let backup: string;
let running: RunningHub;
let hub: Hub;

async function newFolder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'rollcall-hub-'));
  endings.push(() => rm(made, { recursive: true, force: true }));
  return made;
}
async function start(dataFolder: string, options: Partial<HubOptions> = {}): Promise<void> {
  const settings = { port: 0, pollSeconds: POLL_SECONDS, settleDeletesSeconds: 1 };
  running = await startHub({ dataFolder, ...settings, ...options });
  hub = new Hub(running);
}
async function site(name: string): Promise<Site> {
  const started = await startStorySite({ name });
  endings.push(() => started.stop());
  await prepare(started);
  return started;
}

beforeAll(async () => {
  [folder, backup] = [await newFolder(), await newFolder()];
  [shop, blog, academy] = await Promise.all([site('shop'), site('blog'), site('academy')]);
  endings.push(() => running?.stop());
  await start(folder);
});
afterAll(async () => {
  for (let ending = endings.pop(); ending !== undefined; ending = endings.pop()) await ending();
});

type Deed =
  | { create: string; first_name?: string; role?: string }
  | { edit: string; [field: string]: string }
  | { remove: string };
/** What people do, in one request, through WordPress's own functions. */
async function happens(where: Site, ...deeds: readonly Deed[]): Promise<void> {
  const failed = await where.php(`require_once ABSPATH . 'wp-admin/includes/user.php';
    foreach ( json_decode( '${JSON.stringify(deeds)}', true ) as $deed ) {
      if ( isset( $deed['create'] ) ) {
        $done = wp_insert_user( $deed + array( 'user_login' => $deed['create'], 'user_email' => $deed['create'] . '@people.test', 'user_pass' => 'first password' ) );
      } elseif ( isset( $deed['edit'] ) ) {
        $done = wp_update_user( array( 'ID' => get_user_by( 'login', $deed['edit'] )->ID ) + $deed );
      } else {
        $done = wp_delete_user( get_user_by( 'login', $deed['remove'] )->ID );
      }
      if ( ! $done || is_wp_error( $done ) ) { echo wp_json_encode( $deed ); }
    }`);
  if (failed !== '') throw new Error(`did not happen: ${failed}`);
}
const pause = (name: string, status: 'paused' | 'active') =>
  hub.call('PATCH', `/sites/${name}`, { status });
const doctor = async () => (await hub.call<Diagnosis>('GET', '/doctor')).checks;
const alarms = async () =>
  (await hub.call<{ alarms: Alarm[] }>('GET', '/alarms')).alarms
    .map((alarm) => `${alarm.site} ${alarm.login}: ${alarm.reason.code}`)
    .sort();
const answer = (name: string, word: string, ...logins: string[]) =>
  hub.call('POST', '/alarms/answer', { site: name, answer: word, logins });
const held = async () =>
  (await hub.call<{ held: HeldRow[] }>('GET', '/held')).held.map(
    ({ delivery, login, target, reason }) => ({ delivery, what: `${target} ${login}: ${reason}` }),
  );
async function stop(names: readonly string[], code: string): Promise<void> {
  await waitUntil(async () => {
    const { sites } = await hub.status(false);
    return names.every(
      (name) => sites.find((entry) => entry.name === name)?.trouble?.code === code,
    );
  }, REST_MS);
}

interface Everybody {
  readonly [login: string]: Readonly<Record<string, unknown>>;
}
/** All that WordPress knows of everybody, and their labels; without the administrator and the hub's own account. */
async function everybody(where: Site): Promise<Everybody> {
  return JSON.parse(
    await where.php(`global $wpdb;
      $all = array();
      foreach ( $wpdb->get_results( "SELECT * FROM $wpdb->users ORDER BY ID", ARRAY_A ) as $row ) {
        if ( 'admin' === $row['user_login'] || 0 === strpos( $row['user_login'], 'rollcall' ) ) { continue; }
        $known = Rollcall_Ledger::load( array( (int) $row['ID'] ) );
        $all[ $row['user_login'] ] = $row + array(
          'uid'  => $known[ (int) $row['ID'] ]['uid'] ?? null,
          'meta' => array_diff_key( get_user_meta( $row['ID'] ), array( 'session_tokens' => 1 ) ),
        );
      }
      echo wp_json_encode( (object) $all );`),
  );
}
/** What is to be the same wherever a person is. */
const told = ({ ID: _id, user_nicename: _name, meta, ...row }: Everybody[string] = {}) => ({
  ...row,
  meta: Object.fromEntries(
    Object.entries(meta ?? {}).filter(([key]) => !['use_ssl', 'locale'].includes(key)),
  ),
});

test('T842: a hub restored from a backup speaks to no site before a person says so, and then loses, doubles, revives and confuses nobody', async () => {
  // Lena is on both sites from before; nobody has said yet that she is one person.
  await Promise.all(
    [shop, blog].map((where) => happens(where, { create: 'lena', first_name: where.name })),
  );
  for (const where of [shop, blog]) await hub.connect(where);
  await hub.route('shop', 'blog', { both: true });
  const logins = ['anna', 'bert', 'dora', 'emil', 'hans', 'olga', 'rosa'];
  await happens(shop, ...logins.map((login) => ({ create: login })));
  await hub.rest();
  await pause('blog', 'paused');
  await happens(shop, { create: 'paul' }, { remove: 'olga' }, { remove: 'rosa' });
  await hub.settled(['shop']);
  // A create and two deletes are on their way to the blog when the backup is made.
  await running.stop();
  await cp(folder, backup, { recursive: true });
  await start(folder, { takeOver: true });

  await happens(blog, { edit: 'olga', first_name: 'Olga since' });
  await pause('blog', 'active');
  await hub.rest();
  const [olga] = await held();
  expect(olga?.what).toBe('blog olga: delete.newer_edit');
  await hub.call('POST', '/held/decide', { deliveries: [olga?.delivery], decision: 'reject' });
  const onBlog = Object.keys(await everybody(blog)).sort();
  expect(onBlog).toEqual(['anna', 'bert', 'dora', 'emil', 'hans', 'lena', 'olga', 'paul']);
  await happens(
    shop,
    { edit: 'anna', first_name: 'Anna since', user_pass: 'a newer password' },
    { create: 'cleo', first_name: 'Cleo', role: 'author' },
    { create: 'nina' },
    { remove: 'dora' },
    { remove: 'paul' },
  );
  await happens(
    blog,
    { edit: 'bert', last_name: 'Bert since', user_email: 'bert.since@people.test' },
    { create: 'fred', first_name: 'Fred' },
  );
  await hub.rest();
  const lena = { site: 'shop', login: 'lena', otherSite: 'blog', otherLogin: 'lena' };
  await hub.call('POST', '/links', lena);
  await hub.connect(academy);
  await hub.route('shop', 'academy', { both: true });
  await happens(shop, { create: 'gina', first_name: 'Gina' });
  await hub.rest();
  // What this hub has heard and not said yet is lost with it.
  await pause('blog', 'paused');
  await happens(blog, { edit: 'nina', user_email: 'nina.since@people.test' });
  await happens(shop, { edit: 'emil', first_name: 'Emil heard' });
  await hub.settled(['shop']);
  await running.stop();
  await happens(shop, { edit: 'emil', last_name: 'Emil unheard' });
  await happens(blog, { remove: 'hans' });
  const before = await Promise.all([shop, blog, academy].map(everybody));

  await rm(folder, { recursive: true });
  await cp(backup, folder, { recursive: true });
  await start(folder);
  await pause('blog', 'active');
  await stop(['shop', 'blog'], 'site.superseded');
  await running.stop();
  await start(folder, { takeOver: true });
  await stop(['shop', 'blog'], 'hub.rewound');
  expect(await Promise.all([shop, blog, academy].map(everybody))).toEqual(before);
  const says = (await doctor()).find(
    ({ subject, code }) => subject === 'shop' && code === 'hub.rewound',
  );
  expect(says).toMatchObject({
    level: 'problem',
    next: expect.stringContaining('rollcall recover'),
  });
  const { visitor } = await signIn(shop, shop.adminLogin, shop.adminPassword);
  const page = await (await visitor.request('/wp-admin/index.php')).text();
  expect(page).toContain('A later state of this site’s hub');

  // Sites and routes are the operator's to set again.
  await hub.connect(academy);
  await stop(['academy'], 'hub.rewound');
  await hub.route('shop', 'academy', { both: true });
  const plan = await hub.call<Recovery>('GET', '/recovery');
  expect(plan.sites.map(({ site: name, stands }) => [name, stands])).toEqual([
    ['shop', 'ahead'],
    ['blog', 'ahead'],
    ['academy', 'ahead'],
  ]);
  expect(await Promise.all([shop, blog, academy].map(everybody))).toEqual(before);

  const done = await hub.call<Recovery>('POST', '/recovery', {});
  // One of the two Lenas got the other one's label when they were linked.
  const relabelled = done.sites[0]?.found?.mismatched === 1 ? 'shop' : 'blog';
  const of = (name: string) => (name === relabelled ? 1 : 0);
  expect(done.sites.map(({ site: name, fault, found }) => [name, fault, found])).toEqual([
    ['shop', null, { accounts: 10, takenOver: 4, vanished: 2, mismatched: of('shop') }],
    ['blog', null, { accounts: 10, takenOver: 3, vanished: 3, mismatched: 1 + of('blog') }],
    ['academy', null, { accounts: 2, takenOver: 2, vanished: 0, mismatched: 0 }],
  ]);
  await hub.rest();
  expect((await hub.status(false)).sites.map(({ trouble }) => trouble)).toEqual([null, null, null]);
  expect((await doctor()).filter(({ level }) => level === 'problem')).toEqual([]);

  // Nobody moved, doubled, revived or lost a label; what was lost on its way has arrived.
  const [atShop = {}, atBlog = {}, atAcademy = {}] = await Promise.all(
    [shop, blog, academy].map(everybody),
  );
  const { hans: _hans, ...beforeAtShop } = before[0] ?? {};
  // Hans was deleted while no hub ran: that is heard now, like any delete.
  expect(atShop).toEqual(beforeAtShop);
  expect({ ...atBlog, emil: null }).toEqual({ ...before[1], emil: null });
  expect(told(atBlog.emil)).toEqual(told(atShop.emil));
  expect(told(atShop.emil).meta).toMatchObject({
    first_name: ['Emil heard'],
    last_name: ['Emil unheard'],
  });
  expect(atAcademy.gina).toEqual(before[2]?.gina);
  // Who is new since the backup goes where the routes lead today; all the others were asked long ago.
  expect(Object.keys(atAcademy).sort()).toEqual(['cleo', 'fred', 'gina', 'nina']);
  for (const login of ['anna', 'bert', 'cleo', 'emil', 'fred', 'gina']) {
    expect(told(atBlog[login])).toEqual(told(atShop[login]));
  }
  for (const login of ['cleo', 'fred', 'gina', 'nina']) {
    expect(told(atAcademy[login])).toEqual(told(atShop[login]));
  }

  // What nobody but a person can know waits for one.
  expect(await alarms()).toEqual(
    [
      'blog dora: account.vanished',
      'blog nina: identity.label_mismatch',
      'shop dora: account.vanished',
      `${relabelled} lena: identity.label_mismatch`,
      'shop paul: account.vanished',
    ].sort(),
  );
  expect((await held()).map(({ what }) => what)).toEqual([
    'blog olga: delete.before_restore',
    'blog nina: identity.login_taken',
  ]);
  await answer('shop', 'forget', 'dora', 'paul');
  await answer('blog', 'forget', 'dora');
  await answer(relabelled, 'new', 'lena');
  await answer('blog', 'new', 'nina');
  for (const login of ['lena', 'nina']) {
    const linked = { site: 'shop', login, otherSite: 'blog', otherLogin: login };
    await hub.call('POST', '/links', linked);
  }
  await happens(shop, { edit: 'lena', last_name: 'Linked' });
  await hub.rest();
  expect(await alarms()).toEqual([]);
  const [shopNow = {}, blogNow = {}] = await Promise.all([shop, blog].map(everybody));
  expect(told(blogNow.lena).meta).toMatchObject({ last_name: ['Linked'] });
  expect(told(shopNow.nina)).toEqual(told(blogNow.nina));
  expect(shopNow.nina).toMatchObject({ user_email: 'nina.since@people.test' });
  expect([shopNow.dora, blogNow.dora, shopNow.paul, blogNow.paul]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  // And another copy of this hub is refused by now.
  expect(await shop.php('echo Rollcall_Settings::term();')).toBe('3');
});

test('T843: a hub that starts at another address tells its sites, and their signals arrive there', async () => {
  await running.stop();
  await start(folder, { pollSeconds: 3_600 });
  await hub.rest();
  await happens(shop, { edit: 'anna', description: 'Signalled' });
  await waitUntil(async () => (await person(blog, 'anna'))?.description === 'Signalled', REST_MS);
});

test('T844: where the store of a hub is lost, a new one is refused with the name of the old; released, nobody is taken for anybody', async () => {
  await running.stop();
  const before = await Promise.all([shop, blog].map(everybody));
  await start(await newFolder());
  const refused = await hub.connect(shop).catch(String);
  expect(refused).toContain('site.not_mine');
  expect(refused).toContain('This site is connected to the hub');
  for (const where of [shop, blog]) {
    await where.php('Rollcall_Disconnect::release();');
    await hub.connect(where);
  }
  await hub.route('shop', 'blog', { both: true });
  await happens(shop, { edit: 'bert', first_name: 'Not known' }, { remove: 'cleo' });
  await hub.rest();
  const { bert: _bert, cleo: _cleo, ...others } = before[0] ?? {};
  const [atShop = {}, atBlog = {}] = await Promise.all([shop, blog].map(everybody));
  expect(atShop).toMatchObject(others);
  expect(atBlog).toEqual(before[1]);
  const under = await alarms();
  expect(under).toContain('shop bert: identity.label_mismatch');
  expect(under).toContain('blog bert: identity.label_mismatch');
  expect((await doctor()).map(({ code }) => code)).toContain('identity.label_mismatch');
});
