<?php
/**
 * The connector's own tables.
 *
 * Does: names, creates and drops them.
 * Does not: read or write rows of accounts, changes or tombstones.
 * Always true: they are named after `$wpdb->users`, so that sites sharing one users table
 *   (CUSTOM_USER_TABLE) share them, and know it by the same store id.
 * On failure: `install()` answers false and may be called again.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Names and shapes of the tables.
 */
final class Rollcall_Tables {

	/** Changes that wait for the hub. */
	public static function outbox() {
		return self::prefix() . 'rollcall_outbox';
	}

	/** What Rollcall knows of each account: label, stamps, fingerprints, switches. */
	public static function accounts() {
		return self::prefix() . 'rollcall_accounts';
	}

	/** Accounts that ended. */
	public static function tombstones() {
		return self::prefix() . 'rollcall_tombstones';
	}

	/** Single facts about this account store: epoch, head, keys, records, locks. */
	public static function facts() {
		return self::prefix() . 'rollcall_facts';
	}

	/**
	 * A random id, the same for every site that shares this users table.
	 */
	public static function store_id() {
		return Rollcall_Store::id();
	}

	/**
	 * From here on reads go to the writer, on hosts with replicas: a replica that lags would make
	 * yesterday's value look like an edit.
	 */
	public static function use_writer() {
		global $wpdb;
		if ( method_exists( $wpdb, 'send_reads_to_masters' ) ) {
			$wpdb->send_reads_to_masters();
		}
	}

	/**
	 * Creates what is missing. Safe to repeat.
	 *
	 * @return bool Whether all tables are there.
	 */
	public static function install() {
		global $wpdb;
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		$collate = $wpdb->get_charset_collate();
		$outbox  = self::outbox();
		$account = self::accounts();
		$tombs   = self::tombstones();
		$facts   = self::facts();

		// `subject` is `u:<user id>` while the account lives (one row per account), `g:<row id>` after.
		dbDelta(
			"CREATE TABLE $outbox (
  subject varchar(40) NOT NULL,
  id char(16) NOT NULL,
  rev bigint(20) unsigned NOT NULL DEFAULT 1,
  user_id bigint(20) unsigned NOT NULL,
  blog bigint(20) unsigned NOT NULL DEFAULT 1,
  kind varchar(10) NOT NULL DEFAULT 'update',
  state varchar(10) NOT NULL DEFAULT 'open',
  owner varchar(16) NOT NULL DEFAULT '',
  queued_ms bigint(20) unsigned NOT NULL DEFAULT 0,
  opened_ms bigint(20) unsigned NOT NULL DEFAULT 0,
  at_ms bigint(20) unsigned NOT NULL DEFAULT 0,
  actor text NOT NULL,
  gone text NOT NULL,
  overwritten mediumtext DEFAULT NULL,
  PRIMARY KEY  (subject),
  KEY id (id),
  KEY queued (queued_ms,id)
) $collate;"
		);
		dbDelta(
			"CREATE TABLE $account (
  user_id bigint(20) unsigned NOT NULL,
  uid char(36) DEFAULT NULL,
  label varchar(16) NOT NULL DEFAULT '',
  born_ms bigint(20) unsigned NOT NULL DEFAULT 0,
  born_key bigint(20) unsigned NOT NULL DEFAULT 0,
  stop_outgoing tinyint(1) NOT NULL DEFAULT 0,
  reject_incoming tinyint(1) NOT NULL DEFAULT 0,
  stop_made tinyint(1) NOT NULL DEFAULT 0,
  signed_in tinyint(1) NOT NULL DEFAULT 0,
  email_by varchar(12) NOT NULL DEFAULT '',
  email_print varchar(16) NOT NULL DEFAULT '',
  watch bigint(20) unsigned NOT NULL DEFAULT 0,
  rev bigint(20) unsigned NOT NULL DEFAULT 1,
  fields longtext NOT NULL,
  PRIMARY KEY  (user_id),
  UNIQUE KEY uid (uid)
) $collate;"
		);
		dbDelta(
			"CREATE TABLE $tombs (
  uid char(36) NOT NULL,
  stamp_ms bigint(20) unsigned NOT NULL DEFAULT 0,
  stamp_key bigint(20) unsigned NOT NULL DEFAULT 0,
  user_id bigint(20) unsigned NOT NULL DEFAULT 0,
  login varchar(60) NOT NULL DEFAULT '',
  at_ms bigint(20) unsigned NOT NULL DEFAULT 0,
  PRIMARY KEY  (uid)
) $collate;"
		);
		dbDelta(
			"CREATE TABLE $facts (
  name varchar(64) NOT NULL,
  value longtext NOT NULL,
  counter bigint(20) unsigned NOT NULL DEFAULT 0,
  PRIMARY KEY  (name)
) $collate;"
		);

		foreach ( array( $outbox, $account, $tombs, $facts ) as $table ) {
			if ( ! self::is_there( $table ) ) {
				return false;
			}
		}
		return true;
	}

	/**
	 * Something failed: a table that is gone is made again. Whatever was in it is lost, so the outbox
	 * begins another life, and the hub knows.
	 *
	 * @return void
	 */
	public static function mend() {
		foreach ( array( self::outbox(), self::accounts(), self::tombstones(), self::facts() ) as $table ) {
			if ( ! self::is_there( $table ) ) {
				if ( self::install() ) {
					Rollcall_Life::renew_epoch();
				}
				return;
			}
		}
	}

	/**
	 * Can a table be read?
	 *
	 * @param string $table Name.
	 * @return bool
	 */
	private static function is_there( $table ) {
		global $wpdb;
		$quiet = $wpdb->suppress_errors();
		$there = false !== $wpdb->query( "SELECT 1 FROM $table LIMIT 1" ); // phpcs:ignore WordPress.DB
		$wpdb->suppress_errors( $quiet );
		return $there;
	}

	/**
	 * Removes all of them, with everything in them.
	 */
	public static function drop() {
		global $wpdb;
		foreach ( array( self::outbox(), self::accounts(), self::tombstones(), self::facts() ) as $table ) {
			$wpdb->query( "DROP TABLE IF EXISTS $table" ); // phpcs:ignore WordPress.DB
		}
		Rollcall_Facts::forget_all();
	}

	/** What stands before our table names: the users table's own prefix. */
	private static function prefix() {
		global $wpdb;
		$users = $wpdb->users;
		return 'users' === substr( $users, -5 ) ? substr( $users, 0, -5 ) : $users . '_';
	}
}
