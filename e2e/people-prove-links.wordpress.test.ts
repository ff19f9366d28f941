/** Somebody has two older accounts with one address, and proves it: on real pages, with real mails and sign-ins. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AskedProof } from '#hub/api/schemas/proof.ts';
import { signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { formFields } from '#lab/visitor.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { REST_MS, type Stage, startStage } from './stage.ts';

/** The shop's administrator makes it tell halves of their choice on every account that it tells of. */
const LIES = `<?php
add_filter( 'rest_post_dispatch', function ( $response, $server, $request ) {
	$lies = get_option( 'test_lies' );
	if ( ! $lies || '/rollcall/v1/changes' !== $request->get_route() ) { return $response; }
	$data = $response->get_data();
	foreach ( $data['rows'] as $i => $row ) {
		if ( isset( $row['account'] ) ) { $data['rows'][ $i ]['account']['proofs'] = $lies; }
	}
	$response->set_data( $data );
	return $response;
}, 1, 3 );
`;

const PEOPLE = [
  'lisa',
  'half',
  'lied',
  'victim',
  'same',
  'other',
  'late',
  'taken',
  'boss',
] as const;
/** Long enough for both sites of a busy machine to be asked. */
const LATE_SECONDS = 10;
type Login = (typeof PEOPLE)[number];

let stage: Stage;
let shop: Site;
let blog: Site;
let late: AskedProof;
let before: readonly [Everybody, Everybody];

beforeAll(async () => {
  stage = await startStage({ sites: ['shop', 'blog'], routes: [] });
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
  await writeFile(join(shop.dir, 'wp-content/mu-plugins/lies.php'), LIES);
  await settle(blog, 'old-');
  await settle(shop, '');
  await stage.hub.rest();
  await stage.hub.route('shop', 'blog', { both: true });
  await stage.hub.rest();
  before = [await everybody(shop), await everybody(blog)];
  // It runs out while the others are told.
  late = await ask('late', { withinSeconds: LATE_SECONDS });
});
afterAll(() => stage?.end());

/** “same” alone has one password on both sites. */
const passwordOn = (site: Site, login: Login): string =>
  login === 'same' ? 'the same on both' : `${login} on ${site.name}`;

async function settle(site: Site, before: string): Promise<void> {
  const people = PEOPLE.map((login) => ({
    user_login: `${before}${login}`,
    user_email: `${login}@people.test`,
    user_pass: passwordOn(site, login),
    first_name: `${login} of ${site.name}`,
    role: login === 'boss' && site === blog ? 'administrator' : 'subscriber',
  }));
  await site.php(`foreach ( json_decode( ${quoted(JSON.stringify(people))}, true ) as $person ) {
    wp_insert_user( $person );
  }`);
}
const quoted = (text: string): string => `'${text.replaceAll(/['\\]/gu, '\\$&')}'`;

const there = (site: Site, login: Login): string => (site === blog ? `old-${login}` : login);
const ask = (login: Login, change: object = {}): Promise<AskedProof> =>
  stage.hub.call('POST', '/links/ask', { ...pair(login), kind: 'mail', ...change });
const pair = (login: Login) => ({
  site: 'shop',
  login,
  otherSite: 'blog',
  otherLogin: `old-${login}`,
});

const now = async ({ id }: AskedProof): Promise<AskedProof | undefined> =>
  (await stage.hub.call<{ proofs: AskedProof[] }>('GET', '/links/asked')).proofs.find(
    (proof) => proof.id === id,
  );
const confirmed = async (proof: AskedProof) =>
  (await now(proof))?.halves.map(({ confirmedAt }) => confirmedAt !== null);
const endsAs = (proof: AskedProof, ended: string) =>
  waitUntil(async () => {
    const found = (await now(proof))?.ended ?? null;
    if (found !== null) expect(found).toBe(ended);
    return found !== null;
  }, REST_MS);

/** Opens the mailed link, signed in to the account, and presses the button when there is one. */
async function openLink(site: Site, login: Login): Promise<string> {
  const mails = (await site.mails()).filter((mail) => mail.to === `${login}@people.test`);
  const [mail] = mails.filter(({ message }) => message.includes('action=rollcall_link'));
  const link = /https?:\/\/[^/\s]+(\/\S*action=rollcall_link\S*)/u.exec(mail?.message ?? '')?.[1];
  if (link === undefined) throw new Error(`no link for ${login} on ${site.name}`);
  const { visitor } = await signIn(site, there(site, login), passwordOn(site, login));
  const page = await (await visitor.request(link)).text();
  const form = formFields(page, 'rollcall-link');
  if (form === undefined) return page;
  return (await visitor.submit('/wp-login.php?action=rollcall_link', form)).text();
}

interface Shown {
  readonly email: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly description: string;
  readonly roles: readonly string[];
  readonly hash: string;
}
type Everybody = Readonly<Record<Login, Shown>>;

/** All the people of this story as WordPress itself shows them on a site. */
async function everybody(site: Site): Promise<Everybody> {
  const logins = PEOPLE.map((login) => `${login} ${there(site, login)}`).join(',');
  const shown: Everybody = JSON.parse(
    await site.php(`foreach ( explode( ',', '${logins}' ) as $pair ) {
      list( $key, $login ) = explode( ' ', $pair );
      $u = get_user_by( 'login', $login );
      $all[ $key ] = array( 'email' => $u->user_email, 'first_name' => $u->first_name, 'last_name' => $u->last_name,
        'description' => $u->description, 'roles' => array_values( $u->roles ), 'hash' => $u->user_pass );
    }
    echo wp_json_encode( $all );`),
  );
  return shown;
}

/** Each writes something on both sites, and all of it arrives where it may. */
async function edit(logins: readonly Login[]): Promise<readonly [Everybody, Everybody]> {
  const write = (site: Site, key: string) =>
    site.php(`foreach ( explode( ',', '${logins.map((login) => there(site, login)).join(',')}' ) as $login ) {
      wp_update_user( array( 'ID' => get_user_by( 'login', $login )->ID, '${key}' => "$login wrote it" ) );
    }`);
  await write(shop, 'description');
  await write(blog, 'last_name');
  await stage.hub.rest();
  return [await everybody(shop), await everybody(blog)];
}
const linkRows = async (login: Login) =>
  (await stage.hub.log(`&account=${login}`)).filter((row) => row.action === 'link' && row.actor);

test('T411: both mails are confirmed, each signed in to its account: from then on all crosses both ways', async () => {
  const proof = await ask('lisa');
  await stage.hub.rest();
  expect(await openLink(shop, 'lisa')).toContain('Confirmed here');
  expect(await openLink(blog, 'lisa')).toContain('Confirmed here');
  await endsAs(proof, 'proven');
  const [{ lisa }, { lisa: old }] = await edit(['lisa']);
  expect(old).toEqual(lisa);
  expect(lisa).toEqual({
    ...before[0].lisa,
    description: 'lisa wrote it',
    last_name: 'old-lisa wrote it',
  });
  expect((await linkRows('lisa')).map(({ status, actor }) => [status, actor])).toEqual([
    ['released', expect.stringMatching(/^mailed link asked by /u)],
  ]);
});

test('T412, T413: one half links nobody, whatever a site says of the other half and of other people', async () => {
  const [half, lied, victim] = [await ask('half'), await ask('lied'), await ask('victim')];
  expect(await openLink(shop, 'half')).toContain('Confirmed here');
  const given = async (site: Site): Promise<string[]> =>
    JSON.parse(
      await site.php(
        `global $wpdb; echo wp_json_encode( $wpdb->get_col( 'SELECT SUBSTRING( name, 7 ) FROM ' . Rollcall_Tables::facts() . " WHERE name LIKE 'proof:%'" ) );`,
      ),
    );
  const lies = [...(await given(blog)), ...(await given(shop))].map((id) => ({ half: id }));
  expect(lies.length).toBeGreaterThanOrEqual(6);
  await shop.php(`update_option( 'test_lies', json_decode( ${quoted(JSON.stringify(lies))}, true ) );
    wp_update_user( array( 'ID' => get_user_by( 'login', 'lied' )->ID, 'user_url' => 'http://lied.test' ) );`);
  await waitUntil(async () => (await confirmed(lied))?.[0] === true, REST_MS);
  await stage.hub.rest();
  // Its own half of that very account it may confirm as it likes.
  expect([await confirmed(half), await confirmed(lied), await confirmed(victim)]).toEqual([
    [true, false],
    [true, false],
    [false, false],
  ]);
  await shop.wp('option', 'delete', 'test_lies');
});

test('T414: the same password at sign-ins on both sites links; two passwords do not', async () => {
  const kind = { kind: 'password' };
  const [same, other] = [await ask('same', kind), await ask('other', kind)];
  for (const login of ['same', 'other'] as const) {
    for (const site of [shop, blog]) {
      const { ok } = await signIn(site, there(site, login), passwordOn(site, login));
      expect(ok).toBe(true);
    }
  }
  await endsAs(same, 'proven');
  await endsAs(other, 'proof.passwords_differ');
  const [{ same: one }, { same: two }] = await edit(['same']);
  expect(two).toEqual(one);
  expect(one).toMatchObject({ last_name: 'old-same wrote it', description: 'same wrote it' });
  const [row] = await linkRows('other');
  expect(row).toMatchObject({ status: 'refused', reason: 'proof.passwords_differ' });
});

test('T415, T417: an administrator is not asked; what ran out or was taken back opens nothing', async () => {
  const refused = await stage.hub.raw('POST', '/links/ask', { ...pair('boss'), kind: 'mail' });
  expect([refused.status, await refused.text()]).toEqual([
    409,
    expect.stringContaining('can administer its site'),
  ]);
  const taken = await ask('taken');
  expect(await openLink(shop, 'taken')).toContain('Confirmed here');
  await stage.hub.call('POST', `/links/asked/${taken.id}/withdraw`, {});
  expect(await openLink(blog, 'taken')).toContain('opens nothing any more');
  await endsAs(late, 'proof.expired');
  expect(await openLink(shop, 'late')).toContain('opens nothing any more');
  expect((await now(taken))?.ended).toBe('proof.withdrawn');
  const mailed = [...(await shop.mails()), ...(await blog.mails())].map(({ to }) => to);
  expect(mailed).not.toContain('boss@people.test');
});

test('T412, T413, T414, T415, T417: between the accounts of all the others nothing has crossed, and nothing does', async () => {
  const apart = ['half', 'lied', 'victim', 'other', 'late', 'taken', 'boss'] as const;
  const [onShop, onBlog] = await edit(apart);
  for (const login of apart) {
    expect(onShop[login]).toEqual({ ...before[0][login], description: `${login} wrote it` });
    expect(onBlog[login]).toEqual({ ...before[1][login], last_name: `old-${login} wrote it` });
  }
});
