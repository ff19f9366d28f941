<?php
/**
 * Answers `/accounts`: pages of account states, by id.
 *
 * Does: finds accounts by id, login, role on this site, or a word; pages by id, for `/digests`, too.
 * Does not: count them all.
 * Always true: a page ends on time and on memory as it does on its limit, and says where it ended.
 * On failure: what can't be encoded of an account is named in its state.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Accounts, as the hub reads them.
 */
final class Rollcall_Accounts {

	/** Accounts read at once. */
	const CHUNK = 250;

	/** A page ends after this, in seconds: hosts cut off at 30. */
	const SECONDS = 10;

	/**
	 * Answers a request.
	 *
	 * @param array $request AccountsRequest.
	 * @return array AccountsAnswer.
	 */
	public static function answer( array $request ) {
		list( $accounts, $next ) = self::page( $request, (string) $request['detail'] );
		return array(
			'accounts' => $accounts,
			'next'     => $next,
			'clock'    => Rollcall_Settings::clock_ms(),
			'epoch'    => Rollcall_Life::epoch(),
		);
	}

	/**
	 * One page.
	 *
	 * @param array  $request What AccountsRequest and DigestsRequest share.
	 * @param string $detail  `who` or `state`.
	 * @return array{0:array[],1:?int} States; where the next page begins, null after the last one.
	 */
	public static function page( array $request, $detail ) {
		Rollcall_Tables::use_writer();
		$limit    = (int) $request['limit'];
		$ids      = self::find( $request, $limit + 1 );
		$fit      = Rollcall_Limits::first_that_fit( array_slice( $ids, 0, $limit ) );
		$more     = count( $ids ) > count( $fit );
		$accounts = array();
		$until    = microtime( true ) + Rollcall_Limits::seconds( self::SECONDS );
		$last     = 0;
		foreach ( array_chunk( $fit, self::CHUNK ) as $some ) {
			if ( $last && ( microtime( true ) > $until || Rollcall_Limits::memory_is_short() ) ) {
				$more = true;
				break;
			}
			foreach ( Rollcall_Outgoing::filter( Rollcall_States::of( $some, $detail ) ) as $state ) {
				$accounts[] = $state;
			}
			$last = end( $some );
		}
		return array( $accounts, $more ? $last : null );
	}

	/**
	 * Ids of the accounts asked for.
	 *
	 * @param array $request AccountsRequest.
	 * @param int   $limit   At most so many.
	 * @return int[]
	 */
	private static function find( array $request, $limit ) {
		global $wpdb;
		$where = array( $wpdb->prepare( 'u.ID > %d', $request['after'] ) );
		$own   = Rollcall_Settings::service_user_id();
		if ( $own ) {
			$where[] = $wpdb->prepare( 'u.ID <> %d', $own );
		}
		if ( isset( $request['ids'] ) ) {
			$where[] = $request['ids'] ? 'u.ID IN (' . implode( ',', array_map( 'intval', $request['ids'] ) ) . ')' : '1 = 0';
		}
		if ( isset( $request['logins'] ) ) {
			$marks   = implode( ',', array_fill( 0, count( $request['logins'] ), '%s' ) );
			$where[] = $request['logins'] ? $wpdb->prepare( "u.user_login IN ($marks)", $request['logins'] ) : '1 = 0'; // phpcs:ignore WordPress.DB
		}
		if ( isset( $request['search'] ) && '' !== trim( $request['search'] ) ) {
			$like    = '%' . $wpdb->esc_like( trim( $request['search'] ) ) . '%';
			$where[] = $wpdb->prepare( '(u.user_login LIKE %s OR u.user_email LIKE %s OR u.display_name LIKE %s)', $like, $like, $like );
		}
		if ( ! empty( $request['roles'] ) ) {
			$where[] = self::with_roles( $request['roles'] );
		}
		$where = implode( ' AND ', $where );
		return array_map( 'intval', $wpdb->get_col( $wpdb->prepare( "SELECT u.ID FROM {$wpdb->users} u WHERE $where ORDER BY u.ID LIMIT %d", $limit ) ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Condition: one of these roles on the present site.
	 *
	 * @param string[] $roles Role names.
	 */
	private static function with_roles( array $roles ) {
		global $wpdb;
		$any = array();
		foreach ( $roles as $role ) {
			$any[] = $wpdb->prepare( 'm.meta_value LIKE %s', '%' . $wpdb->esc_like( '"' . $role . '";b:1' ) . '%' );
		}
		return $wpdb->prepare( "EXISTS (SELECT 1 FROM {$wpdb->usermeta} m WHERE m.user_id = u.ID AND m.meta_key = %s AND (", Rollcall_Roles::caps_key( get_current_blog_id() ) ) . implode( ' OR ', $any ) . '))'; // phpcs:ignore WordPress.DB
	}
}
