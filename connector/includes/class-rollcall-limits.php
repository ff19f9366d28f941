<?php
/**
 * PHP's own limits: hosts give 64 MB and ten seconds, and a request that dies of them says nothing.
 *
 * Does: tells how long a request may take, whether memory is short, how much JSON it is good for, and how many
 * accounts fit into that.
 * Does not: raise a limit (Rollcall_Envelope asks WordPress for more memory, for every request).
 * Always true: at least one account fits, so that whoever reads on comes to an end.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Time and memory.
 */
final class Rollcall_Limits {

	/** Share of the time that is used at most; the rest is for whatever cannot be stopped. */
	const TIME_SHARE = 0.6;

	/** Share of the memory that is used at most. */
	const MEMORY_SHARE = 0.75;

	/** Inflating, decoding and encoding take several times the text's own size. */
	const PART = 6;

	/** In an answer all but the plainest letters are six bytes each, where the database has two or three. */
	const LETTERS = 2;

	/** Values of a page: as JSON at most three times as much, which a hub still reads. */
	const PAGE_BYTES = 16777216;

	/** A field's stamp, fingerprint and places in lists, as bytes of JSON. */
	const FIELD_BYTES = 300;

	/**
	 * How long a request may go on.
	 *
	 * @param float $most At most so many seconds.
	 * @return float
	 */
	public static function seconds( $most ) {
		$limit = (int) ini_get( 'max_execution_time' );
		return (float) ( $limit > 0 ? min( $most, $limit * self::TIME_SHARE ) : $most );
	}

	/**
	 * Is most of the memory used?
	 *
	 * @return bool
	 */
	public static function memory_is_short() {
		return self::memory_left() <= 0;
	}

	/**
	 * How much may be used until it is short, in bytes.
	 *
	 * @return int
	 */
	public static function memory_left() {
		$limit = self::memory();
		return $limit > 0 ? (int) ( self::MEMORY_SHARE * $limit ) - memory_get_usage() : PHP_INT_MAX;
	}

	/**
	 * How much JSON can still be read or made, in bytes.
	 *
	 * @param int $most At most so much.
	 * @return int
	 */
	public static function room( $most ) {
		$limit = self::memory();
		return $limit > 0 ? (int) max( 0, min( $most, ( $limit - memory_get_usage() ) / self::PART ) ) : $most;
	}

	/**
	 * The first of some accounts, as many as can be read and answered with what there is.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return int[] At least one of them.
	 */
	public static function first_that_fit( array $ids ) {
		$room  = min( self::PAGE_BYTES, self::room( Rollcall_Envelope::LIMIT_BYTES ) / self::LETTERS );
		$sizes = $ids ? self::sizes( $ids ) : array();
		$own   = self::FIELD_BYTES * ( 6 + count( Rollcall_Fields::watched_meta() ) );
		$some  = array();
		foreach ( $ids as $id ) {
			$room -= $own + ( isset( $sizes[ $id ] ) ? $sizes[ $id ] : 0 );
			if ( $some && $room < 0 ) {
				break;
			}
			$some[] = $id;
		}
		return $some;
	}

	/**
	 * How long all that accounts have in watched meta is. A value that is too long to travel is not read.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return array<int,int> Account => bytes.
	 */
	private static function sizes( array $ids ) {
		global $wpdb;
		$keys  = Rollcall_Fields::watched_meta();
		$list  = implode( ',', array_map( 'intval', $ids ) );
		$marks = implode( ',', array_fill( 0, count( $keys ), '%s' ) );
		$max   = Rollcall_Values::MAX_BYTES;
		$rows  = $wpdb->get_results( // phpcs:ignore WordPress.DB
			$wpdb->prepare( "SELECT user_id, SUM(LENGTH(meta_value)) FROM {$wpdb->usermeta} WHERE user_id IN ($list) AND meta_key IN ($marks) AND LENGTH(meta_value) <= $max GROUP BY user_id", $keys ), // phpcs:ignore WordPress.DB
			ARRAY_N
		);
		return array_map( 'intval', array_column( (array) $rows, 1, 0 ) );
	}

	/**
	 * The limit of memory, in bytes.
	 *
	 * @return int 0 or less: none.
	 */
	private static function memory() {
		return wp_convert_hr_to_bytes( (string) ini_get( 'memory_limit' ) );
	}
}
