<?php
/**
 * What Rollcall knows of each account here: label, birth, stamps, fingerprints, switches.
 *
 * Does: loads and writes rows of `rollcall_accounts`.
 * Does not: hold any value: a fingerprint says only whether a value is still the one that was known.
 * Always true: a row is written only over the revision that was read; who loses that race reads
 *   again and repeats.
 * On failure: after several lost races nothing is written; the difference is still there to be
 *   found by the next look at the account. A write or a read that failed throws.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Rows of `rollcall_accounts`.
 */
final class Rollcall_Ledger {

	/** How often a write that lost its race is repeated. */
	const ATTEMPTS = 5;

	/** Rows per INSERT. */
	const BATCH = 100;

	/** Ends an INSERT of rows that exist: each is written only over the revision that was read. */
	const OVER_REVISION = ' ON DUPLICATE KEY UPDATE
		fields = CASE WHEN rev + 1 = VALUES(rev) THEN VALUES(fields) ELSE fields END,
		watch = CASE WHEN rev + 1 = VALUES(rev) THEN VALUES(watch) ELSE watch END,
		rev = CASE WHEN rev + 1 = VALUES(rev) THEN rev + 1 ELSE rev END';

	/**
	 * Whose deeds stay here, as far as this request has asked.
	 *
	 * @var array<int,bool>
	 */
	private static $deeds_stay = array();

	/**
	 * Loads rows.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @throws RuntimeException When they can't be read.
	 * @return array<int,array{id:int,uid:?string,label:string,born:array,switches:array,noted:array,watch:int,rev:int,entries:array}>
	 *   noted: see `Rollcall_Standing` and `Rollcall_Email_Origin`; missing where there is no row yet.
	 *   entries: field name => [ms, site key, fingerprint], and the same three of what an apply is about
	 *   to write (`expect()`).
	 */
	public static function load( array $ids ) {
		global $wpdb;
		$rows = array();
		foreach ( array_chunk( array_unique( array_map( 'intval', $ids ) ), 500 ) as $some ) {
			$list = implode( ',', $some );
			$found = $wpdb->get_results( 'SELECT * FROM ' . Rollcall_Tables::accounts() . " WHERE user_id IN ($list)" ); // phpcs:ignore WordPress.DB
			if ( ! is_array( $found ) || '' !== $wpdb->last_error ) {
				// Taken for “nothing is known”, this would make an edit of everything.
				throw new RuntimeException( 'What is known of accounts can’t be read.' );
			}
			foreach ( $found as $row ) {
				$entries                     = json_decode( $row->fields, true );
				$rows[ (int) $row->user_id ] = array(
					'id'       => (int) $row->user_id,
					'uid'      => $row->uid ? (string) $row->uid : null,
					'label'    => (string) $row->label,
					'born'     => array( (int) $row->born_ms, (int) $row->born_key ),
					'switches' => array(
						'stop_outgoing'   => (bool) (int) $row->stop_outgoing,
						'reject_incoming' => (bool) (int) $row->reject_incoming,
						'stop_made'       => (bool) (int) $row->stop_made,
					),
					'noted'    => array( (bool) (int) $row->signed_in, (string) $row->email_by, (string) $row->email_print ),
					'watch'    => (int) $row->watch,
					'rev'      => (int) $row->rev,
					'entries'  => is_array( $entries ) ? $entries : array(),
				);
			}
		}
		return $rows;
	}

	/**
	 * Compares accounts with what is known of them, and stamps what changed.
	 *
	 * @param int[] $ids     WordPress user ids.
	 * @param array $options See `Rollcall_Settle::run()`.
	 * @return array<int,array{changed:string[],stamp:?array,present:array,row:array}> Accounts that
	 *   don't exist are missing.
	 */
	public static function settle( array $ids, array $options = array() ) {
		return Rollcall_Settle::run( $ids, $options );
	}

	/**
	 * Account states as they go over the wire. See `Rollcall_States::of()`.
	 *
	 * @param int[]  $ids    WordPress user ids.
	 * @param string $detail `who` or `state`.
	 * @return array<int,array>
	 */
	public static function states( array $ids, $detail = 'state' ) {
		return Rollcall_States::of( $ids, $detail );
	}

	/**
	 * Writes stamps as they are given, with the fingerprint of the value given: what an apply does
	 * after it has written, and read back, the values.
	 *
	 * @param int   $id      WordPress user id.
	 * @param array $entries Field name (roles: "<blog>/role:<name>") => [ms, site key, value]. The
	 *                       value is what really is on the site now, never a fingerprint.
	 * @param array $about   Optional: `uid`, `born` ([ms, site key]).
	 * @return bool Whether it was written.
	 */
	public static function record( $id, array $entries, array $about = array() ) {
		$known = self::fingerprinted( $entries );
		for ( $i = 0; $i < self::ATTEMPTS; $i++ ) {
			$rows = self::load( array( $id ) );
			if ( isset( $rows[ $id ] ) ) {
				$row            = $rows[ $id ];
				$row['entries'] = array_merge( $row['entries'], $known );
				$row['born']    = isset( $about['born'] ) ? $about['born'] : $row['born'];
				if ( ! self::replace( $row ) ) {
					continue;
				}
			} else {
				$row            = self::blank( $id );
				$row['entries'] = $known;
				$row['born']    = isset( $about['born'] ) ? $about['born'] : $row['born'];
				if ( 1 !== self::insert( array( $row ) ) ) {
					continue;
				}
			}
			return ! isset( $about['uid'] ) || self::label( $id, $about['uid'] );
		}
		return false;
	}

	/**
	 * Notes what an apply is about to write, beside what is known. When it dies before it can record it,
	 * whoever finds it written takes it for what it is, with its stamp, and not for an edit made here.
	 *
	 * @param int   $id      WordPress user id.
	 * @param array $entries Field name as for `record()` => [ms, site key, value to come, value now].
	 * @return void
	 */
	public static function expect( $id, array $entries ) {
		$coming = self::fingerprinted( $entries );
		for ( $i = 0; $i < self::ATTEMPTS; $i++ ) {
			$rows = self::load( array( $id ) );
			if ( ! isset( $rows[ $id ] ) ) {
				// Nothing is known: whatever is found is a first sight, and wins over nothing.
				return;
			}
			$row = $rows[ $id ];
			foreach ( $coming as $name => $entry ) {
				$now  = array( 0, Rollcall_Settings::key_of( get_current_blog_id() ), Rollcall_Values::fingerprint( $name, $entries[ $name ][3] ) );
				$held = isset( $row['entries'][ $name ] ) ? array_slice( $row['entries'][ $name ], 0, 3 ) : $now;

				$row['entries'][ $name ] = array_merge( $held, $entry );
			}
			if ( self::replace( $row ) ) {
				return;
			}
		}
	}

	/**
	 * What an apply was about to write, if that is what is there now.
	 *
	 * @param array  $entry       Entry.
	 * @param string $fingerprint Fingerprint of what is there.
	 * @return array|null [ms, site key, fingerprint].
	 */
	public static function expected( array $entry, $fingerprint ) {
		return isset( $entry[5] ) && $entry[5] === $fingerprint ? array_slice( $entry, 3, 3 ) : null;
	}

	/**
	 * Entries with the fingerprint of a value in its place.
	 *
	 * @param array $entries Entry name => [ms, site key, value].
	 * @return array<string,array> Entry name => [ms, site key, fingerprint].
	 */
	public static function fingerprinted( array $entries ) {
		$known = array();
		foreach ( $entries as $name => $entry ) {
			$known[ $name ] = array( (int) $entry[0], (int) $entry[1], Rollcall_Values::fingerprint( $name, $entry[2] ) );
		}
		return $known;
	}

	/**
	 * Keeps a field's stamp and renews its fingerprint: the value is stored otherwise, and is still
	 * the same (a password that was re-hashed at a sign-in).
	 *
	 * @param int    $id    WordPress user id.
	 * @param string $name  Field name.
	 * @param mixed  $value What is stored now.
	 */
	public static function renew( $id, $name, $value ) {
		$rows = self::load( array( $id ) );
		if ( isset( $rows[ $id ]['entries'][ $name ] ) ) {
			$entry = $rows[ $id ]['entries'][ $name ];
			self::record( $id, array( $name => array( $entry[0], $entry[1], $value ) ) );
		}
	}

	/**
	 * Accounts by the hub's labels.
	 *
	 * @param string[] $uids Labels.
	 * @return array<string,int> uid => WordPress user id; a label of an account that is gone is left out.
	 */
	public static function by_uid( array $uids ) {
		return wp_list_pluck( self::labelled( $uids ), 'id' );
	}

	/**
	 * Accounts by the hub's labels, and whether each label was made for what the account is now.
	 *
	 * @param string[] $uids Labels.
	 * @return array<string,array{id:int,ok:bool}> As `by_uid()`.
	 */
	public static function labelled( array $uids ) {
		global $wpdb;
		$found = array();
		foreach ( array_chunk( array_unique( array_map( 'strval', $uids ) ), 500 ) as $some ) {
			$marks = implode( ',', array_fill( 0, count( $some ), '%s' ) );
			$rows  = $wpdb->get_results( // phpcs:ignore WordPress.DB
				$wpdb->prepare(
					'SELECT a.uid, a.user_id, a.label, u.user_login, u.user_registered FROM ' . Rollcall_Tables::accounts() . " a JOIN {$wpdb->users} u ON u.ID = a.user_id WHERE a.uid IN ($marks)", // phpcs:ignore WordPress.DB
					$some
				)
			);
			foreach ( $rows as $row ) {
				$found[ (string) $row->uid ] = array(
					'id' => (int) $row->user_id,
					'ok' => hash_equals( (string) $row->label, self::label_print( $row->user_login, $row->user_registered ) ),
				);
			}
		}
		return $found;
	}

	/**
	 * Labels an account as it is now. A row is made if there is none.
	 *
	 * @param int         $id  WordPress user id.
	 * @param string|null $uid Label, null takes it away.
	 * @return bool False when there is no such account, or another one carries this label.
	 */
	public static function label( $id, $uid ) {
		global $wpdb;
		$user = $wpdb->get_row( $wpdb->prepare( "SELECT user_login, user_registered FROM {$wpdb->users} WHERE ID = %d", $id ) ); // phpcs:ignore WordPress.DB
		if ( ! $user ) {
			return false;
		}
		if ( null !== $uid ) {
			// A label left behind by an account that is gone must not stand in the way.
			$wpdb->query( // phpcs:ignore WordPress.DB
				$wpdb->prepare(
					'UPDATE ' . Rollcall_Tables::accounts() . " SET uid = NULL, label = '', rev = rev + 1 WHERE uid = %s AND user_id <> %d AND user_id NOT IN (SELECT ID FROM {$wpdb->users})", // phpcs:ignore WordPress.DB
					$uid,
					$id
				)
			);
			$holder = $wpdb->get_var( $wpdb->prepare( 'SELECT user_id FROM ' . Rollcall_Tables::accounts() . ' WHERE uid = %s', $uid ) ); // phpcs:ignore WordPress.DB
			if ( null !== $holder && (int) $holder !== (int) $id ) {
				return false;
			}
		}
		self::insert( array( self::blank( $id ) ) );
		$label = null === $uid ? '' : self::label_print( $user->user_login, $user->user_registered );
		$set   = null === $uid ? 'uid = NULL' : $wpdb->prepare( 'uid = %s', $uid );
		return false !== $wpdb->query( $wpdb->prepare( 'UPDATE ' . Rollcall_Tables::accounts() . " SET $set, label = %s, rev = rev + 1 WHERE user_id = %d", $label, $id ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Was the label made for this login and registration date?
	 *
	 * @param array  $row        Ledger row.
	 * @param string $login      Login now.
	 * @param string $registered Registration date now.
	 */
	public static function label_ok( array $row, $login, $registered ) {
		return null === $row['uid'] || hash_equals( $row['label'], self::label_print( $login, $registered ) );
	}

	/**
	 * The greatest stamp on an account, in ms.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function greatest_ms( $id ) {
		$rows = self::load( array( $id ) );
		return isset( $rows[ $id ] ) ? self::greatest_of( $rows[ $id ] ) : 0;
	}

	/**
	 * The greatest stamp in a row, in ms.
	 *
	 * @param array $row Ledger row.
	 */
	public static function greatest_of( array $row ) {
		$ms = $row['born'][0];
		foreach ( $row['entries'] as $entry ) {
			$ms = max( $ms, (int) $entry[0] );
		}
		return $ms;
	}

	/**
	 * Forgets an account.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function forget( $id ) {
		global $wpdb;
		$wpdb->delete( Rollcall_Tables::accounts(), array( 'user_id' => (int) $id ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * An account's switches.
	 *
	 * @param int $id WordPress user id.
	 * @return array{stop_outgoing:bool,reject_incoming:bool,stop_made:bool} stop_made: with stop_outgoing, also
	 *   what the account does to others stays here.
	 */
	public static function switches( $id ) {
		$rows = self::load( array( $id ) );
		$row  = isset( $rows[ $id ] ) ? $rows[ $id ] : self::blank( $id );
		return $row['switches'];
	}

	/**
	 * Sets switches; the hub hears of it as of a change without a stamp.
	 *
	 * @param int   $id       WordPress user id.
	 * @param array $switches Any of stop_outgoing, reject_incoming, stop_made.
	 */
	public static function set_switches( $id, array $switches ) {
		global $wpdb;
		Rollcall_Settle::run( array( $id ), array( 'gate' => array( 'Rollcall_Outside', 'gate' ) ) );
		self::insert( array( self::blank( $id ) ) );
		$next = array_merge( self::switches( $id ), array_intersect_key( array_map( 'boolval', $switches ), self::switches( $id ) ) );
		$wpdb->query( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				'UPDATE ' . Rollcall_Tables::accounts() . ' SET stop_outgoing = %d, reject_incoming = %d, stop_made = %d, rev = rev + 1 WHERE user_id = %d', // phpcs:ignore WordPress.DB
				$next['stop_outgoing'],
				$next['reject_incoming'],
				$next['stop_made'],
				$id
			)
		);
		unset( self::$deeds_stay[ (int) $id ] );
		Rollcall_Capture::mark( $id, true );
	}

	/**
	 * Does what this account does to others stay here?
	 *
	 * @param int $id WordPress user id.
	 * @return bool
	 */
	public static function deeds_stay( $id ) {
		global $wpdb;
		if ( ! isset( self::$deeds_stay[ $id ] ) ) {
			self::$deeds_stay[ $id ] = (bool) $wpdb->get_var( $wpdb->prepare( 'SELECT 1 FROM ' . Rollcall_Tables::accounts() . ' WHERE user_id = %d AND stop_outgoing = 1 AND stop_made = 1', $id ) ); // phpcs:ignore WordPress.DB
		}
		return self::$deeds_stay[ $id ];
	}

	/**
	 * Accounts with a switch that is on.
	 *
	 * @param int $limit At most so many.
	 * @return int[]
	 */
	public static function switched( $limit ) {
		global $wpdb;
		return array_map( 'intval', $wpdb->get_col( $wpdb->prepare( 'SELECT user_id FROM ' . Rollcall_Tables::accounts() . ' WHERE stop_outgoing = 1 OR reject_incoming = 1 OR stop_made = 1 ORDER BY user_id LIMIT %d', $limit ) ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Inserts rows where there are none; rows that exist are left alone.
	 *
	 * @param array[] $rows Ledger rows.
	 * @return int How many were inserted.
	 */
	public static function insert( array $rows ) {
		global $wpdb;
		$inserted = 0;
		foreach ( array_chunk( $rows, self::BATCH ) as $some ) {
			$values = array();
			foreach ( $some as $row ) {
				$values[] = $wpdb->prepare( '(%d, %d, %d, %d, %s)', $row['id'], $row['born'][0], $row['born'][1], $row['watch'], self::encode( $row ) );
			}
			$inserted += self::written( 'INSERT IGNORE INTO ' . Rollcall_Tables::accounts() . ' (user_id, born_ms, born_key, watch, fields) VALUES ' . implode( ', ', $values ) );
		}
		return $inserted;
	}

	/**
	 * Writes a row over the revision that was read.
	 *
	 * @param array $row Ledger row.
	 * @return bool False when somebody else wrote in between.
	 */
	public static function replace( array $row ) {
		global $wpdb;
		return 1 === self::written(
			$wpdb->prepare(
				'UPDATE ' . Rollcall_Tables::accounts() . ' SET fields = %s, born_ms = %d, born_key = %d, watch = %d, rev = rev + 1 WHERE user_id = %d AND rev = %d', // phpcs:ignore WordPress.DB
				self::encode( $row ),
				$row['born'][0],
				$row['born'][1],
				$row['watch'],
				$row['id'],
				$row['rev']
			)
		);
	}

	/**
	 * Adds first sights to many rows at once. A row that somebody wrote in between is left: its
	 * first sights are taken at the next look.
	 *
	 * @param array[] $rows Ledger rows, all of which exist.
	 */
	public static function replace_many( array $rows ) {
		global $wpdb;
		foreach ( array_chunk( $rows, self::BATCH ) as $some ) {
			$values = array();
			foreach ( $some as $row ) {
				$values[] = $wpdb->prepare( '(%d, %d, %d, %s)', $row['id'], $row['watch'], $row['rev'] + 1, self::encode( $row ) );
			}
			self::written(
				'INSERT INTO ' . Rollcall_Tables::accounts() . ' (user_id, watch, rev, fields) VALUES ' . implode( ', ', $values ) .
				self::OVER_REVISION
			);
		}
	}

	/**
	 * A row for an account of which nothing is known.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function blank( $id ) {
		return array(
			'id'       => (int) $id,
			'uid'      => null,
			'label'    => '',
			'born'     => array( 0, Rollcall_Settings::key_of( Rollcall_Shared_Option::main_site() ) ),
			'switches' => array(
				'stop_outgoing'   => false,
				'reject_incoming' => false,
				'stop_made'       => false,
			),
			'watch'    => 0,
			'rev'      => 1,
			'entries'  => array(),
		);
	}

	/**
	 * The label's own fingerprint of the account it was made for.
	 *
	 * @param string $login      Login.
	 * @param string $registered Registration date.
	 */
	public static function label_print( $login, $registered ) {
		return Rollcall_Values::fingerprint( 'label', array( (string) $login, (string) $registered ) );
	}

	/**
	 * Writes.
	 *
	 * @param string $statement SQL.
	 * @throws RuntimeException When it failed: what can't be noted must not be told as noted.
	 * @return int Rows.
	 */
	private static function written( $statement ) {
		global $wpdb;
		$rows = $wpdb->query( $statement ); // phpcs:ignore WordPress.DB
		if ( false === $rows ) {
			throw new RuntimeException( 'What is known of accounts can’t be written.' );
		}
		return (int) $rows;
	}

	/**
	 * The entries as they are stored.
	 *
	 * @param array $row Ledger row.
	 */
	public static function encode( array $row ) {
		return wp_json_encode( (object) $row['entries'] );
	}
}
