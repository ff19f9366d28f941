<?php
/**
 * The hub's own account on this installation, and its Application Password.
 *
 * Does: makes the account (no role, the one capability `rollcall_hub`), issues, renews and revokes its
 * Application Password. One that is to follow another is good at once; the one before ends when its follower
 * was used.
 * Does not: keep it out of everything but rollcall/v1 (Rollcall_Service_Door); decide what the hub may do there
 * (Rollcall_Guard).
 * Always true: only an Application Password issued here speaks for the hub; not its password (nobody
 * knows it), not a cookie, not another Application Password of the same account. It no longer speaks
 * once the account was given rights besides its own. An account that has the id by chance is a person's.
 * On failure: create() and issue() give a WP_Error; everything else refuses.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Service account.
 */
final class Rollcall_Service_Account {

	const LOGIN      = 'rollcall-hub';
	const CAPABILITY = 'rollcall_hub';

	/** Names Rollcall among a person's Application Passwords. */
	const APP_ID = '5b0c8a52-3c1e-4a57-9d3f-6f1f2a7c9e10';

	/** Site option: the account's id, the UUID of the Application Password that counts, and of the one that is to follow it. */
	const OPTION = 'rollcall_credential';

	/**
	 * Id of the account, 0 when there is none.
	 *
	 * @return int
	 */
	public static function id() {
		$kept = Rollcall_Shared_Option::get( self::OPTION );
		$id   = is_array( $kept ) && isset( $kept['user'] ) ? (int) $kept['user'] : 0;
		$user = $id ? get_userdata( $id ) : false;
		if ( ! $user ) {
			return 0;
		}
		// Ids come again: after a restored table, or where MySQL counts anew from the highest one.
		if ( 0 === strpos( $user->user_login, self::LOGIN ) ) {
			return $id;
		}
		// That may be a cache's, of yesterday: the table decides.
		if ( self::is_others( $id ) ) {
			self::forget( $id );
		}
		return 0;
	}

	/**
	 * Is this id somebody else's, by the table of users?
	 *
	 * @param int $id Account.
	 * @return bool
	 */
	private static function is_others( $id ) {
		global $wpdb;
		$login = $wpdb->get_var( $wpdb->prepare( "SELECT user_login FROM {$wpdb->users} WHERE ID = %d", $id ) ); // phpcs:ignore WordPress.DB
		return is_string( $login ) && 0 !== strpos( $login, self::LOGIN );
	}

	/**
	 * Is this the account? Costs no query for anybody else.
	 *
	 * @param int $user_id An account.
	 * @return bool
	 */
	public static function is_it( $user_id ) {
		$kept = Rollcall_Shared_Option::get( self::OPTION );
		return $user_id && is_array( $kept ) && isset( $kept['user'] ) && (int) $kept['user'] === (int) $user_id && self::id() === (int) $user_id;
	}

	/**
	 * Forgets the account when it is gone, or the id another's.
	 *
	 * @param int $user_id Account.
	 * @return void
	 */
	public static function forget( $user_id ) {
		$kept = Rollcall_Shared_Option::get( self::OPTION );
		if ( is_array( $kept ) && isset( $kept['user'] ) && (int) $kept['user'] === (int) $user_id ) {
			Rollcall_Shared_Option::delete( self::OPTION );
			Rollcall_Settings::update( array( 'service_user_id' => 0 ) );
		}
	}

	/**
	 * Is the current request made with the credential that we issued?
	 *
	 * @return bool
	 */
	public static function is_caller() {
		$id = self::of_credential();
		return 0 !== $id && get_current_user_id() === $id && self::has_capability( $id );
	}

	/**
	 * The account, if the current request came with an Application Password that was issued here.
	 *
	 * @return int 0: it did not.
	 */
	public static function of_credential() {
		$kept = Rollcall_Shared_Option::get( self::OPTION );
		$uuid = rest_get_authenticated_app_password();
		return is_array( $kept ) && is_string( $uuid ) && self::counts( $kept, $uuid ) ? (int) $kept['user'] : 0;
	}

	/**
	 * Makes the account if need be and issues a fresh credential; the one before ends.
	 *
	 * @param string $hub_name Shown to administrators beside the password.
	 * @return array|WP_Error { user, password, id }.
	 */
	public static function issue( $hub_name ) {
		$id = self::create();
		if ( is_wp_error( $id ) ) {
			return $id;
		}
		WP_Application_Passwords::delete_all_application_passwords( $id );
		$issued = self::make_password( $id, $hub_name );
		if ( is_wp_error( $issued ) ) {
			return $issued;
		}
		Rollcall_Shared_Option::set(
			self::OPTION,
			array(
				'user' => $id,
				'uuid' => $issued[1]['uuid'],
			)
		);
		return array(
			'user'     => get_userdata( $id )->user_login,
			'password' => $issued[0],
			'id'       => $id,
		);
	}

	/**
	 * Issues a credential that is to follow the present one, which stays good until this one was used. One that
	 * was issued before and never used ends: its answer was lost.
	 *
	 * @param string $hub_name Shown to administrators beside the password.
	 * @return array|WP_Error { user, password }.
	 */
	public static function issue_next( $hub_name ) {
		$kept   = Rollcall_Shared_Option::get( self::OPTION );
		$id     = (int) $kept['user'];
		$unused = isset( $kept['next'] ) ? (string) $kept['next'] : '';
		// Older versions of WordPress refuse two of one name.
		$issued = self::make_password( $id, trim( $hub_name . ' ' . substr( wp_generate_uuid4(), 0, 8 ) ) );
		if ( is_wp_error( $issued ) ) {
			return $issued;
		}
		Rollcall_Shared_Option::set(
			self::OPTION,
			array(
				'user' => $id,
				'uuid' => $kept['uuid'],
				'next' => $issued[1]['uuid'],
			)
		);
		if ( '' !== $unused ) {
			WP_Application_Passwords::delete_application_password( $id, $unused );
		}
		return array(
			'user'     => get_userdata( $id )->user_login,
			'password' => $issued[0],
		);
	}

	/**
	 * The hub was heard. Where that was by the credential that follows, the one before it ends.
	 *
	 * @return void
	 */
	public static function was_used() {
		$kept = Rollcall_Shared_Option::get( self::OPTION );
		$uuid = rest_get_authenticated_app_password();
		if ( ! is_string( $uuid ) || empty( $kept['next'] ) || ! hash_equals( $kept['next'], $uuid ) || ! self::is_caller() ) {
			return;
		}
		Rollcall_Shared_Option::set(
			self::OPTION,
			array(
				'user' => (int) $kept['user'],
				'uuid' => $uuid,
			)
		);
		WP_Application_Passwords::delete_application_password( (int) $kept['user'], $kept['uuid'] );
	}

	/**
	 * Is this one of the account's Application Passwords that speak for the hub?
	 *
	 * @param array  $kept What is kept of them.
	 * @param string $uuid The one that was given.
	 * @return bool
	 */
	private static function counts( $kept, $uuid ) {
		foreach ( array( 'uuid', 'next' ) as $which ) {
			if ( ! empty( $kept[ $which ] ) && hash_equals( $kept[ $which ], $uuid ) ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Makes an Application Password of the account.
	 *
	 * @param int    $id       The account.
	 * @param string $hub_name Shown to administrators beside it.
	 * @return array|WP_Error The password, and what WordPress keeps of it.
	 */
	private static function make_password( $id, $hub_name ) {
		$name = sanitize_text_field( $hub_name );
		return WP_Application_Passwords::create_new_application_password(
			$id,
			array(
				'name'   => '' === $name ? 'Rollcall' : 'Rollcall: ' . $name,
				'app_id' => self::APP_ID,
			)
		);
	}

	/**
	 * Ends the credential; the account stays (the plugin was switched off, not taken away).
	 *
	 * @return void
	 */
	public static function revoke() {
		$id = self::id();
		if ( $id ) {
			WP_Application_Passwords::delete_all_application_passwords( $id );
			Rollcall_Shared_Option::set(
				self::OPTION,
				array(
					'user' => $id,
					'uuid' => '',
				)
			);
		}
	}

	/**
	 * Ends credential and account.
	 *
	 * @return void
	 */
	public static function remove() {
		$id = self::id();
		self::revoke();
		if ( $id && get_userdata( $id ) ) {
			self::quietly(
				static function () use ( $id ) {
					require_once ABSPATH . 'wp-admin/includes/user.php';
					if ( is_multisite() ) {
						require_once ABSPATH . 'wp-admin/includes/ms.php';
						wpmu_delete_user( $id );
					} else {
						wp_delete_user( $id );
					}
				}
			);
		}
		Rollcall_Shared_Option::delete( self::OPTION );
	}

	/**
	 * Makes the account unless it is there.
	 *
	 * @return int|WP_Error
	 */
	private static function create() {
		$id = self::id();
		if ( ! $id || ! get_userdata( $id ) ) {
			$login = self::LOGIN;
			for ( $i = 2; username_exists( $login ); $i++ ) {
				$login = self::LOGIN . '-' . $i;
			}
			$id = self::quietly(
				static function () use ( $login ) {
					return wp_insert_user(
						array(
							'user_login'   => $login,
							'user_pass'    => wp_generate_password( 64, true, true ),
							'user_email'   => '',
							'display_name' => __( 'Rollcall hub (service account)', 'rollcall-connector' ),
							'role'         => '',
						)
					);
				}
			);
			if ( is_wp_error( $id ) ) {
				return $id;
			}
			// Known at once, so that not even the next lines' hooks take it for a person.
			Rollcall_Shared_Option::set(
				self::OPTION,
				array(
					'user' => $id,
					'uuid' => '',
				)
			);
		}
		self::on_main_site(
			static function () use ( $id ) {
				self::quietly(
					static function () use ( $id ) {
						self::strip( $id );
						( new WP_User( $id ) )->add_cap( self::CAPABILITY );
					}
				);
			}
		);
		return $id;
	}

	/**
	 * Takes every role and capability from the account, on every site.
	 *
	 * @param int $id Account.
	 * @return void
	 */
	private static function strip( $id ) {
		foreach ( array_keys( (array) get_user_meta( $id ) ) as $key ) {
			if ( Rollcall_Roles::blog_of_caps_key( (string) $key ) ) {
				delete_user_meta( $id, $key );
			}
		}
		if ( is_multisite() && is_super_admin( $id ) ) {
			require_once ABSPATH . 'wp-admin/includes/ms.php';
			revoke_super_admin( $id );
		}
	}

	/**
	 * Does the account still have its capability, and no other that counts? An administrator may take it
	 * away; somebody may have given it more.
	 *
	 * @param int $id Account.
	 * @return bool
	 */
	private static function has_capability( $id ) {
		return ! Rollcall_Privilege::has_more_than( $id, self::CAPABILITY ) && (bool) self::on_main_site(
			static function () use ( $id ) {
				$user = new WP_User( $id );
				return $user->exists() && ! empty( $user->caps[ self::CAPABILITY ] );
			}
		);
	}

	/**
	 * Runs something on the main site of a network.
	 *
	 * @param callable $job The job.
	 * @return mixed
	 */
	private static function on_main_site( $job ) {
		if ( get_current_blog_id() === Rollcall_Shared_Option::main_site() ) {
			return $job();
		}
		switch_to_blog( Rollcall_Shared_Option::main_site() );
		try {
			return $job();
		} finally {
			restore_current_blog();
		}
	}

	/**
	 * Runs something without capture and without mails.
	 *
	 * @param callable $job The job.
	 * @return mixed
	 */
	private static function quietly( $job ) {
		$blocked = static function () use ( $job ) {
			return Rollcall_Mail_Block::during( $job );
		};
		return class_exists( 'Rollcall_Capture' ) ? Rollcall_Capture::quiet( $blocked ) : $blocked();
	}
}
