/**
 * Two web servers with one database, and an object cache of each server's own that hears nothing of the other: what
 * it remembers of people is old as soon as the other server writes. WordPress's own writes then bring old values
 * back; the hub's must not.
 *
 * Here the second server is the command line.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  type ConnectedSite,
  connectedSite,
  fields,
  past,
  resultsOf,
  startConnectedSite,
  write,
} from './connected-site.ts';

/** Keeps what belongs to accounts in files, one folder for each of the two servers; everything else for one request. */
const DROP_IN = `<?php
class WP_Object_Cache {
	const LASTING = array( 'users', 'user_meta', 'userlogins', 'useremail', 'userslugs' );
	public $now = array();
	private function file( $key, $group ) {
		$server = empty( $_SERVER['REQUEST_METHOD'] ) ? 'second' : 'first';
		return WP_CONTENT_DIR . '/object-cache/' . $server . '-' . md5( $group . ':' . $key );
	}
	public function get( $key, $group, &$found = null ) {
		$group = $group ?: 'default';
		if ( ! isset( $this->now[ $group ][ $key ] ) && in_array( $group, self::LASTING, true ) && is_file( $this->file( $key, $group ) ) ) {
			$this->now[ $group ][ $key ] = file_get_contents( $this->file( $key, $group ) );
		}
		$found = isset( $this->now[ $group ][ $key ] );
		return $found ? unserialize( $this->now[ $group ][ $key ] ) : false;
	}
	public function set( $key, $value, $group ) {
		$group = $group ?: 'default';
		$this->now[ $group ][ $key ] = serialize( $value );
		if ( in_array( $group, self::LASTING, true ) ) {
			wp_mkdir_p( WP_CONTENT_DIR . '/object-cache' );
			file_put_contents( $this->file( $key, $group ), $this->now[ $group ][ $key ], LOCK_EX );
		}
		return true;
	}
	public function delete( $key, $group ) {
		$group = $group ?: 'default';
		unset( $this->now[ $group ][ $key ] );
		if ( in_array( $group, self::LASTING, true ) && is_file( $this->file( $key, $group ) ) ) { unlink( $this->file( $key, $group ) ); }
		return true;
	}
	public function has( $key, $group ) { $this->get( $key, $group, $found ); return $found; }
}
function wp_cache_init() { $GLOBALS['wp_object_cache'] = new WP_Object_Cache(); }
function wp_cache_get( $key, $group = '', $force = false, &$found = null ) { return $GLOBALS['wp_object_cache']->get( $key, $group, $found ); }
function wp_cache_set( $key, $value, $group = '', $expire = 0 ) { return $GLOBALS['wp_object_cache']->set( $key, $value, $group ); }
function wp_cache_add( $key, $value, $group = '', $expire = 0 ) { return ! $GLOBALS['wp_object_cache']->has( $key, $group ) && wp_cache_set( $key, $value, $group ); }
function wp_cache_replace( $key, $value, $group = '', $expire = 0 ) { return $GLOBALS['wp_object_cache']->has( $key, $group ) && wp_cache_set( $key, $value, $group ); }
function wp_cache_delete( $key, $group = '' ) { return $GLOBALS['wp_object_cache']->delete( $key, $group ); }
function wp_cache_incr( $key, $by = 1, $group = '' ) { $value = (int) wp_cache_get( $key, $group ) + $by; wp_cache_set( $key, $value, $group ); return $value; }
function wp_cache_decr( $key, $by = 1, $group = '' ) { return wp_cache_incr( $key, - $by, $group ); }
function wp_cache_flush() { $GLOBALS['wp_object_cache']->now = array(); return true; }
function wp_cache_close() { return true; }
function wp_cache_add_global_groups( $groups ) {}
function wp_cache_add_non_persistent_groups( $groups ) {}
function wp_cache_switch_to_blog( $blog ) {}
`;
/** What WordPress on the first server takes an account for. */
const WINDOW = `<?php add_action( 'init', function () {
	if ( isset( $_GET['lab_seen'] ) ) {
		$all = array();
		foreach ( explode( ',', $_GET['lab_seen'] ) as $login ) {
			$user = get_user_by( 'login', $login );
			$all[] = $user ? array( 'email' => $user->user_email, 'first' => $user->first_name, 'phone' => get_user_meta( $user->ID, 'phone', true ), 'roles' => array_values( $user->roles ) ) : null;
		}
		wp_send_json( $all );
	}
} );`;
const CredentialSchema = z.object({ user: z.string(), password: z.string() });
/** A set is written in another way than a few. */
const MANY = 30;

let hub: ConnectedSite;
beforeAll(async () => {
  hub = await startConnectedSite('cached');
  await writeFile(join(hub.site.dir, 'wp-content', 'mu-plugins', 'window.php'), WINDOW);
  await writeFile(join(hub.site.dir, 'wp-content', 'object-cache.php'), DROP_IN);
});
afterAll(() => hub?.stop());

type Person = Readonly<Record<'email' | 'first' | 'phone', string> & { roles: string[] }>;

const seen = async (logins: readonly string[]): Promise<(Person | null)[]> => {
  const response = await hub.site.request(`/?lab_seen=${logins.join(',')}`);
  return JSON.parse(await response.text());
};

/** What lies in the database. */
const stored = async (logins: readonly string[]): Promise<Person[]> =>
  JSON.parse(
    await hub.site.php(`global $wpdb; $all = array();
      foreach ( explode( ',', '${logins.join(',')}' ) as $login ) {
        $user = $wpdb->get_row( "SELECT ID, user_email FROM $wpdb->users WHERE user_login = '$login'" );
        $meta = function ( $key ) use ( $wpdb, $user ) { return $wpdb->get_var( "SELECT meta_value FROM $wpdb->usermeta WHERE user_id = $user->ID AND meta_key = '$key'" ); };
        $all[] = array( 'email' => $user->user_email, 'first' => $meta( 'first_name' ), 'phone' => $meta( 'phone' ),
          'roles' => array_keys( unserialize( $meta( $wpdb->prefix . 'capabilities' ) ) ) );
      }
      echo wp_json_encode( $all );`),
  );

/** Acknowledges everything, and answers whom the rows were about, with some of their fields. */
async function told(): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (;;) {
    const { rows } = await hub.changes();
    if (rows.length === 0) return all;
    for (const { account } of rows) {
      if (!account) continue;
      const { email, first_name: first, 'meta:phone': phone } = account.fields ?? {};
      all[account.login] = [email?.v, first?.v, phone?.v];
    }
    await hub.changes(rows.map(({ row, rev }) => [row, rev] as const));
  }
}

interface Known {
  readonly login: string;
  readonly uid: string;
  readonly id: number | null;
}

/** Accounts that came from the hub, that the first server has seen, and that the second one changed since. */
async function edited(logins: readonly string[]): Promise<Known[]> {
  const operations = logins.map((login) => {
    const values = { first_name: 'Old', 'meta:phone': ['1'], 'role:author': true };
    return write({ login, fields: fields({ email: `${login}@old.test`, ...values }, past(500)) });
  });
  const { receipts } = await hub.apply(operations);
  await seen(logins);
  await told();
  await hub.site.php(
    `foreach ( explode( ',', '${logins.join(',')}' ) as $login ) {
      $id = get_user_by( 'login', $login )->ID;
      wp_update_user( array( 'ID' => $id, 'user_email' => $login . '@new.test', 'first_name' => 'New' ) );
      update_user_meta( $id, 'phone', '2' );
      ( new WP_User( $id ) )->set_role( 'contributor' );
    }`,
  );
  return operations.map(({ uid }, i) => ({
    login: logins[i] ?? '',
    uid,
    id: receipts[i]?.id ?? 0,
  }));
}

const old = (login: string): Person => ({
  email: `${login}@old.test`,
  first: 'Old',
  phone: '1',
  roles: ['author'],
});

describe('an object cache that remembers people as they were', () => {
  test('T919: what is read of them is what the database holds, and old memories are no edits', async () => {
    await edited(['anna']);
    expect(await seen(['anna'])).toEqual([old('anna')]);
    expect(await told()).toEqual({ anna: ['anna@new.test', 'New', ['2']] });
    expect(await seen(['anna'])).toEqual([old('anna')]);
    expect(await told()).toEqual({});
  });

  test.each([
    ['one', 1],
    ['a set', MANY],
  ])(
    'T920: writing %s brings nothing old back and skips nothing, and it is remembered',
    async (_, many) => {
      const known = await edited(Array.from({ length: many }, (__, i) => `of-${many}-${i}`));
      await told();
      const values = { last_name: 'Later', 'meta:phone': ['1'], 'role:subscriber': true };
      const { receipts } = await hub.apply(
        known.map(({ uid, id }) =>
          write({ uid, id, create: null, fields: fields(values, Date.now()) }),
        ),
      );
      for (const receipt of receipts) {
        expect(resultsOf(receipt)).toEqual({
          last_name: 'applied',
          'meta:phone': 'applied',
          'role:subscriber': 'applied',
        });
      }
      const logins = known.map(({ login }) => login);
      const roles = ['contributor', 'subscriber'];
      const now = logins.map((login) => ({
        email: `${login}@new.test`,
        first: 'New',
        phone: '1',
        roles,
      }));
      expect(await stored(logins)).toEqual(now);
      expect(await seen(logins)).toEqual(now);
      expect(await told()).toEqual({});
    },
  );

  test('T921: somebody who is remembered and gone is in nobody’s way', async () => {
    const [gone] = await edited(['gone']);
    await hub.site.php(
      `require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user( ${gone?.id} );`,
    );
    await told();
    expect(await seen(['gone'])).toEqual([old('gone')]);
    const values = { email: 'gone@old.test', first_name: 'Next' };
    const receipt = await hub.one(write({ login: 'gone', fields: fields(values, past(1)) }));
    expect(receipt.result).toBe('created');
    expect(receipt.id).not.toBe(gone?.id);
    expect(await seen(['gone'])).toMatchObject([
      { email: 'gone@old.test', first: 'Next', phone: '' },
    ]);
  });

  test('T922: a credential that the other server issued counts, and the one before does not', async () => {
    const issued: unknown = JSON.parse(
      await hub.site.php(`echo wp_json_encode( Rollcall_Service_Account::issue( 'Test hub' ) );`),
    );
    const { user, password } = CredentialSchema.parse(issued);
    const renewed = connectedSite(hub.site, { user, password });
    expect((await hub.post('status', {})).status).toBe(401);
    expect((await renewed.post('status', {})).status).toBe(200);
  });
});
