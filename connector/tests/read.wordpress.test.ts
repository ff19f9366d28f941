/** What the connector tells of accounts, in pages and in states, and what it never tells. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BEST } from './engines.ts';
import { type ReadSite, readSite } from './read-site.ts';

const UID = 'b5a0e0c6-58bb-4a0b-8e34-6a0d6d6c7f01';
const OTHER_UID = 'b5a0e0c6-58bb-4a0b-8e34-6a0d6d6c7f02';

describe.each([BEST])('$name', ({ options }) => {
  let home: ReadSite;
  let made = 0;

  beforeAll(async () => {
    home = await readSite({
      name: 'read',
      ...options,
      watch: [
        'phone',
        'hobbies',
        'wp_capabilities',
        'session_tokens',
        'WP_User_Level',
        'first_name',
      ],
    });
  });
  afterAll(() => home?.site.stop());
  beforeEach(async () => {
    await home.drain();
  });

  /** Makes an account as one that was there before; answers its login and id. */
  async function somebody(more = ''): Promise<{ id: number; login: string }> {
    const login = `reader${++made}`;
    const id = Number(
      await home.php(`echo Rollcall_Capture::quiet( static function () {
        return wp_insert_user( array( 'user_login' => '${login}', 'user_email' => '${login}@people.test', 'user_pass' => 'pass', ${more} ) );
      } );`),
    );
    return { id, login };
  }
  const quietly = (code: string) =>
    home.php(`Rollcall_Capture::quiet( static function () { global $wpdb; ${code} } );`);

  describe('a state', () => {
    it('holds every core field, the hash and the roles, with stamps of an unknown age', async () => {
      const { id, login } = await somebody(
        "'first_name' => 'Ada', 'last_name' => 'L', 'description' => \"It's\\n\\\"ok\\\" \\\\\\\\ 🦊\", 'user_url' => 'https://ada.test', 'display_name' => 'Ada L', 'locale' => 'de_DE', 'role' => 'author'",
      );
      const account = await home.account(login);
      expect(account).toMatchObject({
        id,
        login,
        uid: null,
        label_ok: true,
        email: `${login}@people.test`,
        born: [0, 11],
        privileged: false,
        switches: { stop_outgoing: false, reject_incoming: false, stop_made: false },
        roles: { '1': { author: { v: true, s: [0, 11] } } },
      });
      const values = Object.fromEntries(
        Object.entries(account.fields ?? {}).map(([name, { v }]) => [name, v]),
      );
      expect(values).toMatchObject({
        email: `${login}@people.test`,
        first_name: 'Ada',
        last_name: 'L',
        nickname: login,
        display_name: 'Ada L',
        description: 'It\'s\n"ok" \\ 🦊',
        url: 'https://ada.test',
        locale: 'de_DE',
      });
      expect(values['password']).toMatch(/^\$/);
      expect(account.unreadable).toBeUndefined();
      for (const { s } of Object.values(account.fields ?? {})) expect(s).toEqual([0, 11]);
    });

    it('never holds what must not travel, though the hub asked for it', async () => {
      const { login } = await somebody();
      await home.php(
        `$u = get_user_by( 'login', '${login}' ); WP_Session_Tokens::get_instance( $u->ID )->create( time() + 60 );`,
      );
      const { fields } = await home.account(login);
      expect(Object.keys(fields ?? {}).filter((name) => name.startsWith('meta:'))).toEqual([]);
    });

    it('keeps the order of an array with names, and knows another order as an edit', async () => {
      const { id, login } = await somebody();
      const set = (php: string): string => `update_user_meta( ${id}, 'hobbies', ${php} );`;
      await quietly(set(`array( 'z' => array( 'y' => 1, 'a' => array() ), 'ö "q"' => '02' )`));
      const { fields } = await home.account(login);
      const value = fields?.['meta:hobbies']?.v;
      expect(JSON.stringify(value)).toBe('[{"z":{"y":1,"a":[]},"ö \\"q\\"":"02"}]');
      await home.php(`${set(`array( 'ö "q"' => '02', 'z' => array( 'y' => 1, 'a' => array() ) )`)}
        Rollcall_Capture::settle_now();`);
      const after = (await home.account(login)).fields?.['meta:hobbies'];
      expect(JSON.stringify(after?.v)).toBe('[{"ö \\"q\\"":"02","z":{"y":1,"a":[]}}]');
      expect(after?.s[0]).toBeGreaterThan(0);
    });

    it('keeps rows of one key apart, and lists as they are', async () => {
      const { id, login } = await somebody();
      await quietly(
        `add_user_meta( ${id}, 'phone', '1' ); add_user_meta( ${id}, 'phone', '02' ); update_user_meta( ${id}, 'hobbies', array( 'chess', 7, true, null, 1.5, array() ) );`,
      );
      const { fields } = await home.account(login);
      expect(fields?.['meta:phone']?.v).toEqual(['1', '02']);
      expect(fields?.['meta:hobbies']?.v).toEqual([['chess', 7, true, null, 1.5, []]]);
    });

    it.each([
      [
        'an object',
        'value.object',
        "update_user_meta( ID, 'hobbies', (object) array( 'a' => 1 ) );",
      ],
      [
        'an object inside a list',
        'value.object',
        "update_user_meta( ID, 'hobbies', array( 'x', new ArrayObject( array() ) ) );",
      ],
      [
        'an array with texts and numbers for keys',
        'value.object',
        "update_user_meta( ID, 'hobbies', array( array( 'a' => 1, 7 => 2 ) ) );",
      ],
      [
        'an array whose numbers leave one out',
        'value.object',
        "update_user_meta( ID, 'hobbies', array( 'a' => array( 1 => 'x' ) ) );",
      ],
      [
        'an object inside an array with names',
        'value.object',
        "update_user_meta( ID, 'hobbies', array( 'a' => array( 'b' => new ArrayObject( array() ) ) ) );",
      ],
      [
        'text that would unserialise',
        'value.serialized',
        "update_user_meta( ID, 'hobbies', serialize( 'x' ) );",
      ],
      [
        'broken serialised text',
        'value.serialized',
        "$wpdb->insert( $wpdb->usermeta, array( 'user_id' => ID, 'meta_key' => 'hobbies', 'meta_value' => 'a:2:{i:0;s:1:\"x\";}' ) );",
      ],
      [
        'more than travels',
        'value.too_large',
        "update_user_meta( ID, 'hobbies', str_repeat( 'x', 1048577 ) );",
      ],
    ])(
      'names a value that can’t travel and holds everything else: %s',
      async (_what, why, code) => {
        const { id, login } = await somebody("'first_name' => 'Fine'");
        await quietly(code.replaceAll('( ID', `( ${id}`).replaceAll('=> ID', `=> ${id}`));
        const account = await home.account(login);
        expect(account.unreadable).toEqual({ 'meta:hobbies': why });
        expect(account.fields).not.toHaveProperty('meta:hobbies');
        expect(account.fields?.['first_name']?.v).toBe('Fine');
        // And it holds up nothing in the outbox.
        await home.php(`update_user_meta( ${id}, 'first_name', 'Still' );`);
        expect((await home.changes()).rows).toMatchObject([{ kind: 'update', account: { id } }]);
      },
    );

    it('has no role where there is none, as an empty object', async () => {
      const { id, login } = await somebody();
      await quietly(`( new WP_User( ${id} ) )->set_role( '' );`);
      expect((await home.account(login)).roles).toEqual({});
    });

    it('says who is privileged, by role or by a capability of their own', async () => {
      const editor = await somebody("'role' => 'editor'");
      const granted = await somebody("'role' => 'subscriber'");
      const plain = await somebody("'role' => 'subscriber'");
      await quietly(`( new WP_User( ${granted.id} ) )->add_cap( 'edit_plugins' );`);
      const found = await home.accounts({
        ids: [1, editor.id, granted.id, plain.id],
        detail: 'who',
      });
      expect(found.map(({ privileged }) => privileged)).toEqual([true, true, true, false]);
      expect(found[0]).not.toHaveProperty('fields');
    });

    it('does not take a role whose definition is gone for one that was removed', async () => {
      await home.php("add_role( 'guide', 'Guide', array( 'read' => true ) );");
      const { login } = await somebody("'role' => 'guide'");
      const before = await home.account(login);
      expect(before.roles).toEqual({ '1': { guide: { v: true, s: [0, 11] } } });
      await home.php("remove_role( 'guide' );");
      expect((await home.account(login)).roles).toEqual(before.roles);
      expect(await home.backlog()).toBe(0);
    });
  });

  describe('a watch list that grows', () => {
    it('finds values of an unknown age, and stamps what comes after', async () => {
      const had = await somebody();
      const had_not = await somebody();
      await home.accounts();
      await quietly(`update_user_meta( ${had.id}, 'shoe_size', '40' );`);
      await home.settings({ meta: ['phone', 'hobbies', 'shoe_size'] });
      expect((await home.account(had.login)).fields?.['meta:shoe_size']).toEqual({
        v: ['40'],
        s: [0, 11],
      });
      expect((await home.account(had_not.login)).fields).not.toHaveProperty('meta:shoe_size');
      expect(await home.backlog()).toBe(0);
      await home.php(`update_user_meta( ${had_not.id}, 'shoe_size', '41' );`);
      const later = (await home.account(had_not.login)).fields?.['meta:shoe_size'];
      expect(later?.v).toEqual(['41']);
      expect(later?.s[0]).toBeGreaterThan(0);
    });

    it('tells an old value from a new one on an account that was not read in between', async () => {
      const { id, login } = await somebody();
      await home.accounts();
      await quietly(
        `update_user_meta( ${id}, 'hat_size', '5' ); update_user_meta( ${id}, 'glove_size', '6' );`,
      );
      await home.settings({ meta: ['phone', 'hobbies', 'shoe_size', 'hat_size', 'glove_size'] });
      await home.php(`update_user_meta( ${id}, 'hat_size', '7' );`);
      const { fields } = await home.account(login);
      expect(fields?.['meta:hat_size']?.s[0]).toBeGreaterThan(0);
      expect(fields?.['meta:glove_size']).toEqual({ v: ['6'], s: [0, 11] });
    });
  });

  describe('pages', () => {
    it('hold every account once, in order, and end', async () => {
      const all = (await home.accounts()).map(({ id }) => id);
      expect(all.length).toBeGreaterThan(10);
      expect(all).toEqual([...all].sort((a, b) => a - b));
      const seen: number[] = [];
      let after = 0;
      for (let i = 0; i < 20; i++) {
        const { accounts, next } = await home.page({ after, limit: 7 });
        seen.push(...accounts.map(({ id }) => id));
        if (next === null) break;
        after = next;
      }
      expect(seen).toEqual(all);
    });

    it('hold those that were asked for', async () => {
      const { id, login } = await somebody("'role' => 'contributor', 'display_name' => 'Zyx 100%'");
      const ids = async (ask: object) => (await home.accounts(ask)).map((account) => account.id);
      expect(await ids({ ids: [id, 99999] })).toEqual([id]);
      expect(await ids({ ids: [] })).toEqual([]);
      expect(await ids({ logins: [login, "nobody'; --"] })).toEqual([id]);
      expect(await ids({ roles: ['contributor'] })).toEqual([id]);
      expect(await ids({ search: '100%' })).toEqual([id]);
      expect(await ids({ search: `${login}@people` })).toEqual([id]);
      expect(await ids({ search: '%' })).toEqual([id]);
      expect(await ids({ after: id, ids: [id] })).toEqual([]);
    });

    it('cost the same few queries however many accounts they hold', async () => {
      await home.accounts();
      const queries = async (limit: number) =>
        Number(
          await home.php(
            `$before = $GLOBALS['wpdb']->num_queries; Rollcall_Accounts::answer( array( 'after' => 0, 'limit' => ${limit}, 'detail' => 'state' ) ); echo $GLOBALS['wpdb']->num_queries - $before;`,
          ),
        );
      const few = await queries(3);
      expect(await queries(15)).toBe(few);
      expect(few).toBeLessThan(12);
    });
  });

  describe('labels', () => {
    it('are put once, on the account that still has the login, and come out with it', async () => {
      const { id, login } = await somebody();
      const other = await somebody();
      const label = { id, uid: UID, login };
      expect(await home.labels([label])).toEqual(['labelled']);
      expect(await home.labels([label])).toEqual(['already']);
      expect(await home.account(login)).toMatchObject({ uid: UID, label_ok: true });
      expect(
        await home.labels([
          { id: other.id, uid: UID, login: other.login },
          { id: other.id, uid: OTHER_UID, login: 'somebody-else' },
          { id: 99999, uid: OTHER_UID, login: 'x' },
          { id, uid: OTHER_UID, login },
          { id, uid: OTHER_UID, login, was: OTHER_UID },
        ]),
      ).toEqual(['mismatch', 'mismatch', 'missing', 'mismatch', 'mismatch']);
      expect(await home.labels([{ id, uid: OTHER_UID, login, was: UID }])).toEqual(['labelled']);
      expect((await home.account(login)).uid).toBe(OTHER_UID);
      expect((await home.account(other.login)).uid).toBeNull();
      expect(await home.backlog()).toBe(0);
    });

    it('that were made for somebody else are not ok', async () => {
      const { id, login } = await somebody();
      await home.labels([{ id, uid: UID, login }]);
      await quietly(
        `$wpdb->update( $wpdb->users, array( 'user_registered' => '2001-01-01 00:00:00' ), array( 'ID' => ${id} ) );`,
      );
      expect(await home.account(login)).toMatchObject({ uid: UID, label_ok: false });
      expect(await home.labels([{ id, uid: UID, login }])).toEqual(['mismatch']);
    });

    it('keep the stamps that an account has', async () => {
      const { id, login } = await somebody();
      await home.php(`update_user_meta( ${id}, 'phone', '9' );`);
      const before = await home.account(login);
      expect(
        await home.labels([{ id, uid: '0c9d1f6e-0f3a-4a57-8e5f-2b1d5a7c9e33', login }]),
      ).toEqual(['labelled']);
      expect((await home.account(login)).fields).toEqual(before.fields);
    });
  });

  it('stamps from the future are given again, now, when the hub asks', async () => {
    const { id, login } = await somebody();
    // Read once: what it holds is of an unknown age from here on, and not a newcomer's.
    await home.account(login);
    await home.settings({ offset_ms: 86_400_000 });
    await home.php(`update_user_meta( ${id}, 'phone', '9' );`);
    await home.settings({ offset_ms: 0 });
    await home.drain();
    expect((await home.account(login)).fields?.['meta:phone']?.s[0]).toBeGreaterThan(Date.now());
    const { rows } = await home.changes({ restamp: [id] });
    const stamp = rows[0]?.account?.fields?.['meta:phone']?.s[0] ?? 0;
    expect(stamp).toBeGreaterThan(Date.now() - 60_000);
    expect(stamp).toBeLessThan(Date.now() + 60_000);
    expect(rows[0]?.account?.fields?.['first_name']?.s).toEqual([0, 11]);
  });
});
