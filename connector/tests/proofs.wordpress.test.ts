/** A site's half of a proof: the mailed link and its page, and the password that is typed at a sign-in. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Confirmed } from '#contract/account-state.ts';
import { type ProofOrder, ProofsAnswerSchema } from '#contract/messages.ts';
import { type SignIn, signIn } from '#lab/sign-in.ts';
import { formFields, Visitor } from '#lab/visitor.ts';
import { waitUntil } from '#lab/wait-until.ts';
import {
  applicationPassword,
  type ConnectedSite,
  HUB,
  parsed,
  startConnectedSite,
} from './connected-site.ts';
import { BEST, BEST_AND_OLDEST } from './engines.ts';

const STRANGER = `<?php
add_filter( 'authenticate', function ( $user ) { return get_option( 'test_refuse' ) ? new WP_Error( 'no', 'Not today' ) : $user; }, 50 );
add_action( 'wp_login', function () {
	if ( get_option( 'test_factor' ) ) { wp_clear_auth_cookie(); exit( 'And the code?' ); }
} );
add_filter( 'pre_wp_mail', function ( $sent ) { return get_option( 'test_no_mail' ) ? false : $sent; }, 1 );
add_filter( 'wp_is_application_passwords_available', '__return_true' );
`;
const HOUR_MS = 3_600_000;
const SECRET = 'Sesame of ';
const LIMIT_MS = 60_000;
const SALT = 'c4'.repeat(32);
const LURE = 'Your account was hacked! Go to http://evil.test/now';

type Ask = Exclude<ProofOrder, { cancel: true }>;
interface Somebody {
  readonly id: number;
  readonly login: string;
}

describe.each(BEST_AND_OLDEST)('$name', (engine) => {
  let hub: ConnectedSite;
  let count = 0;
  beforeAll(async () => {
    hub = await startConnectedSite('proofs', engine);
    await writeFile(join(hub.site.dir, 'wp-content/mu-plugins/proofs.php'), STRANGER);
  });
  afterAll(async () => {
    await hub?.stop();
  });
  const php = (code: string): Promise<string> => hub.site.php(code);

  /** Everybody's password is their login with `SECRET` before it. */
  async function people(many: number): Promise<readonly Somebody[]> {
    const logins = Array.from({ length: many }, () => `owner-${(count += 1)}`);
    const ids =
      await php(`foreach ( ${JSON.stringify(logins).replace('[', 'array(').replace(']', ')')} as $login ) {
      echo wp_insert_user( array( 'user_login' => $login, 'user_email' => "$login@people.test", 'user_pass' => "${SECRET}$login", 'role' => 'subscriber' ) ), ' ';
    }`);
    return ids
      .trim()
      .split(' ')
      .map((id, i) => ({ id: Number(id), login: logins[i] ?? '' }));
  }

  const half = (who: Somebody, change: Partial<Ask> = {}): Ask => ({
    ...who,
    half: randomUUID(),
    kind: 'mail',
    other: { site: LURE, url: 'https://there.test/shop', registered: '2020-01-02 03:04:05' },
    salt: null,
    ends_ms: Date.now() + HOUR_MS,
    ...change,
  });
  const byPassword = (who: Somebody): Ask => half(who, { kind: 'password', salt: SALT });

  async function send(...proofs: readonly ProofOrder[]): Promise<readonly string[]> {
    const answer = parsed(ProofsAnswerSchema, await hub.post('proofs', { hub: HUB, proofs }));
    return answer.results.map(({ result, reason }) => reason ?? result);
  }

  /** Asks, and gives the path of the link that came by mail. */
  async function mailed(ask: Ask): Promise<string> {
    expect(await send(ask)).toEqual(['asked']);
    const mail = (await hub.site.mails()).at(-1);
    expect(mail?.to).toBe(`${ask.login}@people.test`);
    const link = /https?:\/\/[^/\s]+(\/\S*action=rollcall_link\S*)/u.exec(mail?.message ?? '')?.[1];
    if (link === undefined) throw new Error(`no link in ${mail?.message}`);
    return link;
  }

  /** All that is kept on the site, and its log. */
  const stored = async (): Promise<string> =>
    (await php(`global $wpdb; foreach ( array( Rollcall_Tables::facts(), Rollcall_Tables::accounts(), Rollcall_Tables::outbox(), $wpdb->options, $wpdb->users, $wpdb->usermeta ) as $table ) {
      echo wp_json_encode( $wpdb->get_results( "SELECT * FROM $table", ARRAY_A ) ); }`)) +
    (await hub.site.debugLog());

  const told = async ({ id }: Somebody): Promise<readonly Confirmed[]> =>
    (await hub.account(id)).proofs ?? [];

  const signedIn = async ({ login }: Somebody): Promise<Visitor> => {
    const { ok, message, visitor } = await signIn(hub.site, login, SECRET + login);
    if (!ok) throw new Error(message);
    return visitor;
  };
  const read = async (visitor: Visitor, link: string) => (await visitor.request(link)).text();

  const press = async (visitor: Visitor, page: string, change: Record<string, string> = {}) => {
    const form = formFields(page, 'rollcall-link');
    if (form === undefined) throw new Error(`no form in ${page}`);
    const answer = await visitor.submit('/wp-login.php?action=rollcall_link', {
      ...form,
      ...change,
    });
    return answer.text();
  };

  test('T420: a mailed link is confirmed by nothing but a button, pressed by whoever is signed in to that account', async () => {
    const [owner, other] = await people(2);
    if (owner === undefined || other === undefined) throw new Error('nobody came about');
    const ask = half(owner);
    const link = await mailed(ask);
    expect(await told(owner)).toEqual([]);
    // Whoever opens it unknown to the site is sent to sign in, and comes back.
    const away = (await new Visitor(hub.site).request(link)).headers.get('location') ?? '';
    const back = new URL(new URL(away).searchParams.get('redirect_to') ?? '');
    expect(`${back.pathname}${back.search}`).toBe(link);
    const [mine, theirs] = [await signedIn(owner), await signedIn(other)];
    expect(await read(theirs, link)).toContain('mailed to another account');
    const shown = await mine.request(link);
    expect(shown.headers.get('referrer-policy')).toBe('no-referrer');
    expect(shown.headers.get('cache-control')).toContain('no-cache');
    const page = await shown.text();
    expect(page).toContain('there.test');
    expect(page).toContain('January 2, 2020');
    expect(await read(mine, `${link.slice(0, -1)}x`)).toContain('opens nothing any more');
    for (const change of [{ _wpnonce: 'bad' }, { token: '0'.repeat(64) }]) {
      await press(mine, page, change);
    }
    await press(theirs, page);
    expect(await told(owner)).toEqual([]);
    await hub.changes().then(({ rows }) => hub.changes(rows.map(({ row, rev }) => [row, rev])));
    const before = await hub.account(owner.id);
    expect(await press(mine, page)).toContain('Confirmed here');
    expect(await hub.account(owner.id)).toEqual({ ...before, proofs: [{ half: ask.half }] });
    const { rows } = await hub.changes();
    expect(rows.map(({ account }) => [account?.id, account?.proofs])).toEqual([
      [owner.id, [{ half: ask.half }]],
    ]);
    expect(await send(ask)).toEqual(['already']);
    expect(await press(mine, page)).toContain('Confirmed here');
    expect(await told(owner)).toHaveLength(1);
  });

  test.runIf(engine === BEST)(
    'T421: a link opens nothing once it has ended, was withdrawn, or the account is another’s or can administer the site',
    async () => {
      const owners = await people(5);
      const asks = owners.map((who) => half(who));
      const links: string[] = [];
      for (const ask of asks) links.push(await mailed(ask));
      const visitors: Visitor[] = [];
      for (const who of owners) visitors.push(await signedIn(who));
      const pages = await Promise.all(visitors.map((one, i) => read(one, links[i] ?? '')));
      const [ended, withdrawn, promoted, moved] = asks;
      if (withdrawn === undefined) throw new Error('nobody came about');
      expect(await send({ id: withdrawn.id, half: withdrawn.half, cancel: true })).toEqual([
        'cancelled',
      ]);
      await php(`Rollcall_Proof_Store::change( array( 'ends' => Rollcall_Settings::now_ms() - 1 ) + Rollcall_Proof_Store::get( '${ended?.half}' ) );
      get_userdata( ${promoted?.id} )->add_cap( 'edit_users' );
      $GLOBALS['wpdb']->update( $GLOBALS['wpdb']->users, array( 'user_email' => 'thief@people.test' ), array( 'ID' => ${moved?.id} ) );
      $GLOBALS['wpdb']->update( $GLOBALS['wpdb']->users, array( 'user_registered' => '2001-01-01 00:00:00' ), array( 'ID' => ${asks[4]?.id} ) );`);
      for (const [i, visitor] of visitors.entries()) {
        expect(await read(visitor, links[i] ?? '')).toContain('opens nothing any more');
        expect(await press(visitor, pages[i] ?? '')).toContain('opens nothing any more');
      }
      for (const who of owners) expect(await told(who)).toEqual([]);
    },
  );

  test.runIf(engine === BEST)(
    'T422: the mail says nothing that the other site could choose, and the token rests nowhere',
    async () => {
      const [owner] = await people(1);
      if (owner === undefined) throw new Error('nobody came about');
      const link = await mailed(half(owner));
      const mail = (await hub.site.mails()).at(-1);
      for (const text of [mail?.subject, mail?.message]) {
        expect(text).toContain('there.test');
        expect(text).not.toMatch(/hacked|evil/u);
      }
      const token = /token=([0-9a-f]{64})/u.exec(link)?.[1] ?? '-';
      const kept = await stored();
      expect(kept).toContain('there.test');
      expect(kept).not.toContain(token);
      // The page names the other site as it names itself, and as text.
      const page = await read(await signedIn(owner), link);
      expect(page).toContain(LURE);
      expect(page).not.toContain('<a href="http://evil');
    },
  );

  test.runIf(engine === BEST)(
    'T423: a site mails a hundred links an hour; what can’t be mailed is not kept',
    async () => {
      const [owner] = await people(1);
      if (owner === undefined) throw new Error('nobody came about');
      await hub.option('test_no_mail', '1');
      const ask = half(owner);
      expect(await send(ask)).toEqual(['proof.mail_failed']);
      await hub.option('test_no_mail', '');
      const hour = '(int) floor( Rollcall_Settings::clock_ms() / 3600000 )';
      const counter = `Rollcall_Proof_Mail::COUNTER . ${hour}`;
      await php(
        `Rollcall_Facts::raise_to( ${counter}, 99 ); Rollcall_Facts::raise_to( Rollcall_Proof_Mail::COUNTER . ( 1 + ${hour} ), 99 );`,
      );
      const mails = (await hub.site.mails()).length;
      expect(await send(ask, half(owner), ask, byPassword(owner))).toEqual([
        'asked',
        'proof.mail_limit',
        'already',
        'asked',
      ]);
      expect((await hub.site.mails()).length).toBe(mails + 1);
      await php(
        `$GLOBALS['wpdb']->query( 'DELETE FROM ' . Rollcall_Tables::facts() . " WHERE name LIKE 'proof_mails:%'" );`,
      );
    },
  );

  test('T424: a verifier is made of a sign-in that nobody refused, of the account’s own password, and once', async () => {
    const [owner, other] = await people(2);
    if (owner === undefined || other === undefined) throw new Error('nobody came about');
    const [first, second] = [byPassword(owner), byPassword(other)];
    expect(await send(first, second)).toEqual(['asked', 'asked']);
    const sign = (): Promise<SignIn> => signIn(hub.site, owner.login, SECRET + owner.login);
    expect((await signIn(hub.site, owner.login, 'a guess')).ok).toBe(false);
    await hub.option('test_refuse', '1');
    expect((await sign()).ok).toBe(false);
    await hub.option('test_refuse', '');
    await hub.option('test_factor', '1');
    expect((await sign()).ok).toBe(false);
    await hub.option('test_factor', '');
    const application = await applicationPassword(hub.site, owner.login);
    const xml = `<?xml version="1.0"?><methodCall><methodName>wp.getProfile</methodName><params><param><value><int>1</int></value></param><param><value><string>${owner.login}</string></value></param><param><value><string>${application}</string></value></param></params></methodCall>`;
    const answer = await hub.site.request('/xmlrpc.php', {
      method: 'POST',
      headers: { 'content-type': 'text/xml' },
      body: xml,
    });
    expect(await answer.text()).toContain(`${owner.login}@people.test`);
    await php(`wp_set_password( '${SECRET}${owner.login}', ${owner.id} );`);
    // The sign-in to the other account is the last one: whatever came before it has ended by then.
    expect((await signIn(hub.site, other.login, SECRET + other.login)).ok).toBe(true);
    await waitUntil(async () => (await told(other)).length === 1, LIMIT_MS);
    expect(await told(owner)).toEqual([]);
    expect((await sign()).ok).toBe(true);
    await waitUntil(async () => (await told(owner)).length === 1, LIMIT_MS);
    const [confirmed] = await told(owner);
    expect(confirmed?.half).toBe(first.half);
    expect(confirmed?.verifier).toMatch(/^\$2y\$12\$[./0-9A-Za-z]{53}$/u);
    expect(confirmed?.verifier).toBe(
      await php(
        `echo Rollcall_Proof_Password::verifier( ' ${SECRET}${owner.login} ', '${SALT}' );`,
      ),
    );
    const kept = await stored();
    expect(kept).toContain(owner.login);
    expect(kept).not.toContain(SECRET);
    await php(`wp_set_password( 'changed', ${owner.id} );`);
    expect((await signIn(hub.site, owner.login, 'changed')).ok).toBe(true);
    expect(await told(owner)).toEqual([confirmed]);
  });

  test.runIf(engine === BEST)(
    'T425: sign-ins to accounts that nobody asked for cost no query more',
    async () => {
      const [owner, other] = await people(2);
      if (owner === undefined || other === undefined) throw new Error('nobody came about');
      const queries = () =>
        php(`$before = $GLOBALS['wpdb']->num_queries; apply_filters( 'check_password', true, 'x', 'x', ${other.id} );
        Rollcall_Proof_Password::settle(); echo $GLOBALS['wpdb']->num_queries - $before;`);
      const ask = byPassword(owner);
      await send(ask);
      expect(await queries()).toBe('0');
      await php('Rollcall_Proof_Store::forget_all();');
      expect(await queries()).toBe('0');
    },
  );

  test.runIf(engine === BEST)(
    'T426: a site that is released from its hub, or is a copy, forgets what it was asked',
    async () => {
      const [owner] = await people(1);
      if (owner === undefined) throw new Error('nobody came about');
      const ask = half(owner);
      await send(ask, byPassword(owner));
      await php(`Rollcall_Proofs::confirm( Rollcall_Proof_Store::get( '${ask.half}' ) );`);
      expect(await told(owner)).toHaveLength(1);
      // The next hub of a database that was brought along.
      const asNext = await php(
        `$kept = get_site_option( 'rollcall_settings' ); update_site_option( 'rollcall_settings', array( 'hub_id' => 'another' ) + $kept );
       Rollcall_Settings::update( array() ); echo count( Rollcall_Proof_Store::confirmed() );
       update_site_option( 'rollcall_settings', $kept );`,
      );
      expect(asNext).toBe('0');
      for (const way of ['Rollcall_Disconnect::release', 'Rollcall_Store::become_another']) {
        const left = await php(
          `global $wpdb; $kept = "name LIKE 'proof:%'"; $facts = Rollcall_Tables::facts();
         $wpdb->query( "INSERT IGNORE INTO $facts (name, value) VALUES ( 'proof:one more', '{}' )" ); echo $wpdb->get_var( "SELECT COUNT(*) > 0 FROM $facts WHERE $kept" );
         ${way}(); echo $wpdb->get_var( "SELECT COUNT(*) FROM $facts WHERE $kept" ), wp_json_encode( get_option( 'rollcall_asked' ) );`,
        );
        expect([way, left]).toEqual([way, '10false']);
      }
    },
  );
});
