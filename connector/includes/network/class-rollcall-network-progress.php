<?php
/**
 * How far a run is, in Network Admin and on a site's own page.
 *
 * Does: shows state, done and total, rate, time left and counts; brings the script that asks again; gives that
 *   script the same as a page without it would show.
 * Does not: work on the run, or ask who may look at it.
 * Always true: without scripts the page says the same when it is loaded again.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Progress.
 */
final class Rollcall_Network_Progress {

	const SCRIPT = 'rollcall-network-run';

	/** A screen reader hears of every so many percent. */
	const SPOKEN_STEP = 10;

	/** What a run can be told in its state. */
	const CONTROLS = array(
		'running'   => array( 'pause', 'cancel' ),
		'paused'    => array( 'resume', 'cancel', 'undo' ),
		'failed'    => array( 'resume', 'cancel', 'undo' ),
		'cancelled' => array( 'undo' ),
		'done'      => array( 'undo' ),
		'undone'    => array( 'undo' ),
	);

	/**
	 * Shows it, with a script that keeps it up to date.
	 *
	 * @param array  $run  Run.
	 * @param string $ajax Action of admin-ajax.php that answers with answer().
	 * @return void
	 */
	public static function show( array $run, $ajax ) {
		wp_enqueue_script( self::SCRIPT, plugins_url( 'assets/network-run.js', ROLLCALL_CONNECTOR_FILE ), array(), ROLLCALL_CONNECTOR_VERSION, true );
		$address = add_query_arg(
			array(
				'action'   => $ajax,
				'run'      => $run['id'],
				'_wpnonce' => wp_create_nonce( self::nonce( $ajax, $run['id'] ) ),
			),
			admin_url( 'admin-ajax.php' )
		);
		printf( '<div id="rollcall-run" data-address="%1$s" data-done="%2$d"%3$s>', esc_url( $address ), (int) self::done( $run ), self::works( $run ) ? ' data-works="1"' : '' );
		echo self::inside( $run, self::rate( $run ) ); // phpcs:ignore WordPress.Security.EscapeOutput -- escaped there.
		echo '</div><p id="rollcall-run-spoken" class="screen-reader-text" role="status" aria-live="polite"></p>';
		if ( self::works( $run ) ) {
			echo '<noscript><p><a href="">' . esc_html__( 'Look again', 'rollcall-connector' ) . '</a></p></noscript>';
		}
	}

	/**
	 * Answers the script.
	 *
	 * @param array $run Run.
	 * @return array
	 */
	public static function answer( array $run ) {
		// What the script has seen: so many were done then, so many milliseconds ago.
		$from = (int) Rollcall_Network_Page::asked( 'from' );
		$ms   = (int) Rollcall_Network_Page::asked( 'ms' );
		$rate = $ms > 0 ? max( 0, self::done( $run ) - $from ) * 1000 / $ms : self::rate( $run );
		return array(
			'inside' => self::inside( $run, $rate ),
			'done'   => self::done( $run ),
			'works'  => self::works( $run ),
			'spoken' => self::spoken( $run ),
		);
	}

	/**
	 * Buttons for what the run can be told.
	 *
	 * @param array  $run    Run.
	 * @param string $action Address that takes them.
	 * @param string $nonce  What the nonce is for; also the value of the field `action`.
	 * @return void
	 */
	public static function buttons( array $run, $action, $nonce ) {
		$words = array(
			'pause'  => __( 'Pause', 'rollcall-connector' ),
			'resume' => __( 'Go on', 'rollcall-connector' ),
			'cancel' => __( 'Cancel', 'rollcall-connector' ),
			'undo'   => 'undone' === $run['state'] ? __( 'Undo the rest', 'rollcall-connector' ) : __( 'Undo', 'rollcall-connector' ),
		);
		$controls = self::controls( $run );
		echo '<form id="rollcall-run-control" method="post" action="' . esc_url( $action ) . '">';
		wp_nonce_field( self::nonce( $nonce, $run['id'] ) );
		printf( '<input type="hidden" name="action" value="%1$s"><input type="hidden" name="run" value="%2$s"><p>', esc_attr( $nonce ), esc_attr( $run['id'] ) );
		foreach ( $controls as $to ) {
			printf( '<button type="submit" class="button" name="do" value="%1$s">%2$s</button> ', esc_attr( $to ), esc_html( $words[ $to ] ) );
		}
		echo '</p></form>';
		if ( in_array( 'undo', $controls, true ) ) {
			echo '<p class="description">' . esc_html__( 'Undo takes back what this run added and changed, where nobody has touched it since.', 'rollcall-connector' ) . '</p>';
		}
	}

	/**
	 * What a run can be told now.
	 *
	 * @param array $run Run.
	 * @return string[]
	 */
	private static function controls( array $run ) {
		$controls = isset( self::CONTROLS[ $run['state'] ] ) ? self::CONTROLS[ $run['state'] ] : array();
		return null === Rollcall_Network_Runs::why_no_undo( $run ) ? $controls : array_diff( $controls, array( 'undo' ) );
	}

	/**
	 * What a nonce is for: this run on this site, and no other one. WordPress's own would hold on every site of a
	 * network.
	 *
	 * @param string $action Action.
	 * @param string $id     Run.
	 * @return string
	 */
	public static function nonce( $action, $id ) {
		return $action . '_' . get_current_blog_id() . '_' . $id;
	}

	/**
	 * State, bar, numbers.
	 *
	 * @param array $run  Run.
	 * @param float $rate Memberships each second.
	 * @return string Escaped.
	 */
	private static function inside( array $run, $rate ) {
		$done  = self::done( $run );
		$total = self::total( $run );
		$html  = '<p><strong>' . esc_html( Rollcall_Network_Shown::state( $run['state'] ) ) . '</strong></p>';
		/* translators: 1: done, 2: all. */
		$words = sprintf( __( '%1$s of %2$s memberships looked at', 'rollcall-connector' ), number_format_i18n( $done ), number_format_i18n( $total ) );
		$html .= sprintf( '<p><label for="rollcall-run-bar">%1$s</label><br><progress id="rollcall-run-bar" max="%2$d" value="%3$d" style="width:100%%;max-width:40em"></progress></p>', esc_html( $words ), max( 1, $total ), $total ? min( $done, $total ) : 1 );
		if ( self::works( $run ) ) {
			$html .= '<p>' . esc_html( self::speed( $total - $done, $rate ) ) . '</p>';
		}
		return $html . self::counts( $run['counts'] );
	}

	/**
	 * The counts.
	 *
	 * @param array $counts Counts of a run.
	 * @return string Escaped.
	 */
	private static function counts( array $counts ) {
		$words = array(
			'added'     => __( 'Added', 'rollcall-connector' ),
			'changed'   => __( 'Changed', 'rollcall-connector' ),
			'unchanged' => __( 'Unchanged', 'rollcall-connector' ),
			'removed'   => __( 'Taken back', 'rollcall-connector' ),
			'kept'      => __( 'Kept, touched since', 'rollcall-connector' ),
		);
		$counts['kept'] -= array_sum( $counts['left'] );
		$html  = '<table class="widefat striped" style="max-width:40em"><tbody>';
		foreach ( $words as $name => $label ) {
			if ( $counts[ $name ] || in_array( $name, array( 'added', 'changed', 'unchanged' ), true ) ) {
				$html .= '<tr><th scope="row">' . esc_html( $label ) . '</th><td>' . esc_html( number_format_i18n( $counts[ $name ] ) ) . '</td></tr>';
			}
		}
		$reasons = array(
			'skipped' => __( 'Left alone', 'rollcall-connector' ),
			'left'    => __( 'Not taken back yet', 'rollcall-connector' ),
		);
		foreach ( $reasons as $name => $label ) {
			if ( $counts[ $name ] ) {
				$html .= '<tr><th scope="row">' . esc_html( $label ) . '</th><td>' . implode( '<br>', array_map( 'esc_html', Rollcall_Network_Shown::skipped( $counts[ $name ] ) ) ) . '</td></tr>';
			}
		}
		return $html . '</tbody></table>';
	}

	/**
	 * Rate and time left, in a sentence.
	 *
	 * @param int   $left Memberships.
	 * @param float $rate Memberships each second.
	 * @return string
	 */
	private static function speed( $left, $rate ) {
		if ( $rate < 0.1 ) {
			return __( 'Waiting for WordPress’s cron to take it up.', 'rollcall-connector' );
		}
		$time = human_time_diff( 0, (int) max( 1, ceil( $left / $rate ) ) );
		/* translators: 1: number, 2: a time, such as “2 minutes”. */
		return sprintf( __( '%1$s each second, about %2$s left', 'rollcall-connector' ), number_format_i18n( $rate, $rate < 10 ? 1 : 0 ), $time );
	}

	/**
	 * What a screen reader says; it stays the same for a while.
	 *
	 * @param array $run Run.
	 * @return string
	 */
	private static function spoken( array $run ) {
		$state = Rollcall_Network_Shown::state( $run['state'] );
		if ( ! self::works( $run ) ) {
			return $state;
		}
		$percent = 100 * self::done( $run ) / max( 1, self::total( $run ) );
		/* translators: 1: a state, 2: a number. */
		return sprintf( __( '%1$s, %2$d percent', 'rollcall-connector' ), $state, self::SPOKEN_STEP * (int) floor( $percent / self::SPOKEN_STEP ) );
	}

	/**
	 * Is there work to do?
	 *
	 * @param array $run Run.
	 * @return bool
	 */
	private static function works( array $run ) {
		return in_array( $run['state'], array( 'running', 'undoing' ), true );
	}

	/**
	 * How much is done.
	 *
	 * @param array $run Run.
	 * @return int
	 */
	private static function done( array $run ) {
		$counts = $run['counts'];
		return self::undoes( $run ) ? $counts['removed'] + $counts['kept'] : $counts['done'];
	}

	/**
	 * How much there is.
	 *
	 * @param array $run Run.
	 * @return int
	 */
	private static function total( array $run ) {
		$counts = $run['counts'];
		return self::undoes( $run ) ? $counts['added'] + $counts['changed'] : $counts['total'];
	}

	/**
	 * Is it being undone, or was it?
	 *
	 * @param array $run Run.
	 * @return bool
	 */
	private static function undoes( array $run ) {
		return in_array( $run['state'], array( 'undoing', 'undone' ), true );
	}

	/**
	 * Memberships each second since it began.
	 *
	 * @param array $run Run.
	 * @return float
	 */
	private static function rate( array $run ) {
		return self::undoes( $run ) ? 0.0 : self::done( $run ) * 1000 / max( 1, Rollcall_Network_Runs::now() - $run['began_ms'] );
	}
}
