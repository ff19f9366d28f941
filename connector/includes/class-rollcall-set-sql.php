<?php
/**
 * Statements that write many rows.
 *
 * Does: INSERTs of many rows, UPDATEs of many rows to values of their own, in parts that a server's packet
 * limit lets through.
 * Does not: begin or end transactions, or judge values.
 * Always true: every value is escaped; an UPDATE touches rows that are there and makes none.
 * On failure: throws, without the statement: it holds values.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Multi-row statements.
 */
final class Rollcall_Set_Sql {

	/** Half of the smallest packet limit that is still met (1 MB). */
	const PART_BYTES = 524288;

	/** Rows per INSERT. */
	const INSERT_ROWS = 2000;

	/** Rows per UPDATE: each row is looked up in a CASE as long as the part. */
	const UPDATE_ROWS = 40;

	/**
	 * Inserts rows.
	 *
	 * @param string   $table   Table.
	 * @param string[] $columns Columns.
	 * @param array[]  $rows    Values, in the columns' order.
	 * @param string   $rest    What follows the values (ON DUPLICATE KEY …).
	 * @return array For each statement: [ id that the database gave its first row, number of rows ].
	 */
	public static function insert( $table, $columns, $rows, $rest = '' ) {
		global $wpdb;
		$head = "INSERT INTO $table (`" . implode( '`, `', $columns ) . '`) VALUES ';
		$some = array();
		$size = 0;
		$ids  = array();
		$send = static function () use ( &$some, &$size, &$ids, $head, $rest, $wpdb ) {
			self::run( $head . implode( ',', $some ) . $rest );
			$ids[] = array( (int) $wpdb->insert_id, count( $some ) );
			$some  = array();
			$size  = 0;
		};
		foreach ( $rows as $row ) {
			$tuple = '(' . implode( ',', array_map( array( __CLASS__, 'literal' ), $row ) ) . ')';
			if ( $some && ( $size + strlen( $tuple ) > self::PART_BYTES || count( $some ) >= self::INSERT_ROWS ) ) {
				$send();
			}
			$some[] = $tuple;
			$size  += strlen( $tuple );
		}
		if ( $some ) {
			$send();
		}
		return $ids;
	}

	/**
	 * Updates rows.
	 *
	 * @param string $table   Table.
	 * @param string $key     Its numeric key column.
	 * @param array  $changes Key → column → value.
	 * @return void
	 */
	public static function update( $table, $key, $changes ) {
		$some = array();
		$size = 0;
		foreach ( $changes as $id => $row ) {
			$bytes = array_sum( array_map( 'strlen', array_map( 'strval', $row ) ) );
			if ( $some && ( $size + $bytes > self::PART_BYTES || count( $some ) >= self::UPDATE_ROWS ) ) {
				self::update_part( $table, $key, $some );
				$some = array();
				$size = 0;
			}
			$some[ $id ] = $row;
			$size       += $bytes;
		}
		if ( $some ) {
			self::update_part( $table, $key, $some );
		}
	}

	/**
	 * Runs a statement.
	 *
	 * @param string $sql Statement.
	 * @return void
	 * @throws RuntimeException When the database refuses it.
	 */
	public static function run( $sql ) {
		global $wpdb;
		$quiet = $wpdb->suppress_errors();
		$done  = $wpdb->query( $sql ); // phpcs:ignore WordPress.DB
		$wpdb->suppress_errors( $quiet );
		if ( false === $done ) {
			throw new RuntimeException( 'A statement of a set failed.' );
		}
	}

	/**
	 * One UPDATE.
	 *
	 * @param string $table   Table.
	 * @param string $key     Key column.
	 * @param array  $changes Key → column → value.
	 * @return void
	 */
	private static function update_part( $table, $key, $changes ) {
		$cases = array();
		foreach ( $changes as $id => $row ) {
			foreach ( $row as $column => $value ) {
				$cases[ $column ][] = 'WHEN ' . (int) $id . ' THEN ' . self::literal( $value );
			}
		}
		$set = array();
		foreach ( $cases as $column => $whens ) {
			$set[] = "`$column` = CASE `$key` " . implode( ' ', $whens ) . " ELSE `$column` END";
		}
		if ( $set ) {
			self::run( "UPDATE $table SET " . implode( ', ', $set ) . " WHERE `$key` IN (" . implode( ',', array_map( 'intval', array_keys( $changes ) ) ) . ')' );
		}
	}

	/**
	 * A value in a statement.
	 *
	 * @param mixed $value Value.
	 * @return string
	 */
	private static function literal( $value ) {
		if ( null === $value ) {
			return 'NULL';
		}
		return is_int( $value ) ? (string) $value : "'" . esc_sql( (string) $value ) . "'";
	}
}
