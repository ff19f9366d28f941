<?php
/**
 * WordPress's own privacy tools, for what Rollcall keeps of a person on this site.
 *
 * Does: registers an exporter and an eraser.
 * Does not: touch the account itself, or what the hub keeps: its operator exports and erases that.
 * Always true: what keeps accounts apart, and removed people removed, stays; the answer says so.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Exporter and eraser.
 */
final class Rollcall_Privacy {

	const NAME = 'rollcall-connector';

	/** Hooks in. */
	public static function start() {
		add_filter( 'wp_privacy_personal_data_exporters', array( __CLASS__, 'exporters' ) );
		add_filter( 'wp_privacy_personal_data_erasers', array( __CLASS__, 'erasers' ) );
	}

	/**
	 * `wp_privacy_personal_data_exporters`.
	 *
	 * @param array $exporters Exporters.
	 * @return array
	 */
	public static function exporters( $exporters ) {
		$exporters[ self::NAME ] = array(
			'exporter_friendly_name' => __( 'User Sync (Rollcall)', 'rollcall-connector' ),
			'callback'               => array( __CLASS__, 'export' ),
		);
		return $exporters;
	}

	/**
	 * `wp_privacy_personal_data_erasers`.
	 *
	 * @param array $erasers Erasers.
	 * @return array
	 */
	public static function erasers( $erasers ) {
		$erasers[ self::NAME ] = array(
			'eraser_friendly_name' => __( 'User Sync (Rollcall)', 'rollcall-connector' ),
			'callback'             => array( __CLASS__, 'erase' ),
		);
		return $erasers;
	}

	/**
	 * What is kept of the account with an address. One page.
	 *
	 * @param string $email Address.
	 * @return array
	 */
	public static function export( $email ) {
		$user = get_user_by( 'email', $email );
		$data = array();
		if ( $user ) {
			$id   = (int) $user->ID;
			$rows = Rollcall_Ledger::load( array( $id ) );
			foreach ( self::facts( $id, isset( $rows[ $id ] ) ? $rows[ $id ] : Rollcall_Ledger::blank( $id ) ) as $name => $value ) {
				$data[] = array(
					'name'  => $name,
					'value' => $value,
				);
			}
		}
		return array(
			'data' => $data ? array(
				array(
					'group_id'          => self::NAME,
					'group_label'       => __( 'User Sync', 'rollcall-connector' ),
					'group_description' => __( 'What the site keeps to hold this account in step with others.', 'rollcall-connector' ),
					'item_id'           => 'rollcall-' . $user->ID,
					'data'              => $data,
				),
			) : array(),
			'done' => true,
		);
	}

	/**
	 * Facts about one account, for its person.
	 *
	 * @param int   $id  Account.
	 * @param array $row Its row of the ledger.
	 * @return array<string,string>
	 */
	private static function facts( $id, array $row ) {
		$fields = array();
		foreach ( $row['entries'] as $name => $entry ) {
			$fields[] = 0 === (int) $entry[0] ? (string) $name : $name . ': ' . self::moment( (int) $entry[0] );
		}
		$switches = array_keys( array_filter( $row['switches'] ) );
		$facts    = array(
			__( 'Global identifier', 'rollcall-connector' ) => (string) $row['uid'],
			__( 'Came about', 'rollcall-connector' )        => $row['born'][0] ? self::moment( $row['born'][0] ) : '',
			__( 'Fields, and when they changed last', 'rollcall-connector' ) => implode( ', ', $fields ),
			__( 'Switches', 'rollcall-connector' )          => implode( ', ', $switches ),
			__( 'Waits for the hub', 'rollcall-connector' ) => self::waiting( $id ),
			__( 'Links that are to be confirmed', 'rollcall-connector' ) => implode( ', ', array_map( array( __CLASS__, 'asked' ), self::halves( $id ) ) ),
			__( 'Hub', 'rollcall-connector' )               => Rollcall_Settings::is_bound() ? Rollcall_Settings::hub_named() . ' — ' . __( 'it keeps login, e-mail address and a log of what was synced; its operator can export and erase that.', 'rollcall-connector' ) : '',
		);
		return array_filter( $facts, 'strlen' );
	}

	/**
	 * Erases what can be erased. One page.
	 *
	 * @param string $email Address.
	 * @return array
	 */
	public static function erase( $email ) {
		global $wpdb;
		$removed  = 0;
		$retained = array();
		$user     = get_user_by( 'email', $email );
		// Of an account that ended nothing names the address, unless it was the login, too.
		$removed += (int) $wpdb->query( $wpdb->prepare( 'UPDATE ' . Rollcall_Tables::tombstones() . " SET login = '' WHERE login = %s", $email ) ); // phpcs:ignore WordPress.DB
		if ( $removed ) {
			$retained[] = __( 'User Sync keeps the number of a deleted account, so that it is not created again.', 'rollcall-connector' );
		}
		if ( $user ) {
			$id = (int) $user->ID;
			foreach ( self::halves( $id ) as $proof ) {
				Rollcall_Proof_Store::drop( $proof['half'] );
				++$removed;
			}
			Rollcall_Proof_Store::tidy();
			$removed += self::forget_actor( (string) $user->user_login );
			if ( Rollcall_Ledger::load( array( $id ) ) ) {
				$retained[] = __( 'User Sync keeps a number for the account, and when its fields changed, so that it stays in step and is not taken for somebody else. It holds no values.', 'rollcall-connector' );
			}
		}
		return array(
			'items_removed'  => $removed > 0,
			'items_retained' => (bool) $retained,
			'messages'       => $retained,
			'done'           => true,
		);
	}

	/**
	 * Takes a login out of rows that say who made a change.
	 *
	 * @param string $login Login.
	 * @return int How many named it.
	 */
	private static function forget_actor( $login ) {
		global $wpdb;
		$like = '%' . $wpdb->esc_like( '"login":' . wp_json_encode( $login ) ) . '%';
		$rows = $wpdb->get_results( $wpdb->prepare( 'SELECT subject, actor FROM ' . Rollcall_Tables::outbox() . ' WHERE actor LIKE %s', $like ) ); // phpcs:ignore WordPress.DB
		foreach ( $rows as $row ) {
			$actor = array_diff_key( (array) json_decode( $row->actor, true ), array( 'login' => 1 ) );
			$wpdb->update( Rollcall_Tables::outbox(), array( 'actor' => wp_json_encode( (object) $actor ) ), array( 'subject' => $row->subject ) ); // phpcs:ignore WordPress.DB
		}
		return count( $rows );
	}

	/**
	 * Since when a change waits for the hub.
	 *
	 * @param int $id Account.
	 * @return string
	 */
	private static function waiting( $id ) {
		global $wpdb;
		$since = $wpdb->get_var( $wpdb->prepare( 'SELECT queued_ms FROM ' . Rollcall_Tables::outbox() . ' WHERE subject = %s', 'u:' . $id ) ); // phpcs:ignore WordPress.DB
		return $since ? self::moment( (int) $since ) : '';
	}

	/**
	 * Halves of proofs that this account was asked for.
	 *
	 * @param int $id Account.
	 * @return array[]
	 */
	private static function halves( $id ) {
		return array_values( wp_list_filter( array_merge( Rollcall_Proof_Store::open(), Rollcall_Proof_Store::confirmed() ), array( 'id' => $id ) ) );
	}

	/**
	 * What a half of a proof says, for its person.
	 *
	 * @param array $proof A half.
	 * @return string
	 */
	private static function asked( $proof ) {
		return $proof['other']['site'];
	}

	/**
	 * A moment, UTC.
	 *
	 * @param int $ms Milliseconds since 1970.
	 * @return string
	 */
	private static function moment( $ms ) {
		return gmdate( 'Y-m-d H:i:s', (int) floor( $ms / 1000 ) ) . ' UTC';
	}
}
