<?php
/**
 * Erasures that came from another site, carried out here unattended: only where this site says so.
 *
 * Does: runs WordPress's erasers page by page on cron, as the button in wp-admin does.
 * Does not: run anything that was asked for on this site itself: an administrator looks at that.
 * Always true: off until somebody with the right on this site switches it on; the hub can't.
 * On failure: an eraser that throws leaves the request, confirmed, to an administrator.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Unattended erasures.
 */
final class Rollcall_Erasure_Run {

	const OPTION = 'rollcall_erase_unattended';
	const HOOK   = 'rollcall_run_erasure';

	/** Seconds for one turn; hosts end cron at 30. */
	const TURN_S = 10;

	/** Hooks in. */
	public static function start() {
		add_action( self::HOOK, array( __CLASS__, 'run' ), 10, 3 );
		if ( defined( 'WP_CLI' ) && WP_CLI ) {
			WP_CLI::add_command( 'rollcall privacy', array( __CLASS__, 'command' ) );
		}
	}

	/** Is it switched on? */
	public static function is_on() {
		return '1' === (string) get_option( self::OPTION );
	}

	/**
	 * Switches it.
	 *
	 * @param bool $on On or off.
	 * @return void
	 */
	public static function set( $on ) {
		update_option( self::OPTION, $on ? '1' : '0' );
	}

	/**
	 * Begins with a request, where this site does so by itself.
	 *
	 * @param int $request_id Request.
	 * @return void
	 */
	public static function begin( $request_id ) {
		if ( self::is_on() ) {
			wp_schedule_single_event( time(), self::HOOK, array( $request_id, 1, 1 ) );
		}
	}

	/**
	 * Goes on with a request.
	 *
	 * @param int $request_id Request.
	 * @param int $index      Eraser, from 1.
	 * @param int $page       Page of that eraser, from 1.
	 * @return void
	 */
	public static function run( $request_id, $index = 1, $page = 1 ) {
		$request = wp_get_user_request( $request_id );
		$ours    = $request && '' !== (string) get_post_meta( $request_id, Rollcall_Erasures::META, true );
		if ( ! $ours || 'request-confirmed' !== $request->status || ! self::is_on() || ! Rollcall_Home::matches() ) {
			return;
		}
		if ( ! $request->user_id || Rollcall_Privilege::account_is_privileged( (int) $request->user_id ) ) {
			return;
		}
		require_once ABSPATH . 'wp-admin/includes/privacy-tools.php';
		$until   = microtime( true ) + Rollcall_Limits::seconds( self::TURN_S );
		$erasers = array_values( (array) apply_filters( 'wp_privacy_personal_data_erasers', array() ) ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		$count   = count( $erasers );
		while ( $index <= $count ) {
			list( $ended, $response ) = Rollcall_Callbacks::call( 'eraser', $erasers[ $index - 1 ]['callback'], array( $request->email, $page ) );
			if ( ! $ended || ! is_array( $response ) || ! isset( $response['done'], $response['items_removed'], $response['items_retained'], $response['messages'] ) ) {
				return;
			}
			wp_privacy_process_personal_data_erasure_page( $response, $index, $request->email, $page, $request_id );
			$index += $response['done'] ? 1 : 0;
			$page   = $response['done'] ? 1 : $page + 1;
			if ( $index <= $count && microtime( true ) > $until ) {
				wp_schedule_single_event( time(), self::HOOK, array( $request_id, $index, $page ) );
				return;
			}
		}
	}

	/**
	 * Shows whether erasures from other sites are carried out unattended, and switches that.
	 *
	 * ## OPTIONS
	 *
	 * [--unattended=<on|off>]
	 * : Carry them out without anybody looking.
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public static function command( $args, $options ) {
		if ( isset( $options['unattended'] ) ) {
			if ( ! in_array( $options['unattended'], array( 'on', 'off' ), true ) ) {
				WP_CLI::error( __( 'Say --unattended=on or --unattended=off.', 'rollcall-connector' ) );
			}
			self::set( 'on' === $options['unattended'] );
		}
		WP_CLI::line( self::is_on() ? 'unattended: on' : 'unattended: off' );
	}

	/**
	 * Forgets the setting, and what waits for cron, on every site of the installation.
	 *
	 * @return void
	 */
	public static function forget() {
		$sites = is_multisite() ? get_sites(
			array(
				'number' => 0,
				'fields' => 'ids',
			)
		) : array( 0 );
		foreach ( $sites as $site ) {
			if ( $site ) {
				switch_to_blog( $site );
			}
			try {
				delete_option( self::OPTION );
				wp_unschedule_hook( self::HOOK );
				wp_unschedule_hook( Rollcall_Network_Cron::HOOK );
				wp_unschedule_hook( Rollcall_Network_Cron::LOOK );
			} finally {
				if ( $site ) {
					restore_current_blog();
				}
			}
		}
	}

	/** Its row on the page of the guard. */
	public static function field() {
		printf(
			'<tr><th scope="row">%1$s</th><td><label><input type="checkbox" name="erase_unattended" value="1"%2$s> %3$s</label></td></tr>',
			esc_html__( 'Erasure requests', 'rollcall-connector' ),
			checked( self::is_on(), true, false ),
			esc_html__( 'Carry out erasures that were completed on another site without anybody looking', 'rollcall-connector' )
		);
	}
}
