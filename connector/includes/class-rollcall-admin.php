<?php
/**
 * "User Sync" in wp-admin.
 *
 * Does: shows the connection; lets an administrator make this site read-only, choose the roles that may
 * be given from outside, and release the site from its hub. The whitelist is a tab of it.
 * Does not: configure routes; that is done in the hub. Ask whether it moved (Rollcall_Moved_Notice).
 * Always true: every change needs the capability and a nonce. Privileged roles are consented to
 *   one by one (Rollcall_Consent_Field).
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Admin pages.
 */
final class Rollcall_Admin {

	const PAGE   = 'rollcall';
	const ACTION = 'rollcall_guard';

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'admin_menu', array( __CLASS__, 'menu' ) );
		add_action( 'admin_post_' . self::ACTION, array( __CLASS__, 'save' ) );
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
			'manage_options',
			self::PAGE,
			array( __CLASS__, 'page' ),
			'dashicons-groups',
			71
		);
	}

	/**
	 * The page.
	 *
	 * @return void
	 */
	public static function page() {
		// phpcs:ignore WordPress.Security.NonceVerification.Recommended
		$whitelist = isset( $_GET['tab'] ) && Rollcall_Whitelist_Page::TAB === $_GET['tab'] && Rollcall_Whitelist_Page::is_allowed();
		echo '<div class="wrap"><h1>' . esc_html__( 'User Sync', 'rollcall-connector' ) . '</h1>';
		self::tabs( $whitelist );
		if ( $whitelist ) {
			Rollcall_Whitelist_Page::show();
		} else {
			self::guard();
		}
		echo '</div>';
	}

	/**
	 * The tabs.
	 *
	 * @param bool $whitelist Whether that tab is open.
	 * @return void
	 */
	private static function tabs( $whitelist ) {
		if ( ! Rollcall_Whitelist_Page::is_allowed() ) {
			return;
		}
		printf(
			'<nav class="nav-tab-wrapper"><a class="nav-tab%1$s" href="%2$s">%3$s</a><a class="nav-tab%4$s" href="%5$s">%6$s</a></nav>',
			$whitelist ? '' : ' nav-tab-active',
			esc_url( admin_url( 'admin.php?page=' . self::PAGE ) ),
			esc_html__( 'Connection and guard', 'rollcall-connector' ),
			$whitelist ? ' nav-tab-active' : '',
			esc_url( Rollcall_Whitelist_Page::url() ),
			esc_html__( 'Whitelist', 'rollcall-connector' )
		);
	}

	/**
	 * Connection, read-only switch and roles.
	 *
	 * @return void
	 */
	private static function guard() {
		$blog      = get_current_blog_id();
		$grantable = Rollcall_Settings::grantable( $blog );
		// phpcs:ignore WordPress.Security.NonceVerification.Recommended
		if ( isset( $_GET['saved'] ) ) {
			echo '<div class="notice notice-success is-dismissible"><p>' . esc_html__( 'Saved.', 'rollcall-connector' ) . '</p></div>';
		}
		echo '<p>' . esc_html( self::state() ) . '</p>';
		echo '<form id="rollcall-guard" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '">';
		echo '<input type="hidden" name="action" value="' . esc_attr( self::ACTION ) . '">';
		wp_nonce_field( self::ACTION );
		echo '<table class="form-table" role="presentation"><tr><th scope="row">' . esc_html__( 'Incoming changes', 'rollcall-connector' ) . '</th><td><label><input type="checkbox" name="read_only" value="1"' . checked( Rollcall_Settings::read_only( $blog ), true, false ) . '> ' . esc_html__( 'Prohibit incoming sync modifications', 'rollcall-connector' ) . '</label></td></tr>';
		echo '<tr><th scope="row">' . esc_html__( 'Roles that may be given', 'rollcall-connector' ) . '</th><td><fieldset><legend class="screen-reader-text">' . esc_html__( 'Roles that may be given', 'rollcall-connector' ) . '</legend>';
		foreach ( wp_roles()->get_names() as $role => $name ) {
			$privileged = Rollcall_Privilege::role_is_privileged( (string) $role, $blog );
			printf(
				'<label><input type="checkbox" name="grantable[]" value="%1$s"%2$s%3$s> %4$s</label><br>',
				esc_attr( $role ),
				checked( in_array( (string) $role, $grantable, true ) && ! $privileged, true, false ),
				disabled( $privileged, true, false ),
				esc_html( translate_user_role( $name ) . ( $privileged ? ' ' . __( '(privileged: see below)', 'rollcall-connector' ) : '' ) )
			);
		}
		echo '</fieldset></td></tr>';
		Rollcall_Consent_Field::show();
		Rollcall_Erasure_Run::field();
		echo '</table>';
		submit_button( __( 'Save changes', 'rollcall-connector' ), 'primary', 'save', false );
		if ( Rollcall_Settings::is_bound() && Rollcall_Shared_Option::may_be_set() ) {
			echo ' ';
			submit_button( __( 'Release this site from its hub', 'rollcall-connector' ), 'delete', 'release', false );
		}
		echo '</form>';
	}

	/**
	 * Saves the page.
	 *
	 * @return void
	 */
	public static function save() {
		if ( ! current_user_can( 'manage_options' ) ) {
			wp_die( esc_html__( 'You are not allowed to do that.', 'rollcall-connector' ), 403 );
		}
		check_admin_referer( self::ACTION );
		if ( isset( $_POST['release'] ) ) {
			if ( ! Rollcall_Shared_Option::may_be_set() ) {
				wp_die( esc_html__( 'You are not allowed to do that.', 'rollcall-connector' ), 403 );
			}
			Rollcall_Disconnect::release();
		} else {
			$chosen = isset( $_POST['grantable'] ) && is_array( $_POST['grantable'] ) ? array_map( 'strval', wp_unslash( $_POST['grantable'] ) ) : array(); // phpcs:ignore WordPress.Security.ValidatedSanitizedInput
			Rollcall_Site_Guard::set_read_only( get_current_blog_id(), isset( $_POST['read_only'] ) );
			Rollcall_Site_Guard::set_grantable( get_current_blog_id(), $chosen );
			Rollcall_Consent_Field::save();
			Rollcall_Erasure_Run::set( isset( $_POST['erase_unattended'] ) );
		}
		wp_safe_redirect( add_query_arg( 'saved', '1', admin_url( 'admin.php?page=' . self::PAGE ) ) );
		exit;
	}

	/**
	 * The connection in one sentence.
	 *
	 * @return string
	 */
	private static function state() {
		if ( ! Rollcall_Settings::is_bound() ) {
			return __( 'Not connected. Add this site in your Rollcall hub.', 'rollcall-connector' );
		}
		if ( ! Rollcall_Home::matches() ) {
			return Rollcall_Moved_Notice::sentence();
		}
		/* translators: %s: name of the hub, and where it is. */
		$sentence = sprintf( __( 'Connected to %s.', 'rollcall-connector' ), Rollcall_Settings::hub_named() );
		$main     = is_multisite() ? get_network( Rollcall_Shared_Option::network() ) : null;
		if ( $main && get_current_network_id() !== (int) $main->id ) {
			/* translators: %s: address of a network. */
			$sentence .= ' ' . sprintf( __( 'All networks of this installation share this connection and its whitelist. Those who administer the main network, %s, decide about both.', 'rollcall-connector' ), $main->domain . $main->path );
		}
		return $sentence;
	}
}
