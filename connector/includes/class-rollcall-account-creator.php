<?php
/**
 * Creates accounts that come from another site.
 *
 * Does: says what stands in the way; inserts the account and its label in one transaction, with its
 * password's hash as it is; gives the default role at the end.
 * Does not: write meta and roles (Rollcall_Account_Writer does, as for any account). Sends no mail.
 * Always true: an account without its label is never left behind: both or neither. Until everything is
 * written a marker says so, and a repeated operation finishes the account instead of merging into it.
 * An e-mail address is never invented.
 * On failure: throws, or gives the receipt of a conflict.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Creator.
 */
final class Rollcall_Account_Creator {

	/** Usermeta that marks an account whose creation isn't finished. */
	const MARKER = 'rollcall_creating';

	/** Bound of WordPress, wp_insert_user(). */
	const LONGEST_LOGIN = 60;

	/**
	 * What stands in the way of creating the account.
	 *
	 * @param array $operation Operation.
	 * @return array|null Receipt of a conflict or refusal.
	 */
	public static function hindrance( $operation ) {
		$malformed = self::malformed( $operation );
		if ( null !== $malformed ) {
			// Somebody who has the address is the better answer, whatever is wrong with the login.
			$other = 'login.malformed' === $malformed['reason'] ? self::email_holder( $operation ) : null;
			return null === $other ? $malformed : $other;
		}
		$other = self::email_holder( $operation );
		if ( null !== $other ) {
			return $other;
		}
		$other = Rollcall_Account_Finder::by_login( $operation['create']['login'] );
		if ( null !== $other ) {
			return Rollcall_Receipt::conflict( $operation, 'identity.login_taken', Rollcall_Receipt::found( 'login', $other['user'] ) );
		}
		return null;
	}

	/**
	 * What is wrong with the operation itself, without looking anybody up.
	 *
	 * @param array $operation Operation.
	 * @return array|null Receipt of a conflict or refusal.
	 */
	public static function malformed( $operation ) {
		$fields = $operation['fields'];
		if ( Rollcall_Incoming::is_future( $operation['create']['born'] ) ) {
			return Rollcall_Receipt::refused( $operation, 'stamp.in_future' );
		}
		if ( ! isset( $fields['email'] ) ) {
			return Rollcall_Receipt::refused( $operation, 'email.missing' );
		}
		$why = Rollcall_Incoming::why_not( 'email', $fields['email'], $operation['blog'] );
		if ( null !== $why ) {
			return 'email.malformed' === $why ? Rollcall_Receipt::conflict( $operation, $why ) : Rollcall_Receipt::refused( $operation, $why );
		}
		return self::login_is_well_formed( $operation['create']['login'] ) ? null : Rollcall_Receipt::conflict( $operation, 'login.malformed' );
	}

	/**
	 * The conflict with who has the address already.
	 *
	 * @param array $operation Operation.
	 * @return array|null Receipt.
	 */
	private static function email_holder( $operation ) {
		$other = Rollcall_Account_Finder::by_email( $operation['fields']['email']['v'] );
		return null === $other ? null : Rollcall_Receipt::conflict( $operation, 'identity.email_taken', $other['exact'] ? Rollcall_Receipt::found( 'email', $other['user'] ) : null );
	}

	/**
	 * Creates the account. Its meta and roles are still to be written.
	 *
	 * @param array $operation Operation.
	 * @return int|array Its id, or the receipt of a conflict that came up meanwhile.
	 * @throws RuntimeException When WordPress can't create it.
	 */
	public static function create( $operation ) {
		$id = Rollcall_Capture::quiet(
			static function () use ( $operation ) {
				return self::insert( $operation );
			}
		);
		if ( ! is_wp_error( $id ) ) {
			return $id;
		}
		switch ( $id->get_error_code() ) {
			case 'existing_user_login':
			case 'existing_user_email':
				$hindrance = self::hindrance( $operation );
				// Somebody registered at this moment. Where another login may be taken, the next try takes one.
				$passing = null === $hindrance || ( 'identity.login_taken' === $hindrance['reason'] && ! empty( $operation['create']['login_taken'] ) );
				return $passing ? Rollcall_Receipt::of( $operation, 'busy', 'target.locked' ) : $hindrance;
			case 'invalid_username':
			case 'empty_user_login':
			case 'user_login_too_long':
			case 'empty_user_nicename':
				return Rollcall_Receipt::conflict( $operation, 'login.malformed' );
		}
		return Rollcall_Receipt::of( $operation, 'failed', 'target.error', $id->get_error_code() );
	}

	/**
	 * Is the account's creation unfinished?
	 *
	 * @param int $id Account.
	 * @return bool
	 */
	public static function is_unfinished( $id ) {
		return array() !== self::unfinished_among( array( $id ) );
	}

	/**
	 * Those of some accounts whose creation is unfinished.
	 *
	 * @param int[] $ids Accounts.
	 * @return int[]
	 */
	public static function unfinished_among( $ids ) {
		global $wpdb;
		if ( ! $ids ) {
			return array();
		}
		$list = implode( ',', array_map( 'intval', $ids ) );
		return array_map( 'intval', $wpdb->get_col( $wpdb->prepare( "SELECT user_id FROM {$wpdb->usermeta} WHERE user_id IN ($list) AND meta_key = %s", self::MARKER ) ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * The last of a creation, after its fields were written: default role, and when it was born.
	 *
	 * @param array           $operation Operation.
	 * @param Rollcall_Target $target    The account.
	 * @return void
	 */
	public static function finish( $operation, $target ) {
		$entries = self::default_role( $operation, $target->id );
		$born    = isset( $operation['create']['born'] ) ? $operation['create']['born'] : array( 0, $operation['source']['key'] );
		Rollcall_Ledger::record( $target->id, $entries, array( 'born' => $born ) );
	}

	/**
	 * An account that is there already, on other sites of the network, becomes a member of the operation's site.
	 *
	 * @param array $operation Operation that would have created it.
	 * @param int   $id        Account.
	 * @return bool|null Whether it became one; null: it need not.
	 */
	public static function join( $operation, $id ) {
		if ( empty( $operation['create']['default_role'] ) || ! is_multisite() || is_user_member_of_blog( $id, $operation['blog'] ) ) {
			return null;
		}
		return Rollcall_Capture::quiet(
			static function () use ( $operation, $id ) {
				$entries = self::default_role( $operation, $id );
				Rollcall_Ledger::record( $id, $entries );
				return array() !== $entries;
			}
		);
	}

	/**
	 * Gives the site's default role to who has none there.
	 *
	 * @param array $operation Operation.
	 * @param int   $id        Account.
	 * @return array Entries for the ledger.
	 */
	private static function default_role( $operation, $id ) {
		$blog    = $operation['blog'];
		$entries = array();
		$user    = new WP_User( $id );
		if ( ! empty( $operation['create']['default_role'] ) && ! $user->roles ) {
			$role = (string) get_option( 'default_role' );
			if ( null === Rollcall_Guard::role( $role, $blog ) ) {
				if ( is_multisite() && ! is_user_member_of_blog( $id, $blog ) ) {
					add_user_to_blog( $blog, $id, $role );
				} else {
					$user->add_role( $role );
				}
				// Nobody's decision: it wins over nothing and goes nowhere.
				$entries[ $blog . '/role:' . $role ] = array( 0, Rollcall_Settings::key_of( $blog ), true );
			}
		}
		return $entries;
	}

	/**
	 * Takes markers away.
	 *
	 * @param int[] $ids Accounts.
	 * @return void
	 */
	public static function forget_markers( $ids ) {
		global $wpdb;
		if ( $ids ) {
			$list = implode( ',', array_map( 'intval', $ids ) );
			$wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->usermeta} WHERE user_id IN ($list) AND meta_key = %s", self::MARKER ) ); // phpcs:ignore WordPress.DB
			wp_cache_delete_multiple( $ids, 'user_meta' );
		}
	}

	/**
	 * Does WordPress take this login as it is?
	 *
	 * @param string $login Login.
	 * @return bool
	 */
	public static function login_is_well_formed( $login ) {
		/** This filter is documented in wp-includes/user.php */
		$illegal = array_map( 'strtolower', (array) apply_filters( 'illegal_user_logins', array() ) ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		return '' !== trim( $login ) && sanitize_user( $login, true ) === $login
			&& mb_strlen( $login ) <= self::LONGEST_LOGIN
			&& ! in_array( strtolower( $login ), $illegal, true );
	}

	/**
	 * Inserts row and label.
	 *
	 * @param array $operation Operation.
	 * @return int|WP_Error Account.
	 */
	private static function insert( $operation ) {
		$hash  = self::hash_of( $operation );
		$row   = static function ( $data, $update ) use ( $hash ) {
			global $wpdb;
			if ( ! $update ) {
				if ( null !== $hash ) {
					$data['user_pass'] = $hash;
				}
				$wpdb->query( 'START TRANSACTION' ); // phpcs:ignore WordPress.DB
			}
			return $data;
		};
		$label = static function ( $meta, $user, $update ) use ( $operation ) {
			if ( ! $update ) {
				self::label( (int) $user->ID, $operation['uid'] );
			}
			return $meta;
		};
		add_filter( 'wp_pre_insert_user_data', $row, PHP_INT_MAX, 2 );
		add_filter( 'insert_user_meta', $label, -PHP_INT_MAX, 3 );
		add_filter( 'wp_hash_password_options', array( __CLASS__, 'cheap' ), PHP_INT_MAX );
		// Nobody has them, says the database; a cache may remember who had.
		Rollcall_User_Cache::forget( $operation['create']['login'], $operation['fields']['email']['v'] );
		try {
			$id = wp_insert_user( self::userdata( $operation ) );
		} finally {
			remove_filter( 'wp_pre_insert_user_data', $row, PHP_INT_MAX );
			remove_filter( 'insert_user_meta', $label, -PHP_INT_MAX );
			remove_filter( 'wp_hash_password_options', array( __CLASS__, 'cheap' ), PHP_INT_MAX );
		}
		if ( is_multisite() && ! is_wp_error( $id ) ) {
			// As wpmu_create_user(): a new account belongs to no site until it is added to one.
			delete_user_option( $id, 'capabilities' );
			delete_user_option( $id, 'user_level' );
			/** This action is documented in wp-includes/ms-functions.php */
			do_action( 'wpmu_new_user', $id ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		}
		return $id;
	}

	/**
	 * Labels and marks the row that was just inserted, and makes both visible at once.
	 *
	 * @param int    $id  Account.
	 * @param string $uid Label.
	 * @return void
	 * @throws RuntimeException When row or label could not be written.
	 */
	private static function label( $id, $uid ) {
		global $wpdb;
		$marked = $id && $wpdb->insert( // phpcs:ignore WordPress.DB
			$wpdb->usermeta,
			array(
				'user_id'    => $id,
				'meta_key'   => self::MARKER, // phpcs:ignore WordPress.DB.SlowDBQuery
				'meta_value' => $uid, // phpcs:ignore WordPress.DB.SlowDBQuery
			)
		);
		if ( ! $marked || ! Rollcall_Ledger::label( $id, $uid ) ) {
			$wpdb->query( 'ROLLBACK' ); // phpcs:ignore WordPress.DB
			throw new RuntimeException( 'The account could not be inserted.' );
		}
		$wpdb->query( 'COMMIT' ); // phpcs:ignore WordPress.DB
	}

	/**
	 * What wp_insert_user() is given: expects slashes.
	 *
	 * @param array $operation Operation.
	 * @return array
	 */
	public static function userdata( $operation ) {
		$data = array(
			'user_login'      => $operation['create']['login'],
			'user_pass'       => bin2hex( random_bytes( 32 ) ),
			'user_registered' => self::registered( $operation['create']['registered'] ),
			'role'            => '',
		);
		foreach ( Rollcall_Account_Writer::CORE as $name => $key ) {
			if ( isset( $operation['fields'][ $name ] ) && null === Rollcall_Incoming::why_not( $name, $operation['fields'][ $name ], $operation['blog'] ) ) {
				$data[ $key ] = $operation['fields'][ $name ]['v'];
			}
		}
		return wp_slash( $data );
	}

	/**
	 * The hash of a password that nobody knows.
	 *
	 * @param string $password Random text.
	 * @return string
	 */
	public static function cheap_hash( $password ) {
		add_filter( 'wp_hash_password_options', array( __CLASS__, 'cheap' ), PHP_INT_MAX );
		try {
			return wp_hash_password( $password );
		} finally {
			remove_filter( 'wp_hash_password_options', array( __CLASS__, 'cheap' ), PHP_INT_MAX );
		}
	}

	/**
	 * Options of such a hash: 64 random characters are not guessed, however fast it is to try one.
	 *
	 * @param array $options Options.
	 * @return array
	 */
	public static function cheap( $options ) {
		return array( 'cost' => 4 ) + (array) $options;
	}

	/**
	 * The password's hash, if one came that signs in here.
	 *
	 * @param array $operation Operation.
	 * @return string|null
	 */
	private static function hash_of( $operation ) {
		$field = isset( $operation['fields']['password'] ) ? $operation['fields']['password'] : null;
		return null !== $field && null === Rollcall_Incoming::why_not( 'password', $field, $operation['blog'] ) ? $field['v'] : null;
	}

	/**
	 * Registration date, as WordPress stores it; now, when what came is no date.
	 *
	 * @param string $registered Date, UTC.
	 * @return string
	 */
	private static function registered( $registered ) {
		return preg_match( '/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/D', $registered ) ? $registered : gmdate( 'Y-m-d H:i:s' );
	}
}
