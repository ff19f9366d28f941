<?php
/**
 * Finds accounts and sites that came about without any hook: by SQL, or by a request that was killed first.
 *
 * Does: keeps, for each network, the greatest ids that triggers have seen; notes as due what is beyond.
 * Always true: what was there when a trigger was switched on is not new. Where there are several networks,
 *   an account that no hook told of belongs to the one on whose sites it is a member and has its first site.
 * On failure: the marks stay, and it is found with the next look.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * High-water marks.
 */
final class Rollcall_Network_Marks {

	const OPTION = 'rollcall_network_seen';

	/**
	 * A trigger was switched on: all that is there counts as seen.
	 *
	 * @param int    $network Network.
	 * @param string $kind    Rollcall_Network_Due::ACCOUNT or SITE.
	 * @return void
	 */
	public static function begin( $network, $kind ) {
		self::set( $network, $kind, self::greatest( $network, $kind ) );
	}

	/**
	 * Looks on this network, where its triggers are on.
	 *
	 * @return void
	 */
	public static function look() {
		$network  = get_current_network_id();
		$settings = Rollcall_Network_Settings::fresh( $network );
		if ( $settings['new_account'] ) {
			self::find( $network, Rollcall_Network_Due::ACCOUNT );
		}
		if ( $settings['new_site'] ) {
			self::find( $network, Rollcall_Network_Due::SITE );
		}
	}

	/**
	 * Notes what is beyond a mark, and raises it.
	 *
	 * @param int    $network Network.
	 * @param string $kind    Kind.
	 * @return void
	 */
	private static function find( $network, $kind ) {
		global $wpdb;
		$seen = self::seen( $network, $kind );
		$last = self::greatest( $network, $kind );
		if ( null !== $seen && $last > $seen ) {
			$who  = Rollcall_Network_Due::SITE === $kind
				? $wpdb->prepare( "SELECT site_id, %s, blog_id FROM {$wpdb->blogs} WHERE blog_id > %d AND blog_id <= %d AND site_id = %d", $kind, $seen, $last, $network ) // phpcs:ignore WordPress.DB
				: $wpdb->prepare( "SELECT %d, %s, u.ID FROM {$wpdb->users} u WHERE u.ID > %d AND u.ID <= %d", $network, $kind, $seen, $last ) . self::of_network( $network ); // phpcs:ignore WordPress.DB
			$done = $wpdb->query( 'INSERT IGNORE INTO ' . Rollcall_Network_Tables::due() . " (network, kind, ref) $who" ); // phpcs:ignore WordPress.DB
			if ( false === $done ) {
				return;
			}
		}
		if ( $last !== $seen ) {
			// It also falls: after a table was put back, ids come again.
			self::set( $network, $kind, $last );
		}
	}

	/**
	 * A condition for accounts of a network.
	 *
	 * @param int $network Network.
	 * @return string
	 */
	private static function of_network( $network ) {
		global $wpdb;
		if ( ! Rollcall_Network_Sites::several_networks() ) {
			return '';
		}
		$blogs = Rollcall_Network_Sites::ids( $network );
		$keys  = array_map( array( 'Rollcall_Roles', 'caps_key' ), $blogs );
		// Who came about on another network and was then added here by hand is not new here.
		return " AND EXISTS (SELECT 1 FROM {$wpdb->usermeta} m WHERE m.user_id = u.ID AND m.meta_key IN ('" . implode( "','", array_map( 'esc_sql', $keys ) ) . "'))"
			. " AND NOT EXISTS (SELECT 1 FROM {$wpdb->usermeta} p WHERE p.user_id = u.ID AND p.meta_key = 'primary_blog' AND p.meta_value NOT IN ('" . implode( "','", array_merge( array( '' ), $blogs ) ) . "'))";
	}

	/**
	 * The greatest id there is.
	 *
	 * @param int    $network Network.
	 * @param string $kind    Kind.
	 * @return int
	 */
	private static function greatest( $network, $kind ) {
		global $wpdb;
		return (int) ( Rollcall_Network_Due::SITE === $kind
			? $wpdb->get_var( $wpdb->prepare( "SELECT MAX(blog_id) FROM {$wpdb->blogs} WHERE site_id = %d", $network ) ) // phpcs:ignore WordPress.DB
			: $wpdb->get_var( "SELECT MAX(ID) FROM {$wpdb->users}" ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * A mark.
	 *
	 * @param int    $network Network.
	 * @param string $kind    Kind.
	 * @return int|null
	 */
	private static function seen( $network, $kind ) {
		$kept = maybe_unserialize( Rollcall_Option_Row::read( self::OPTION, $network ) );
		return isset( $kept[ $kind ] ) ? (int) $kept[ $kind ] : null;
	}

	/**
	 * Sets a mark.
	 *
	 * @param int    $network Network.
	 * @param string $kind    Kind.
	 * @param int    $to      Id.
	 * @return void
	 */
	private static function set( $network, $kind, $to ) {
		Rollcall_Option_Row::change(
			self::OPTION,
			static function ( array $kept ) use ( $kind, $to ) {
				return array_merge( $kept, array( $kind => $to ) );
			},
			$network
		);
	}
}
