<?php
/**
 * Runs in Network Admin: the newest ones, and one with its progress, its buttons and whom it added.
 *
 * Always true: a run of another network is as good as none.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Tab of runs.
 */
final class Rollcall_Network_Runs_Tab {

	const ACTION = 'rollcall_network_control';
	const LOOK   = 'rollcall_network_run';

	/** Runs, and people of a run, on one page. */
	const RUNS = 20;
	const ROWS = 100;

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'network_admin_edit_' . self::ACTION, array( __CLASS__, 'control' ) );
		add_action( 'wp_ajax_' . self::LOOK, array( __CLASS__, 'look' ) );
	}

	/**
	 * The list, or one run.
	 *
	 * @return void
	 */
	public static function show() {
		$id = Rollcall_Network_Page::asked( 'run' );
		if ( '' === $id ) {
			self::newest();
			return;
		}
		$run = Rollcall_Network_Page::run_of( $id );
		if ( is_wp_error( $run ) ) {
			Rollcall_Network_Page::notice( 'error', $run->get_error_message() );
			return;
		}
		echo '<h2>' . esc_html( Rollcall_Network_Shown::action( $run['spec'] ) ) . '</h2><p>';
		/* translators: 1: who, 2: when. */
		echo esc_html( sprintf( __( 'Begun by %1$s, %2$s.', 'rollcall-connector' ), Rollcall_Network_Shown::by( $run['by'] ), Rollcall_Network_Shown::time( $run['began_ms'] ) ) ) . '</p>';
		Rollcall_Network_Progress::show( $run, self::LOOK );
		Rollcall_Network_Progress::buttons( $run, network_admin_url( 'edit.php?action=' . self::ACTION ), self::ACTION );
		self::rows( $run );
		echo '<p><a href="' . esc_url( Rollcall_Network_Page::url( 'runs' ) ) . '">' . esc_html__( 'All runs', 'rollcall-connector' ) . '</a></p>';
	}

	/**
	 * Tells a run what to do.
	 *
	 * @return void
	 */
	public static function control() {
		$id = Rollcall_Network_Page::sent( 'run' );
		Rollcall_Network_Page::only( Rollcall_Network_Page::ACTS, Rollcall_Network_Progress::nonce( self::ACTION, $id ) );
		$run = Rollcall_Network_Page::or_end( Rollcall_Network_Page::run_of( $id ) );
		Rollcall_Network_Page::or_end( self::tell( $run, Rollcall_Network_Page::sent( 'do' ) ) );
		wp_safe_redirect( Rollcall_Network_Page::url( 'runs', array( 'run' => $run['id'] ) ) );
		exit;
	}

	/**
	 * Tells a run what to do. WordPress's cron goes on with it from here, unless a hub does.
	 *
	 * @param array  $run Run.
	 * @param string $to  pause, resume, cancel or undo.
	 * @return array|WP_Error
	 */
	public static function tell( array $run, $to ) {
		$moves = 'undo' === $to || ( 'resume' === $to && ! ( 'hub' === $run['driver'] && Rollcall_Settings::is_bound() ) );
		return Rollcall_Network_Runs::control( $run['id'], $to, $moves ? 'cron' : null );
	}

	/**
	 * Answers the script.
	 *
	 * @return void
	 */
	public static function look() {
		$id = Rollcall_Network_Page::asked( 'run' );
		if ( ! current_user_can( Rollcall_Network_Page::ACTS ) || ! check_ajax_referer( Rollcall_Network_Progress::nonce( self::LOOK, $id ), false, false ) ) {
			wp_send_json_error( null, 403 );
		}
		$run = Rollcall_Network_Page::run_of( $id );
		if ( is_wp_error( $run ) ) {
			wp_send_json_error( null, 404 );
		}
		wp_send_json_success( Rollcall_Network_Progress::answer( $run ) );
	}

	/**
	 * The newest runs.
	 *
	 * @return void
	 */
	private static function newest() {
		$before = Rollcall_Network_Page::asked( 'before' );
		$runs   = Rollcall_Network_Runs::recent( get_current_network_id(), '' === $before ? null : $before, self::RUNS );
		echo '<h2>' . esc_html__( 'Newest runs', 'rollcall-connector' ) . '</h2>';
		if ( ! $runs ) {
			printf( '<p>%1$s <a href="%2$s">%3$s</a></p>', esc_html__( 'There are none.', 'rollcall-connector' ), esc_url( Rollcall_Network_Page::url( 'action' ) ), esc_html__( 'Fill sites, or copy roles', 'rollcall-connector' ) );
			return;
		}
		self::head( array( __( 'Run', 'rollcall-connector' ), __( 'State', 'rollcall-connector' ), __( 'Begun', 'rollcall-connector' ), __( 'By', 'rollcall-connector' ), __( 'Added', 'rollcall-connector' ), __( 'Changed', 'rollcall-connector' ) ) );
		foreach ( $runs as $run ) {
			printf( '<tr><td><a href="%1$s">%2$s</a></td>', esc_url( Rollcall_Network_Page::url( 'runs', array( 'run' => $run['id'] ) ) ), esc_html( Rollcall_Network_Shown::action( $run['spec'] ) ) );
			foreach ( array( Rollcall_Network_Shown::state( $run['state'] ), Rollcall_Network_Shown::time( $run['began_ms'] ), Rollcall_Network_Shown::by( $run['by'] ), number_format_i18n( $run['counts']['added'] ), number_format_i18n( $run['counts']['changed'] ) ) as $cell ) {
				echo '<td>' . esc_html( $cell ) . '</td>';
			}
			echo '</tr>';
		}
		echo '</tbody></table>';
		if ( self::RUNS === count( $runs ) ) {
			printf( '<p><a href="%1$s">%2$s</a></p>', esc_url( Rollcall_Network_Page::url( 'runs', array( 'before' => $run['id'] ) ) ), esc_html__( 'Older ones', 'rollcall-connector' ) );
		}
	}

	/**
	 * Whom a run added and changed.
	 *
	 * @param array $run Run.
	 * @return void
	 */
	private static function rows( array $run ) {
		$after = Rollcall_Network_Page::asked( 'after' );
		$page  = Rollcall_Network_Runs::rows( $run['id'], '' === $after ? null : $after, self::ROWS );
		if ( is_wp_error( $page ) || ! $page['rows'] ) {
			return;
		}
		echo '<h2>' . esc_html__( 'Who was added and changed', 'rollcall-connector' ) . '</h2>';
		self::head( array( __( 'Account', 'rollcall-connector' ), __( 'Site', 'rollcall-connector' ), __( 'Before', 'rollcall-connector' ), __( 'After', 'rollcall-connector' ), __( 'Touched since', 'rollcall-connector' ) ) );
		foreach ( $page['rows'] as $row ) {
			$cells = array( null === $row['login'] ? '#' . $row['id'] : $row['login'], Rollcall_Network_Counts::name( $row['blog'] ), implode( ', ', (array) $row['was'] ), implode( ', ', (array) $row['now'] ), $row['touched'] ? __( 'Yes', 'rollcall-connector' ) : '' );
			echo '<tr><td>' . implode( '</td><td>', array_map( 'esc_html', $cells ) ) . '</td></tr>'; // phpcs:ignore WordPress.Security.EscapeOutput -- escaped.
		}
		echo '</tbody></table>';
		if ( null !== $page['after'] ) {
			printf( '<p><a href="%1$s">%2$s</a></p>', esc_url( Rollcall_Network_Page::url( 'runs', array( 'run' => $run['id'], 'after' => $page['after'] ) ) ), esc_html__( 'More', 'rollcall-connector' ) ); // phpcs:ignore WordPress.Arrays
		}
	}

	/**
	 * Head of a table.
	 *
	 * @param string[] $heads Titles of its columns.
	 * @return void
	 */
	private static function head( array $heads ) {
		echo '<table class="widefat striped"><thead><tr><th scope="col">' . implode( '</th><th scope="col">', array_map( 'esc_html', $heads ) ) . '</th></tr></thead><tbody>'; // phpcs:ignore WordPress.Security.EscapeOutput -- escaped.
	}
}
