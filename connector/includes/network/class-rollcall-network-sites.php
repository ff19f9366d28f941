<?php
/**
 * The sites of a network.
 *
 * Does: lists all of them, however many; says which may not be written to, and why.
 * Does not: write anything.
 * Always true: WordPress's own `get_sites()` ends at 100 unless it is told otherwise; this doesn't end.
 * On failure: a site whose tables are missing has no name and no default role.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Sites.
 */
final class Rollcall_Network_Sites {

	/** Keys that one statement counts members of. */
	const KEYS_AT_ONCE = 200;

	/**
	 * Ids of all sites, in their order.
	 *
	 * @param int $network Network.
	 * @return int[]
	 * @throws RuntimeException When they can't be read: work for sites that can't be seen is not done.
	 */
	public static function ids( $network ) {
		global $wpdb;
		$ids = $wpdb->get_col( $wpdb->prepare( "SELECT blog_id FROM {$wpdb->blogs} WHERE site_id = %d ORDER BY blog_id", $network ) ); // phpcs:ignore WordPress.DB
		self::must_be_well();
		return array_map( 'intval', $ids );
	}

	/**
	 * The last query was answered.
	 *
	 * @return void
	 * @throws RuntimeException When it was not.
	 */
	private static function must_be_well() {
		global $wpdb;
		if ( '' !== (string) $wpdb->last_error ) {
			throw new RuntimeException( 'The sites of the network can’t be read.' );
		}
	}

	/**
	 * Is it certain that there is no such site?
	 *
	 * @param int $blog Site.
	 * @return bool
	 */
	public static function is_none( $blog ) {
		global $wpdb;
		return is_multisite() && '0' === (string) $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM {$wpdb->blogs} WHERE blog_id = %d", $blog ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * How many networks the installation has.
	 *
	 * @return bool Whether more than one.
	 */
	public static function several_networks() {
		global $wpdb;
		static $several = null;
		if ( null === $several ) {
			$count = (int) $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->site}" ); // phpcs:ignore WordPress.DB
			self::must_be_well();
			$several = $count > 1;
		}
		return $several;
	}

	/**
	 * All sites.
	 *
	 * @param int        $network Network.
	 * @param int[]|null $only    These alone.
	 * @return array[] { blog, name, url, rest_url, default_role, closed }
	 */
	public static function all( $network, $only = null ) {
		$settings = Rollcall_Network_Settings::fresh( $network );
		$sites    = array();
		$rows     = self::rows( $network );
		foreach ( null === $only ? $rows : array_intersect_key( $rows, array_flip( $only ) ) as $blog => $row ) {
			$sites[] = Rollcall_Visits::to(
				$blog,
				static function () use ( $blog, $row, $settings ) {
					return array(
						'blog'         => $blog,
						'name'         => wp_specialchars_decode( (string) get_option( 'blogname' ), ENT_QUOTES ),
						'url'          => home_url(),
						'rest_url'     => get_rest_url(),
						'default_role' => (string) get_option( 'default_role' ),
						'closed'       => self::closed( $row, $settings ),
					);
				}
			);
		}
		return $sites;
	}

	/**
	 * How many accounts are members of each site.
	 *
	 * @param int        $network Network.
	 * @param int[]|null $only    These sites alone.
	 * @return array<int,int> Site => accounts.
	 */
	public static function members( $network, $only = null ) {
		global $wpdb;
		$count = array_fill_keys( null === $only ? self::ids( $network ) : $only, 0 );
		foreach ( array_chunk( array_keys( $count ), self::KEYS_AT_ONCE ) as $some ) {
			$keys = array();
			foreach ( $some as $blog ) {
				$keys[ Rollcall_Roles::caps_key( $blog ) ] = $blog;
			}
			$marks = implode( ',', array_fill( 0, count( $keys ), '%s' ) );
			$rows  = $wpdb->get_results( $wpdb->prepare( "SELECT meta_key, COUNT(*) AS n FROM {$wpdb->usermeta} WHERE meta_key IN ($marks) GROUP BY meta_key", array_keys( $keys ) ) ); // phpcs:ignore WordPress.DB
			foreach ( $rows as $row ) {
				if ( isset( $keys[ $row->meta_key ] ) ) {
					$count[ $keys[ $row->meta_key ] ] = (int) $row->n;
				}
			}
		}
		return $count;
	}

	/**
	 * Why a site may not be written to, by its row and the settings.
	 *
	 * @param object    $row       Row of the table of sites.
	 * @param array     $settings  Settings of its network.
	 * @param bool|null $read_only Does it refuse changes? Null: as this request has read it.
	 * @return string|null archived, spam, deleted, excluded or read_only.
	 */
	public static function closed( $row, array $settings, $read_only = null ) {
		foreach ( array( 'archived', 'spam', 'deleted' ) as $flag ) {
			if ( '0' !== (string) $row->$flag ) {
				return $flag;
			}
		}
		if ( in_array( (int) $row->blog_id, $settings['excluded'], true ) ) {
			return 'excluded';
		}
		$read_only = null === $read_only ? Rollcall_Settings::read_only( (int) $row->blog_id ) : $read_only;
		return $read_only ? 'read_only' : null;
	}

	/**
	 * Why nothing may be written to a site now, past every cache.
	 *
	 * @param int   $network  Network that writes.
	 * @param int   $blog     Site.
	 * @param array $settings Settings of the network.
	 * @return string|null A reason.
	 */
	public static function refusal( $network, $blog, array $settings ) {
		return self::refusals( $network, array( $blog ), $settings )[ $blog ];
	}

	/**
	 * Likewise for some sites at once.
	 *
	 * @param int   $network  Network that writes.
	 * @param int[] $blogs    Sites.
	 * @param array $settings Settings of the network.
	 * @return array<int,?string> Site => a reason, or null.
	 * @throws RuntimeException When the database doesn't answer.
	 */
	public static function refusals( $network, array $blogs, array $settings ) {
		global $wpdb;
		$why  = array_fill_keys( $blogs, 'target.site_missing' );
		$list = implode( ',', array_map( 'intval', array_merge( array( 0 ), $blogs ) ) );
		$rows = $wpdb->get_results( $wpdb->prepare( "SELECT * FROM {$wpdb->blogs} WHERE site_id = %d AND blog_id IN ($list)", $network ) ); // phpcs:ignore WordPress.DB
		if ( ! is_array( $rows ) || '' !== $wpdb->last_error ) {
			throw new RuntimeException( 'The sites can’t be read.' );
		}
		// A run lasts longer than what a request has read once.
		$stored = maybe_unserialize( Rollcall_Option_Row::certain( Rollcall_Settings::OPTION, (int) Rollcall_Shared_Option::network() ) );
		foreach ( $rows as $row ) {
			$blog         = (int) $row->blog_id;
			$closed       = self::closed( $row, $settings, ! empty( $stored['read_only'][ $blog ] ) );
			$why[ $blog ] = null === $closed ? null : ( 'read_only' === $closed ? 'target.read_only' : 'network.site_closed' );
		}
		return $why;
	}

	/**
	 * Rows of the table of sites.
	 *
	 * @param int $network Network.
	 * @return array<int,object>
	 */
	private static function rows( $network ) {
		global $wpdb;
		$rows = array();
		foreach ( $wpdb->get_results( $wpdb->prepare( "SELECT * FROM {$wpdb->blogs} WHERE site_id = %d ORDER BY blog_id", $network ) ) as $row ) { // phpcs:ignore WordPress.DB
			$rows[ (int) $row->blog_id ] = $row;
		}
		return $rows;
	}
}
