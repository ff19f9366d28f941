<?php
/**
 * What a job writes into usermeta, and what other plugins are to hear of it.
 *
 * Does: core's metas, watched metas, capabilities and user level, in the order in which WordPress's own
 * functions write them; notes the actions in the order in which those fire them.
 * Does not: touch the database (Rollcall_Set_Meta collects).
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Fields of a set.
 */
final class Rollcall_Set_Fields {

	/**
	 * Writes a job.
	 *
	 * @param Rollcall_Set_Job  $job  The job; its account has an id.
	 * @param Rollcall_Set_Meta $meta Usermeta.
	 * @return void
	 */
	public static function write( $job, $meta ) {
		if ( $job->creates() ) {
			self::create( $job, $meta );
		} else {
			self::update( $job, $meta );
		}
		if ( Rollcall_Customers::concern( array_keys( $job->differing() ) ) ) {
			/** This action is documented in class-rollcall-account-writer.php */
			$job->events[] = array( 'rollcall_customer_applied', array( $job->id, $job->creates(), false ), array() );
		}
	}

	/**
	 * A created account, as wp_insert_user() and the writing of its fields leave it.
	 *
	 * @param Rollcall_Set_Job  $job  The job.
	 * @param Rollcall_Set_Meta $meta Usermeta.
	 * @return void
	 */
	private static function create( $job, $meta ) {
		$meta->mark( $job->id, $job->operation['uid'] );
		if ( version_compare( $GLOBALS['wp_version'], '6.9-alpha', '>=' ) ) {
			$job->events[] = array( 'wp_set_password', array( wp_unslash( $job->userdata['user_pass'] ), $job->id, $job->user ), array() );
		}
		foreach ( self::core_meta( $job, false ) as $key => $value ) {
			$meta->add( $job, wp_unslash( $key ), wp_unslash( $value ) );
		}
		$given = self::give_roles( $job );
		$meta->update( $job, $job->user->cap_key, $job->user->caps );
		self::level( $job, $meta );
		$job->events[] = array( 'set_user_role', array( $job->id, '', array() ), array() );
		$job->events[] = array( 'clean_user_cache', array( $job->id, $job->user ), array() );
		$job->events[] = array( 'user_register', array( $job->id, $job->userdata ), array() );
		foreach ( $job->winners as $name => $value ) {
			if ( 0 === strpos( $name, 'meta:' ) ) {
				$meta->replace( $job, substr( $name, 5 ), $value );
			} elseif ( isset( $given[ $name ] ) ) {
				$job->events[] = array( 'add_user_role', array( $job->id, substr( $name, 5 ) ), array() );
			}
		}
		if ( '' !== $job->default_role ) {
			$job->events[] = array( 'add_user_role', array( $job->id, $job->default_role ), array() );
		}
	}

	/**
	 * Gives a new account its roles, in memory.
	 *
	 * @param Rollcall_Set_Job $job The job.
	 * @return array Field name → true, for the roles that came with the operation.
	 */
	private static function give_roles( $job ) {
		$given = array();
		foreach ( $job->winners as $name => $value ) {
			if ( 0 === strpos( $name, 'role:' ) && $value ) {
				$given[ $name ]                            = true;
				$job->user->caps[ substr( $name, 5 ) ] = true;
			}
		}
		if ( ! $given && ! empty( $job->operation['create']['default_role'] ) ) {
			$role = (string) get_option( 'default_role' );
			if ( null === Rollcall_Guard::role( $role, $job->operation['blog'] ) ) {
				$job->default_role        = $role;
				$job->user->caps[ $role ] = true;
			}
		}
		$job->user->get_role_caps();
		return $given;
	}

	/**
	 * An account that changes, as Rollcall_Account_Writer leaves it.
	 *
	 * @param Rollcall_Set_Job  $job  The job.
	 * @param Rollcall_Set_Meta $meta Usermeta.
	 * @return void
	 */
	private static function update( $job, $meta ) {
		foreach ( $job->row as $column => $value ) {
			$job->user->data->$column = is_bool( $value ) ? (string) (int) $value : $value;
		}
		if ( null !== $job->userdata ) {
			self::profile( $job, $meta );
		}
		$differ = $job->differing();
		if ( isset( $differ['password'] ) ) {
			$job->row['user_pass']           = $differ['password'];
			$job->row['user_activation_key'] = '';
			$job->events[]                   = array( 'clean_user_cache', array( $job->id, $job->user ), array() );
			$job->events[]                   = array( 'rollcall_password_applied', array( $job->id, Rollcall_Passwords::kind( $differ['password'] ) ), array() );
		}
		foreach ( $differ as $name => $value ) {
			if ( 0 === strpos( $name, 'meta:' ) ) {
				$meta->replace( $job, substr( $name, 5 ), $value );
			} elseif ( 0 === strpos( $name, 'role:' ) ) {
				self::role( $job, $meta, substr( $name, 5 ), $value );
			}
		}
	}

	/**
	 * What wp_update_user() does after it has written the row.
	 *
	 * @param Rollcall_Set_Job  $job  The job.
	 * @param Rollcall_Set_Meta $meta Usermeta.
	 * @return void
	 */
	private static function profile( $job, $meta ) {
		foreach ( self::core_meta( $job, true ) as $key => $value ) {
			$meta->update( $job, wp_unslash( $key ), wp_unslash( $value ) );
		}
		foreach ( array_keys( wp_get_user_contact_methods( $job->user ) ) as $key ) {
			if ( isset( $job->userdata[ $key ] ) ) {
				$meta->update( $job, wp_unslash( (string) $key ), wp_unslash( $job->userdata[ $key ] ) );
			}
		}
		$job->events[] = array( 'clean_user_cache', array( $job->id, $job->user ), array() );
		$job->events[] = array( 'profile_update', array( $job->id, $job->old, $job->userdata ), array() );
		if ( version_compare( $GLOBALS['wp_version'], '6.3-alpha', '>=' ) ) {
			$job->events[] = array( 'wp_update_user', array( $job->id, $job->userdata, $job->asked ), array() );
		}
	}

	/**
	 * Core's metas, as other plugins leave them.
	 *
	 * @param Rollcall_Set_Job $job    The job.
	 * @param bool             $update Whether the account existed.
	 * @return array Key → value, with slashes.
	 */
	private static function core_meta( $job, $update ) {
		// phpcs:disable WordPress.NamingConventions.PrefixAllGlobals -- Filters of wp-includes/user.php.
		$meta   = apply_filters( 'insert_user_meta', $job->core_meta, $job->user, $update, $job->userdata );
		$custom = apply_filters( 'insert_custom_user_meta', array(), $job->user, $update, $job->userdata );
		// phpcs:enable
		return array_merge( $meta, $custom );
	}

	/**
	 * One role, as WP_User::add_role() and remove_role().
	 *
	 * @param Rollcall_Set_Job  $job  The job.
	 * @param Rollcall_Set_Meta $meta Usermeta.
	 * @param string            $role Role.
	 * @param bool              $has  Whether the account is to have it.
	 * @return void
	 */
	private static function role( $job, $meta, $role, $has ) {
		$user = $job->user;
		if ( in_array( $role, $user->roles, true ) === $has ) {
			return;
		}
		if ( $has ) {
			$user->caps[ $role ] = true;
		} else {
			unset( $user->caps[ $role ] );
		}
		$meta->update( $job, $user->cap_key, $user->caps );
		$user->get_role_caps();
		self::level( $job, $meta );
		$job->events[] = array( $has ? 'add_user_role' : 'remove_user_role', array( $job->id, $role ), array() );
	}

	/**
	 * The user level, as WP_User::update_user_level_from_caps().
	 *
	 * @param Rollcall_Set_Job  $job  The job.
	 * @param Rollcall_Set_Meta $meta Usermeta.
	 * @return void
	 */
	private static function level( $job, $meta ) {
		global $wpdb;
		$level = array_reduce( array_keys( $job->user->allcaps ), array( $job->user, 'level_reduction' ), 0 );
		$meta->update( $job, $wpdb->get_blog_prefix() . 'user_level', $level );
	}
}
