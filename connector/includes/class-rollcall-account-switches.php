<?php
/**
 * Switches of accounts in wp-admin: Users list (columns, bulk actions), profile. On a network also the network's
 * list of users.
 *
 * Does: shows and sets “stop outgoing”, “also what the account does to others”, and “reject incoming”; shows the
 * uid in profiles.
 * Does not: ask the hub.
 * Always true: setting needs a nonce and the right to edit that very account; the hub's own account has none.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Users list and profile.
 */
final class Rollcall_Account_Switches {

	const NONCE = 'rollcall_switches';

	/** Bulk action → switches. */
	const BULK = array(
		'rollcall_stop_outgoing'   => array( 'stop_outgoing' => true ),
		'rollcall_allow_outgoing'  => array(
			'stop_outgoing' => false,
			'stop_made'     => false,
		),
		'rollcall_reject_incoming' => array( 'reject_incoming' => true ),
		'rollcall_take_incoming'   => array( 'reject_incoming' => false ),
	);

	/**
	 * Switches of the accounts on the page, read at once.
	 *
	 * @var array<int,array>
	 */
	private static $shown = array();

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		foreach ( array( 'manage_users_columns', 'wpmu_users_columns' ) as $columns ) {
			add_filter( $columns, array( __CLASS__, 'columns' ) );
		}
		add_filter( 'manage_users_custom_column', array( __CLASS__, 'column' ), 10, 3 );
		foreach ( array( 'users', 'users-network' ) as $screen ) {
			add_filter( 'bulk_actions-' . $screen, array( __CLASS__, 'bulk_actions' ) );
		}
		add_action( 'load-users.php', array( __CLASS__, 'bulk' ) );
		foreach ( array( 'show_user_profile', 'edit_user_profile' ) as $show ) {
			add_action( $show, array( __CLASS__, 'profile' ) );
		}
		foreach ( array( 'personal_options_update', 'edit_user_profile_update' ) as $save ) {
			add_action( $save, array( __CLASS__, 'save' ) );
		}
		add_filter( 'removable_query_args', array( __CLASS__, 'removable' ) );
		add_action( 'admin_notices', array( __CLASS__, 'notice' ) );
		add_action( 'network_admin_notices', array( __CLASS__, 'notice' ) );
	}

	/**
	 * Two columns.
	 *
	 * @param array $columns Columns.
	 * @return array
	 */
	public static function columns( $columns ) {
		if ( ! current_user_can( 'edit_users' ) ) {
			return $columns;
		}
		return $columns + array(
			'rollcall_outgoing' => __( 'Sync out', 'rollcall-connector' ),
			'rollcall_incoming' => __( 'Sync in', 'rollcall-connector' ),
		);
	}

	/**
	 * What stands in them.
	 *
	 * @param string $shown  What stands there.
	 * @param string $column Column.
	 * @param int    $id     Account.
	 * @return string
	 */
	public static function column( $shown, $column, $id ) {
		if ( 'rollcall_outgoing' === $column ) {
			$switches = self::switches( (int) $id );
			if ( ! $switches['stop_outgoing'] ) {
				return '<span aria-hidden="true">—</span>';
			}
			return esc_html( $switches['stop_made'] ? __( 'Stopped, with what it does to others', 'rollcall-connector' ) : __( 'Stopped', 'rollcall-connector' ) );
		}
		if ( 'rollcall_incoming' === $column ) {
			return self::switches( (int) $id )['reject_incoming'] ? esc_html__( 'Rejected', 'rollcall-connector' ) : '<span aria-hidden="true">—</span>';
		}
		return $shown;
	}

	/**
	 * Bulk actions.
	 *
	 * @param array $actions Actions.
	 * @return array
	 */
	public static function bulk_actions( $actions ) {
		if ( ! current_user_can( 'edit_users' ) ) {
			return $actions;
		}
		return $actions + array(
			'rollcall_stop_outgoing'   => __( 'User Sync: stop outgoing', 'rollcall-connector' ),
			'rollcall_allow_outgoing'  => __( 'User Sync: let outgoing go', 'rollcall-connector' ),
			'rollcall_reject_incoming' => __( 'User Sync: reject incoming', 'rollcall-connector' ),
			'rollcall_take_incoming'   => __( 'User Sync: take incoming', 'rollcall-connector' ),
		);
	}

	/**
	 * Does a bulk action. Core takes the nonce away before it calls handlers of its own, so this comes first.
	 *
	 * @return void
	 */
	public static function bulk() {
		// phpcs:disable WordPress.Security.NonceVerification, WordPress.Security.ValidatedSanitizedInput
		$action = '';
		foreach ( array( 'action2', 'action' ) as $box ) {
			$given  = isset( $_REQUEST[ $box ] ) && is_string( $_REQUEST[ $box ] ) ? wp_unslash( $_REQUEST[ $box ] ) : '';
			$action = isset( self::BULK[ $given ] ) ? $given : $action;
		}
		$name = is_network_admin() ? 'allusers' : 'users';
		if ( '' === $action || empty( $_REQUEST[ $name ] ) || isset( $_REQUEST['changeit'] ) ) {
			return;
		}
		check_admin_referer( is_network_admin() ? 'bulk-users-network' : 'bulk-users' );
		$ids = array_map( 'absint', (array) $_REQUEST[ $name ] );
		// phpcs:enable
		$back = wp_get_referer();
		wp_safe_redirect( add_query_arg( 'rollcall_switched', self::switch_all( $ids, self::BULK[ $action ] ), $back ? $back : self_admin_url( 'users.php' ) ) );
		exit;
	}

	/**
	 * Sets switches of all that the current person may edit.
	 *
	 * @param int[] $ids      Accounts.
	 * @param array $switches Switches.
	 * @return int How many.
	 */
	private static function switch_all( $ids, $switches ) {
		$count = 0;
		foreach ( array_unique( $ids ) as $id ) {
			if ( ! get_userdata( $id ) || ! self::may_switch( $id ) ) {
				continue;
			}
			if ( array_diff_assoc( $switches, Rollcall_Ledger::switches( $id ) ) ) {
				Rollcall_Ledger::set_switches( $id, $switches );
			}
			++$count;
		}
		return $count;
	}

	/**
	 * What the bulk action did.
	 *
	 * @return void
	 */
	public static function notice() {
		// phpcs:ignore WordPress.Security.NonceVerification.Recommended
		$count = isset( $_GET['rollcall_switched'] ) ? absint( $_GET['rollcall_switched'] ) : null;
		if ( null === $count || ! current_user_can( 'edit_users' ) ) {
			return;
		}
		/* translators: %s: number of accounts. */
		$sentence = sprintf( _n( 'User Sync: %s account set.', 'User Sync: %s accounts set.', $count, 'rollcall-connector' ), number_format_i18n( $count ) );
		echo '<div class="notice notice-success is-dismissible"><p>' . esc_html( $sentence ) . '</p></div>';
	}

	/**
	 * What is taken off the address after it was shown.
	 *
	 * @param string[] $names Names.
	 * @return string[]
	 */
	public static function removable( $names ) {
		return array_merge( $names, array( 'rollcall_switched' ) );
	}

	/**
	 * Uid and switches in a profile.
	 *
	 * @param WP_User $user The account.
	 * @return void
	 */
	public static function profile( $user ) {
		if ( ! self::may_switch( (int) $user->ID ) ) {
			return;
		}
		$rows     = Rollcall_Ledger::load( array( (int) $user->ID ) );
		$row      = isset( $rows[ $user->ID ] ) ? $rows[ $user->ID ] : Rollcall_Ledger::blank( (int) $user->ID );
		$switches = $row['switches'];
		echo '<h2>' . esc_html__( 'User Sync', 'rollcall-connector' ) . '</h2><table class="form-table" role="presentation">';
		printf( '<tr><th scope="row">%1$s</th><td><code>%2$s</code></td></tr>', esc_html__( 'Global identifier', 'rollcall-connector' ), esc_html( null === $row['uid'] ? '–' : $row['uid'] ) );
		echo '<tr><th scope="row">' . esc_html__( 'Sync', 'rollcall-connector' ) . '</th><td><fieldset><legend class="screen-reader-text">' . esc_html__( 'Sync', 'rollcall-connector' ) . '</legend>';
		wp_nonce_field( self::NONCE, self::NONCE, false );
		self::box( 'stop_outgoing', __( 'Stop outgoing: changes of this account stay on this site', 'rollcall-connector' ), $switches );
		self::box( 'stop_made', __( 'and so do changes that this account makes to others', 'rollcall-connector' ), $switches );
		self::box( 'reject_incoming', __( 'Reject incoming: updates and deletes from other sites are refused', 'rollcall-connector' ), $switches );
		echo '</fieldset></td></tr></table>';
	}

	/**
	 * One switch.
	 *
	 * @param string $name     Its name.
	 * @param string $label    What it does.
	 * @param array  $switches How they are.
	 * @return void
	 */
	private static function box( $name, $label, $switches ) {
		printf( '<label><input type="checkbox" name="rollcall_%1$s" value="1"%2$s> %3$s</label><br>', esc_attr( $name ), checked( $switches[ $name ], true, false ), esc_html( $label ) );
	}

	/**
	 * Saves the switches of a profile. A form without them leaves them as they are.
	 *
	 * @param int $id Account.
	 * @return void
	 */
	public static function save( $id ) {
		$nonce = isset( $_POST[ self::NONCE ] ) ? sanitize_key( wp_unslash( $_POST[ self::NONCE ] ) ) : '';
		if ( ! wp_verify_nonce( $nonce, self::NONCE ) || ! self::may_switch( (int) $id ) ) {
			return;
		}
		$wanted = array();
		foreach ( Rollcall_Switches::NAMES as $name ) {
			$wanted[ $name ] = isset( $_POST[ 'rollcall_' . $name ] );
		}
		if ( array_diff_assoc( $wanted, Rollcall_Ledger::switches( (int) $id ) ) ) {
			Rollcall_Ledger::set_switches( (int) $id, $wanted );
		}
	}

	/**
	 * May the current person set the switches of an account?
	 *
	 * @param int $id Account.
	 * @return bool
	 */
	private static function may_switch( $id ) {
		return current_user_can( 'edit_users' ) && current_user_can( 'edit_user', $id ) && ! Rollcall_Service_Account::is_it( $id );
	}

	/**
	 * Switches of an account of the page.
	 *
	 * @param int $id Account.
	 * @return array
	 */
	private static function switches( $id ) {
		if ( ! isset( self::$shown[ $id ] ) ) {
			$ids = array_merge( array( $id ), self::on_page() );
			foreach ( Rollcall_Ledger::load( $ids ) as $row ) {
				self::$shown[ $row['id'] ] = $row['switches'];
			}
			foreach ( $ids as $one ) {
				self::$shown += array( $one => Rollcall_Ledger::blank( $one )['switches'] );
			}
		}
		return self::$shown[ $id ];
	}

	/**
	 * Accounts of the list that is being shown.
	 *
	 * @return int[]
	 */
	private static function on_page() {
		$table = isset( $GLOBALS['wp_list_table'] ) ? $GLOBALS['wp_list_table'] : null;
		$items = is_object( $table ) && isset( $table->items ) && is_array( $table->items ) ? $table->items : array();
		return array_values( array_filter( array_map( 'intval', wp_list_pluck( array_filter( $items, 'is_object' ), 'ID' ) ) ) );
	}
}
