<?php
/**
 * Settings of the network in Network Admin: what happens by itself, and what needs a name.
 *
 * Always true: a privileged role that the page did not show is neither named nor taken back by it.
 * On failure: a sentence and a way back; nothing is changed.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Tab of settings.
 */
final class Rollcall_Network_Settings_Tab {

	const ACTION = 'rollcall_network_settings';

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'network_admin_edit_' . self::ACTION, array( __CLASS__, 'save' ) );
	}

	/**
	 * The form.
	 *
	 * @return void
	 */
	public static function show() {
		$now = Rollcall_Network_Settings::fresh( get_current_network_id() );
		echo '<form id="rollcall-network-settings" method="post" action="' . esc_url( network_admin_url( 'edit.php?action=' . self::ACTION ) ) . '">';
		wp_nonce_field( self::ACTION );
		echo '<table class="form-table" role="presentation">';
		self::row( __( 'What happens by itself', 'rollcall-connector' ), array( __CLASS__, 'triggers' ), $now );
		self::row( __( 'Where a changed role goes', 'rollcall-connector' ), array( __CLASS__, 'role_sites' ), $now );
		self::row( __( 'Privileged roles', 'rollcall-connector' ), array( __CLASS__, 'privileged' ), $now );
		self::row( __( 'Administrators of sites', 'rollcall-connector' ), array( __CLASS__, 'site_admins' ), $now );
		echo '</table>';
		submit_button( __( 'Save changes', 'rollcall-connector' ) );
		echo '</form>';
	}

	/**
	 * Saves the form.
	 *
	 * @return void
	 */
	public static function save() {
		Rollcall_Network_Page::only( Rollcall_Network_Page::SETS, self::ACTION );
		$part = array( 'role_sites' => Rollcall_Network_Page::sent( 'role_sites' ) );
		foreach ( array( 'new_account', 'new_site', 'role_change', 'site_admins' ) as $name ) {
			$part[ $name ] = '' !== Rollcall_Network_Page::sent( $name );
		}
		$network = get_current_network_id();
		$wanted  = array_merge( Rollcall_Network_Page::sent_list( 'privileged' ), Rollcall_Network_Typed::words( Rollcall_Network_Page::sent( 'privileged_more' ) ) );
		$shown   = Rollcall_Network_Page::sent_list( 'privileged_shown' );
		Rollcall_Network_Page::or_end( Rollcall_Network_Settings::amend( $network, 'privileged_roles', $wanted, array_diff( $shown, $wanted ) ) );
		Rollcall_Network_Page::or_end( Rollcall_Network_Settings::change( $network, $part ) );
		wp_safe_redirect( Rollcall_Network_Page::url( 'settings', array( 'saved' => 1 ) ) );
		exit;
	}

	/**
	 * One row of the form.
	 *
	 * @param string   $title  Title.
	 * @param callable $fields What prints its fields.
	 * @param array    $now    Settings.
	 * @return void
	 */
	private static function row( $title, $fields, array $now ) {
		echo '<tr><th scope="row">' . esc_html( $title ) . '</th><td><fieldset><legend class="screen-reader-text">' . esc_html( $title ) . '</legend>';
		call_user_func( $fields, $now );
		echo '</fieldset></td></tr>';
	}

	/**
	 * Triggers.
	 *
	 * @param array $now Settings.
	 * @return void
	 */
	private static function triggers( array $now ) {
		foreach ( Rollcall_Network_Shown::triggers() as $name => $label ) {
			self::box( $name, '1', $label, $now[ $name ] );
		}
		echo '<p class="description">' . esc_html__( 'Accounts are never created, copied or deleted by this. Existing memberships stay as they are; super admins, accounts marked as spam, and whoever a person took off a site are left alone.', 'rollcall-connector' ) . '</p>';
	}

	/**
	 * Where a changed role goes.
	 *
	 * @param array $now Settings.
	 * @return void
	 */
	private static function role_sites( array $now ) {
		$choices = array(
			'existing' => __( 'To the sites that the account is a member of', 'rollcall-connector' ),
			'all'      => __( 'To all sites', 'rollcall-connector' ),
		);
		foreach ( $choices as $value => $label ) {
			self::box( 'role_sites', $value, $label, $value === $now['role_sites'], 'radio' );
		}
	}

	/**
	 * Roles that are privileged.
	 *
	 * @param array $now Settings.
	 * @return void
	 */
	private static function privileged( array $now ) {
		echo '<p><strong>' . esc_html__( 'Name one only if somebody who gets it on one site shall get it on others. Whoever takes over one such account then administers all these sites.', 'rollcall-connector' ) . '</strong></p>';
		foreach ( self::privileged_names( $now['privileged_roles'] ) as $role => $label ) {
			self::box( 'privileged[]', $role, $label, in_array( (string) $role, $now['privileged_roles'], true ) );
			echo '<input type="hidden" name="privileged_shown[]" value="' . esc_attr( $role ) . '">';
		}
		echo '<p><label for="rollcall-privileged-more">' . esc_html__( 'Roles that only other sites have, by their exact names, with commas', 'rollcall-connector' ) . '</label><br><input type="text" class="regular-text code" id="rollcall-privileged-more" name="privileged_more" value=""></p>';
		echo '<p class="description">' . esc_html__( 'A role is privileged on a site where it can manage users, plugins, themes or settings, or publish unfiltered HTML. Others need no name.', 'rollcall-connector' ) . '</p>';
	}

	/**
	 * May administrators of sites fill them?
	 *
	 * @param array $now Settings.
	 * @return void
	 */
	private static function site_admins( array $now ) {
		self::box( 'site_admins', '1', __( 'A site’s own administrators may add everybody of this network to that site', 'rollcall-connector' ), $now['site_admins'] );
		echo '<p class="description">' . esc_html__( 'They then see the names and e-mail addresses of all accounts that they add.', 'rollcall-connector' ) . '</p>';
	}

	/**
	 * The privileged roles of the main site, and those that are named.
	 *
	 * @param string[] $named Roles that are named.
	 * @return array<string,string> Role => its name for people.
	 */
	private static function privileged_names( array $named ) {
		$main  = get_main_site_id();
		$names = array();
		foreach ( Rollcall_Roles::defined( $main ) as $role => $about ) {
			if ( Rollcall_Privilege::role_is_privileged( (string) $role, $main ) ) {
				$names[ $role ] = isset( $about['name'] ) ? translate_user_role( $about['name'] ) : $role;
			}
		}
		return $names + array_combine( $named, $named );
	}

	/**
	 * A check box, or a radio button.
	 *
	 * @param string $name  Name.
	 * @param string $value Value.
	 * @param string $label Label.
	 * @param bool   $on    Is it on?
	 * @param string $type  checkbox or radio.
	 * @return void
	 */
	private static function box( $name, $value, $label, $on, $type = 'checkbox' ) {
		printf( '<label><input type="%1$s" name="%2$s" value="%3$s"%4$s> %5$s</label><br>', esc_attr( $type ), esc_attr( $name ), esc_attr( $value ), checked( $on, true, false ), esc_html( $label ) );
	}
}
