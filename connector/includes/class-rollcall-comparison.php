<?php
/**
 * Compares an account as it is with what the ledger holds of it.
 *
 * Does: names the fields that changed, and those that are seen for the first time.
 * Does not: read or write anything; stamps are given by `Rollcall_Settle`.
 * Always true: a field that can't be read now is left as it was known; a role once known stays
 *   known, present or absent.
 * On failure: nothing can fail here.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The difference between present and known.
 */
final class Rollcall_Comparison {

	/**
	 * Compares one account.
	 *
	 * @param array|null $row     Its ledger row (`Rollcall_Ledger::load()`), null when there is none.
	 * @param array      $present Its present state (`Rollcall_Fields::read()`).
	 * @param bool       $created Its creation was seen by a hook: everything is a change.
	 * @param array      $touched Names that a hook saw changing: a first sight of them is a change.
	 * @return array{changed:array<string,string>,baseline:array<string,array>,arrived:array<string,array>}
	 *   changed: name => fingerprint; baseline: name => [0, site key, fingerprint]; arrived: name => [ms,
	 *   site key, fingerprint] of what an apply wrote that died before it could record it.
	 */
	public static function of( $row, array $present, $created = false, array $touched = array() ) {
		$known  = $row ? $row['entries'] : array();
		$result = array(
			'changed'  => array(),
			'baseline' => array(),
			'arrived'  => array(),
		);
		$fields_key = Rollcall_Settings::key_of( Rollcall_Shared_Option::main_site() );
		foreach ( $present['fields'] as $name => $value ) {
			$is_meta = 0 === strpos( $name, 'meta:' );
			if ( ! isset( $known[ $name ] ) && $is_meta && array() === $value && ! isset( $touched[ $name ] ) ) {
				continue;
			}
			$fp = Rollcall_Values::fingerprint( $name, $value );
			if ( isset( $known[ $name ] ) ) {
				self::known( $result, $name, $known[ $name ], $fp, $created );
				continue;
			}
			$was_empty = $is_meta && $row && Rollcall_Settings::meta_since( substr( $name, 5 ) ) <= $row['watch'];
			if ( $created || $was_empty || isset( $touched[ $name ] ) ) {
				$result['changed'][ $name ] = $fp;
			} else {
				$result['baseline'][ $name ] = array( 0, $fields_key, $fp );
			}
		}
		foreach ( array_keys( Rollcall_Settings::keys() ) as $blog ) {
			self::roles( $result, $row, $present, $blog, $created, $touched );
		}
		return $result;
	}

	/**
	 * Compares what is known of one field.
	 *
	 * @param array  $result  The result so far.
	 * @param string $name    Field name.
	 * @param array  $entry   Entry of the ledger.
	 * @param string $fp      Fingerprint of what is there.
	 * @param bool   $created Creation seen by a hook.
	 */
	private static function known( array &$result, $name, array $entry, $fp, $created ) {
		$arrived = $created || $entry[2] === $fp ? null : Rollcall_Ledger::expected( $entry, $fp );
		if ( null !== $arrived ) {
			$result['arrived'][ $name ] = $arrived;
		} elseif ( $created || $entry[2] !== $fp ) {
			$result['changed'][ $name ] = $fp;
		}
	}

	/**
	 * Roles on one site that are present, by their names in the ledger.
	 *
	 * A role whose definition is gone for a while still counts while it is granted.
	 *
	 * @param array $known   Entries of the ledger.
	 * @param array $present Present state.
	 * @param int   $blog    Blog id.
	 * @return array<string,bool> "<blog>/role:<name>" => present.
	 */
	public static function roles_of( array $known, array $present, $blog ) {
		$roles  = array();
		$prefix = $blog . '/role:';
		foreach ( isset( $present['roles'][ $blog ] ) ? $present['roles'][ $blog ] : array() as $role => $yes ) {
			$roles[ $prefix . $role ] = true;
		}
		foreach ( $known as $name => $entry ) {
			if ( 0 === strpos( $name, $prefix ) ) {
				$roles[ $name ] = isset( $present['caps'][ $blog ][ substr( $name, strlen( $prefix ) ) ] );
			}
		}
		return $roles;
	}

	/**
	 * Compares the roles on one site.
	 *
	 * @param array      $result  The result so far.
	 * @param array|null $row     Ledger row.
	 * @param array      $present Present state.
	 * @param int        $blog    Blog id.
	 * @param bool       $created Creation seen by a hook.
	 * @param array      $touched Names seen changing.
	 */
	private static function roles( array &$result, $row, array $present, $blog, $created, array $touched ) {
		$known = $row ? $row['entries'] : array();
		foreach ( self::roles_of( $known, $present, $blog ) as $name => $has ) {
			$fp = Rollcall_Values::fingerprint( $name, $has );
			if ( isset( $known[ $name ] ) ) {
				self::known( $result, $name, $known[ $name ], $fp, $created );
			} elseif ( $created || isset( $touched[ $name ] ) || ( $row && Rollcall_Settings::blog_since( $blog ) <= $row['watch'] ) ) {
				$result['changed'][ $name ] = $fp;
			} else {
				$result['baseline'][ $name ] = array( 0, Rollcall_Settings::key_of( $blog ), $fp );
			}
		}
	}
}
