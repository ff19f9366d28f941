<?php
/**
 * Tables of what happens inside a network: runs, what each run wrote, removals, and what is due.
 *
 * Does: names, creates and drops them.
 * Does not: hold settings (those are in each network's own options), or any membership.
 * Always true: they are named after the installation's own prefix, as its sites are: ids of sites mean
 *   nothing to another installation over the same users table.
 * On failure: `install()` answers false and may be called again.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Names and shapes of the tables.
 */
final class Rollcall_Network_Tables {

	/** Actions on many memberships, with where they are. */
	public static function runs() {
		return self::prefix() . 'runs';
	}

	/** Memberships that a run began or changed. */
	public static function pairs() {
		return self::prefix() . 'pairs';
	}

	/** Memberships that a person ended. */
	public static function removed() {
		return self::prefix() . 'removed';
	}

	/** What triggers have still to do. */
	public static function due() {
		return self::prefix() . 'due';
	}

	/**
	 * Creates what is missing; nothing where there is no network. Safe to repeat.
	 *
	 * @return bool Whether all are there.
	 */
	public static function install() {
		global $wpdb;
		if ( ! is_multisite() ) {
			return true;
		}
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		$collate = $wpdb->get_charset_collate();
		foreach ( self::shapes() as $table => $columns ) {
			dbDelta( "CREATE TABLE $table (\n$columns\n) $collate;" );
			$quiet = $wpdb->suppress_errors();
			$there = false !== $wpdb->query( "SELECT 1 FROM $table LIMIT 1" ); // phpcs:ignore WordPress.DB
			$wpdb->suppress_errors( $quiet );
			if ( ! $there ) {
				return false;
			}
		}
		return true;
	}

	/** Removes all of them, with everything in them. */
	public static function drop() {
		global $wpdb;
		foreach ( array_keys( self::shapes() ) as $table ) {
			$wpdb->query( "DROP TABLE IF EXISTS $table" ); // phpcs:ignore WordPress.DB
		}
	}

	/**
	 * Table => columns, as dbDelta wants them.
	 *
	 * @return array<string,string>
	 */
	private static function shapes() {
		return array(
			// `todo` is the list of sites, `place` the one of them that is worked on, `after` the last account
			// that is done there. Whoever works holds `token` until `lease_ms`. `untold` is what was written
			// and other plugins have not heard of yet.
			self::runs()    => '  seq bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  id char(36) NOT NULL,
  network bigint(20) unsigned NOT NULL,
  spec longtext NOT NULL,
  state varchar(10) NOT NULL,
  driver varchar(8) NOT NULL,
  made_by varchar(200) NOT NULL DEFAULT \'\',
  began_ms bigint(20) unsigned NOT NULL,
  ended_ms bigint(20) unsigned NOT NULL DEFAULT 0,
  counts text NOT NULL,
  todo longtext NOT NULL,
  place int(10) unsigned NOT NULL DEFAULT 0,
  after bigint(20) unsigned NOT NULL DEFAULT 0,
  untold text NOT NULL,
  token varchar(16) NOT NULL DEFAULT \'\',
  lease_ms bigint(20) unsigned NOT NULL DEFAULT 0,
  faults int(10) unsigned NOT NULL DEFAULT 0,
  PRIMARY KEY  (seq),
  UNIQUE KEY id (id)',
			// `was` is null where the run began the membership. In this order a run writes and reads them.
			self::pairs()   => '  run bigint(20) unsigned NOT NULL,
  blog bigint(20) unsigned NOT NULL,
  user_id bigint(20) unsigned NOT NULL,
  umeta_id bigint(20) unsigned NOT NULL,
  was text DEFAULT NULL,
  now text NOT NULL,
  touched tinyint(1) NOT NULL DEFAULT 0,
  at_ms bigint(20) unsigned NOT NULL DEFAULT 0,
  PRIMARY KEY  (run,blog,user_id)',
			self::removed() => '  blog bigint(20) unsigned NOT NULL,
  user_id bigint(20) unsigned NOT NULL,
  at_ms bigint(20) unsigned NOT NULL,
  PRIMARY KEY  (blog,user_id),
  KEY user_id (user_id)',
			// One row per account or site and kind: of two role changes of one account the later one counts.
			self::due()     => '  seq bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  network bigint(20) unsigned NOT NULL,
  kind varchar(8) NOT NULL,
  ref bigint(20) unsigned NOT NULL,
  blog bigint(20) unsigned NOT NULL DEFAULT 0,
  done bigint(20) unsigned NOT NULL DEFAULT 0,
  rev bigint(20) unsigned NOT NULL DEFAULT 1,
  not_before_ms bigint(20) unsigned NOT NULL DEFAULT 0,
  faults int(10) unsigned NOT NULL DEFAULT 0,
  PRIMARY KEY  (seq),
  UNIQUE KEY what (network,kind,ref)',
		);
	}

	/** What stands before the names. */
	private static function prefix() {
		global $wpdb;
		return $wpdb->base_prefix . 'rollcall_network_';
	}
}
