<?php
/**
 * The accounts that an action is about, page by page.
 *
 * Does: reads them in the order of their ids; counts them; knows who is a super admin.
 * Does not: look at memberships on the site that is written to.
 * Always true: the hub's own account is never among them. Where an installation has several networks,
 *   everybody means whoever is a member of a site of this one.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * People of an action.
 */
final class Rollcall_Network_People {

	/**
	 * Network.
	 *
	 * @var int
	 */
	private $network;

	/**
	 * “all”, or ids in order.
	 *
	 * @var string|int[]
	 */
	private $people;

	/**
	 * Logins of super admins, lower-cased => true.
	 *
	 * @var array<string,bool>
	 */
	private $super;

	/**
	 * A new one.
	 *
	 * @param int          $network Network.
	 * @param string|int[] $people  “all”, or ids in order.
	 */
	public function __construct( $network, $people ) {
		$this->network = (int) $network;
		$this->people  = $people;
		$logins        = isset( $GLOBALS['super_admins'] ) ? $GLOBALS['super_admins'] : maybe_unserialize( Rollcall_Option_Row::certain( 'site_admins', $this->network ) );
		// A plugin may name them by a filter, and an old cache may not know the newest ones.
		$logins        = array_merge( (array) $logins, (array) get_super_admins() );
		$this->super   = array_fill_keys( array_map( 'strtolower', array_map( 'strval', $logins ) ), true );
	}

	/**
	 * How many there are.
	 *
	 * @param int $after Id after which to begin.
	 * @return int
	 * @throws RuntimeException When the database doesn't answer.
	 */
	public function count( $after = 0 ) {
		global $wpdb;
		if ( is_array( $this->people ) ) {
			return count( array_filter( $this->people, self::above( $after ) ) );
		}
		$where = $this->where( $after );
		$count = $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->users} u WHERE $where" ); // phpcs:ignore WordPress.DB
		if ( null === $count ) {
			throw new RuntimeException( 'The accounts can’t be counted.' );
		}
		return (int) $count;
	}

	/**
	 * The next ones.
	 *
	 * @param int $after Id after which to begin.
	 * @param int $limit At most so many.
	 * @return array{people:array<int,?string>,after:?int} Account => why it is never written to; after: null at the end.
	 * @throws RuntimeException When the database doesn't answer.
	 */
	public function next( $after, $limit ) {
		if ( ! is_array( $this->people ) ) {
			return $this->page( array(), $this->where( $after ), $limit );
		}
		$named = array_slice( array_filter( $this->people, self::above( $after ) ), 0, $limit );
		$page  = $this->page( array_fill_keys( $named, 'target.account_missing' ), 'u.ID IN (' . implode( ',', array_merge( array( 0 ), $named ) ) . ')', $limit );
		return array( 'after' => count( $named ) >= $limit ? end( $named ) : null ) + $page;
	}

	/**
	 * The next ones of everybody who are no members of a site.
	 *
	 * @param string $key   Key of its memberships.
	 * @param int    $after Id after which to begin.
	 * @param int    $limit At most so many.
	 * @return array{people:array<int,?string>,after:?int} As next().
	 * @throws RuntimeException When the database doesn't answer.
	 */
	public function missing( $key, $after, $limit ) {
		global $wpdb;
		return $this->page( array(), $this->where( $after ) . " AND u.ID NOT IN (SELECT user_id FROM {$wpdb->usermeta} WHERE meta_key = '" . esc_sql( $key ) . "')", $limit );
	}

	/**
	 * A page of them.
	 *
	 * @param array<int,?string> $found Those that are known without it.
	 * @param string             $where Condition.
	 * @param int                $limit At most so many.
	 * @return array{people:array<int,?string>,after:?int} As next().
	 * @throws RuntimeException When the database doesn't answer.
	 */
	private function page( array $found, $where, $limit ) {
		global $wpdb;
		$rows = $wpdb->get_results( "SELECT u.ID, u.user_login, u.spam, u.deleted, u.user_email FROM {$wpdb->users} u WHERE $where ORDER BY u.ID LIMIT " . (int) $limit, ARRAY_N ); // phpcs:ignore WordPress.DB
		if ( ! is_array( $rows ) || '' !== $wpdb->last_error ) {
			throw new RuntimeException( 'The accounts can’t be read.' );
		}
		foreach ( $rows as $row ) {
			$found[ (int) $row[0] ] = $this->never( $row );
		}
		return array(
			'people' => $found,
			'after'  => count( $rows ) >= $limit ? max( array_keys( $found ) ) : null,
		);
	}

	/**
	 * Why an account is never written to.
	 *
	 * @param array $row Id, login, spam, deleted, address.
	 * @return string|null
	 */
	private function never( array $row ) {
		if ( Rollcall_Service_Account::is_it( (int) $row[0] ) || ( '' === $row[4] && 0 === strpos( $row[1], Rollcall_Service_Account::LOGIN ) ) ) {
			return 'target.hub_account';
		}
		if ( isset( $this->super[ strtolower( $row[1] ) ] ) ) {
			return 'network.super_admin';
		}
		return '0' !== (string) $row[2] || '0' !== (string) $row[3] ? 'network.account_spam' : null;
	}

	/**
	 * A condition for everybody.
	 *
	 * @param int $after Id after which to begin.
	 * @return string
	 */
	private function where( $after ) {
		global $wpdb;
		$where = 'u.ID > ' . (int) $after . ' AND u.ID <> ' . (int) Rollcall_Service_Account::id();
		// Another installation over this users table may be the one that is bound: its hub's account has no address.
		$where .= " AND NOT (u.user_email = '' AND u.user_login LIKE '" . Rollcall_Service_Account::LOGIN . "%')";
		if ( ! Rollcall_Network_Sites::several_networks() ) {
			return $where;
		}
		$keys = array_map( array( 'Rollcall_Roles', 'caps_key' ), Rollcall_Network_Sites::ids( $this->network ) );
		$list = "'" . implode( "','", array_map( 'esc_sql', $keys ) ) . "'";
		return $where . " AND EXISTS (SELECT 1 FROM {$wpdb->usermeta} n WHERE n.user_id = u.ID AND n.meta_key IN ($list))";
	}

	/**
	 * Tells whether an id comes later.
	 *
	 * @param int $after Id.
	 * @return callable
	 */
	private static function above( $after ) {
		return static function ( $id ) use ( $after ) {
			return $id > $after;
		};
	}
}
