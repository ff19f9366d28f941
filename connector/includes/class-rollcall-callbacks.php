<?php
/**
 * Calls what other plugins have hooked in, so that their faults stay theirs.
 *
 * Does: catches what a callback throws; lets one that ended the whole request rest for a while.
 * Does not: judge what a callback answers.
 * Always true: whoever calls goes on, with an answer or without one. Passwords' hashes are told to nobody.
 * On failure: a callback that ends a request at its very end (in `shutdown`) can't be noted; whoever reads the
 *   account next notes it.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Other plugins' callbacks.
 */
final class Rollcall_Callbacks {

	/** Callbacks that ended a request, and when (site's clock, ms). */
	const FACT = 'callbacks_rest';

	/** Whoever repairs the plugin need not wait for long, and nobody else waits for the plugin. */
	const REST_MS = 600000;

	/** Kept free for noting that a callback used all memory up. */
	const RESERVE_BYTES = 65536;

	/**
	 * What is being called right now; '' when nothing is.
	 *
	 * @var string
	 */
	private static $inside = '';

	/**
	 * Those that rest: name => when they ended a request. Null until it is asked for.
	 *
	 * @var array<string,int>|null
	 */
	private static $resting = null;

	/**
	 * See RESERVE_BYTES; '' until something is called.
	 *
	 * @var string
	 */
	private static $reserve = '';

	/**
	 * Calls.
	 *
	 * @param string   $name      What people know it by: a hook, or a field.
	 * @param callable $callback  What to call.
	 * @param array    $arguments Arguments.
	 * @return array{0:bool,1:mixed} Whether it came to its end, and what it answered.
	 */
	public static function call( $name, $callback, array $arguments ) {
		if ( self::rests( $name ) ) {
			return array( false, null );
		}
		self::stand_by();
		$outer        = self::$inside;
		self::$inside = $name;
		try {
			return array( true, call_user_func_array( $callback, $arguments ) );
		} catch ( Throwable $fault ) {
			self::complain( $name . ': ' . Rollcall_Rest::describe( $fault ) );
			return array( false, null );
		} finally {
			// Not reached when the callback ends the request.
			self::$inside = $outer;
		}
	}

	/**
	 * Fires an action.
	 *
	 * @param string $action    Its name.
	 * @param mixed  ...$values What is told.
	 * @return void
	 */
	public static function tell( $action, ...$values ) {
		if ( has_action( $action ) ) {
			self::call( $action, 'do_action', array_merge( array( $action ), $values ) );
		}
	}

	/**
	 * An operation as other plugins may see it: without the hash of a password.
	 *
	 * @param array $operation Operation.
	 * @return array
	 */
	public static function shown( $operation ) {
		if ( isset( $operation['fields']['password'] ) ) {
			$operation['fields']['password']['v'] = null;
		}
		return $operation;
	}

	/**
	 * Has a callback ended a request lately?
	 *
	 * @param string $name Its name.
	 * @return bool
	 */
	public static function rests( $name ) {
		if ( null === self::$resting ) {
			$kept          = json_decode( (string) Rollcall_Facts::get( self::FACT ), true );
			self::$resting = is_array( $kept ) ? array_map( 'intval', $kept ) : array();
		}
		return isset( self::$resting[ $name ] ) && abs( Rollcall_Settings::clock_ms() - self::$resting[ $name ] ) < self::REST_MS;
	}

	/**
	 * What `/status` warns of.
	 *
	 * @return array<int,array{code:string,message:string}>
	 */
	public static function warnings() {
		self::rests( '' );
		$names = array_filter( array_keys( (array) self::$resting ), array( __CLASS__, 'rests' ) );
		return $names ? array(
			array(
				'code'    => 'field.failed',
				/* translators: %s: names of hooks and fields. */
				'message' => sprintf( __( 'Another plugin ended a request of Rollcall, and is left out for some minutes: %s.', 'rollcall-connector' ), implode( ', ', $names ) ),
			),
		) : array();
	}

	/**
	 * The request ends. Called by WordPress and PHP.
	 *
	 * @return void
	 */
	public static function request_ends() {
		self::$reserve = '';
		if ( '' === self::$inside ) {
			return;
		}
		self::$resting[ self::$inside ] = Rollcall_Settings::clock_ms();
		Rollcall_Facts::set( self::FACT, wp_json_encode( self::$resting ) );
		self::complain( self::$inside . ' ended the request.' );
		self::$inside = '';
	}

	/** Notes the end of the request, whatever ends it. */
	private static function stand_by() {
		if ( '' === self::$reserve ) {
			self::$reserve = str_repeat( ' ', self::RESERVE_BYTES );
			// Before anything else that happens at the end: that may meet the same callback again.
			add_action( 'shutdown', array( __CLASS__, 'request_ends' ), PHP_INT_MIN, 0 );
			register_shutdown_function( array( __CLASS__, 'request_ends' ) );
		}
	}

	/**
	 * For whoever reads the log of PHP.
	 *
	 * @param string $sentence What happened.
	 * @return void
	 */
	private static function complain( $sentence ) {
		if ( function_exists( 'error_log' ) ) {
			error_log( 'Rollcall Connector: ' . $sentence ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions
		}
	}
}
