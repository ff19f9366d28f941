/**
 * A site that is put back to an earlier state, whole or only its users, or rewritten past WordPress: seen,
 * stopped or held, read anew, and nobody is taken for somebody else.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RereadSite, RewrittenSite } from '#hub/api/schemas/recovery.ts';
import { signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { backUp, putBack } from './backup.ts';
import { createAccount, person, REST_MS, type Stage, startStage } from './stage.ts';

let stage: Stage;
let shop: Site;
let blog: Site;

beforeAll(async () => {
  stage = await startStage({ sites: ['shop', 'blog'], routes: ['shop=blog'] });
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
});
afterAll(() => stage?.end());

interface Alarms {
  alarms: { login: string; site: string; reason: { code: string }; answers: string[] }[];
}
interface Doctor {
  checks: { subject: string; level: string; code: string | null; message: string; next: string }[];
}

const edit = (site: Site, login: string, fields: Record<string, string>) =>
  site.php(`$fields = json_decode( '${JSON.stringify(fields)}', true );
    wp_update_user( array( 'ID' => get_user_by( 'login', '${login}' )->ID ) + $fields );`);
const pause = (status: 'paused' | 'active') => stage.hub.call('PATCH', '/sites/shop', { status });
const trouble = async () =>
  (await stage.hub.status(false)).sites.find(({ name }) => name === 'shop')?.trouble?.code;
const alarms = async () =>
  (await stage.hub.call<Alarms>('GET', '/alarms')).alarms.map(
    ({ login, site, reason }) => `${site} ${login}: ${reason.code}`,
  );
const answer = (word: string, ...logins: string[]) =>
  stage.hub.call<{ answered: number }>('POST', '/alarms/answer', {
    site: 'shop',
    answer: word,
    logins,
  });
const restored = () => stage.hub.call<RereadSite>('POST', '/sites/shop/restored', {});
const rewritten = (take: string) =>
  stage.hub.call<RewrittenSite>('POST', '/sites/shop/rewritten', { take });
const heldFields = async () => {
  const { held } = await stage.hub.call<{
    held: { login: string; reason: string; fields: string[] }[];
  }>('GET', '/held');
  return held.map(({ login, reason, fields }) => `${login} ${fields.join()}: ${reason}`).sort();
};
const stopped = () => waitUntil(async () => (await trouble()) === 'source.rewound', REST_MS);
const uidOn = (site: Site, login: string) =>
  site.php(
    `echo Rollcall_Ledger::load( array( get_user_by( 'login', '${login}' )->ID ) )[ get_user_by( 'login', '${login}' )->ID ]['uid'] ?? '';`,
  );

/** Everything that WordPress itself knows of all accounts of a site, but the hub's own. */
async function everybody(site: Site): Promise<Record<string, unknown>> {
  return JSON.parse(
    await site.php(`global $wpdb;
      $all = array();
      foreach ( $wpdb->get_results( "SELECT * FROM $wpdb->users ORDER BY ID", ARRAY_A ) as $row ) {
        if ( 0 === strpos( $row['user_login'], 'rollcall' ) ) { continue; }
        $all[ $row['user_login'] ] = $row + array( 'meta' => array_diff_key( get_user_meta( $row['ID'] ), array( 'session_tokens' => 1 ) ) );
      }
      echo wp_json_encode( (object) $all );`),
  );
}

async function doctorSays(code: string): Promise<{ message: string; next: string } | undefined> {
  const { checks } = await stage.hub.call<Doctor>('GET', '/doctor');
  return checks.find((check) => check.code === code && check.subject === 'shop');
}

test('T801: a site restored from a backup is stopped, and goes on where a person says so; nobody loses, doubles or revives anything elsewhere', async () => {
  for (const login of ['anna', 'bert', 'dora', 'emil']) await createAccount(shop, login);
  await stage.hub.rest();
  await backUp(shop, 'all');

  await edit(shop, 'anna', { first_name: 'Anna here', user_pass: 'a newer password' });
  await edit(blog, 'bert', { last_name: 'Bert there' });
  await createAccount(shop, 'cleo', { firstName: 'Cleo', role: 'author' });
  await shop.wp('user', 'delete', 'dora', '--yes');
  await stage.hub.rest();
  const after = { blog: await everybody(blog), anna: await person(shop, 'anna') };
  expect(Object.keys(after.blog).sort()).toEqual(['admin', 'anna', 'bert', 'cleo', 'emil']);

  await pause('paused');
  await putBack(shop, 'all');
  const backup = await everybody(shop);
  // The outbox runs past the place that the hub has read: its count alone would show nothing.
  await shop.php('for ( $i = 0; $i < 50; $i++ ) { Rollcall_Life::next_head(); }');
  await edit(shop, 'emil', { first_name: 'Emil since' });
  const before = await everybody(shop);
  await pause('active');
  await stopped();
  expect(await everybody(blog)).toEqual(after.blog);
  expect(await everybody(shop)).toEqual(before);
  expect(backup['dora']).toEqual(before['dora']);

  // Both ends say so, with what to do.
  expect((await doctorSays('source.rewound'))?.next).toContain('rollcall site restored');
  const { visitor } = await signIn(shop, shop.adminLogin, shop.adminPassword);
  const page = await (await visitor.request('/wp-admin/index.php')).text();
  expect(page).toContain('“rollcall site restored”');

  expect(await restored()).toMatchObject({
    site: 'shop',
    vanished: 1,
    reappeared: 1,
    mismatched: 0,
  });
  await stage.hub.rest();
  expect(await trouble()).toBeUndefined();
  expect(await person(shop, 'anna')).toEqual(after.anna);
  expect(await person(shop, 'bert')).toMatchObject({ lastName: 'Bert there' });
  expect(await person(shop, 'emil')).toMatchObject({ firstName: 'Emil since' });
  expect(await person(blog, 'emil')).toMatchObject({ firstName: 'Emil since' });
  expect(await person(shop, 'cleo')).toBeNull();
  expect(await person(blog, 'dora')).toBeNull();
  expect(await alarms()).toEqual(['shop cleo: account.vanished', 'shop dora: account.reappeared']);
  expect((await doctorSays('account.vanished'))?.next).toContain('rollcall alarm list');
  expect(await doctorSays('source.rewound')).toBeUndefined();

  // Until a person has answered, edits of these two cross nothing.
  await edit(blog, 'cleo', { first_name: 'Cleo later' });
  await edit(shop, 'dora', { first_name: 'Dora later' });
  await stage.hub.rest();
  expect([await person(shop, 'cleo'), await person(blog, 'dora')]).toEqual([null, null]);

  await answer('recreate', 'cleo');
  await answer('delete', 'dora');
  await stage.hub.rest();
  const [here, there] = [await person(shop, 'cleo'), await person(blog, 'cleo')];
  expect(here).toMatchObject({ firstName: 'Cleo later', roles: ['author'], hash: there?.hash });
  expect(await uidOn(shop, 'cleo')).toBe(await uidOn(blog, 'cleo'));
  expect([await person(shop, 'dora'), await person(blog, 'dora')]).toEqual([null, null]);
  expect(await alarms()).toEqual([]);
  const answered = (await stage.hub.log()).filter(({ status }) => status === 'released');
  expect(answered.map(({ login, reason }) => `${login} ${reason}`).sort()).toEqual([
    'cleo account.vanished',
    'dora account.reappeared',
  ]);
  for (const { actor } of answered) expect(actor).toMatch(/^operator ./u);
});

test('T802: a restored site that had only received is seen before anything is written to it', async () => {
  await createAccount(blog, 'fred', { firstName: 'Fred' });
  await stage.hub.rest();
  await backUp(shop, 'all');
  await edit(blog, 'fred', { last_name: 'Newer' });
  await stage.hub.rest();
  expect(await person(shop, 'fred')).toMatchObject({ lastName: 'Newer' });
  await pause('paused');
  await edit(blog, 'fred', { description: 'On its way' });
  await stage.hub.settled(['blog']);
  await putBack(shop, 'all');
  const before = await everybody(shop);
  await pause('active');
  await stopped();
  expect(await everybody(shop)).toEqual(before);

  await restored();
  await stage.hub.rest();
  expect(await person(shop, 'fred')).toMatchObject({
    firstName: 'Fred',
    lastName: 'Newer',
    description: 'On its way',
  });
  expect(await alarms()).toEqual([]);
});

test('T803: an id that is used again for somebody else gives that person nothing of the one before', async () => {
  await backUp(shop, 'all');
  const id = await createAccount(shop, 'gina', { firstName: 'Gina' });
  await shop.php(`Rollcall_Ledger::set_switches( ${id}, array( 'reject_incoming' => true ) );`);
  await stage.hub.rest();
  const gina = await person(blog, 'gina');
  expect(gina).toMatchObject({ firstName: 'Gina' });
  const uid = await uidOn(shop, 'gina');
  await pause('paused');
  await putBack(shop, 'all');
  expect(await createAccount(shop, 'hugo', { firstName: 'Hugo' })).toBe(id);
  await pause('active');
  await stopped();
  expect(await restored()).toMatchObject({ vanished: 0, mismatched: 1 });
  await stage.hub.rest();
  expect(await alarms()).toEqual(['shop gina: identity.label_mismatch']);
  expect(await person(blog, 'hugo')).toBeNull();
  expect(await person(blog, 'gina')).toEqual(gina);

  expect(await answer('new', 'gina')).toMatchObject({ answered: 1 });
  await stage.hub.rest();
  expect(await alarms()).toEqual([]);
  expect(await person(blog, 'gina')).toEqual(gina);
  expect(await person(blog, 'hugo')).toMatchObject({ firstName: 'Hugo' });
  const [here, there] = [await uidOn(shop, 'hugo'), await uidOn(blog, 'hugo')];
  expect(here).toBe(there);
  expect(here).not.toBe(uid);
  expect(await uidOn(blog, 'gina')).toBe(uid);
});

test('T804: only the tables of users and usermeta are put back: what is older there is held, and the others’ values come back when a person says so', async () => {
  await createAccount(shop, 'lena', { firstName: 'Lena' });
  await stage.hub.rest();
  await backUp(shop, 'accounts');
  await edit(shop, 'anna', { first_name: 'Anna newer', user_pass: 'the newest password' });
  await edit(blog, 'bert', { last_name: 'Bert newer' });
  await createAccount(shop, 'ivan');
  await createAccount(shop, 'kurt', { firstName: 'Kurt' });
  await shop.wp('user', 'delete', 'lena', '--yes');
  await stage.hub.rest();
  const newest = await person(blog, 'anna');

  await pause('paused');
  await putBack(shop, 'accounts');
  const backup = await everybody(shop);
  // Ivan's id comes again, for somebody else.
  await createAccount(shop, 'jana');
  await edit(shop, 'anna', { description: 'Since then' });
  await edit(blog, 'bert', { last_name: 'Bert newest', description: 'Not held' });
  const before = await everybody(blog);
  await pause('active');
  await stage.hub.rest();

  // Two accounts differ, far fewer than the limit. What was done since travels, what is older does not.
  expect(await heldFields()).toEqual(['bert last_name: source.rewritten_outside']);
  expect(await person(shop, 'anna')).toMatchObject({ firstName: 'Anna here' });
  expect(await person(shop, 'bert')).toMatchObject({
    lastName: 'Bert there',
    description: 'Not held',
  });
  expect(await person(blog, 'anna')).toEqual({ ...newest, description: 'Since then' });
  expect(await everybody(blog)).toMatchObject({ ...before, anna: {} });
  expect(Object.keys(await everybody(shop)).sort()).toEqual(
    [...Object.keys(backup), 'jana'].sort(),
  );

  // Both ends say so, with what to do.
  expect((await doctorSays('source.rewritten_outside'))?.next).toContain('rollcall site rewritten');
  expect((await doctorSays('source.accounts_missing'))?.next).toContain('rollcall site rewritten');
  const { visitor } = await signIn(shop, shop.adminLogin, shop.adminPassword);
  const page = await (await visitor.request('/wp-admin/index.php')).text();
  expect(page).toContain('“rollcall site rewritten”');

  expect(await rewritten('others')).toMatchObject({
    changed: 2,
    vanished: 1,
    reappeared: 1,
    mismatched: 1,
  });
  await stage.hub.rest();
  expect(await heldFields()).toEqual([]);
  expect(await person(shop, 'anna')).toEqual({ ...newest, description: 'Since then' });
  expect(await person(blog, 'anna')).toEqual(await person(shop, 'anna'));
  expect(await person(shop, 'bert')).toMatchObject({ lastName: 'Bert newest' });
  expect(await everybody(blog)).toMatchObject({ ...before, anna: {} });
  expect(await alarms()).toEqual([
    'shop ivan: identity.label_mismatch',
    'shop kurt: account.vanished',
    'shop lena: account.reappeared',
  ]);
  expect(await doctorSays('source.rewritten_outside')).toBeUndefined();
  expect(await doctorSays('source.accounts_missing')).toBeUndefined();

  await answer('recreate', 'kurt');
  await answer('new', 'ivan');
  await answer('delete', 'lena');
  await stage.hub.rest();
  expect(await alarms()).toEqual([]);
  expect(await person(shop, 'kurt')).toMatchObject({ firstName: 'Kurt' });
  expect(await person(shop, 'lena')).toBeNull();
  for (const login of ['kurt', 'jana']) {
    expect(await uidOn(shop, login)).toBe(await uidOn(blog, login));
  }
  expect(await uidOn(blog, 'jana')).not.toBe(await uidOn(blog, 'ivan'));
});

/** A search-and-replace in the database, over everybody's usermeta. */
const replaceText = (mark: string) =>
  shop.php(`global $wpdb;
    $wpdb->query( "UPDATE $wpdb->usermeta SET meta_value = CONCAT( meta_value, ' ${mark}' ) WHERE meta_key = 'description'" );
    wp_cache_flush();`);
const editAll = (site: Site, logins: readonly string[], description: string) =>
  site.php(`foreach ( ${JSON.stringify(logins)} as $login ) {
    wp_update_user( array( 'ID' => get_user_by( 'login', $login )->ID, 'description' => $login . ' ${description}' ) );
  }`);
const descriptions = async (site: Site, logins: readonly string[]) =>
  Promise.all(logins.map(async (login) => (await person(site, login))?.description));
const SIX = ['anna', 'bert', 'cleo', 'fred', 'hugo', 'jana'] as const;
const all = (text: string) => SIX.map((login) => `${login} ${text}`);

test('T805: a search-and-replace over usermeta is held and overwritten by nothing', async () => {
  await editAll(shop, [...SIX, 'kurt'], 'one');
  await stage.hub.rest();
  await replaceText('replaced');
  await editAll(blog, SIX, 'two');
  await stage.hub.rest();
  expect(await heldFields()).toEqual(
    SIX.map((login) => `${login} description: source.rewritten_outside`),
  );
  expect(await descriptions(shop, SIX)).toEqual(all('one replaced'));
  expect(await descriptions(blog, SIX)).toEqual(all('two'));
  const said = 'accounts were changed past WordPress';
  expect((await doctorSays('source.rewritten_outside'))?.message).toContain(said);
  const shown = (await stage.hub.status(false)).sites.find((site) => site.name === 'shop');
  expect(shown).toMatchObject({ trouble: null, warnings: [{ code: 'source.rewritten_outside' }] });
  expect(shown?.warnings[0]?.message).toContain(said);
});

test('T860: of a save that is killed meanwhile only what the person wrote travels', async () => {
  await shop.php(`remove_all_actions( 'shutdown' );
    update_user_meta( get_user_by( 'login', 'kurt' )->ID, 'first_name', 'Half way' );
    $GLOBALS['wpdb']->query( 'UPDATE ' . Rollcall_Tables::outbox() . ' SET opened_ms = opened_ms - 31000' );`);
  await stage.hub.rest();
  expect(await person(blog, 'kurt')).toMatchObject({
    firstName: 'Half way',
    description: 'kurt one',
  });
  expect(await descriptions(shop, ['kurt'])).toEqual(['kurt one replaced']);
});

test('T805: “nothing” leaves it there, and newer edits come in', async () => {
  await rewritten('nothing');
  await stage.hub.rest();
  expect(await heldFields()).toEqual([]);
  expect(await descriptions(shop, [...SIX, 'kurt'])).toEqual([...all('two'), 'kurt one replaced']);
  expect(await descriptions(blog, [...SIX, 'kurt'])).toEqual([...all('two'), 'kurt one']);
});

test('T806: taken as edits, replaced text travels, and wins over what came in meanwhile', async () => {
  await replaceText('replaced');
  await editAll(blog, SIX, 'three');
  await stage.hub.rest();
  expect(await descriptions(shop, SIX)).toEqual(all('two replaced'));
  await rewritten('edits');
  await stage.hub.rest();
  expect(await heldFields()).toEqual([]);
  for (const site of [shop, blog]) {
    expect(await descriptions(site, SIX)).toEqual(all('two replaced'));
    expect(await descriptions(site, ['kurt'])).toEqual(['kurt one replaced replaced']);
  }
  // What happened to the site, each thing once, with nothing left to do.
  const { events } = await stage.hub.call<{
    events: { code: string; by: string | null; next: string | null }[];
  }>('GET', '/site-events?site=shop');
  const [last, before] = events;
  expect(last).toMatchObject({
    code: 'source.read_anew',
    by: expect.stringMatching(/^operator /u),
  });
  expect(before).toMatchObject({ code: 'source.rewritten_outside', by: null });
  const seen = events.filter(({ by }) => by === null).map(({ code }) => code);
  expect(seen.filter((code) => code === 'source.rewritten_outside')).toHaveLength(3);
  expect(seen).toContain('source.rewound');
  expect(events.filter(({ next }) => next !== null)).toEqual([]);
});
