/** What the connector sees of changes made on a real site, and what it doesn't take for one. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AccountState } from '#contract/account-state.ts';
import { BEST_AND_OLDEST } from './engines.ts';
import { type ReadSite, readSite } from './read-site.ts';

const UID = '5c1d5a0e-7f63-4d0e-9a52-0d9f0c1f3b11';

describe.each(BEST_AND_OLDEST)('$name', ({ options }) => {
  let home: ReadSite;
  let made = 0;

  beforeAll(async () => {
    home = await readSite({ name: 'capture', ...options });
  });
  afterAll(() => home?.site.stop());
  beforeEach(async () => {
    await home.drain();
  });

  const php = (code: string) => home.php(code);

  /** Makes an account past the hooks, as one that was there before; answers its login and id. */
  /** From before the site was connected, as far as it knows. */
  async function somebody(): Promise<{ id: number; login: string }> {
    const login = `person${++made}`;
    const id = Number(
      await php(`echo Rollcall_Capture::quiet( static function () {
      $id = wp_insert_user( array( 'user_login' => '${login}', 'user_email' => '${login}@people.test', 'user_pass' => 'old pass', 'first_name' => 'Old', 'role' => 'author' ) );
      Rollcall_Newcomers::end();
      Rollcall_Newcomers::begin();
      return $id;
    } );`),
    );
    return { id, login };
  }

  /** Names of the fields and roles that carry a stamp of Rollcall's. */
  function stamped(account: AccountState | undefined): string[] {
    const fields = Object.entries(account?.fields ?? {});
    const roles = Object.entries(account?.roles?.['1'] ?? {}).map(
      ([role, value]) => [`role:${role}`, value] as const,
    );
    return [...fields, ...roles]
      .filter(([, { s }]) => s[0] > 0)
      .map(([name]) => name)
      .sort();
  }

  describe('a registration', () => {
    it('comes out as a create with every field stamped alike, and born then', async () => {
      await php(
        "wp_insert_user( array( 'user_login' => 'anna', 'user_email' => 'anna@people.test', 'user_pass' => 'secret', 'first_name' => 'Anna', 'role' => 'author' ) );",
      );
      const { rows } = await home.changes();
      expect(rows).toMatchObject([
        {
          kind: 'create',
          blog: 1,
          actor: { kind: 'visitor' },
          account: { login: 'anna', uid: null },
        },
      ]);
      const account = rows[0]?.account;
      expect(account?.born[0]).toBeGreaterThan(0);
      expect(account?.born[1]).toBe(11);
      expect(stamped(account)).toEqual(
        [
          'email',
          'first_name',
          'last_name',
          'nickname',
          'display_name',
          'description',
          'url',
          'locale',
          'password',
          'role:author',
        ].sort(),
      );
      for (const { s } of Object.values(account?.fields ?? {})) expect(s).toEqual(account?.born);
      expect(account?.fields?.['first_name']?.v).toBe('Anna');
      expect(account?.fields?.['password']?.v).toMatch(/^\$/);
    });

    it('through a form on the site is a create too, and no plaintext is kept anywhere', async () => {
      await php("register_new_user( 'berta', 'berta@people.test' );");
      const { rows } = await home.changes();
      expect(rows).toMatchObject([{ kind: 'create', account: { login: 'berta' } }]);
    });
  });

  it('a registration that was killed half way is still a create', async () => {
    await php(
      "remove_all_actions( 'shutdown' ); remove_all_actions( 'user_register' ); wp_insert_user( array( 'user_login' => 'killed', 'user_email' => 'killed@people.test', 'user_pass' => 'x', 'role' => 'author' ) );",
    );
    await php(
      "$GLOBALS['wpdb']->query( 'UPDATE ' . Rollcall_Tables::outbox() . ' SET opened_ms = opened_ms - 31000' );",
    );
    const { rows } = await home.changes();
    expect(rows).toMatchObject([{ kind: 'create', account: { login: 'killed' } }]);
    expect(rows[0]?.account?.born[0]).toBeGreaterThan(0);
    expect(stamped(rows[0]?.account)).toContain('role:author');
    expect(stamped(rows[0]?.account)).toContain('email');
  });

  describe('every way to change an account is seen, and stamps only what changed', () => {
    const ways: [string, string, string[]][] = [
      [
        'a profile is saved',
        "wp_update_user( array( 'ID' => ID, 'first_name' => 'New' ) );",
        ['first_name'],
      ],
      [
        'an e-mail changes',
        "wp_update_user( array( 'ID' => ID, 'user_email' => 'new-ID@people.test' ) );",
        ['email'],
      ],
      ['a watched meta is added', "add_user_meta( ID, 'phone', '1' );", ['meta:phone']],
      [
        'core meta is written directly',
        "update_user_meta( ID, 'description', 'Hello' );",
        ['description'],
      ],
      [
        'a role is set',
        "( new WP_User( ID ) )->set_role( 'contributor' );",
        ['role:author', 'role:contributor'],
      ],
      ['a role is added', "( new WP_User( ID ) )->add_role( 'subscriber' );", ['role:subscriber']],
      ['a role is removed', "( new WP_User( ID ) )->remove_role( 'author' );", ['role:author']],
      [
        'capabilities are written as meta',
        "update_user_meta( ID, 'wp_capabilities', array( 'subscriber' => true ) );",
        ['role:author', 'role:subscriber'],
      ],
      [
        'a password is saved in the profile',
        "wp_update_user( array( 'ID' => ID, 'user_pass' => 'brand new' ) );",
        ['password'],
      ],
      ['a password is reset', "reset_password( get_userdata( ID ), 'brand new' );", ['password']],
      [
        'a plugin sets a password',
        "get_userdata( ID ); wp_set_password( 'brand new', ID );",
        ['password'],
      ],
      [
        'two things change at once',
        "wp_update_user( array( 'ID' => ID, 'first_name' => 'New', 'last_name' => 'Name' ) );",
        ['first_name', 'last_name'],
      ],
    ];
    it.each(ways)('%s', async (_way, code, names) => {
      // Nothing was read of this account yet: what was there must be told from what changed.
      const { id, login } = await somebody();
      await php(code.replaceAll('ID', String(id)).replaceAll(`'${id}' =>`, "'ID' =>"));
      const { rows } = await home.changes();
      expect(rows).toMatchObject([{ kind: 'update', account: { login } }]);
      expect(stamped(rows[0]?.account)).toEqual(names);
      await home.drain();
      expect(stamped(await home.account(login))).toEqual(names);
      expect((await home.changes()).rows).toEqual([]);
    });

    it('a password that a plugin sets unseen, on an account that was read before', async () => {
      const { id, login } = await somebody();
      await home.account(login);
      await php(`wp_set_password( 'brand new', ${id} );`);
      const { rows } = await home.changes();
      // Not `outside`: the hooks of the request itself showed it.
      expect(rows).toMatchObject([{ kind: 'update', actor: { kind: 'visitor' } }]);
      expect(stamped(rows[0]?.account)).toEqual(['password']);
    });

    it('meta of all accounts deleted in one statement', async () => {
      const a = await somebody();
      const b = await somebody();
      await php(`add_user_meta( ${a.id}, 'phone', '1' ); add_user_meta( ${b.id}, 'phone', '2' );`);
      await home.drain();
      await php("delete_metadata( 'user', 0, 'phone', '', true );");
      const { rows } = await home.changes();
      expect(rows.map((row) => row.account?.id)).toEqual(expect.arrayContaining([a.id, b.id]));
      for (const row of rows) expect(row.account?.fields?.['meta:phone']?.v).toEqual([]);
    });

    it('a row of meta written by its own id', async () => {
      const { id } = await somebody();
      await php(`$m = add_user_meta( ${id}, 'phone', '1' );`);
      await home.drain();
      await php(
        `$m = $GLOBALS['wpdb']->get_var( "SELECT umeta_id FROM {$GLOBALS['wpdb']->usermeta} WHERE user_id = ${id} AND meta_key = 'phone'" ); update_metadata_by_mid( 'user', $m, '2' );`,
      );
      expect((await home.changes()).rows[0]?.account?.fields?.['meta:phone']?.v).toEqual(['2']);
    });

    it('a change that another plugin reports is found though no hook showed it', async () => {
      const { id } = await somebody();
      await php(
        `rollcall_mark_changed( ${id} ); $GLOBALS['wpdb']->update( $GLOBALS['wpdb']->users, array( 'display_name' => 'By SQL' ), array( 'ID' => ${id} ) );`,
      );
      const { rows } = await home.changes();
      expect(rows).toMatchObject([{ actor: { kind: 'visitor' } }]);
      expect(stamped(rows[0]?.account)).toEqual(['display_name']);
    });

    it('stamps rise on an account whatever the clock says', async () => {
      const { id, login } = await somebody();
      await php(`update_user_meta( ${id}, 'first_name', 'One' );`);
      const first = (await home.account(login)).fields?.['first_name']?.s[0] ?? 0;
      await php(
        `Rollcall_Settings::update( array( 'offset_ms' => -3600000 ) ); update_user_meta( ${id}, 'last_name', 'Two' );`,
      );
      await php("Rollcall_Settings::update( array( 'offset_ms' => 0 ) );");
      expect((await home.account(login)).fields?.['last_name']?.s[0]).toBe(first + 1);
    });
  });

  describe('what is no change leaves nothing behind', () => {
    it.each([
      [
        'saving what is there already',
        "wp_update_user( array( 'ID' => ID, 'first_name' => 'Old' ) );",
      ],
      ['meta that is not watched', "update_user_meta( ID, 'favourite_colour', 'blue' );"],
      [
        'there and back within one request',
        "update_user_meta( ID, 'first_name', 'X' ); update_user_meta( ID, 'first_name', 'Old' );",
      ],
      ['a session', 'WP_Session_Tokens::get_instance( ID )->create( time() + 60 );'],
      [
        'what is done quietly',
        "Rollcall_Capture::quiet( static function () { update_user_meta( ID, 'first_name', 'Quiet' ); } ); Rollcall_Ledger::record( ID, array( 'first_name' => array( 5, 99, 'Quiet' ) ) );",
      ],
      [
        'an account that a filter keeps out',
        "add_filter( 'rollcall_should_capture', '__return_false' ); update_user_meta( ID, 'phone', '7' ); Rollcall_Settle::run( array( ID ) );",
      ],
    ])('%s', async (_what, code) => {
      const { id, login } = await somebody();
      await home.account(login);
      await php(code.replaceAll('ID', String(id)).replaceAll(`'${id}' =>`, "'ID' =>"));
      expect(await home.backlog()).toBe(0);
    });

    it.each([
      [
        'from an md5 hash',
        "$wpdb->update( $wpdb->users, array( 'user_pass' => md5( 'same pass' ) ), array( 'ID' => ID ) );",
      ],
      [
        'from another bcrypt cost',
        "$wpdb->update( $wpdb->users, array( 'user_pass' => '$wp' . password_hash( base64_encode( hash_hmac( 'sha384', 'same pass', 'wp-sha384', true ) ), PASSWORD_BCRYPT, array( 'cost' => 5 ) ) ), array( 'ID' => ID ) );",
      ],
    ])('a sign-in that only re-hashes the password, %s', async (from, code) => {
      const { id, login } = await somebody();
      await php(`global $wpdb; ${code.replace('=> ID', `=> ${id}`)} clean_user_cache( ${id} );`);
      await home.drain();
      const before = (await home.account(login)).fields?.['password'];
      await home.drain();
      await php(
        `$u = wp_signon( array( 'user_login' => '${login}', 'user_password' => 'same pass' ) ); echo is_wp_error( $u ) ? $u->get_error_message() : '';`,
      );
      expect(await home.backlog()).toBe(0);
      const after = (await home.account(login)).fields?.['password'];
      // WordPress 6.1 leaves a bcrypt hash as it is.
      if (options.version !== '6.1' || from.includes('md5')) expect(after?.v).not.toBe(before?.v);
      expect(after?.s).toEqual(before?.s);
      expect(await home.backlog()).toBe(0);
    });

    it('but a sign-in right after a new password was set does not hide it', async () => {
      const { id, login } = await somebody();
      await home.account(login);
      await php(
        `wp_set_password( 'brand new', ${id} ); wp_signon( array( 'user_login' => '${login}', 'user_password' => 'brand new' ) );`,
      );
      const { rows } = await home.changes();
      expect(stamped(rows[0]?.account)).toEqual(['password']);
    });

    it('anything at all while no hub is bound', async () => {
      const { id } = await somebody();
      await php(
        "$s = get_site_option( 'rollcall_settings' ); update_site_option( 'kept', $s ); Rollcall_Settings::unbind();",
      );
      await php(
        `update_user_meta( ${id}, 'first_name', 'Unbound' ); wp_insert_user( array( 'user_login' => 'unbound', 'user_pass' => 'x' ) );`,
      );
      await php("update_site_option( 'rollcall_settings', get_site_option( 'kept' ) );");
      expect(await home.backlog()).toBe(0);
    });
  });

  describe('rows', () => {
    it('are dropped only at the revision that was read', async () => {
      const { id } = await somebody();
      await php(`update_user_meta( ${id}, 'first_name', 'One' );`);
      const { rows } = await home.changes();
      await php(`update_user_meta( ${id}, 'first_name', 'Two' );`);
      const again = await home.changes({ ack: rows.map(({ row, rev }) => [row, rev]) });
      expect(again.rows).toMatchObject([{ row: rows[0]?.row, account: { id } }]);
      expect(again.rows[0]?.account?.fields?.['first_name']?.v).toBe('Two');
      const last = await home.changes({ ack: again.rows.map(({ row, rev }) => [row, rev]) });
      expect(last.rows).toEqual([]);
      expect(last.head).toBeGreaterThan(rows.length);
    });

    it('of a request that was killed stay closed to others for 30 s, and are then settled by who reads', async () => {
      const { id, login } = await somebody();
      await home.account(login);
      await php(
        `remove_all_actions( 'shutdown' ); update_user_meta( ${id}, 'first_name', 'Half' );`,
      );
      expect((await home.changes()).rows).toEqual([]);
      expect(await php(`echo count( Rollcall_Outbox::has_fresh_open( array( ${id} ) ) );`)).toBe(
        '1',
      );
      const busy = await home.account(login);
      expect(busy.fields).not.toHaveProperty('first_name');
      expect(busy.unreadable).toEqual({ first_name: 'account.busy' });
      await php(
        "$GLOBALS['wpdb']->query( 'UPDATE ' . Rollcall_Tables::outbox() . ' SET opened_ms = opened_ms - 31000' );",
      );
      const { rows } = await home.changes();
      expect(rows).toMatchObject([{ kind: 'update', account: { login } }]);
      expect(stamped(rows[0]?.account)).toEqual(['first_name']);
      expect((await home.drain()).length).toBe(1);
      expect(await home.backlog()).toBe(0);
    });

    it('that vanished before they were ready are made again', async () => {
      const { id } = await somebody();
      await php(
        `update_user_meta( ${id}, 'first_name', 'Kept' ); $GLOBALS['wpdb']->query( 'DELETE FROM ' . Rollcall_Tables::outbox() );`,
      );
      expect(stamped((await home.changes()).rows[0]?.account)).toEqual(['first_name']);
    });

    it('come out oldest first, page by page, until none is left', async () => {
      const a = await somebody();
      const b = await somebody();
      await php(`update_user_meta( ${b.id}, 'first_name', 'First' );`);
      await php(`update_user_meta( ${a.id}, 'first_name', 'Second' );`);
      const first = await home.changes({ limit: 1 });
      expect(first).toMatchObject({ more: true, rows: [{ account: { id: b.id } }] });
      const second = await home.changes({ limit: 1, ack: first.rows.map((r) => [r.row, r.rev]) });
      expect(second).toMatchObject({ more: false, rows: [{ account: { id: a.id } }] });
    });

    it('tell whose deeds stay at home, but not where somebody else’s change waits in the row, too', async () => {
      const [boss, anna] = [await somebody(), await somebody()];
      const deed = (field: string, by: number) =>
        php(
          `wp_set_current_user( ${by} ); update_user_meta( ${anna.id}, '${field}', 'By ${by} ' . microtime() );`,
        );
      /** Of the only row that waits; it is acknowledged then. */
      const actor = async () => {
        const { rows } = await home.changes();
        await home.changes({ ack: rows.map(({ row, rev }) => [row, rev]) });
        return rows.map((row) => [row.actor.id, row.actor.outgoing_stopped]);
      };
      await php(
        `Rollcall_Ledger::set_switches( ${boss.id}, array( 'stop_outgoing' => true, 'stop_made' => true ) );`,
      );
      await home.drain();
      await deed('first_name', boss.id);
      await deed('last_name', boss.id);
      expect(await actor()).toEqual([[boss.id, true]]);
      await deed('first_name', boss.id);
      await deed('last_name', 1);
      expect(await actor()).toEqual([[1, undefined]]);
      await deed('first_name', 1);
      await deed('last_name', boss.id);
      expect(await actor()).toEqual([[boss.id, undefined]]);
      await deed('first_name', boss.id);
      await php(`Rollcall_Outbox::put_outside( array( ${anna.id} ) );`);
      expect(await actor()).toEqual([[undefined, undefined]]);
      await php(`Rollcall_Ledger::set_switches( ${boss.id}, array( 'stop_outgoing' => false ) );`);
      await home.drain();
      await deed('first_name', boss.id);
      expect(await actor()).toEqual([[boss.id, undefined]]);
    });

    it('of a request that changes many accounts are all there', async () => {
      const ids: number[] = JSON.parse(
        await php(
          "echo wp_json_encode( Rollcall_Capture::quiet( static function () { $ids = array(); for ( $i = 0; $i < 60; $i++ ) { $ids[] = wp_insert_user( array( 'user_login' => 'many' . $i, 'user_email' => \"many$i@people.test\", 'user_pass' => 'x' ) ); } Rollcall_Newcomers::end(); Rollcall_Newcomers::begin(); return $ids; } ) );",
        ),
      );
      await php(
        `foreach ( array( ${ids.join()} ) as $id ) { update_user_meta( $id, 'phone', '5' ); }`,
      );
      const { rows } = await home.changes();
      expect(rows.length).toBe(60);
      expect(new Set(rows.map((row) => row.account?.id))).toEqual(new Set(ids));
      for (const row of rows) expect(stamped(row.account)).toEqual(['meta:phone']);
    });
  });

  describe('a deletion', () => {
    it('comes out with a stamp above everything on the account, and leaves a tombstone', async () => {
      const { id, login } = await somebody();
      await home.labels([{ id, uid: UID, login }]);
      await php(`update_user_meta( ${id}, 'first_name', 'Last' );`);
      const last = (await home.account(login)).fields?.['first_name']?.s[0] ?? 0;
      await home.drain();
      await php(`require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user( ${id} );`);
      const { rows } = await home.changes();
      expect(rows).toMatchObject([{ kind: 'delete', gone: { id, uid: UID, login } }]);
      const stamp = rows[0]?.gone?.stamp;
      expect(stamp?.[0]).toBeGreaterThan(last);
      expect(
        JSON.parse(
          await php(`echo wp_json_encode( Rollcall_Tombstones::of( array( '${UID}' ) ) );`),
        ),
      ).toEqual({ [UID]: stamp });
      expect(await php(`echo count( Rollcall_Ledger::load( array( ${id} ) ) );`)).toBe('0');
    });

    it('that was killed half way is told from an account that vanished', async () => {
      const deleted = await somebody();
      const vanished = await somebody();
      await php(
        `remove_all_actions( 'shutdown' ); require_once ABSPATH . 'wp-admin/includes/user.php'; remove_all_actions( 'deleted_user' ); wp_delete_user( ${deleted.id} );`,
      );
      await php(
        `update_user_meta( ${vanished.id}, 'first_name', 'Edited' ); $GLOBALS['wpdb']->delete( $GLOBALS['wpdb']->users, array( 'ID' => ${vanished.id} ) );`,
      );
      await php(
        "$GLOBALS['wpdb']->query( 'UPDATE ' . Rollcall_Tables::outbox() . \" SET opened_ms = opened_ms - 31000 WHERE state = 'open'\" );",
      );
      const rows = await home.drain();
      expect(rows.map(({ kind }) => kind).sort()).toEqual(['delete', 'error']);
      expect(rows.find(({ kind }) => kind === 'delete')?.gone).toMatchObject(deleted);
      expect(rows.find(({ kind }) => kind === 'error')?.error).toMatchObject({
        code: 'source.account_missing',
        id: vanished.id,
      });
      expect(await home.backlog()).toBe(0);
    });
  });

  describe('what was written past the hooks', () => {
    const bySql = (where: string) =>
      php(
        `$GLOBALS['wpdb']->query( "UPDATE {$GLOBALS['wpdb']->users} SET display_name = CONCAT( display_name, '!' ) WHERE ${where}" );`,
      );

    it('is stamped when the account is read, and captured as made outside', async () => {
      const { id, login } = await somebody();
      await home.account(login);
      await bySql(`ID = ${id}`);
      const account = await home.account(login);
      expect(stamped(account)).toEqual(['display_name']);
      const { rows } = await home.changes();
      expect(rows).toMatchObject([{ kind: 'update', actor: { kind: 'outside' }, account: { id } }]);
      expect(rows[0]?.account?.fields?.['display_name']).toEqual(account.fields?.['display_name']);
    });

    it('on many accounts at once is held, and does not travel', async () => {
      await home.accounts({ limit: 1000 });
      await bySql("user_login LIKE 'many%'");
      const accounts = await home.accounts({ search: 'many' });
      expect(accounts.length).toBe(60);
      for (const account of accounts) {
        expect(account.fields).not.toHaveProperty('display_name');
        expect(account.unreadable).toEqual({ display_name: 'source.rewritten_outside' });
      }
      expect((await home.changes()).rows).toEqual([]);
      const { warnings } = await home.status();
      expect(warnings.map(({ code }) => code)).toContain('source.rewritten_outside');
      expect(warnings.find(({ code }) => code === 'source.rewritten_outside')?.message).toContain(
        '6',
      );
      // Whoever edits such an account stamps the edit, not what is held.
      const { id } = accounts[0] ?? {};
      await php(`wp_update_user( array( 'ID' => ${id}, 'last_name' => 'Edited' ) );`);
      const { rows } = await home.changes();
      expect(rows).toMatchObject([{ account: { id } }]);
      expect(rows[0]?.account?.fields?.['last_name']?.v).toBe('Edited');
      expect(rows[0]?.account?.unreadable).toEqual({ display_name: 'source.rewritten_outside' });
      await php('Rollcall_Facts::delete( Rollcall_Outside::FACT );');
    });
  });

  it("the hub's own account is never captured and never comes out", async () => {
    await php(
      `$u = get_user_by( 'login', '${home.serviceLogin}' ); wp_update_user( array( 'ID' => $u->ID, 'first_name' => 'Hub' ) );`,
    );
    expect(await home.backlog()).toBe(0);
    const logins = (await home.accounts({ limit: 1000 })).map(({ login }) => login);
    expect(logins).toContain('admin');
    expect(logins).not.toContain(home.serviceLogin);
  });

  it('nothing of all this leaves a PHP notice', async () => {
    const log = (await home.site.debugLog()).split('\n');
    // Old WordPress on new PHP has notices of its own.
    expect(log.filter((line) => /connector\/includes|Rollcall_/.test(line))).toEqual([]);
  });
});
