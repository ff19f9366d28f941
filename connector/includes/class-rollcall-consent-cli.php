<?php
/**
 * `wp rollcall privileged`: which privileged roles may come to this site from its hub.
 *
 * Does: shows them with what they can do, and changes what somebody has agreed to.
 * Does not: speak to the hub.
 * Always true: a command that is refused changes nothing and ends with exit code 1 and one sentence.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Which privileged roles may come to this site from its hub.
 */
final class Rollcall_Consent_Cli {

	/**
	 * Lists the privileged roles of this site.
	 *
	 * ## OPTIONS
	 *
	 * [--format=<format>]
	 * : table, json, csv or yaml.
	 * ---
	 * default: table
	 * ---
	 *
	 * @subcommand list
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public function show( $args, $options ) {
		$blog = get_current_blog_id();
		$rows = array();
		foreach ( array_keys( Rollcall_Roles::defined( $blog ) ) as $role ) {
			$caps = Rollcall_Consent::caps( (string) $role, $blog );
			if ( $caps ) {
				$rows[] = array(
					'role'    => (string) $role,
					'allowed' => self::word( (string) $role, $blog ),
					'can'     => implode( ',', $caps ),
				);
			}
		}
		WP_CLI\Utils\format_items( isset( $options['format'] ) ? $options['format'] : 'table', $rows, array( 'role', 'allowed', 'can' ) );
	}

	/**
	 * Agrees that accounts with these roles may be created, changed and deleted here by the hub, and the roles
	 * given and taken. It holds for what the roles can do now: one that can do more later counts no more.
	 *
	 * ## OPTIONS
	 *
	 * <role>...
	 * : Exact names.
	 *
	 * ## EXAMPLES
	 *
	 *     wp rollcall privileged allow administrator
	 *
	 * @param string[] $roles Roles.
	 * @return void
	 */
	public function allow( $roles ) {
		$blog = get_current_blog_id();
		foreach ( $roles as $role ) {
			$why = Rollcall_Consent::why_not( $role, $blog );
			if ( null !== $why ) {
				WP_CLI::error( $why );
			}
		}
		Rollcall_Consent::allow( $blog, $roles );
		foreach ( $roles as $role ) {
			/* translators: 1: name of a role, 2: capabilities. */
			WP_CLI::warning( sprintf( __( 'The hub, and whoever can change accounts on a site that its routes lead from, may now make somebody “%1$s” here: %2$s.', 'rollcall-connector' ), $role, implode( ', ', Rollcall_Consent::caps( $role, $blog ) ) ) );
		}
		WP_CLI::success( __( 'The hub hears of it the next time it looks at this site.', 'rollcall-connector' ) );
	}

	/**
	 * Takes that back. Accounts that have the role keep it.
	 *
	 * ## OPTIONS
	 *
	 * <role>...
	 * : Exact names.
	 *
	 * @param string[] $roles Roles.
	 * @return void
	 */
	public function withdraw( $roles ) {
		Rollcall_Consent::withdraw( get_current_blog_id(), $roles );
		WP_CLI::success( __( 'From now on these roles do not come from the hub.', 'rollcall-connector' ) );
	}

	/**
	 * Whether a role may come.
	 *
	 * @param string $role Role.
	 * @param int    $blog Blog id.
	 * @return string
	 */
	private static function word( $role, $blog ) {
		if ( in_array( $role, Rollcall_Consent::outgrown( $blog ), true ) ) {
			return 'outgrown';
		}
		return in_array( $role, Rollcall_Consent::roles( $blog ), true ) ? 'yes' : 'no';
	}
}
