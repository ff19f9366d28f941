<?php
/**
 * Writes decided fields into an existing account, through WordPress's own functions.
 *
 * Does: writes core fields in one call, the password's hash by its column, meta and roles; reads back;
 * records stamps; captures whatever else changed meanwhile as this site's own change.
 * Does not: decide which fields win.
 * Always true: `user_pass` is never handed to wp_update_user(): it would hash the hash. The ledger gets
 * a stamp only together with the fingerprint of what is really there. No field is written that the
 * operation doesn't carry, unless another plugin changes it along.
 * On failure: throws; fields that hold the value that was sent are recorded first, so that the next look
 * doesn't take them for edits of this site. Nor does it when the request was killed: the ledger was told
 * before what to expect.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Writer.
 */
final class Rollcall_Account_Writer {

	/** Field → name that wp_update_user() knows it by. */
	const CORE = array(
		'email'        => 'user_email',
		'url'          => 'user_url',
		'display_name' => 'display_name',
		'first_name'   => 'first_name',
		'last_name'    => 'last_name',
		'nickname'     => 'nickname',
		'description'  => 'description',
		'locale'       => 'locale',
	);

	/**
	 * Writes the fields that won.
	 *
	 * @param array           $operation Operation.
	 * @param Rollcall_Target $target    The account.
	 * @param array           $fields    Field → { s, r, … } as decided.
	 * @param bool            $filling   Its creation is being finished.
	 * @return array The fields, with what came of them.
	 */
	public static function apply( $operation, $target, $fields, $filling ) {
		$blog    = $operation['blog'];
		$winners = array();
		foreach ( $fields as $name => $field ) {
			if ( 'applied' === $field['r'] ) {
				$winners[ $name ] = self::as_stored( $operation['fields'][ $name ]['v'], (string) $name );
			}
		}
		if ( ! $winners && ! $filling ) {
			return $fields;
		}
		/**
		 * Fires before an operation is carried out.
		 *
		 * @param array $operation The operation.
		 * @param int   $id        The account.
		 */
		Rollcall_Callbacks::tell( 'rollcall_before_apply', Rollcall_Callbacks::shown( $operation ), $target->id );
		Rollcall_Overwritten::note( array( $target->id => array( $target, array_keys( $winners ) ) ) );
		self::expect( $operation, $target, $winners );
		$failed = array();
		$whole  = false;
		$differ = self::differing( $target, $winners );
		try {
			Rollcall_Capture::quiet(
				static function () use ( $operation, $target, $differ, $filling, $blog, &$failed ) {
					$saved  = false;
					$failed = self::write( $target, $differ, $blog, $saved );
					if ( $filling ) {
						Rollcall_Account_Creator::finish( $operation, $target );
					}
					if ( Rollcall_Customers::concern( array_keys( $differ ) ) ) {
						/**
						 * Fires after what a shop knows of a customer came from another site.
						 *
						 * @param int  $id      The account.
						 * @param bool $created Whether it is new here.
						 * @param bool $saved   Whether WC_Customer has saved it, and told of that.
						 */
						do_action( 'rollcall_customer_applied', $target->id, $filling, $saved );
					}
				}
			);
			$whole = true;
		} finally {
			$fields = self::read_back( $operation, $target, $fields, $winners, $failed, $whole );
		}
		if ( $filling ) {
			Rollcall_Account_Creator::forget_markers( array( $target->id ) );
		}
		Rollcall_Target::settle_after( array( $target->id => $target ) );
		return $fields;
	}

	/**
	 * Has the ledger expect what is about to be written: this request may be killed at any moment.
	 *
	 * @param array           $operation Operation.
	 * @param Rollcall_Target $target    The account.
	 * @param array           $winners   Field → value.
	 * @return void
	 */
	private static function expect( $operation, $target, $winners ) {
		$entries = array();
		foreach ( $winners as $name => $value ) {
			$name  = (string) $name;
			$stamp = $operation['fields'][ $name ]['s'];

			$entries[ Rollcall_Target::entry_name( $name, $operation['blog'] ) ] = array( $stamp[0], $stamp[1], $value, $target->value( $name ) );
		}
		if ( $entries ) {
			Rollcall_Ledger::expect( $target->id, $entries );
		}
	}

	/**
	 * The values that differ from what is there.
	 *
	 * @param Rollcall_Target $target  The account.
	 * @param array           $winners Field → value.
	 * @return array Field → value.
	 */
	private static function differing( $target, $winners ) {
		$differ = array();
		foreach ( $winners as $name => $value ) {
			if ( ! Rollcall_Values::equal( $target->value( (string) $name ), $value ) ) {
				$differ[ $name ] = $value;
			}
		}
		return $differ;
	}

	/**
	 * Writes values.
	 *
	 * @param Rollcall_Target $target The account.
	 * @param array           $differ Field → value.
	 * @param int             $blog   Site.
	 * @param bool            $saved  Out: some of them were saved by WooCommerce.
	 * @return array Field → reason, for those that WordPress, or the plugin of a field, refused.
	 */
	private static function write( $target, $differ, $blog, &$saved ) {
		$watch = new Rollcall_Query_Faults();
		// First: a sign-in that hashes the old one again has little time to come in between.
		if ( isset( $differ['password'] ) ) {
			self::write_password( $target->id, $differ['password'] );
		}
		$core      = array_intersect_key( $differ, self::CORE );
		$failed    = $core ? self::write_core( $target->id, $core ) : array();
		$addresses = array();
		foreach ( $differ as $name => $value ) {
			if ( 0 === strpos( $name, 'meta:' ) ) {
				$key = substr( $name, 5 );
				if ( Rollcall_Customers::writes( $target->id, $key, $value ) ) {
					$addresses[ $key ] = $value[0];
				} else {
					self::write_meta( $target->id, $key, $value );
				}
			} elseif ( 0 === strpos( $name, 'role:' ) ) {
				self::write_role( $target->id, substr( $name, 5 ), $value, $blog );
			}
		}
		// Last: the reports count only who has the role.
		Rollcall_Customers::write( $target->id, $addresses );
		$saved = array() !== $addresses;
		$watch->throw_if_any();
		foreach ( $differ as $name => $value ) {
			if ( 0 === strpos( $name, 'ext:' ) && ! Rollcall_Ext_Fields::apply( $target->id, $name, $value ) ) {
				$failed[ $name ] = 'field.failed';
			}
		}
		return $failed;
	}

	/**
	 * Core fields, in one call.
	 *
	 * @param int   $id   Account.
	 * @param array $core Field → text.
	 * @return array Field → reason.
	 */
	private static function write_core( $id, $core ) {
		$data = array( 'ID' => $id );
		Rollcall_User_Cache::forget( '', isset( $core['email'] ) ? $core['email'] : '' );
		foreach ( $core as $name => $value ) {
			$data[ self::CORE[ $name ] ] = wp_slash( $value );
		}
		$result = self::only_what_changes(
			$id,
			$data,
			static function () use ( $data ) {
				return wp_update_user( $data );
			}
		);
		if ( ! is_wp_error( $result ) ) {
			return array();
		}
		if ( 'existing_user_email' === $result->get_error_code() && isset( $core['email'] ) ) {
			$rest = array_diff_key( $core, array( 'email' => '' ) );
			return array( 'email' => 'identity.email_taken' ) + ( $rest ? self::write_core( $id, $rest ) : array() );
		}
		return array_fill_keys( array_keys( $core ), 'target.error' );
	}

	/**
	 * WordPress's update, which writes every field back as it has read it: here it writes only what is to
	 * change. What somebody else saves in between would be undone otherwise, a new password, too.
	 *
	 * @param int      $id   Account.
	 * @param array    $data What is to change, as wp_update_user() takes it.
	 * @param callable $job  Whatever calls wp_update_user() for this account.
	 * @return mixed What the job gives.
	 */
	public static function only_what_changes( $id, $data, $job ) {
		$user = get_userdata( $id );
		if ( ! $user ) {
			return $job();
		}
		$read = $user->to_array() + array_map( 'current', get_user_meta( $id ) );
		$old  = static function ( $name, $value ) use ( $data, $read ) {
			return ! isset( $data[ $name ] ) && isset( $read[ $name ] ) && is_scalar( $value ) && (string) $value === (string) $read[ $name ];
		};
		$row  = static function ( $row, $update, $of ) use ( $id, $old, $read ) {
			foreach ( (int) $of === $id ? $row : array() as $name => $value ) {
				if ( $old( $name, $value ) ) {
					unset( $row[ $name ] );
				}
			}
			// WordPress takes an empty row for a fault.
			return $row ? $row : array( 'user_nicename' => $read['user_nicename'] );
		};
		$meta = static function ( $check, $of, $name, $value ) use ( $id, $old ) {
			return null === $check && (int) $of === $id && $old( $name, $value ) ? false : $check;
		};
		add_filter( 'wp_pre_insert_user_data', $row, PHP_INT_MAX, 3 );
		add_filter( 'update_user_metadata', $meta, PHP_INT_MIN, 4 );
		try {
			return $job();
		} finally {
			remove_filter( 'wp_pre_insert_user_data', $row, PHP_INT_MAX );
			remove_filter( 'update_user_metadata', $meta, PHP_INT_MIN );
		}
	}

	/**
	 * The password's hash, as it is. Signs the person out here, and ends a reset that was asked for.
	 *
	 * @param int    $id   Account.
	 * @param string $hash Hash.
	 * @return void
	 */
	private static function write_password( $id, $hash ) {
		global $wpdb;
		$wpdb->update( // phpcs:ignore WordPress.DB
			$wpdb->users,
			array(
				'user_pass'           => $hash,
				'user_activation_key' => '',
			),
			array( 'ID' => $id )
		);
		clean_user_cache( $id );
		/**
		 * Fires after a password's hash came from another site. The hash isn't told.
		 *
		 * @param int    $id   The account.
		 * @param string $kind Kind of hash.
		 */
		Rollcall_Callbacks::tell( 'rollcall_password_applied', $id, Rollcall_Passwords::kind( $hash ) );
	}

	/**
	 * The rows of one meta key.
	 *
	 * @param int    $id     Account.
	 * @param string $key    Meta key.
	 * @param array  $values One value per row.
	 * @return void
	 */
	private static function write_meta( $id, $key, $values ) {
		$slashed = wp_slash( $key );
		$rows    = get_user_meta( $id, $key, false );
		if ( 1 === count( $rows ) && 1 === count( $values ) ) {
			update_user_meta( $id, $slashed, wp_slash( $values[0] ) );
			return;
		}
		delete_user_meta( $id, $slashed );
		foreach ( $values as $value ) {
			add_user_meta( $id, $slashed, wp_slash( $value ) );
		}
	}

	/**
	 * One role on the current site; other roles are never touched.
	 *
	 * @param int    $id   Account.
	 * @param string $role Role.
	 * @param bool   $has  Whether the account is to have it.
	 * @param int    $blog The current site.
	 * @return void
	 */
	private static function write_role( $id, $role, $has, $blog ) {
		$user = new WP_User( $id );
		if ( ! $has ) {
			$user->remove_role( $role );
		} elseif ( is_multisite() && ! is_user_member_of_blog( $id, $blog ) ) {
			add_user_to_blog( $blog, $id, $role );
		} else {
			$user->add_role( $role );
		}
	}

	/**
	 * Reads back and records.
	 *
	 * @param array           $operation Operation.
	 * @param Rollcall_Target $target    The account.
	 * @param array           $fields    Fields as decided.
	 * @param array           $winners   Field → value that was sent.
	 * @param array           $failed    Field → reason.
	 * @param bool            $whole     Whether the writing came to its end.
	 * @return array Fields with what came of them.
	 */
	private static function read_back( $operation, $target, $fields, $winners, $failed, $whole ) {
		$target->read_again();
		$entries = array();
		foreach ( $winners as $name => $sent ) {
			$name   = (string) $name;
			$really = $target->value( $name );
			$equal  = Rollcall_Values::equal( $really, $sent );
			if ( ! $equal && isset( $failed[ $name ] ) ) {
				$fields[ $name ] = array(
					's'   => $target->held_or_before( $name ),
					'r'   => 'target.error' === $failed[ $name ] ? 'refused' : 'conflict',
					'why' => $failed[ $name ],
				);
				continue;
			}
			if ( ! $equal && ! $whole ) {
				continue;
			}
			$fields[ $name ]['r'] = $equal ? 'applied' : 'altered';
			$stamp                = $operation['fields'][ $name ]['s'];
			$entries[ Rollcall_Target::entry_name( $name, $operation['blog'] ) ] = array( $stamp[0], $stamp[1], $really );
		}
		if ( $entries ) {
			Rollcall_Ledger::record( $target->id, $entries );
		}
		return $fields;
	}

	/**
	 * A value as usermeta gives it back: single values of a row are text there.
	 *
	 * @param mixed  $value Incoming value.
	 * @param string $name  Field name.
	 * @return mixed
	 */
	public static function as_stored( $value, $name ) {
		if ( 0 !== strpos( $name, 'meta:' ) ) {
			return $value;
		}
		return array_map(
			static function ( $row ) {
				return is_array( $row ) ? $row : (string) $row;
			},
			$value
		);
	}
}
