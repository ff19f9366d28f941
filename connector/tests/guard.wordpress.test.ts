import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  AccountsAnswerSchema,
  ConnectAnswerSchema,
  DisconnectAnswerSchema,
  SettingsAnswerSchema,
  StatusAnswerSchema,
} from '#contract/messages.ts';
import { CONTRACT_VERSION } from '#contract/version.ts';
import { restAs, signIn } from '#lab/sign-in.ts';
import {
  applicationPassword,
  ask,
  basic,
  type ConnectedSite,
  connect,
  connectedSite,
  connectRequest,
  erase,
  fault,
  fields,
  forgetDebugLog,
  HERE,
  HUB,
  parsed,
  past,
  startConnectedSite,
  stateOf,
  write,
} from './connected-site.ts';
import { BEST_AND_OLDEST } from './engines.ts';

describe.each(BEST_AND_OLDEST)('$name', (engine) => {
  let hub: ConnectedSite;
  beforeAll(async () => {
    hub = await startConnectedSite('guard', engine);
  });
  afterAll(async () => {
    await hub?.stop();
  });

  const php = (code: string): Promise<string> => hub.site.php(code);
  const asAdmin = async (): Promise<{ headers: Record<string, string> }> => ({
    headers: basic(hub.site.adminLogin, await applicationPassword(hub.site, hub.site.adminLogin)),
  });
  const OTHER_HUB = { id: '99999999-9999-4999-8999-999999999999', term: 1 };
  const changes = { hub: HUB, ack: [], limit: 10 };
  const settings = (code: string): Promise<string> =>
    php(
      `$s = get_site_option( 'rollcall_settings' ); ${code} update_site_option( 'rollcall_settings', $s );`,
    );

  describe('status', () => {
    it('tells a hub what the site is, in the words of the contract', async () => {
      const answer = await hub.post('status', { hub: HUB });
      const status = parsed(StatusAnswerSchema, answer);
      expect(status.bound).toEqual({ hub: HUB.id, term: HUB.term, home_matches: true });
      expect(status.sites[0]?.roles).toMatchObject({
        administrator: { privileged: true },
        editor: { privileged: true },
        author: { privileged: false },
      });
      expect(status.sites[0]?.grantable.sort()).toEqual(['author', 'contributor', 'subscriber']);
      expect(status.verifies).toEqual({ phpass: true, wp_bcrypt: true, bcrypt: true });
      expect(status.accounts).toBe(1);
      expect(status.warnings).toEqual([]);
      expect(Math.abs(status.clock - Date.now())).toBeLessThan(60_000);
    });

    it('marks every answer with the contract’s version and keeps caches away', async () => {
      for (const answer of [
        await hub.post('status', {}),
        await hub.post('changes', {}),
        await ask(hub.site, 'status', {}),
      ]) {
        expect(answer.headers.get('x-rollcall-contract')).toBe('2');
        expect(answer.headers.get('cache-control')).toContain('no-cache');
      }
    });

    it('is open to an administrator, and to nobody else', async () => {
      expect(
        parsed(StatusAnswerSchema, await ask(hub.site, 'status', {}, await asAdmin())).contract,
      ).toBe(CONTRACT_VERSION);
      expect(fault(await ask(hub.site, 'status', {}))).toEqual([401, 'administrator.credential']);
      await php(
        `wp_insert_user( array( 'user_login' => 'reader', 'user_pass' => 'x', 'user_email' => 'reader@example.com' ) );`,
      );
      const reader = { headers: basic('reader', await applicationPassword(hub.site, 'reader')) };
      expect(fault(await ask(hub.site, 'status', {}, reader))).toEqual([
        403,
        'administrator.credential',
      ]);
      expect(fault(await ask(hub.site, 'connect', connectRequest(), reader))[0]).toBe(403);
    });
  });

  describe('a request', () => {
    it.each([
      ['nothing', '', 'hub is missing'],
      ['no object', '[1', 'JSON'],
      ['a string for a number', { ...changes, limit: '10' }, 'limit is not a whole number'],
      [
        'too great a number',
        { ...changes, limit: 1001 },
        'limit is not a whole number from 1 to 1000',
      ],
      ['a bad row id', { ...changes, ack: [['xyz', 1]] }, 'ack.0.0 is not a row id'],
      ['a hub without a term', { ...changes, hub: { id: HUB.id } }, 'hub.term is missing'],
    ])('with %s is refused, naming the place', async (_, body, problem) => {
      const answer = await hub.post('changes', body);
      expect(fault(answer)).toEqual([400, 'request.invalid']);
      expect(JSON.stringify(answer.body)).toContain(problem);
    });

    it('that is no JSON is not answered to strangers', async () => {
      expect(fault(await ask(hub.site, 'changes', '[1'))).toEqual([401, 'hub.credential']);
    });

    it('with one malformed operation does nothing at all', async () => {
      const good = write({ login: 'never-made' });
      const bad = { ...write(), uid: 'not-a-uuid' };
      const answer = await hub.post('apply', { hub: HUB, dry_run: false, operations: [good, bad] });
      expect(fault(answer)).toEqual([400, 'request.invalid']);
      expect(JSON.stringify(answer.body)).toContain('operations.1.uid is not a UUID');
      for (const wrong of [
        { fields: { user_pass: { v: 'x', s: [1, 1] } } },
        { fields: { email: { v: 'x', s: [1] } } },
        { kind: 'drop' },
      ]) {
        const operations = [{ ...write(), ...wrong }];
        expect(fault(await hub.post('apply', { hub: HUB, dry_run: false, operations }))).toEqual([
          400,
          'request.invalid',
        ]);
      }
      expect(await php(`echo username_exists( 'never-made' ) ? 'made' : 'not made';`)).toBe(
        'not made',
      );
    });

    it('may come in an envelope', async () => {
      const pack = (value: unknown): unknown => ({
        z: gzipSync(JSON.stringify(value)).toString('base64'),
      });
      const opened = (body: unknown): unknown => {
        const { z: packed } = z.object({ z: z.string() }).parse(body);
        return JSON.parse(gunzipSync(Buffer.from(packed, 'base64')).toString());
      };
      const answer = await hub.post(
        'accounts',
        pack({ hub: HUB, after: 0, limit: 5, detail: 'who' }),
      );
      expect(AccountsAnswerSchema.parse(opened(answer.body)).accounts[0]?.login).toBe('admin');
      expect(fault(await hub.post('accounts', { z: 'AAAA' }))).toEqual([400, 'request.invalid']);
      const bomb = { z: gzipSync(Buffer.alloc(70 * 1024 * 1024, ' ')).toString('base64') };
      expect(fault(await hub.post('accounts', bomb))).toEqual([413, 'request.too_large']);
    });

    it('is answered in JSON, whatever other plugins print', async () => {
      const operation = write();
      const { id, uid } = { ...operation, id: (await hub.one(operation)).id ?? 0 };
      await hub.option('test_noise', '1');
      const receipt = await hub.one(
        write({ uid, id, create: null, fields: fields({ last_name: 'Noise' }, past(1)) }),
      );
      await hub.option('test_noise', '');
      expect(receipt.result).toBe('updated');
    });
  });

  describe('the hub’s credential', () => {
    const elsewhere = async (path: string, init: RequestInit = {}): Promise<number> =>
      (
        await hub.site.request(path, {
          ...init,
          headers: {
            'content-type': 'application/json',
            ...basic(hub.credential.user, hub.credential.password),
          },
        })
      ).status;

    it('T603: opens rollcall/v1 and nothing else', async () => {
      expect(await elsewhere('/wp-json/rollcall/v1/status', { method: 'POST', body: '{}' })).toBe(
        200,
      );
      for (const path of [
        '/wp-json/wp/v2/users/me',
        '/wp-json/wp/v2/users?context=edit',
        '/wp-json/wp/v2/settings',
      ]) {
        expect([path, await elsewhere(path)]).toEqual([path, 401]);
      }
      const requests = [{ method: 'POST', path: '/wp/v2/posts', body: { title: 'x' } }];
      const batch = await elsewhere('/wp-json/batch/v1', {
        method: 'POST',
        body: JSON.stringify({ requests }),
      });
      expect([207, 400, 401, 403]).toContain(batch);
      expect(await php(`echo count( get_posts( array( 'title' => 'x' ) ) );`)).toBe('0');
      // A route of ours must not be a way around.
      expect(await elsewhere('/wp-json/wp/v2/users/me?x=/wp-json/rollcall/v1/status')).toBe(401);
      expect(await elsewhere('/?rest_route=/wp/v2/users/me&x=/rollcall/v1/')).toBe(401);
    });

    it('T604: belongs to an account that nobody can sign in with', async () => {
      const facts = JSON.parse(
        await php(`
        $u = get_user_by( 'login', 'rollcall-hub' );
        wp_set_password( 'known', $u->ID );
        $signed = wp_authenticate( 'rollcall-hub', 'known' );
        $reset = get_password_reset_key( $u );
        wp_set_current_user( 0 );
          $_SERVER['REQUEST_METHOD'] = 'GET';
        $_COOKIE[ LOGGED_IN_COOKIE ] = wp_generate_auth_cookie( $u->ID, time() + 3600, 'logged_in' );
        echo wp_json_encode( array(
          'signed' => is_wp_error( $signed ) ? $signed->get_error_code() : 'in',
          'reset' => is_wp_error( $reset ) ? 'refused' : 'given',
          'cookie' => apply_filters( 'determine_current_user', false ),
          'caps' => $u->caps, 'roles' => $u->roles ) );`),
      );
      expect(facts).toEqual({
        signed: 'rollcall_service_account',
        reset: 'refused',
        cookie: 0,
        caps: { rollcall_hub: true },
        roles: [],
      });
    });

    it('T601: is the only one that counts: not an administrator’s, not another of the same account', async () => {
      expect(fault(await ask(hub.site, 'changes', changes, await asAdmin()))).toEqual([
        403,
        'hub.credential',
      ]);
      const other = {
        headers: basic('rollcall-hub', await applicationPassword(hub.site, 'rollcall-hub')),
      };
      expect(fault(await ask(hub.site, 'changes', changes, other))[0]).toBe(401);
      expect(fault(await ask(hub.site, 'status', {}, other))[0]).toBe(401);
      await php(
        `( new WP_User( get_user_by( 'login', 'rollcall-hub' )->ID ) )->remove_cap( 'rollcall_hub' );`,
      );
      expect(fault(await hub.post('changes', changes))).toEqual([403, 'hub.credential']);
      await php(
        `( new WP_User( get_user_by( 'login', 'rollcall-hub' )->ID ) )->add_cap( 'rollcall_hub' );`,
      );
      expect((await hub.post('changes', changes)).status).toBe(200);
    });

    it('may come in a header of its own, for our routes only', async () => {
      const { authorization = '' } = basic(hub.credential.user, hub.credential.password);
      const headers = { 'x-rollcall-authorization': authorization };
      expect((await ask(hub.site, 'status', {}, { headers })).status).toBe(200);
      const both = { ...headers, authorization: 'Basic c3RhZ2luZzpkb29y' };
      expect((await ask(hub.site, 'status', {}, { headers: both })).status).toBe(200);
      const admin = await applicationPassword(hub.site, hub.site.adminLogin);
      const me = await hub.site.request('/wp-json/wp/v2/users/me', {
        headers: {
          'x-rollcall-authorization': basic(hub.site.adminLogin, admin)['authorization'] ?? '',
        },
      });
      expect(me.status).toBe(401);
    });

    it('never shows its account, and can’t change it', async () => {
      const request = { hub: HUB, after: 0, limit: 100, detail: 'state' };
      const { accounts } = parsed(AccountsAnswerSchema, await hub.post('accounts', request));
      expect(accounts.map(({ login }) => login)).not.toContain('rollcall-hub');
      const id = Number(await php(`echo get_user_by( 'login', 'rollcall-hub' )->ID;`));
      const operation = write({ create: null, id, fields: fields({ last_name: 'Mine' }, past(1)) });
      await php(`Rollcall_Ledger::label( ${id}, '${operation.uid}' );`);
      expect((await hub.one(operation)).result).toBe('refused');
      expect((await hub.one(erase({ uid: operation.uid, id }))).result).toBe('refused');
      await php(`Rollcall_Ledger::forget( ${id} );`);
      const clash = await hub.one(
        write({ login: 'Rollcall-Hub', fields: fields({ email: 'hub@example.com' }, 1) }),
      );
      expect(clash).toMatchObject({ result: 'conflict', reason: 'identity.login_taken' });
      expect(clash.found).toBeUndefined();
    });
  });

  describe('the hub’s account', () => {
    let id: number;
    beforeAll(async () => {
      expect(await hub.site.debugLog()).toBe('');
      id = Number(
        await php(
          `wp_insert_user( array( 'user_login' => 'writer', 'user_pass' => 'writer pass', 'user_email' => 'writer@example.com', 'role' => 'editor' ) ); echo get_user_by( 'login', 'rollcall-hub' )->ID;`,
        ),
      );
    });
    // Signing in to an old WordPress on a new PHP leaves notices of its own.
    afterAll(() => forgetDebugLog(hub.site));

    it('T607: the hub’s account is no author to anybody', async () => {
      const { visitor } = await signIn(hub.site, 'writer', 'writer pass');
      const rest = await restAs(visitor);
      for (const path of [`/?author=${id}`, '/author/rollcall-hub/', `/?author=${id}&feed=rss2`]) {
        const answer = await hub.site.request(path);
        const text = await answer.text();
        expect([path, answer.status, /rollcall/iu.test(text)]).toEqual([path, 404, false]);
      }
      expect((await hub.site.request('/?author=1')).status).not.toBe(404);
      for (const query of [
        '',
        '?search=rollcall',
        '?slug=rollcall-hub',
        `?include=${id}`,
        '?who=authors',
      ]) {
        const asVisitor = await (await hub.site.request(`/wp-json/wp/v2/users${query}`)).text();
        const asWriter = await (await rest(`/wp/v2/users${query}`)).text();
        expect([query, `${asVisitor}${asWriter}`.includes('rollcall-hub')]).toEqual([query, false]);
      }
      for (const answer of [
        await hub.site.request(`/wp-json/wp/v2/users/${id}`),
        await rest(`/wp/v2/users/${id}`),
      ]) {
        expect([401, 403, 404]).toContain(answer.status);
      }
      const sitemap = await (await hub.site.request('/wp-sitemap-users-1.xml')).text();
      expect(sitemap).not.toContain('rollcall');
    });

    it('T608: nobody makes something else of the hub’s account, in wp-admin or over REST', async () => {
      const before = await stateOf(hub.site);
      const { visitor } = await signIn(hub.site, hub.site.adminLogin, hub.site.adminPassword);
      const rest = await restAs(visitor);
      const body = JSON.stringify({
        roles: ['administrator'],
        password: 'known',
        email: 'me@example.com',
      });
      expect((await rest(`/wp/v2/users/${id}`, { method: 'POST', body })).status).toBe(403);
      const issue = await rest(`/wp/v2/users/${id}/application-passwords`, {
        method: 'POST',
        body: JSON.stringify({ name: 'mine' }),
      });
      expect(issue.status).toBe(403);
      expect((await visitor.request(`/wp-admin/user-edit.php?user_id=${id}`)).ok).toBe(false);
      const page = await (await visitor.request('/wp-admin/users.php')).text();
      const nonce = /name="_wpnonce" value="([0-9a-f]+)"/u.exec(page)?.[1] ?? '';
      const query = `action=-1&new_role=administrator&changeit=Change&users[]=${id}&_wpnonce=${nonce}`;
      expect((await visitor.request(`/wp-admin/users.php?${query}`)).status).toBe(403);
      expect(await stateOf(hub.site)).toBe(before);
      expect((await hub.post('changes', changes)).status).toBe(200);
    });
  });

  describe('the binding', () => {
    it('T610: is to one hub and its latest term', async () => {
      expect(fault(await hub.post('changes', { ...changes, hub: OTHER_HUB }))).toEqual([
        403,
        'hub.not_mine',
      ]);
      expect((await hub.post('changes', { ...changes, hub: { ...HUB, term: 4 } })).status).toBe(
        200,
      );
      expect(fault(await hub.post('changes', changes))).toEqual([409, 'hub.superseded']);
      expect(fault(await hub.post('status', { hub: HUB }))).toEqual([409, 'hub.superseded']);
      await settings(`$s['term'] = 1;`);
    });

    it('T610: is not taken over by another hub, nor renewed by an older term', async () => {
      const other = connectRequest({ hub: { ...OTHER_HUB, name: 'Other' } });
      expect(fault(await ask(hub.site, 'connect', other, await asAdmin()))).toEqual([
        409,
        'hub.not_mine',
      ]);
      await settings(`$s['term'] = 3;`);
      expect(fault(await ask(hub.site, 'connect', connectRequest(), await asAdmin()))).toEqual([
        409,
        'hub.superseded',
      ]);
      await settings(`$s['term'] = 1;`);
      expect((await hub.post('changes', changes)).status).toBe(200);
    });

    it('renewed gives a new credential and ends the old one, and the caller’s if asked to', async () => {
      const password = await applicationPassword(hub.site, hub.site.adminLogin);
      const headers = basic(hub.site.adminLogin, password);
      const kept = await ask(hub.site, 'connect', connectRequest({ revoke_caller: false }), {
        headers,
      });
      expect(kept.status).toBe(200);
      const { credential } = parsed(
        ConnectAnswerSchema,
        await ask(hub.site, 'connect', connectRequest(), { headers }),
      );
      expect((await ask(hub.site, 'status', {}, { headers })).status).toBe(401);
      expect((await hub.post('changes', changes)).status).toBe(401);
      hub = connectedSite(hub.site, credential);
      expect((await hub.post('changes', changes)).status).toBe(200);
      expect(await php(`echo count( get_users( array( 'search' => 'rollcall-hub*' ) ) );`)).toBe(
        '1',
      );
    });

    it('takes settings from the hub, but none of the guard’s', async () => {
      const request = {
        hub: HUB,
        meta: ['phone', 'tags', 'city', 'session_tokens'],
        offset_ms: 1_500,
        read_only: { 1: true },
        grantable: { 1: ['administrator'] },
      };
      expect(parsed(SettingsAnswerSchema, await hub.post('settings', request)).saved).toBe(true);
      const status = parsed(StatusAnswerSchema, await hub.post('status', {}));
      expect(status.offset_ms).toBe(1_500);
      expect(status.sites[0]).toMatchObject({ read_only: false });
      expect(status.sites[0]?.grantable).not.toContain('administrator');
      await hub.post('settings', { hub: HUB, offset_ms: 0 });
    });
  });

  describe('a copy of the site', () => {
    it('at another address stays silent until somebody says what it is', async () => {
      const before = parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB }));
      await settings(`$s['home'] = 'elsewhere.test';`);
      expect(fault(await hub.post('changes', changes))).toEqual([423, 'installation.moved']);
      expect(fault(await hub.post('apply', { hub: HUB, dry_run: true, operations: [] }))).toEqual([
        423,
        'installation.moved',
      ]);
      const status = parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB }));
      expect(status.bound?.home_matches).toBe(false);
      expect(status.warnings.map(({ code }) => code)).toEqual(['installation.moved']);
      expect(status.epoch).not.toBe(before.epoch);
      await hub.post('changes', changes);
      expect(parsed(StatusAnswerSchema, await hub.post('status', {})).epoch).toBe(status.epoch);
      await settings(`$s['home'] = Rollcall_Home::now();`);
      expect((await hub.post('changes', changes)).status).toBe(200);
    });
  });

  describe('a site', () => {
    it('that is read-only refuses every operation, and still answers questions', async () => {
      await settings(`$s['read_only'] = array( 1 => true );`);
      const { receipts } = await hub.apply([write(), erase({ uid: write().uid })]);
      expect(receipts.map(({ result, reason }) => [result, reason])).toEqual([
        ['refused', 'target.read_only'],
        ['refused', 'target.read_only'],
      ]);
      expect((await hub.post('changes', changes)).status).toBe(200);
      await settings(`$s['read_only'] = array();`);
      expect((await hub.one(write({ blog: 99 }))).reason).toBe('target.site_missing');
    });

    it('never lets its privileged accounts be changed or deleted', async () => {
      await php(`
      $make = function ( $login, $role ) { return wp_insert_user( array( 'user_login' => $login, 'user_pass' => 'x', 'user_email' => $login . '@example.com', 'role' => $role ) ); };
      $make( 'an-editor', 'editor' ); $make( 'second-admin', 'administrator' );
      ( new WP_User( $make( 'by-cap', 'subscriber' ) ) )->add_cap( 'promote_users' );`);
      for (const [login, reason] of [
        ['an-editor', 'target.privileged_account'],
        ['by-cap', 'target.privileged_account'],
        ['second-admin', 'target.privileged_account'],
      ] as const) {
        const operation = write({
          create: null,
          fields: fields({ password: '$P$ASvogy9FJ/Rn7niZpJFdmGzCOl1ALQ/' }, past(1)),
        });
        const id = Number(
          await php(
            `$id = get_user_by( 'login', '${login}' )->ID; Rollcall_Ledger::label( $id, '${operation.uid}' ); echo $id;`,
          ),
        );
        expect([login, (await hub.one({ ...operation, id })).reason]).toEqual([login, reason]);
        expect([login, (await hub.one(erase({ uid: operation.uid, id }))).reason]).toEqual([
          login,
          reason,
        ]);
        expect([
          login,
          (await hub.one(erase({ uid: operation.uid, id, how: 'strip' }))).reason,
        ]).toEqual([login, reason]);
      }
      await php(
        `require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user( get_user_by( 'login', 'second-admin' )->ID );`,
      );
      const last = write({ create: null });
      await php(`Rollcall_Ledger::label( 1, '${last.uid}' );`);
      expect((await hub.one(erase({ uid: last.uid, id: 1 }))).reason).toBe(
        'target.last_administrator',
      );
      await php(`Rollcall_Ledger::label( 1, null );`);
    });

    it('keeps an account that rejects incoming changes as it is', async () => {
      const operation = write();
      const { id = 0 } = await hub.one(operation);
      await php(`Rollcall_Ledger::set_switches( ${id}, array( 'reject_incoming' => true ) );`);
      const change = write({
        uid: operation.uid,
        id,
        create: null,
        fields: fields({ last_name: 'No' }, past(1)),
      });
      expect((await hub.one(change)).reason).toBe('account.incoming_rejected');
      expect((await hub.one(erase({ uid: operation.uid, id }))).reason).toBe(
        'account.incoming_rejected',
      );
    });
  });

  describe('disconnecting', () => {
    it('releases the site, ends credential and account, and keeps what a later hub needs', async () => {
      const mortal = write();
      const { id = 0 } = await hub.one(mortal);
      await hub.one(erase({ uid: mortal.uid, id }));
      const answer = await hub.post('disconnect', { hub: HUB });
      expect(parsed(DisconnectAnswerSchema, answer)).toEqual({ released: true });
      expect((await hub.post('status', {})).status).toBe(401);
      expect(await php(`echo username_exists( 'rollcall-hub' ) ? 'there' : 'gone';`)).toBe('gone');
      expect(
        await php(
          `global $wpdb; echo $wpdb->get_var( 'SELECT COUNT(*) FROM ' . Rollcall_Tables::outbox() . " WHERE kind = 'delete' AND gone LIKE '%rollcall-hub%'" );`,
        ),
      ).toBe('0');
      const again = await connect(hub.site, {
        hub: { ...OTHER_HUB, name: 'Next' },
        keys: { '1': HERE },
      });
      hub = connectedSite(hub.site, again.credential);
      const late = await hub.post('apply', {
        hub: OTHER_HUB,
        dry_run: false,
        operations: [mortal],
      });
      expect(JSON.stringify(late.body)).toContain('identity.deleted');
    });

    it('T605: switching the plugin off ends the credential', async () => {
      await hub.site.wp('plugin', 'deactivate', 'rollcall-connector');
      await hub.site.wp('plugin', 'activate', 'rollcall-connector');
      expect((await hub.post('status', {})).status).toBe(401);
    });
  });

  it('leaves no notice of PHP behind', async () => {
    expect(await hub.site.debugLog()).toBe('');
  });
});
