<?php
/**
 * One option that many requests change at once.
 *
 * Does: change an option by what its row holds now, past every cache, and only if it holds that still.
 * Does not: know what is in it.
 * Always true: of two requests that change different parts at the same moment both are kept; the caches
 *   of this request and of an object cache forget what they knew.
 * On failure: a row that never holds still is written anyway, as WordPress's own function would.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * A row of the options table; on a network, of its own options.
 */
final class Rollcall_Option_Row {

	/** Somebody else's transaction may show an old row for ever. */
	const TRIES = 10;

	/** Makes each value another one, also where the database's collation takes two for one. */
	const CHANGED = 'changed';

	/**
	 * Changes the option.
	 *
	 * @param string   $name   Option, an array.
	 * @param callable $change From what is stored to what shall be; may be called more than once.
	 * @param int|null $network Whose; null: that of the whole installation.
	 * @return void
	 */
	public static function change( $name, $change, $network = null ) {
		$network = null === $network ? (int) Rollcall_Shared_Option::network() : (int) $network;
		for ( $try = 1; $try <= self::TRIES; $try++ ) {
			$raw    = self::read( $name, $network );
			$stored = null === $raw ? array() : maybe_unserialize( $raw );
			$next   = $change( is_array( $stored ) ? $stored : array() );
			if ( is_array( $stored ) && array_diff_key( $stored, array( self::CHANGED => '' ) ) === $next ) {
				return;
			}
			$next[ self::CHANGED ] = bin2hex( random_bytes( 8 ) );
			if ( null === $raw ) {
				self::forget( $name, $network );
				add_network_option( $network, $name, $next );
				return;
			}
			if ( self::write( $name, $network, maybe_serialize( $next ), self::TRIES === $try ? null : $raw ) ) {
				self::forget( $name, $network );
				return;
			}
		}
	}

	/**
	 * What the row holds.
	 *
	 * @param string $name    Option.
	 * @param int    $network Whose.
	 * @return string|null Null: there is none.
	 */
	public static function read( $name, $network ) {
		global $wpdb;
		return is_multisite()
			? $wpdb->get_var( $wpdb->prepare( "SELECT meta_value FROM {$wpdb->sitemeta} WHERE meta_key = %s AND site_id = %d", $name, $network ) ) // phpcs:ignore WordPress.DB
			: $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM {$wpdb->options} WHERE option_name = %s", $name ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * The same, for what must not be taken for “nothing is set”.
	 *
	 * @param string $name    Option.
	 * @param int    $network Whose.
	 * @return string|null Null: there is none.
	 * @throws RuntimeException When the database doesn't answer.
	 */
	public static function certain( $name, $network ) {
		global $wpdb;
		$found = self::read( $name, $network );
		if ( null === $found && '' !== (string) $wpdb->last_error ) {
			throw new RuntimeException( 'An option can’t be read.' );
		}
		return $found;
	}

	/**
	 * Writes the row.
	 *
	 * @param string      $name    Option.
	 * @param int         $network Whose.
	 * @param string      $next    What it shall hold.
	 * @param string|null $was     What it must hold for that; null: whatever it holds.
	 * @return bool False: it holds something else by now.
	 */
	private static function write( $name, $network, $next, $was ) {
		global $wpdb;
		list( $table, $value, $where ) = is_multisite()
			? array(
				$wpdb->sitemeta,
				'meta_value',
				array(
					'meta_key' => $name, // phpcs:ignore WordPress.DB
					'site_id'  => $network,
				),
			)
			: array( $wpdb->options, 'option_value', array( 'option_name' => $name ) );
		if ( null !== $was ) {
			$where[ $value ] = $was;
		}
		return 0 !== $wpdb->update( $table, array( $value => $next ), $where );
	}

	/**
	 * Clears what is cached of it.
	 *
	 * @param string $name    Option.
	 * @param int    $network Whose.
	 * @return void
	 */
	private static function forget( $name, $network ) {
		if ( is_multisite() ) {
			wp_cache_delete( "$network:$name", 'site-options' );
			wp_cache_delete( "$network:notoptions", 'site-options' );
			return;
		}
		wp_cache_delete( $name, 'options' );
		wp_cache_delete( 'alloptions', 'options' );
		wp_cache_delete( 'notoptions', 'options' );
	}
}
