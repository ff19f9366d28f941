<?php
/**
 * Customers of WooCommerce: their addresses, and the shop's reports of them.
 *
 * Does: writes single addresses through WC_Customer where WooCommerce has it, so that whoever listens to a
 * customer being saved hears it; tells the reports of a customer that was written as plain meta (in a set,
 * or in a shop of other make); says what WooCommerce would not take.
 * Does not: know carts, orders or totals. Several rows of a key, or none, are plain meta: WC_Customer
 * knows one value.
 * Always true: one by one and in sets the same rows are written and the reports are told.
 * On failure: what a listener throws is the operation's fault, as that of any other.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Customers.
 */
final class Rollcall_Customers {

	/** The role that WooCommerce's reports count as a customer. */
	const ROLE = 'customer';

	/** Parts of an address. Source: WC_Customer_Data_Store. */
	const PARTS = array( 'first_name', 'last_name', 'company', 'address_1', 'address_2', 'city', 'state', 'postcode', 'country', 'phone' );

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'rollcall_customer_applied', array( __CLASS__, 'tell' ), 10, 3 );
	}

	/**
	 * Why a value can't be taken.
	 *
	 * @param string $key  Meta key.
	 * @param mixed  $rows Its list of values.
	 * @return string|null Reason code: what WooCommerce itself would refuse.
	 */
	public static function why_not( $key, $rows ) {
		static $judge = null;
		if ( ! self::is_address( $key ) || ! self::is_one_text( $rows ) || ! self::has_class() ) {
			return null;
		}
		try {
			$judge = null === $judge ? new WC_Customer() : $judge;
			call_user_func( array( $judge, 'set_' . $key ), $rows[0] );
			return null;
		} catch ( Exception $fault ) {
			return 'value.malformed';
		}
	}

	/**
	 * Is this key written through WC_Customer here? It hands a text on as if it had slashes: one with
	 * backslashes would arrive without them.
	 *
	 * @param int    $id   Account.
	 * @param string $key  Meta key.
	 * @param array  $rows One value per row.
	 * @return bool
	 */
	public static function writes( $id, $key, $rows ) {
		return self::is_address( $key ) && self::is_one_text( $rows ) && false === strpos( $rows[0], '\\' ) && self::has_class() && count( get_user_meta( $id, $key, false ) ) < 2;
	}

	/**
	 * Writes addresses through WC_Customer.
	 *
	 * @param int   $id        Account.
	 * @param array $addresses Meta key → text.
	 * @return void
	 */
	public static function write( $id, $addresses ) {
		if ( ! $addresses ) {
			return;
		}
		$customer = new WC_Customer( $id );
		foreach ( $addresses as $key => $text ) {
			try {
				call_user_func( array( $customer, 'set_' . $key ), $text );
			} catch ( Exception $refusal ) {
				// It was judged before, and is refused for this customer alone: reading back shows what is there.
				continue;
			}
		}
		// It saves the account along with its addresses: only those are to change.
		Rollcall_Account_Writer::only_what_changes(
			$id,
			array(),
			static function () use ( $customer ) {
				return $customer->save();
			}
		);
	}

	/**
	 * Are these fields what a shop's reports show of a customer?
	 *
	 * @param array $names Field names that were written.
	 * @return bool
	 */
	public static function concern( $names ) {
		foreach ( $names as $name ) {
			if ( 'role:' . self::ROLE === $name || ( 0 === strpos( $name, 'meta:' ) && self::is_address( substr( $name, 5 ) ) ) ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Tells the shop of a customer. Core's own actions don't: the reports hear of profiles, not of meta and roles.
	 *
	 * @param int  $id      Account.
	 * @param bool $created Whether it is new here.
	 * @param bool $saved   Whether WC_Customer has told of an update already.
	 * @return void
	 */
	public static function tell( $id, $created, $saved ) {
		$action = $created ? 'woocommerce_new_customer' : 'woocommerce_update_customer';
		if ( ( $saved && ! $created ) || ! has_action( $action ) ) {
			return;
		}
		if ( self::has_class() ) {
			do_action( $action, $id, new WC_Customer( $id ) ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		} else {
			do_action( $action, $id ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		}
	}

	/**
	 * Is it a key of an address?
	 *
	 * @param string $key Meta key.
	 * @return bool
	 */
	private static function is_address( $key ) {
		static $keys = null;
		if ( null === $keys ) {
			$keys = array( 'billing_email' => true );
			foreach ( self::PARTS as $part ) {
				$keys[ 'billing_' . $part ]  = true;
				$keys[ 'shipping_' . $part ] = true;
			}
		}
		return isset( $keys[ $key ] );
	}

	/**
	 * One row that is a text.
	 *
	 * @param mixed $rows List of values.
	 * @return bool
	 */
	private static function is_one_text( $rows ) {
		return is_array( $rows ) && 1 === count( $rows ) && isset( $rows[0] ) && is_string( $rows[0] );
	}

	/**
	 * WooCommerce 3.0 and later; shipping_phone is from 5.6, and older ones keep it as plain meta.
	 *
	 * @return bool
	 */
	private static function has_class() {
		return class_exists( 'WC_Customer' ) && method_exists( 'WC_Customer', 'set_shipping_phone' );
	}
}
