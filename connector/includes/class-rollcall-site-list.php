<?php
/**
 * The sites of this installation, as WordPress's own table has them.
 *
 * Does: lists them, and makes a sum over the list and what sites consent to, so that a hub sees at once that one came,
 *   moved or ended; has the hub told.
 * Does not: ask filters or caches: what a plugin hides, or an old cache leaves out, would look like a site that ended.
 * Always true: each site of every network that has the connector is listed, however many there are; the sum is another one when a site comes, ends, moves,
 *   or is archived, marked as spam or deactivated. Of its title and roles `/status` tells.
 * On failure: where the table can't be read, or this very site is not in it, the request is answered with `site.database`.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * List of sites.
 */
final class Rollcall_Site_List {

	/**
	 * Did a site come, change or end in this request?
	 *
	 * @var bool
	 */
	private static $changed = false;

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		global $wpdb;
		// Roles say how far a consent reaches; a site that signals is not asked for minutes.
		add_action( 'update_option_' . $wpdb->get_blog_prefix() . 'user_roles', array( __CLASS__, 'note' ), PHP_INT_MAX, 0 );
		foreach ( array( 'wp_initialize_site', 'wp_update_site', 'wp_delete_site' ) as $hook ) {
			// Behind WordPress itself, which makes the tables of a new site at 10.
			add_action( $hook, array( __CLASS__, 'note' ), PHP_INT_MAX, 0 );
		}
	}

	/**
	 * Notes that the list is another one now.
	 *
	 * @return void
	 */
	public static function note() {
		self::$changed = true;
	}

	/**
	 * Is there a reason to tell the hub?
	 *
	 * @return bool
	 */
	public static function has_changed() {
		return self::$changed;
	}

	/**
	 * Every site, the main one first.
	 *
	 * @return array[] blog, network (null where there are none), closed (null, `archived`, `spam` or `deleted`).
	 */
	public static function all() {
		if ( ! is_multisite() ) {
			return array(
				array(
					'blog'    => get_current_blog_id(),
					'network' => null,
					'closed'  => null,
				),
			);
		}
		$main  = (int) Rollcall_Shared_Option::main_site();
		$sites = array();
		foreach ( self::rows() as $row ) {
			$sites[] = array(
				'blog'    => (int) $row->blog_id,
				'network' => (int) $row->site_id,
				'closed'  => self::closed( $row ),
			);
		}
		usort(
			$sites,
			static function ( $one, $other ) use ( $main ) {
				return array( $one['blog'] !== $main, $one['blog'] ) <=> array( $other['blog'] !== $main, $other['blog'] );
			}
		);
		return $sites;
	}

	/**
	 * The sum.
	 *
	 * @return string
	 */
	public static function sum() {
		$consents = Rollcall_Consent::everywhere();
		return md5( ( is_multisite() ? (string) wp_json_encode( self::rows() ) : 'single' ) . ( $consents ? wp_json_encode( $consents ) : '' ) );
	}

	/**
	 * Rows of WordPress's table.
	 *
	 * @return object[]
	 */
	private static function rows() {
		global $wpdb;
		Rollcall_Tables::use_writer();
		$list = implode( ',', self::networks() );
		$rows = (array) $wpdb->get_results( "SELECT blog_id, site_id, domain, path, archived, spam, deleted FROM {$wpdb->blogs} WHERE site_id IN ($list) ORDER BY blog_id" ); // phpcs:ignore WordPress.DB
		if ( '' !== (string) $wpdb->last_error || ! in_array( get_current_blog_id(), array_map( 'intval', wp_list_pluck( $rows, 'blog_id' ) ), true ) ) {
			Rollcall_Query_Faults::was_short();
		}
		return $rows;
	}

	/**
	 * The networks that have the connector.
	 *
	 * @return int[]
	 */
	private static function networks() {
		global $wpdb;
		$found = array();
		$rows  = (array) $wpdb->get_results( "SELECT site_id, meta_value FROM {$wpdb->sitemeta} WHERE meta_key = 'active_sitewide_plugins' ORDER BY site_id" ); // phpcs:ignore WordPress.DB
		if ( '' !== (string) $wpdb->last_error ) {
			Rollcall_Query_Faults::was_short();
		}
		foreach ( $rows as $row ) {
			$active = maybe_unserialize( $row->meta_value );
			if ( is_array( $active ) && isset( $active[ plugin_basename( ROLLCALL_CONNECTOR_FILE ) ] ) ) {
				$found[] = (int) $row->site_id;
			}
		}
		// Where it is active on single sites alone, as well.
		return array_values( array_unique( array_merge( array( (int) get_current_network_id() ), $found ) ) );
	}

	/**
	 * Why a site is closed.
	 *
	 * @param object $row Row of WordPress's table.
	 * @return string|null
	 */
	private static function closed( $row ) {
		foreach ( array( 'deleted', 'spam', 'archived' ) as $state ) {
			if ( (int) $row->$state > 0 ) {
				return $state;
			}
		}
		return null;
	}
}
