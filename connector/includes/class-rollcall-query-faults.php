<?php
/**
 * Notices database errors under WordPress's functions, most of which don't tell.
 *
 * Does: compares wpdb's list of errors before and after, for writes to users and usermeta.
 * Does not: mind other plugins' failing queries on tables of their own.
 * On failure: throws, so that a lost write becomes a receipt `failed` and comes again.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Database errors since a moment.
 */
final class Rollcall_Query_Faults {

	/**
	 * How many errors there were at the beginning.
	 *
	 * @var int
	 */
	private $before;

	/**
	 * Begins to watch.
	 */
	public function __construct() {
		$this->before = count( self::all() );
	}

	/**
	 * Throws when a write to the tables of accounts failed since.
	 *
	 * @throws RuntimeException Without the query: it holds values.
	 * @return void
	 */
	public function throw_if_any() {
		global $wpdb;
		foreach ( array_slice( self::all(), $this->before ) as $error ) {
			$query = isset( $error['query'] ) ? ltrim( (string) $error['query'] ) : '';
			if ( preg_match( '/^(INSERT|UPDATE|DELETE|REPLACE)\b/i', $query ) && ( false !== strpos( $query, $wpdb->users ) || false !== strpos( $query, $wpdb->usermeta ) ) ) {
				throw new RuntimeException( 'A write to the tables of accounts failed.' );
			}
		}
	}

	/**
	 * Errors that wpdb has met in this request.
	 *
	 * @return array
	 */
	private static function all() {
		global $EZSQL_ERROR; // phpcs:ignore WordPress.NamingConventions.ValidVariableName
		return is_array( $EZSQL_ERROR ) ? $EZSQL_ERROR : array(); // phpcs:ignore WordPress.NamingConventions.ValidVariableName
	}
}
