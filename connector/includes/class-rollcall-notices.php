<?php
/**
 * What administrators of this site, and the hub, should know of its accounts' tables.
 *
 * Does: keeps what the hub has people told, counts accounts that are gone without a deletion, and says
 * all that in wp-admin and in `/status`, with what to do.
 * Does not: decide or resolve anything.
 * Always true: nothing is said on a site without a hub, or to people who may not manage it.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Notices.
 */
final class Rollcall_Notices {

	const FACT = 'notice';

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'admin_notices', array( __CLASS__, 'show' ) );
		add_action( 'network_admin_notices', array( __CLASS__, 'show' ) );
	}

	/**
	 * Keeps what the hub wants told.
	 *
	 * @param string|null $code Reason code; null: nothing any more.
	 * @return void
	 */
	public static function keep( $code ) {
		if ( null === $code ) {
			Rollcall_Facts::delete( self::FACT );
		} else {
			Rollcall_Facts::set( self::FACT, $code );
		}
	}

	/**
	 * What `/status` warns of.
	 *
	 * @param bool $count Whether to count accounts that are gone; that reads all rows.
	 * @return array<int,array{code:string,message:string}>
	 */
	public static function warnings( $count = true ) {
		$warnings = array_merge( Rollcall_Outside::warnings(), Rollcall_Consent::warnings() );
		$told     = Rollcall_Facts::get( self::FACT );
		if ( $told && Rollcall_Settings::is_bound() ) {
			$warnings[] = array(
				'code'    => $told,
				'message' => Rollcall_Reasons::sentence( $told ),
			);
		}
		$gone = $count && Rollcall_Settings::is_bound() ? self::count_gone() : 0;
		if ( $gone > 0 ) {
			$warnings[] = array(
				'code'    => 'source.accounts_missing',
				'message' => sprintf(
					/* translators: %d: number of accounts. */
					_n( '%d account is no longer here, and nobody saw it being deleted: the users table was restored, or changed in the database. Nothing happens elsewhere until the hub’s operator has looked.', '%d accounts are no longer here, and nobody saw them being deleted: the users table was restored, or changed in the database. Nothing happens elsewhere until the hub’s operator has looked.', $gone, 'rollcall-connector' ),
					$gone
				),
			);
		}
		return $warnings;
	}

	/**
	 * Shows them.
	 *
	 * @return void
	 */
	public static function show() {
		if ( ! Rollcall_Settings::is_bound() || ! Rollcall_Shared_Option::may_be_set() ) {
			return;
		}
		$screen = get_current_screen();
		$own    = $screen && 'toplevel_page_' . Rollcall_Admin::PAGE === $screen->id;
		foreach ( self::warnings( $own ) as $warning ) {
			printf( '<div class="notice notice-error"><p>%s</p></div>', esc_html( 'Rollcall: ' . $warning['message'] ) );
		}
	}

	/**
	 * Labelled accounts that are gone. A deletion that WordPress knew of has taken its row along.
	 *
	 * @return int
	 */
	private static function count_gone() {
		global $wpdb;
		return (int) $wpdb->get_var( 'SELECT COUNT(*) FROM ' . Rollcall_Tables::accounts() . " a LEFT JOIN {$wpdb->users} u ON u.ID = a.user_id WHERE a.uid IS NOT NULL AND u.ID IS NULL" ); // phpcs:ignore WordPress.DB
	}
}
