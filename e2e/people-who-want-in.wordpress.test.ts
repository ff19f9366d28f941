/**
 * Somebody has an account on one site and wants into another person's on another site. The shop is
 * theirs; blog and club have older accounts. Every older account is compared as WordPress stores it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { person, type Stage, startStage } from './stage.ts';

let stage: Stage;
let shop: Site;
let blog: Site;
let club: Site;

beforeAll(async () => {
  stage = await startStage({ sites: ['shop', 'blog', 'club'], routes: [] });
  [shop, blog, club] = [stage.site('shop'), stage.site('blog'), stage.site('club')];
  await makeAccounts(club, ['old-vera vera@people.test', 'dora-club dora@people.test']);
  await makeAccounts(blog, [
    'dora-blog dora@people.test',
    'freed freed@people.test',
    'editor-ed ed@people.test editor',
    'chief chief@people.test',
    ...OLDER.map(({ login, email }) => `${login} ${email}`),
  ]);
  // A capability given to the person, under a harmless role.
  await blog.php(`get_user_by( 'login', 'chief' )->add_cap( 'manage_options' );`);
  await stage.hub.rest();
  await stage.hub.route('shop', 'blog', { both: true });
  await stage.hub.route('blog', 'club', { both: true });
});
afterAll(() => stage?.end());

/** “login address [role]”: made as a person would be, with the password “LOGIN pw”. */
const makeAccounts = (site: Site, wanted: readonly string[]) =>
  site.php(`foreach ( ${phpList(wanted)} as $line ) {
      $part = explode( ' ', $line );
      $id   = wp_insert_user( array( 'user_login' => $part[0], 'user_email' => $part[1],
        'role' => $part[2] ?? 'subscriber', 'user_pass' => $part[0] . ' pw', 'first_name' => 'Old ' . $part[0] ) );
      if ( is_wp_error( $id ) ) { throw new Exception( $line . ': ' . $id->get_error_code() ); }
    }`);

const phpList = (list: readonly string[]): string =>
  `json_decode( base64_decode( '${Buffer.from(JSON.stringify(list)).toString('base64')}' ), true )`;

/** The rows of some accounts, hash, roles and every meta with them; sessions come by signing in. */
async function rows(site: Site, logins: readonly string[]): Promise<unknown> {
  return JSON.parse(
    await site.php(`global $wpdb; $out = array();
      foreach ( ${phpList(logins)} as $login ) {
        $u = get_user_by( 'login', $login );
        $out[ $login ] = $u ? array(
          $wpdb->get_row( $wpdb->prepare( "SELECT * FROM $wpdb->users WHERE ID = %d", $u->ID ), ARRAY_A ),
          $wpdb->get_results( $wpdb->prepare( "SELECT meta_key, meta_value FROM $wpdb->usermeta
            WHERE user_id = %d AND meta_key <> 'session_tokens' ORDER BY meta_key, umeta_id", $u->ID ), ARRAY_A ),
        ) : null;
      }
      echo wp_json_encode( $out );`),
  );
}

async function logins(site: Site): Promise<string[]> {
  const found: string[] = JSON.parse(
    await site.php(
      'global $wpdb; echo wp_json_encode( $wpdb->get_col( "SELECT user_login FROM $wpdb->users" ) );',
    ),
  );
  return found;
}

const change = (site: Site, login: string, data: Readonly<Record<string, string>>) =>
  site.php(`$id = get_user_by( 'login', '${login}' )->ID;
    $data = json_decode( base64_decode( '${Buffer.from(JSON.stringify(data)).toString('base64')}' ), true );
    $done = wp_update_user( wp_slash( $data + array( 'ID' => $id ) ) );
    if ( is_wp_error( $done ) ) { throw new Exception( $done->get_error_code() ); }`);

interface Held {
  readonly delivery: string;
  readonly login: string;
  readonly target: string;
  readonly reason: string;
  readonly fields: readonly string[];
}
const held = async (login: string): Promise<readonly Held[]> =>
  (await stage.hub.call<{ held: Held[] }>('GET', '/held')).held.filter(
    (row) => row.login === login,
  );
const reasonsOf = async (login: string) =>
  new Set((await stage.hub.log(`&account=${login}`)).map((row) => row.reason));

test('T402: a new account with an older account’s address gives its owner nothing there, through a third site and whatever both do', async () => {
  const before = await rows(club, ['old-vera']);
  await makeAccounts(shop, ['vera vera@people.test']);
  await stage.hub.rest();
  expect(await person(blog, 'vera')).toMatchObject({ email: 'vera@people.test' });

  await change(shop, 'vera', { first_name: 'Mine', user_pass: 'mine now', role: 'contributor' });
  await stage.hub.rest();
  await change(blog, 'vera', { description: 'from the site between' });
  expect(await signIn(shop, 'vera', 'mine now')).toMatchObject({ ok: true });
  expect(await signIn(club, 'old-vera', 'old-vera pw')).toMatchObject({ ok: true });
  await stage.hub.rest();
  expect(await rows(club, ['old-vera'])).toEqual(before);

  // The hub reads who is who again, and is started again; an operator syncs other people.
  await stage.hub.connect(club);
  await stage.restart();
  await stage.hub.call('POST', '/syncs', {
    from: 'blog',
    to: ['club'],
    accounts: { by: 'roles', roles: ['contributor', 'subscriber'] },
  });
  await change(shop, 'vera', { last_name: 'Second edit', user_pass: 'mine again' });
  await stage.hub.rest();
  expect(await rows(club, ['old-vera'])).toEqual(before);
  expect(await logins(club)).not.toContain('vera');
  expect(await reasonsOf('vera')).toContain('link.unproven');
});

test('T403: nothing comes back from the older account either, and neither’s end is the other’s', async () => {
  const stranger = [await rows(shop, ['vera']), await rows(blog, ['vera'])];
  await change(club, 'old-vera', {
    first_name: 'Vera herself',
    user_pass: 'known to her',
    role: 'author',
  });
  await stage.hub.rest();
  expect([await rows(shop, ['vera']), await rows(blog, ['vera'])]).toEqual(stranger);

  const before = await rows(club, ['old-vera']);
  await shop.wp('user', 'delete', 'vera', '--yes');
  await stage.hub.rest();
  expect(await logins(blog)).not.toContain('vera');
  expect(await rows(club, ['old-vera'])).toEqual(before);
});

test('T404: two older accounts on two sites: neither is linked, and the chain ends at the first', async () => {
  const before = [await rows(blog, ['dora-blog']), await rows(club, ['dora-club'])];
  await makeAccounts(shop, ['dora dora@people.test']);
  await stage.hub.rest();
  await change(shop, 'dora', { first_name: 'Not her', user_pass: 'not hers' });
  await change(blog, 'dora-blog', { last_name: 'Blog' });
  await change(blog, 'dora-blog', { last_name: '' });
  await stage.hub.rest();
  expect([await rows(blog, ['dora-blog']), await rows(club, ['dora-club'])]).toEqual(before);
  expect((await logins(blog)).filter((login) => login.startsWith('dora'))).toEqual(['dora-blog']);
  expect((await logins(club)).filter((login) => login.startsWith('dora'))).toEqual(['dora-club']);
});

test('T405: an older account’s address that becomes free makes the new person’s own account there, and taking it back takes nothing else', async () => {
  await makeAccounts(shop, ['fred freed@people.test']);
  await stage.hub.rest();
  expect(await logins(blog)).not.toContain('fred');
  await change(blog, 'freed', { user_email: 'elsewhere@people.test' });
  await stage.hub.rest();
  const older = await rows(blog, ['freed']);
  expect(await person(blog, 'fred')).toMatchObject({
    email: 'freed@people.test',
    hash: (await person(shop, 'fred'))?.hash,
  });
  await change(shop, 'fred', { user_email: 'elsewhere@people.test', first_name: 'Fred' });
  await stage.hub.rest();
  expect(await rows(blog, ['freed'])).toEqual(older);
  expect(await person(blog, 'fred')).toMatchObject({
    email: 'freed@people.test',
    firstName: 'Fred',
  });
  expect(await held('fred')).toMatchObject([
    { target: 'blog', reason: 'identity.email_taken', fields: ['email'] },
  ]);
});

test('T406: the address of an administrator, by role or by a capability given to the person: never linked, not by an operator either', async () => {
  const before = await rows(blog, ['editor-ed', 'chief']);
  await makeAccounts(shop, ['ed ed@people.test', 'chieftain chief@people.test']);
  await stage.hub.rest();
  await change(shop, 'ed', { user_pass: 'of ed', first_name: 'Ed' });
  for (const [login, otherLogin] of [
    ['ed', 'editor-ed'],
    ['chieftain', 'chief'],
  ] as const) {
    const link = { site: 'shop', login, otherSite: 'blog', otherLogin };
    expect((await stage.hub.raw('POST', '/links', link)).ok).toBe(false);
  }
  expect(await reasonsOf('ed')).toContain('link.privileged');
  await stage.hub.call('POST', '/syncs', {
    from: 'shop',
    to: ['blog'],
    accounts: { by: 'accounts', logins: ['ed', 'chieftain'] },
    links: [
      { login: 'ed', target: 'blog', other: 'editor-ed' },
      { login: 'chieftain', target: 'blog', other: 'chief' },
    ],
  });
  await change(shop, 'chieftain', { first_name: 'Chieftain', user_pass: 'of chieftain' });
  await stage.hub.rest();
  expect(await rows(blog, ['editor-ed', 'chief'])).toEqual(before);
});

test('T407: an older account that the hub has never heard of is not touched; once an operator has proven the link, edits cross', async () => {
  await blog.php(`global $wpdb;
    $wpdb->insert( $wpdb->users, array( 'user_login' => 'unheard', 'user_pass' => wp_hash_password( 'x' ),
      'user_nicename' => 'unheard', 'user_email' => 'unheard@people.test', 'user_registered' => '2020-01-01 00:00:00',
      'display_name' => 'Unheard' ) );
    $id = $wpdb->insert_id;
    $wpdb->insert( $wpdb->usermeta, array( 'user_id' => $id, 'meta_key' => $wpdb->prefix . 'capabilities', 'meta_value' => serialize( array( 'subscriber' => true ) ) ) );
    // Whoever is new goes out after a minute, even made by SQL; this one counts as looked at.
    Rollcall_Facts::set( Rollcall_Newcomers::FACT, wp_json_encode( array( 'upto' => $id, 'next' => 0, 'since' => 0 ) ) );`);
  const before = await rows(blog, ['unheard']);
  await makeAccounts(shop, ['newly unheard@people.test']);
  await stage.hub.rest();
  await change(shop, 'newly', { first_name: 'Second edit', user_pass: 'second' });
  await stage.hub.rest();
  expect(await rows(blog, ['unheard'])).toEqual(before);

  await stage.hub.call('POST', '/links', {
    site: 'shop',
    login: 'newly',
    otherSite: 'blog',
    otherLogin: 'unheard',
  });
  await stage.hub.rest();
  await change(shop, 'newly', { last_name: 'Proven' });
  await stage.hub.rest();
  expect(await person(blog, 'unheard')).toMatchObject({
    lastName: 'Proven',
    firstName: 'Second edit',
  });
  expect(await held('newly')).toEqual([]);
});

test('T408: who registers first with somebody’s address has nothing of theirs when they come, on any site', async () => {
  await makeAccounts(shop, ['squatter mia@people.test']);
  await stage.hub.rest();
  expect(await person(club, 'squatter')).toMatchObject({ email: 'mia@people.test' });
  // She can't have it where he is; she comes where his account ended.
  await club.wp('user', 'delete', 'squatter', '--yes');
  await stage.hub.rest();
  expect(await person(shop, 'squatter')).toBeNull();
  await makeAccounts(shop, ['squatter mia@people.test']);
  await stage.hub.call('PATCH', '/sites/club', { status: 'paused' });
  await makeAccounts(club, ['mia mia@people.test']);
  await stage.hub.settled(['shop']);
  await stage.hub.call('PATCH', '/sites/club', { status: 'active' });
  await stage.hub.rest();
  const his = await rows(shop, ['squatter']);
  await change(club, 'mia', { first_name: 'Mia', user_pass: 'of mia' });
  await change(shop, 'squatter', { last_name: 'Squatter', user_pass: 'of his' });
  await stage.hub.rest();
  expect((await person(shop, 'squatter'))?.firstName).toBe('Old squatter');
  expect(await person(club, 'mia')).toMatchObject({ firstName: 'Mia', lastName: '' });
  expect(await rows(blog, ['mia'])).toEqual({ mia: null });
  expect(his).not.toEqual(await rows(shop, ['squatter']));
});

test('T409: an address that moves from one account to another arrives with its new owner; a swap is held, and nobody is merged', async () => {
  await makeAccounts(shop, [
    'giver given@people.test',
    'taker taker@people.test',
    'left left@people.test',
    'right right@people.test',
  ]);
  await stage.hub.rest();
  // The taker is told first: its account's row is the older one.
  await stage.hub.call('PATCH', '/sites/shop', { status: 'paused' });
  await change(shop, 'taker', { first_name: 'Taker' });
  await change(shop, 'giver', { user_email: 'gave@people.test' });
  await change(shop, 'taker', { user_email: 'given@people.test' });
  await change(shop, 'left', { user_email: 'between@people.test' });
  await change(shop, 'right', { user_email: 'left@people.test' });
  await change(shop, 'left', { user_email: 'right@people.test', first_name: 'Left' });
  await stage.hub.call('PATCH', '/sites/shop', { status: 'active' });
  await stage.hub.rest();
  for (const site of [blog, club]) {
    expect(await person(site, 'giver')).toMatchObject({ email: 'gave@people.test' });
    expect(await person(site, 'taker')).toMatchObject({ email: 'given@people.test' });
  }
  expect(await person(blog, 'left')).toMatchObject({
    email: 'left@people.test',
    firstName: 'Left',
  });
  expect(await person(blog, 'right')).toMatchObject({ email: 'right@people.test' });
  expect(await held('left')).toMatchObject([{ reason: 'identity.email_taken', fields: ['email'] }]);
  expect(await held('right')).toMatchObject([
    { reason: 'identity.email_taken', fields: ['email'] },
  ]);
});

/** What stands on the blog, and who comes on the shop; by SQL, since WordPress's forms refuse most. */
const OLDER = [
  { login: 'accented', email: 'admin-of@people.test' },
  { login: 'sanitised', email: 'jos@people.test' },
  { login: 'shouted', email: 'shout@people.test' },
  { login: 'spaced', email: 'space@people.test' },
  { login: 'plussed', email: 'plus@people.test' },
  { login: 'domained', email: 'kim@example.test' },
  { login: 'joined', email: 'join@people.test' },
  { login: 'kelvin', email: 'kelvin-k@people.test' },
  { login: 'casey', email: 'casey@people.test' },
  { login: 'look-a', email: 'look-a@people.test' },
] as const;
const LOOKALIKES = [
  { login: 'n-accented', email: 'ádmin-of@people.test' },
  { login: 'n-sanitised', email: 'josé@people.test' },
  { login: 'n-shouted', email: 'SHOUT@People.TEST' },
  { login: 'n-spaced', email: 'space@people.test ' },
  { login: 'n-plussed', email: 'plus+1@people.test' },
  { login: 'n-domained', email: 'kim@exämple.test' },
  { login: 'n-joined', email: 'jo\u200Bin@people.test' },
  { login: 'n-kelvin', email: '\u212Aelvin-k@people.test' },
  { login: 'CASEY', email: 'another-casey@people.test' },
  { login: 'look-\u0430', email: 'cyrillic@people.test' },
] as const;

test('T410: addresses and logins that only look alike, or that a collation takes for equal, are nobody’s', async () => {
  const older = OLDER.map(({ login }) => login);
  const before = await rows(blog, older);
  const there = new Set(await logins(blog));
  await shop.php(`global $wpdb; foreach ( ${phpList(LOOKALIKES.map((one) => `${one.login}|${one.email}`))} as $line ) {
    list( $login, $email ) = explode( '|', $line );
    $wpdb->insert( $wpdb->users, array( 'user_login' => $login, 'user_email' => $email, 'user_nicename' => md5( $login ),
      'user_pass' => wp_hash_password( 'x' ), 'user_registered' => gmdate( 'Y-m-d H:i:s' ), 'display_name' => "Grin \\u{1F600} \\u{202E}" ) );
    $id = $wpdb->insert_id;
    add_user_meta( $id, $wpdb->prefix . 'capabilities', array( 'subscriber' => true ) );
    do_action( 'user_register', $id, array() );
    wp_update_user( array( 'ID' => $id, 'first_name' => 'Stranger' ) );
    $wpdb->update( $wpdb->users, array( 'user_email' => $email ), array( 'ID' => $id ) );
  }`);
  await stage.hub.rest();
  await shop.php(`foreach ( get_users() as $u ) {
    if ( 'Stranger' === $u->first_name ) { update_user_meta( $u->ID, 'last_name', 'Second edit' ); }
  }`);
  await stage.hub.rest();
  expect(await rows(blog, older)).toEqual(before);
  const came = (await logins(blog)).filter((login) => !there.has(login));
  expect(came).toEqual(['n-plussed']);
  expect(await person(blog, 'n-plussed')).toMatchObject({
    email: 'plus+1@people.test',
    lastName: 'Second edit',
    displayName: expect.stringContaining('Grin \u{1F600}'),
  });
});

test('and in all this nobody was made an administrator', async () => {
  for (const site of [blog, club]) {
    const admins = await site.wp('user', 'list', '--role=administrator', '--field=user_login');
    expect(admins.trim().split('\n')).toEqual([site.adminLogin]);
  }
});
