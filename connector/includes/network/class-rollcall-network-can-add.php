<?php
/**
 * Other plugins may forbid single memberships: WordPress's filter `can_add_user_to_blog`.
 *
 * Does: asks it for every membership that a plan begins, where anybody listens.
 * Always true: asked before anything is written, on the site that it is about.
 * On failure: a listener that throws forbids that one.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The filter.
 */
final class Rollcall_Network_Can_Add {

	/**
	 * Takes out of a plan what a plugin forbids.
	 *
	 * @param Rollcall_Network_Plan $plan Plan.
	 * @return void
	 */
	public static function ask( $plan ) {
		if ( ! $plan->add || ! has_filter( 'can_add_user_to_blog' ) ) {
			return;
		}
		Rollcall_Network_Announcer::on_site(
			$plan->target->blog,
			static function () use ( $plan ) {
				foreach ( $plan->add as $value => $ids ) {
					$roles = $plan->target->roles_in( (array) maybe_unserialize( $value ) );
					cache_users( $ids );
					foreach ( $ids as $place => $id ) {
						if ( ! self::allows( $id, $roles[0], $plan->target->blog ) ) {
							unset( $plan->add[ $value ][ $place ] );
							$plan->skip( 'network.plugin_forbids' );
						}
					}
				}
				$plan->add = array_filter( $plan->add );
			}
		);
	}

	/**
	 * Asks for one.
	 *
	 * @param int    $id   Account.
	 * @param string $role Role.
	 * @param int    $blog Site.
	 * @return bool
	 */
	private static function allows( $id, $role, $blog ) {
		try {
			/** This filter is documented in wp-includes/ms-functions.php */
			return true === apply_filters( 'can_add_user_to_blog', true, $id, $role, $blog ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		} catch ( Throwable $fault ) {
			Rollcall_Network_Announcer::complain( $fault );
			return false;
		}
	}
}
