<?php
/**
 * The sites of the network in Network Admin: listed, excluded, taken in again, chosen to be filled.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Tab of sites.
 */
final class Rollcall_Network_Sites_Tab {

	const ACTION = 'rollcall_network_sites';

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'network_admin_edit_' . self::ACTION, array( __CLASS__, 'save' ) );
	}

	/**
	 * The list.
	 *
	 * @return void
	 */
	public static function show() {
		$network = get_current_network_id();
		$people  = ( new Rollcall_Network_People( $network, 'all' ) )->count();
		/* translators: %s: a number. */
		echo '<p>' . esc_html( sprintf( _n( '%s account belongs to this network.', '%s accounts belong to this network.', $people, 'rollcall-connector' ), number_format_i18n( $people ) ) ) . '</p>';
		echo '<h2 class="screen-reader-text">' . esc_html__( 'Sites', 'rollcall-connector' ) . '</h2>';
		echo '<form id="rollcall-network-sites" method="post" action="' . esc_url( network_admin_url( 'edit.php?action=' . self::ACTION ) ) . '">';
		$table = new Rollcall_Network_Sites_Table();
		$table->prepare_items();
		$table->display();
		echo '</form>';
	}

	/**
	 * Does what was chosen with the sites that were ticked.
	 *
	 * @return void
	 */
	public static function save() {
		$what = Rollcall_Network_Page::sent( 'action' );
		$what = in_array( $what, array( '', '-1' ), true ) ? Rollcall_Network_Page::sent( 'action2' ) : $what;
		Rollcall_Network_Page::only( 'fill' === $what ? Rollcall_Network_Page::ACTS : Rollcall_Network_Page::SETS, 'bulk-' . Rollcall_Network_Sites_Table::PLURAL );
		$network = get_current_network_id();
		$sites   = Rollcall_Network_Page::or_end( Rollcall_Network_Typed::sites( $network, array_filter( Rollcall_Network_Page::sent_list( 'sites' ), 'ctype_digit' ) ) );
		if ( 'fill' === $what && $sites ) {
			wp_safe_redirect( Rollcall_Network_Page::url( 'action', array( 'sites' => implode( ',', $sites ) ) ) );
			exit;
		}
		$saves = $sites && in_array( $what, array( 'exclude', 'include' ), true );
		if ( $saves ) {
			Rollcall_Network_Page::or_end( Rollcall_Network_Settings::amend( $network, 'excluded', 'exclude' === $what ? $sites : array(), 'include' === $what ? $sites : array() ) );
		}
		wp_safe_redirect( Rollcall_Network_Page::url( 'sites', $saves ? array( 'saved' => 1 ) : array() ) );
		exit;
	}
}
