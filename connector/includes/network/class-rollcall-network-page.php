<?php
/**
 * “User Sync” in Network Admin: its menu, its tabs, and what they share.
 *
 * Does not: hold a tab itself; each is a class of its own.
 * Always true: actions need `manage_network_users`, settings `manage_network_options`; the capability is asked
 *   first, the nonce next. All of it is about the network of the request.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Network Admin page.
 */
final class Rollcall_Network_Page {

	const PAGE = 'rollcall-network';

	/** What settings need, and what actions need. */
	const SETS = 'manage_network_options';
	const ACTS = 'manage_network_users';

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		if ( ! is_multisite() ) {
			return;
		}
		add_action( 'network_admin_menu', array( __CLASS__, 'menu' ) );
		Rollcall_Network_Settings_Tab::start();
		Rollcall_Network_Sites_Tab::start();
		Rollcall_Network_Action_Tab::start();
		Rollcall_Network_Runs_Tab::start();
		Rollcall_Network_Site_Page::start();
	}

	/**
	 * Adds the menu.
	 *
	 * @return void
	 */
	public static function menu() {
		add_menu_page(
			__( 'User Sync', 'rollcall-connector' ),
			__( 'User Sync', 'rollcall-connector' ),
			current_user_can( self::ACTS ) ? self::ACTS : self::SETS,
			self::PAGE,
			array( __CLASS__, 'show' ),
			'dashicons-groups',
			11
		);
	}

	/**
	 * The page.
	 *
	 * @return void
	 */
	public static function show() {
		$tabs = self::tabs();
		$tab  = self::asked( 'tab' );
		$tab  = isset( $tabs[ $tab ] ) ? $tab : (string) key( $tabs );
		echo '<div class="wrap"><h1>' . esc_html__( 'User Sync', 'rollcall-connector' ) . '</h1>';
		echo '<nav class="nav-tab-wrapper" aria-label="' . esc_attr__( 'User Sync', 'rollcall-connector' ) . '">';
		foreach ( $tabs as $name => $parts ) {
			printf(
				'<a class="nav-tab%1$s" href="%2$s"%3$s>%4$s</a>',
				$name === $tab ? ' nav-tab-active' : '',
				esc_url( self::url( $name ) ),
				$name === $tab ? ' aria-current="page"' : '',
				esc_html( $parts[0] )
			);
		}
		echo '</nav>';
		if ( '' !== self::asked( 'saved' ) ) {
			self::notice( 'success', __( 'Saved.', 'rollcall-connector' ) );
		}
		$unheard = Rollcall_Network_Unheard::sentence( get_current_network_id() );
		if ( '' !== $unheard ) {
			self::notice( 'warning', $unheard );
		}
		call_user_func( $tabs[ $tab ][1] );
		echo '</div>';
	}

	/**
	 * The tabs that the present person may see.
	 *
	 * @return array<string,array{0:string,1:callable}> Name => title, and what shows it.
	 */
	private static function tabs() {
		$tabs = array( 'sites' => array( __( 'Sites', 'rollcall-connector' ), array( 'Rollcall_Network_Sites_Tab', 'show' ) ) );
		if ( current_user_can( self::ACTS ) ) {
			$tabs['action'] = array( __( 'Fill and copy roles', 'rollcall-connector' ), array( 'Rollcall_Network_Action_Tab', 'show' ) );
			$tabs['runs']   = array( __( 'Runs', 'rollcall-connector' ), array( 'Rollcall_Network_Runs_Tab', 'show' ) );
		}
		if ( current_user_can( self::SETS ) ) {
			$tabs['settings'] = array( __( 'Settings', 'rollcall-connector' ), array( 'Rollcall_Network_Settings_Tab', 'show' ) );
		}
		return $tabs;
	}

	/**
	 * Address of a tab.
	 *
	 * @param string $tab  Tab.
	 * @param array  $more Further arguments.
	 * @return string
	 */
	public static function url( $tab, array $more = array() ) {
		return add_query_arg( array( 'tab' => $tab ) + $more, network_admin_url( 'admin.php?page=' . self::PAGE ) );
	}

	/**
	 * Ends the request of who may not.
	 *
	 * @param string $cap   Capability.
	 * @param string $nonce What the nonce is for.
	 * @return void
	 */
	public static function only( $cap, $nonce ) {
		if ( ! current_user_can( $cap ) ) {
			wp_die( esc_html__( 'You are not allowed to do that.', 'rollcall-connector' ), 403 );
		}
		check_admin_referer( $nonce );
	}

	/**
	 * What was asked for, or the end of the request with a way back.
	 *
	 * @param mixed $given Perhaps a WP_Error.
	 * @return mixed
	 */
	public static function or_end( $given ) {
		if ( is_wp_error( $given ) ) {
			$data = $given->get_error_data();
			wp_die(
				esc_html( $given->get_error_message() ),
				'',
				array(
					'response'  => isset( $data['status'] ) ? (int) $data['status'] : 400,
					'back_link' => true,
				)
			);
		}
		return $given;
	}

	/**
	 * A run of the network of this request; any other one is as good as none.
	 *
	 * @param string $id Run.
	 * @return array|WP_Error
	 */
	public static function run_of( $id ) {
		$run = Rollcall_Network_Runs::find( $id );
		if ( ! is_wp_error( $run ) && get_current_network_id() !== $run['network'] ) {
			return Rollcall_Rest::error( 'network.run_missing', 404, Rollcall_Reasons::sentence( 'network.run_missing' ) );
		}
		return $run;
	}

	/**
	 * A word of the address.
	 *
	 * @param string $name Name.
	 * @return string
	 */
	public static function asked( $name ) {
		// phpcs:ignore WordPress.Security.NonceVerification.Recommended
		return isset( $_GET[ $name ] ) && is_string( $_GET[ $name ] ) ? sanitize_text_field( wp_unslash( $_GET[ $name ] ) ) : '';
	}

	/**
	 * What was sent in a field.
	 *
	 * @param string $name Name.
	 * @return string Lines are kept.
	 */
	public static function sent( $name ) {
		// phpcs:ignore WordPress.Security.NonceVerification.Missing -- whoever asks has checked it.
		return isset( $_POST[ $name ] ) && is_string( $_POST[ $name ] ) ? sanitize_textarea_field( wp_unslash( $_POST[ $name ] ) ) : '';
	}

	/**
	 * What was sent in fields of one name, as it is: names of roles may hold anything.
	 *
	 * @param string $name Name.
	 * @return string[]
	 */
	public static function sent_list( $name ) {
		// phpcs:ignore WordPress.Security.NonceVerification.Missing, WordPress.Security.ValidatedSanitizedInput -- whoever asks has checked it.
		$sent = isset( $_POST[ $name ] ) && is_array( $_POST[ $name ] ) ? wp_unslash( $_POST[ $name ] ) : array();
		return array_values( array_filter( $sent, 'is_string' ) );
	}

	/**
	 * One notice.
	 *
	 * @param string $kind     success, warning or error.
	 * @param string $sentence Sentence.
	 * @return void
	 */
	public static function notice( $kind, $sentence ) {
		printf( '<div class="notice notice-%1$s"><p>%2$s</p></div>', esc_attr( $kind ), esc_html( $sentence ) );
	}
}
