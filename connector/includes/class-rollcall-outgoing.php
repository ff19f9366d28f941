<?php
/**
 * What leaves the site, as its other plugins want it.
 *
 * Does: lets the filter `rollcall_account_state` alter or take out values on their way to the hub.
 * Does not: touch who an account is, its roles, its password or any stamp.
 * Always true: fingerprints are those of the values as they are here, so what a filter alters is no edit, this
 *   time or next. A value that the filter spoiled, and all values when it failed, stay here.
 * On failure: what stays is named in `unreadable` with its reason.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The filter on what leaves.
 */
final class Rollcall_Outgoing {

	/**
	 * Filters states.
	 *
	 * @param array<int,array> $states As `Rollcall_States::of()` answers them.
	 * @return array<int,array>
	 */
	public static function filter( array $states ) {
		if ( ! has_filter( 'rollcall_account_state' ) ) {
			return $states;
		}
		foreach ( $states as $id => $state ) {
			if ( isset( $state['fields'] ) ) {
				$states[ $id ] = self::one( $id, $state );
			}
		}
		return $states;
	}

	/**
	 * Filters one state.
	 *
	 * @param int   $id    WordPress user id.
	 * @param array $state Its state.
	 * @return array
	 */
	private static function one( $id, array $state ) {
		$fields = (array) $state['fields'];
		$values = wp_list_pluck( array_diff_key( $fields, array( 'password' => 1 ) ), 'v' );
		/**
		 * Filters the values of an account on their way to the hub.
		 *
		 * @param array $values  Field => value, without the password. What is taken out stays here.
		 * @param int   $user_id WordPress user id.
		 */
		list( $ended, $said ) = Rollcall_Callbacks::call( 'rollcall_account_state', 'apply_filters', array( 'rollcall_account_state', $values, (int) $id ) );

		$stays = array();
		foreach ( $values as $name => $value ) {
			$why = $ended ? self::why_not( (string) $name, $value, $said ) : 'filter.failed';
			if ( null === $why ) {
				$fields[ $name ]['v'] = $said[ $name ];
				continue;
			}
			unset( $fields[ $name ] );
			if ( '' !== $why ) {
				$stays[ $name ] = $why;
			}
		}
		$state['fields'] = (object) $fields;
		if ( $stays ) {
			$state['unreadable'] = (object) ( ( isset( $state['unreadable'] ) ? (array) $state['unreadable'] : array() ) + $stays );
		}
		return $state;
	}

	/**
	 * Why a value stays here.
	 *
	 * @param string $name  Field.
	 * @param mixed  $value As it is here.
	 * @param mixed  $said  What the filter answered.
	 * @return string|null Null: it goes; '': the filter took it out; else a reason.
	 */
	private static function why_not( $name, $value, $said ) {
		if ( ! is_array( $said ) ) {
			return 'filter.malformed';
		}
		if ( ! array_key_exists( $name, $said ) ) {
			return '';
		}
		$new = $said[ $name ];
		if ( $new === $value ) {
			return null;
		}
		$kind = 0 === strpos( $name, 'meta:' ) ? is_array( $new ) : ( 0 === strpos( $name, 'ext:' ) || is_string( $new ) );
		$mail = 'email' !== $name || ( is_string( $new ) && sanitize_email( $new ) === $new && is_email( $new ) );
		return $kind && $mail && '' === Rollcall_Values::why_not( $new ) && ! Rollcall_Values::is_too_large( $new ) ? null : 'filter.malformed';
	}
}
