<?php
/**
 * Somebody stays an administrator of a site, whatever is allowed by name.
 *
 * Does: says whose membership has to be left as it is, so that no site loses its last administrator.
 * Does not: write.
 * Always true: asked in the transaction that writes, which has the turn at this site, so two of ours that take
 *   administrators away at once don't both see the other's. It locks nothing: a person who takes one away a moment later
 *   would only have waited for that.
 * On failure: throws, and nothing is written.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Last administrators.
 */
final class Rollcall_Network_Last_Administrator {

	/** As the role stands in a stored membership; WordPress looks at the name, whatever is stored beside it. */
	const STORED = 's:13:"administrator";';

	/**
	 * Who has to stay.
	 *
	 * @param Rollcall_Network_Target $target  Site.
	 * @param array                   $changes Account => { was: string, now: ?string }, as stored; null: it ends.
	 * @return int|null Account; null: nobody has to.
	 * @throws RuntimeException When the memberships can't be read.
	 */
	public static function among( $target, array $changes ) {
		global $wpdb;
		$leave = array();
		foreach ( $changes as $id => $one ) {
			if ( false !== strpos( (string) $one['was'], self::STORED ) && false === strpos( (string) $one['now'], self::STORED ) ) {
				$leave[] = (int) $id;
			}
		}
		if ( ! $leave ) {
			return null;
		}
		$list  = implode( ',', $leave );
		$like  = '%' . $wpdb->esc_like( self::STORED ) . '%';
		$other = $wpdb->get_col( $wpdb->prepare( "SELECT user_id FROM {$wpdb->usermeta} WHERE meta_key = %s AND meta_value LIKE %s AND user_id NOT IN ($list)", $target->caps_key, $like ) ); // phpcs:ignore WordPress.DB
		if ( '' !== $wpdb->last_error ) {
			throw new RuntimeException( 'Administrators can’t be read.' );
		}
		$ids = implode( ',', array_merge( array( 0 ), array_map( 'intval', $other ) ) );
		// A row of usermeta may outlive its account.
		return $wpdb->get_var( "SELECT ID FROM {$wpdb->users} WHERE ID IN ($ids) LIMIT 1" ) ? null : $leave[0]; // phpcs:ignore WordPress.DB
	}
}
