<?php
/**
 * Checks that a decoded request has the shape that the contract gives it.
 *
 * Does: walks a value along a schema (Rollcall_Messages) and names the first thing that doesn't fit.
 * Does not: change the value, or judge it beyond its shape. Keys unknown to the schema are let through:
 * a newer hub may send more.
 * On failure: returns a sentence such as `operations.3.uid is not a UUID`.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * A small structural validator; WordPress's own can't name the place of an error in nested lists.
 *
 * Schemas: a string names a scalar; array( 'list', schema, most ); array( 'map', key pattern, schema );
 * array( 'null or', schema ); array( 'word or', word, schema ); array( 'object', name => schema ), a name ending in `?` may be absent;
 * array( 'if it has', member, schema, schema otherwise ); array( 'one of', word, … ); array( 'kinds', kind => object schema ); array( 'pair', schema, schema ).
 */
final class Rollcall_Shape {

	const UUID  = '/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iD';
	const FIELD = '/^(email|first_name|last_name|nickname|display_name|description|url|locale|password|(role|meta|ext):.+)$/su';

	/** Scalars that are known by their form. */
	const FORMS = array(
		'row'     => array( '/^[0-9a-f]{16}$/D', 'is not a row id' ),
		'salt'    => array( '/^[0-9a-f]{64}$/D', 'is not a salt' ),
		'moment'  => array( '/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/D', 'is not a time' ),
		'title'   => array( '/^.{0,190}$/Dsu', 'is no text of at most 190 characters' ),
		'address' => array( '#^https?://\S{1,2040}$#Du', 'is no address on the web' ),
	);

	/** Field values nest: lists and maps in a meta row, which is in the list of rows. */
	const DEPTH = 18;

	/**
	 * What is wrong with a value, or null.
	 *
	 * @param mixed        $value  The value.
	 * @param string|array $schema Its schema.
	 * @param string       $path   Where it stands.
	 * @return string|null
	 */
	public static function problem( $value, $schema, $path = '' ) {
		if ( is_string( $schema ) ) {
			return self::scalar( $value, $schema, $path );
		}
		switch ( $schema[0] ) {
			case 'word or':
				return $schema[1] === $value ? null : self::problem( $value, $schema[2], $path );
			case 'null or':
				return null === $value ? null : self::problem( $value, $schema[1], $path );
			case 'if it has':
				return self::problem( $value, is_array( $value ) && isset( $value[ $schema[1] ] ) ? $schema[2] : $schema[3], $path );
			case 'one of':
				return in_array( $value, array_slice( $schema, 1 ), true ) ? null : self::say( $path, 'is none of ' . implode( ', ', array_slice( $schema, 1 ) ) );
			case 'pair':
				return self::pair( $value, $schema, $path );
			case 'list':
				return self::items( $value, $schema, $path );
			case 'map':
				return self::map( $value, $schema, $path );
			case 'kinds':
				$kind = is_array( $value ) && isset( $value['kind'] ) ? $value['kind'] : null;
				if ( ! is_string( $kind ) || ! isset( $schema[1][ $kind ] ) ) {
					return self::say( $path, 'has no known kind' );
				}
				return self::problem( $value, $schema[1][ $kind ], $path );
		}
		return self::members( $value, $schema[1], $path );
	}

	/**
	 * Scalars.
	 *
	 * @param mixed  $value  The value.
	 * @param string $schema Name of a kind of scalar.
	 * @param string $path   Where it stands.
	 * @return string|null
	 */
	private static function scalar( $value, $schema, $path ) {
		if ( isset( self::FORMS[ $schema ] ) ) {
			return is_string( $value ) && preg_match( self::FORMS[ $schema ][0], $value ) ? null : self::say( $path, self::FORMS[ $schema ][1] );
		}
		switch ( $schema ) {
			case 'string':
				return is_string( $value ) ? null : self::say( $path, 'is not a string' );
			case 'bool':
				return is_bool( $value ) ? null : self::say( $path, 'is not true or false' );
			case 'int':
				return is_int( $value ) ? null : self::say( $path, 'is not a whole number' );
			case 'count':
				return is_int( $value ) && $value >= 0 ? null : self::say( $path, 'is not a whole number from 0 up' );
			case 'positive':
				return is_int( $value ) && $value > 0 ? null : self::say( $path, 'is not a whole number from 1 up' );
			case 'limit':
				return is_int( $value ) && $value > 0 && $value <= 1000 ? null : self::say( $path, 'is not a whole number from 1 to 1000' );
			case 'uuid':
				return is_string( $value ) && preg_match( self::UUID, $value ) ? null : self::say( $path, 'is not a UUID' );
			case 'field':
				return is_string( $value ) && preg_match( self::FIELD, $value ) ? null : self::say( $path, 'is not a field name' );
			case 'secret':
				return is_string( $value ) && strlen( $value ) >= 32 ? null : self::say( $path, 'is shorter than 32 characters' );
			case 'value':
				return self::field_value( $value, $path, self::DEPTH );
		}
		return self::say( $path, 'has an unknown schema' );
	}

	/**
	 * Values of fields: scalars, lists and maps. What of them can't be kept as it came is let through here
	 * and refused field by field (`value.object`), so that one bad value doesn't stop a batch.
	 *
	 * @param mixed  $value The value.
	 * @param string $path  Where it stands.
	 * @param int    $depth How much deeper it may go.
	 * @return string|null
	 */
	private static function field_value( $value, $path, $depth ) {
		if ( ! is_array( $value ) ) {
			return null;
		}
		if ( 0 === $depth ) {
			return self::say( $path, 'is nested too deeply' );
		}
		foreach ( $value as $item ) {
			$problem = self::field_value( $item, $path, $depth - 1 );
			if ( null !== $problem ) {
				return $problem;
			}
		}
		return null;
	}

	/**
	 * A list of exactly two.
	 *
	 * @param mixed  $value  The value.
	 * @param array  $schema The schema.
	 * @param string $path   Where it stands.
	 * @return string|null
	 */
	private static function pair( $value, $schema, $path ) {
		if ( ! is_array( $value ) || array( 0, 1 ) !== array_keys( $value ) ) {
			return self::say( $path, 'is not a pair' );
		}
		$problem = self::problem( $value[0], $schema[1], $path . '.0' );
		return null === $problem ? self::problem( $value[1], $schema[2], $path . '.1' ) : $problem;
	}

	/**
	 * A list.
	 *
	 * @param mixed  $value  The value.
	 * @param array  $schema The schema.
	 * @param string $path   Where it stands.
	 * @return string|null
	 */
	private static function items( $value, $schema, $path ) {
		if ( ! is_array( $value ) || ( $value && array_keys( $value ) !== range( 0, count( $value ) - 1 ) ) ) {
			return self::say( $path, 'is not a list' );
		}
		if ( isset( $schema[2] ) && count( $value ) > $schema[2] ) {
			return self::say( $path, 'has more than ' . $schema[2] . ' entries' );
		}
		foreach ( $value as $i => $item ) {
			$problem = self::problem( $item, $schema[1], self::under( $path, $i ) );
			if ( null !== $problem ) {
				return $problem;
			}
		}
		return null;
	}

	/**
	 * An object used as a map.
	 *
	 * @param mixed  $value  The value.
	 * @param array  $schema The schema.
	 * @param string $path   Where it stands.
	 * @return string|null
	 */
	private static function map( $value, $schema, $path ) {
		if ( ! is_array( $value ) ) {
			return self::say( $path, 'is not an object' );
		}
		foreach ( $value as $key => $item ) {
			if ( ! preg_match( $schema[1], (string) $key ) || strlen( (string) $key ) > 800 ) {
				return self::say( self::under( $path, $key ), 'is not a name that is allowed here' );
			}
			$problem = self::problem( $item, $schema[2], self::under( $path, $key ) );
			if ( null !== $problem ) {
				return $problem;
			}
		}
		return null;
	}

	/**
	 * An object with known members.
	 *
	 * @param mixed  $value   The value.
	 * @param array  $members Name → schema.
	 * @param string $path    Where it stands.
	 * @return string|null
	 */
	private static function members( $value, $members, $path ) {
		if ( ! is_array( $value ) ) {
			return self::say( $path, 'is not an object' );
		}
		foreach ( $members as $name => $schema ) {
			$optional = '?' === substr( $name, -1 );
			$name     = rtrim( $name, '?' );
			if ( ! array_key_exists( $name, $value ) ) {
				if ( $optional ) {
					continue;
				}
				return self::say( self::under( $path, $name ), 'is missing' );
			}
			$problem = self::problem( $value[ $name ], $schema, self::under( $path, $name ) );
			if ( null !== $problem ) {
				return $problem;
			}
		}
		return null;
	}

	/**
	 * The path of a member.
	 *
	 * @param string     $path Path of its parent.
	 * @param string|int $name Its name.
	 * @return string
	 */
	private static function under( $path, $name ) {
		return '' === $path ? (string) $name : $path . '.' . $name;
	}

	/**
	 * One sentence; made safe to show, since names come from outside.
	 *
	 * @param string $path    Where.
	 * @param string $problem What.
	 * @return string
	 */
	private static function say( $path, $problem ) {
		return substr( wp_check_invalid_utf8( $path, true ), 0, 120 ) . ' ' . $problem;
	}
}
