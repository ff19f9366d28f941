<?php
/**
 * Answers `/digests`: of each account a short sum over what it holds, so that two sites are compared
 * without sending every value.
 *
 * Does: reads accounts as `/accounts` does, what was written past the hooks included.
 * Does not: give out a value, or put a password's hash into the sum: its stamp stands for it.
 * Always true: the same values give the same digest on every site and PHP version that this plugin runs on;
 *   what can't be told of an account makes it differ.
 * On failure: an account that can't be summed up differs from every other.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Digests of accounts.
 */
final class Rollcall_Digests {

	/** So many hexadecimal digits: 128 bits. */
	const LENGTH = 32;

	/**
	 * Answers a request.
	 *
	 * @param array $request DigestsRequest.
	 * @return array DigestsAnswer.
	 */
	public static function answer( array $request ) {
		list( $names, $beginnings ) = Rollcall_Meta_Patterns::split( $request['fields'] );

		$chosen = static function ( $name ) use ( $names, $beginnings ) {
			return in_array( (string) $name, $names, true ) || self::begins_like( (string) $name, $beginnings );
		};

		list( $states, $next ) = Rollcall_Accounts::page( $request, 'state' );

		$digests = array();
		foreach ( $states as $state ) {
			$digests[] = array(
				'id'     => $state['id'],
				'uid'    => $state['uid'],
				'digest' => self::sum( self::parts( $state, (int) $request['blog'], $chosen ) ),
			);
		}
		return array(
			'digests' => $digests,
			'next'    => $next,
			'clock'   => Rollcall_Settings::clock_ms(),
			'epoch'   => Rollcall_Life::epoch(),
		);
	}

	/**
	 * Does a name begin like one of these?
	 *
	 * @param string   $name       Name of a field.
	 * @param string[] $beginnings Beginnings.
	 */
	private static function begins_like( $name, array $beginnings ) {
		foreach ( $beginnings as $beginning ) {
			if ( 0 === strpos( $name, $beginning ) ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * What goes into the sum. Empty is the same as not there.
	 *
	 * @param array    $state  State of an account.
	 * @param int      $blog   Whose roles count.
	 * @param callable $chosen Says whether a field counts.
	 * @return array Name → value.
	 */
	private static function parts( array $state, $blog, callable $chosen ) {
		$parts = array();
		foreach ( get_object_vars( $state['fields'] ) as $name => $entry ) {
			$value = 'password' === $name ? self::stamp_of( $entry['s'] ) : $entry['v'];
			if ( '' !== $value && array() !== $value && $chosen( $name ) ) {
				$parts[ $name ] = $value;
			}
		}
		$roles = get_object_vars( $state['roles'] );
		foreach ( isset( $roles[ $blog ] ) ? get_object_vars( $roles[ $blog ] ) : array() as $role => $entry ) {
			if ( $entry['v'] && $chosen( 'role:' . $role ) ) {
				$parts[ 'role:' . $role ] = true;
			}
		}
		$untold = isset( $state['unreadable'] ) ? get_object_vars( $state['unreadable'] ) : array();
		foreach ( $untold as $name => $reason ) {
			if ( $chosen( preg_replace( '#^' . $blog . '/(?=role:)#', '', $name ) ) ) {
				$parts[ '?' . $name ] = $reason;
			}
		}
		return $parts;
	}

	/**
	 * A stamp from before Rollcall says nothing of a password.
	 *
	 * @param int[] $stamp Milliseconds and site key.
	 * @return int[]
	 */
	private static function stamp_of( array $stamp ) {
		return $stamp[0] > 0 ? $stamp : array();
	}

	/**
	 * The digest.
	 *
	 * @param array $parts Name → value.
	 * @return string
	 */
	private static function sum( array $parts ) {
		ksort( $parts, SORT_STRING );
		$text = wp_json_encode( $parts, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE );
		return substr( false === $text ? bin2hex( random_bytes( self::LENGTH ) ) : hash( 'sha256', $text ), 0, self::LENGTH );
	}
}
