<?php
/**
 * Finds accounts that an operation means, or that stand in its way.
 *
 * Does: looks up by label, e-mail and login, by SQL on the writer.
 * Does not: link anything. An e-mail or login never says who somebody is here.
 * Always true: `exact` is decided byte by byte (e-mail lower-cased): a collation takes ádmin for admin.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Look-ups.
 */
final class Rollcall_Account_Finder {

	/**
	 * The account that carries the operation's label.
	 *
	 * @param array $operation Operation.
	 * @return array { id: int (0: none), refusal: string|null }.
	 */
	public static function by_label( $operation ) {
		return self::by_labels( array( $operation ) )[0];
	}

	/**
	 * The accounts that carry the operations' labels. The same few queries however many.
	 *
	 * @param array $operations Operations.
	 * @return array For each, by its place: { id: int (0: none), refusal: string|null }.
	 */
	public static function by_labels( $operations ) {
		$known   = Rollcall_Ledger::labelled( array_column( $operations, 'uid' ) );
		$strange = array();
		foreach ( $operations as $operation ) {
			if ( null !== $operation['id'] && ( ! isset( $known[ $operation['uid'] ] ) || $known[ $operation['uid'] ]['id'] !== $operation['id'] ) ) {
				$strange[] = $operation['id'];
			}
		}
		$there = $strange ? array_flip( self::among( $strange ) ) : array();
		$found = array();
		foreach ( $operations as $place => $operation ) {
			$account = isset( $known[ $operation['uid'] ] ) ? $known[ $operation['uid'] ] : null;
			if ( null !== $operation['id'] && ( null === $account || $operation['id'] !== $account['id'] ) ) {
				// The hub's table and the site's label disagree: an alarm, never a link.
				$found[ $place ] = array(
					'id'      => 0,
					'refusal' => isset( $there[ $operation['id'] ] ) || $account ? 'identity.label_mismatch' : 'target.account_missing',
				);
				continue;
			}
			$found[ $place ] = array(
				'id'      => $account && $account['ok'] ? $account['id'] : 0,
				'refusal' => $account && ! $account['ok'] ? 'identity.label_mismatch' : null,
			);
		}
		return $found;
	}

	/**
	 * Another account that has this e-mail address, as WordPress compares addresses.
	 *
	 * @param string $email Address.
	 * @param int    $not   Account that may have it.
	 * @return array|null { user: WP_User, exact: bool }.
	 */
	public static function by_email( $email, $not = 0 ) {
		return '' === $email ? null : self::by_column( 'user_email', $email, $not );
	}

	/**
	 * The account that has this login, as WordPress compares logins.
	 *
	 * @param string $login Login.
	 * @return array|null { user: WP_User, exact: bool }.
	 */
	public static function by_login( $login ) {
		return self::by_column( 'user_login', $login, 0 );
	}

	/**
	 * Is there such an account?
	 *
	 * @param int $id Account.
	 * @return bool
	 */
	public static function exists( $id ) {
		return array() !== self::among( array( $id ) );
	}

	/**
	 * Those of some accounts that exist.
	 *
	 * @param int[] $ids Accounts.
	 * @return int[]
	 */
	private static function among( $ids ) {
		global $wpdb;
		$list = implode( ',', array_map( 'intval', $ids ) );
		return array_map( 'intval', $wpdb->get_col( "SELECT ID FROM {$wpdb->users} WHERE ID IN ($list)" ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Looks a column up, the exact match first.
	 *
	 * @param string $column Column of the users table.
	 * @param string $value  Value.
	 * @param int    $not    Account that doesn't count.
	 * @return array|null
	 */
	private static function by_column( $column, $value, $not ) {
		global $wpdb;
		$rows = $wpdb->get_results( $wpdb->prepare( "SELECT ID, $column AS text FROM {$wpdb->users} WHERE $column = %s AND ID <> %d ORDER BY ID LIMIT 20", $value, $not ) ); // phpcs:ignore WordPress.DB
		if ( ! $rows ) {
			return null;
		}
		$best = $rows[0];
		foreach ( $rows as $row ) {
			if ( strtolower( $row->text ) === strtolower( $value ) ) {
				$best = $row;
				break;
			}
		}
		return array(
			'user'  => new WP_User( (int) $best->ID ),
			'exact' => strtolower( $best->text ) === strtolower( $value ),
		);
	}
}
