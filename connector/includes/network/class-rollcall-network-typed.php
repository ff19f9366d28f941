<?php
/**
 * What people type, made ids: sites by number, address or folder; people by login, e-mail address or number.
 *
 * Does: looks them up, all at once.
 * Does not: ask who may; take a site of another network.
 * Always true: one word that nobody knows is a refusal of all of them, and named in it.
 * On failure: a WP_Error with a sentence.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Typed words.
 */
final class Rollcall_Network_Typed {

	/** Words that one statement looks up. */
	const AT_ONCE = 500;

	/**
	 * Words, split at line breaks and commas.
	 *
	 * @param string $text As it was typed.
	 * @return string[]
	 */
	public static function words( $text ) {
		$words = preg_split( '/\s*[\r\n,]+\s*/', trim( (string) $text ), -1, PREG_SPLIT_NO_EMPTY );
		return array_values( array_unique( (array) $words ) );
	}

	/**
	 * Sites of a network.
	 *
	 * @param int      $network Network.
	 * @param string[] $words   Numbers, addresses or folders.
	 * @return int[]|WP_Error
	 */
	public static function sites( $network, array $words ) {
		$ids = array_flip( Rollcall_Network_Sites::ids( $network ) );
		foreach ( $words as $word ) {
			$blog = ctype_digit( $word ) ? (int) $word : self::site_at( $word );
			if ( ! isset( $ids[ $blog ] ) ) {
				/* translators: %s: what was typed. */
				return self::refused( 'target.site_missing', sprintf( __( 'There is no site “%s” on this network.', 'rollcall-connector' ), $word ) );
			}
			$found[ $blog ] = $blog;
		}
		return array_values( isset( $found ) ? $found : array() );
	}

	/**
	 * People.
	 *
	 * @param string[] $words   Logins or e-mail addresses.
	 * @param bool     $numbers Are numbers taken, too, that are nobody's login?
	 * @return int[]|WP_Error
	 */
	public static function people( array $words, $numbers = false ) {
		if ( count( $words ) > Rollcall_Network_Spec::MOST_PEOPLE ) {
			/* translators: %d: number of accounts. */
			return self::refused( 'request.invalid', sprintf( __( 'At most %d people can be named.', 'rollcall-connector' ), Rollcall_Network_Spec::MOST_PEOPLE ) );
		}
		$ids = array();
		foreach ( array_chunk( $words, self::AT_ONCE ) as $some ) {
			$known = self::accounts( 'user_login', $some ) + self::accounts( 'user_email', $some );
			foreach ( $some as $word ) {
				$key = strtolower( $word );
				$id  = isset( $known[ $key ] ) ? $known[ $key ] : ( $numbers && ctype_digit( $word ) && get_userdata( (int) $word ) ? (int) $word : 0 );
				if ( ! $id || Rollcall_Service_Account::is_it( $id ) ) {
					/* translators: %s: what was typed. */
					return self::refused( 'request.invalid', sprintf( __( 'There is no user “%s”.', 'rollcall-connector' ), $word ) );
				}
				$ids[ $id ] = $id;
			}
		}
		return array_values( $ids );
	}

	/**
	 * The site of an address, or of a folder of this network.
	 *
	 * @param string $word Such as shop, or example.com/shop.
	 * @return int 0: none.
	 */
	private static function site_at( $word ) {
		if ( 1 === preg_match( '/^[a-z0-9_-]+$/i', $word ) ) {
			return (int) get_id_from_blogname( $word );
		}
		$parts = wp_parse_url( false === strpos( $word, '://' ) ? "http://$word" : $word );
		if ( ! is_array( $parts ) || empty( $parts['host'] ) ) {
			return 0;
		}
		$host = $parts['host'] . ( isset( $parts['port'] ) ? ':' . $parts['port'] : '' );
		return (int) get_blog_id_from_url( $host, trailingslashit( isset( $parts['path'] ) ? $parts['path'] : '' ) );
	}

	/**
	 * Accounts by one of their columns.
	 *
	 * @param string   $column user_login or user_email.
	 * @param string[] $words  Values.
	 * @return array<string,int> Value in lower case => id.
	 */
	private static function accounts( $column, array $words ) {
		global $wpdb;
		$marks = implode( ',', array_fill( 0, count( $words ), '%s' ) );
		$rows  = $wpdb->get_results( $wpdb->prepare( "SELECT ID, $column AS word FROM {$wpdb->users} WHERE $column IN ($marks) ORDER BY ID DESC", $words ) ); // phpcs:ignore WordPress.DB
		$found = array();
		foreach ( (array) $rows as $row ) {
			$found[ strtolower( $row->word ) ] = (int) $row->ID;
		}
		return $found;
	}

	/**
	 * A refusal.
	 *
	 * @param string $reason   Code.
	 * @param string $sentence Why.
	 * @return WP_Error
	 */
	private static function refused( $reason, $sentence ) {
		return Rollcall_Rest::error( $reason, 400, $sentence );
	}
}
