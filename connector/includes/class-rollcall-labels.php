<?php
/**
 * Answers `/labels`: the hub puts its uids on accounts.
 *
 * Does: labels an account that still has the login the hub knows; replaces a label when told which.
 * Does not: find out who is who: that is the hub's own table.
 * Always true: one label is on one account; repeating changes nothing (`already`).
 * On failure: `mismatch`, and the label stays as it was.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The hub's labels.
 */
final class Rollcall_Labels {

	/**
	 * Answers a request.
	 *
	 * @param array $request LabelsRequest.
	 * @return array LabelsAnswer.
	 */
	public static function answer( array $request ) {
		$ids     = array_map( 'intval', wp_list_pluck( $request['labels'], 'id' ) );
		$present = self::users( $ids );
		$rows    = Rollcall_Ledger::load( $ids );
		$results = array();
		foreach ( $request['labels'] as $label ) {
			$id        = (int) $label['id'];
			$result    = self::put( $label, isset( $present[ $id ] ) ? $present[ $id ] : null, isset( $rows[ $id ] ) ? $rows[ $id ] : null );
			$results[] = array(
				'id'     => $id,
				'result' => $result,
			);
			if ( 'labelled' === $result ) {
				// A second label for this account is judged by the first.
				$rows = Rollcall_Ledger::load( array( $id ) ) + $rows;
			}
		}
		return array( 'results' => $results );
	}

	/**
	 * One label.
	 *
	 * @param array       $label Label.
	 * @param object|null $user  Row of the users table.
	 * @param array|null  $row   Ledger row.
	 * @return string `labelled`, `already`, `mismatch` or `missing`.
	 */
	private static function put( array $label, $user, $row ) {
		if ( ! $user ) {
			return 'missing';
		}
		$uid = strtolower( (string) $label['uid'] );
		if ( (string) $user->user_login !== (string) $label['login'] ) {
			return 'mismatch';
		}
		$has = $row ? $row['uid'] : null;
		$ok  = $row && Rollcall_Ledger::label_ok( $row, (string) $user->user_login, (string) $user->user_registered );
		if ( $has === $uid ) {
			// The same label over another account (an id used again) is for a person to look into.
			return $ok ? 'already' : 'mismatch';
		}
		if ( null !== $has && ( ! isset( $label['was'] ) || strtolower( $label['was'] ) !== $has ) ) {
			return 'mismatch';
		}
		return Rollcall_Ledger::label( (int) $user->ID, $uid ) ? 'labelled' : 'mismatch';
	}

	/**
	 * Login and registration date of accounts.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return array<int,object>
	 */
	private static function users( array $ids ) {
		global $wpdb;
		$own   = Rollcall_Settings::service_user_id();
		$users = array();
		foreach ( array_chunk( array_diff( array_unique( $ids ), array( $own ) ), 500 ) as $some ) {
			$list = implode( ',', $some );
			foreach ( $wpdb->get_results( "SELECT ID, user_login, user_registered FROM {$wpdb->users} WHERE ID IN ($list)" ) as $row ) { // phpcs:ignore WordPress.DB
				$users[ (int) $row->ID ] = $row;
			}
		}
		return $users;
	}
}
