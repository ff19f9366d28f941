<?php
/**
 * The privileged roles on the “User Sync” page.
 *
 * Does: shows what each of them can do, and takes and takes back consent.
 * Does not: check the nonce; the page does.
 * Always true: nobody consents to a role that they could not give themselves, nor to power that the page did
 *   not show them. Taking back is open to whoever may use the page.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Field of consents.
 */
final class Rollcall_Consent_Field {

	/**
	 * Shows the row of the form.
	 *
	 * @return void
	 */
	public static function show() {
		$blog  = get_current_blog_id();
		$roles = self::names( $blog );
		if ( ! $roles || ! Rollcall_Settings::is_bound() ) {
			return;
		}
		$title = __( 'Privileged roles that may come from the hub', 'rollcall-connector' );
		echo '<tr><th scope="row">' . esc_html( $title ) . '</th><td><fieldset><legend class="screen-reader-text">' . esc_html( $title ) . '</legend>';
		echo '<p><strong>' . esc_html__( 'Tick one only if you want people to get this power here because somebody gave it to them on another site. Whoever takes over that site, or the hub, then takes over this one.', 'rollcall-connector' ) . '</strong></p>';
		foreach ( $roles as $role => $name ) {
			self::box( (string) $role, $name, $blog );
		}
		echo '</fieldset></td></tr>';
	}

	/**
	 * One role.
	 *
	 * @param string $role Role.
	 * @param string $name Its name for people.
	 * @param int    $blog Site.
	 * @return void
	 */
	private static function box( $role, $name, $blog ) {
		$caps     = Rollcall_Consent::caps( $role, $blog );
		$counts   = in_array( $role, Rollcall_Consent::roles( $blog ), true );
		$grown    = in_array( $role, Rollcall_Consent::outgrown( $blog ), true );
		$may_tick = $counts || ( self::may_give( $role ) && null === Rollcall_Consent::why_not( $role, $blog ) );
		printf(
			'<label><input type="checkbox" name="consented[]" value="%1$s"%2$s%3$s> %4$s</label><input type="hidden" name="consent_seen[%1$s]" value="%5$s"><p class="description">%6$s</p>',
			esc_attr( $role ),
			checked( $counts, true, false ),
			disabled( ! $may_tick, true, false ),
			esc_html( translate_user_role( $name ) . ( $grown ? ' ' . __( '(can do more than when it was ticked, and counts no more)', 'rollcall-connector' ) : '' ) ),
			esc_attr( self::seen( $caps ) ),
			esc_html( implode( ', ', $caps ) )
		);
	}

	/**
	 * Saves what was sent.
	 *
	 * @return void
	 */
	public static function save() {
		$blog = get_current_blog_id();
		// phpcs:disable WordPress.Security.NonceVerification.Missing, WordPress.Security.ValidatedSanitizedInput -- the page has checked it.
		$seen   = isset( $_POST['consent_seen'] ) && is_array( $_POST['consent_seen'] ) ? wp_unslash( $_POST['consent_seen'] ) : null;
		$wanted = isset( $_POST['consented'] ) && is_array( $_POST['consented'] ) ? array_map( 'strval', wp_unslash( $_POST['consented'] ) ) : array();
		// phpcs:enable
		if ( null === $seen ) {
			return;
		}
		$shown = array_map( 'strval', array_keys( $seen ) );
		Rollcall_Consent::withdraw( $blog, array_diff( $shown, $wanted ) );
		$new = array();
		foreach ( array_diff( array_intersect( $wanted, $shown ), Rollcall_Consent::roles( $blog ) ) as $role ) {
			if ( self::may_give( $role ) && is_string( $seen[ $role ] ) && hash_equals( self::seen( Rollcall_Consent::caps( $role, $blog ) ), $seen[ $role ] ) ) {
				$new[] = $role;
			}
		}
		if ( $new ) {
			Rollcall_Consent::allow( $blog, $new );
		}
	}

	/**
	 * Could the current person give this role?
	 *
	 * @param string $role Role.
	 * @return bool
	 */
	private static function may_give( $role ) {
		return current_user_can( 'promote_users' ) && isset( get_editable_roles()[ $role ] );
	}

	/**
	 * What stands on the page for the capabilities of a role.
	 *
	 * @param string[] $caps Capabilities.
	 * @return string
	 */
	private static function seen( $caps ) {
		sort( $caps );
		return md5( implode( ' ', $caps ) );
	}

	/**
	 * The privileged roles of the site.
	 *
	 * @param int $blog Site.
	 * @return array<string,string> Role => name.
	 */
	private static function names( $blog ) {
		$names = array();
		foreach ( wp_roles()->get_names() as $role => $name ) {
			if ( Rollcall_Privilege::role_is_privileged( (string) $role, $blog ) ) {
				$names[ $role ] = $name;
			}
		}
		return $names;
	}
}
