<?php
/**
 * Goes on with what is due and with runs that nobody else drives, a turn at a time.
 *
 * Does: works within a time; where something is left, asks WP-Cron for another turn; looks every few minutes
 *   for what no hook has told of.
 * Does not: drive runs of a hub or of the command line.
 * Always true: each network has its own turns, and works with its own options. No hub is needed for any of it. A turn that is killed loses nothing, the next look goes on.
 * On failure: WordPress's cron doesn't come; the next request that notes something works on it, too.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Turns.
 */
final class Rollcall_Network_Cron {

	/** One turn. */
	const HOOK = 'rollcall_network_turn';

	/** The look every few minutes, on the main site. */
	const LOOK = 'rollcall_network_look';

	const SCHEDULE = 'rollcall_network';

	/** Seconds between two looks. */
	const LOOK_S = 300;

	/** Seconds for one turn; hosts end cron at 30. */
	const TURN_S = 15;

	/** Core's own for starting cron: nobody waits for it. */
	const SPAWN_S = 0.01;

	/**
	 * Has the last work left something that could be done at once?
	 *
	 * @var bool
	 */
	private static $at_once = false;

	/** Hooks in. */
	public static function start() {
		if ( ! is_multisite() ) {
			return;
		}
		add_filter( 'cron_schedules', array( __CLASS__, 'schedules' ) ); // phpcs:ignore WordPress.WP.CronInterval
		add_action( self::HOOK, array( __CLASS__, 'turn' ) );
		add_action( self::LOOK, array( __CLASS__, 'turn' ) );
	}

	/**
	 * `cron_schedules`.
	 *
	 * @param array $schedules Schedules.
	 * @return array
	 */
	public static function schedules( $schedules ) {
		$schedules[ self::SCHEDULE ] = array(
			'interval' => self::LOOK_S,
			'display'  => __( 'Every five minutes (Rollcall)', 'rollcall-connector' ),
		);
		return $schedules;
	}

	/** A turn of WordPress's cron. */
	public static function turn() {
		Rollcall_Network_Pairs::forget_old();
		if ( ! self::work( self::TURN_S ) ) {
			self::arm();
		} elseif ( wp_doing_cron() ) {
			// Once this turn has let go of the lock, without waiting for the next visitor.
			add_action( 'shutdown', array( __CLASS__, 'spawn' ), PHP_INT_MAX, 0 );
		}
	}

	/** Asks the host for another turn at once, where it would not be in vain. */
	public static function spawn() {
		if ( ! self::$at_once || self::is_the_systems() ) {
			return;
		}
		if ( ! wp_doing_cron() ) {
			spawn_cron();
			return;
		}
		// Within cron spawn_cron() does nothing.
		wp_remote_post(
			site_url( 'wp-cron.php?doing_wp_cron' ),
			array(
				'timeout'   => self::SPAWN_S,
				'blocking'  => false,
				'sslverify' => apply_filters( 'https_local_ssl_verify', false ), // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
			)
		);
	}

	/** Does the host's own cron come instead of visitors? */
	private static function is_the_systems() {
		return defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON;
	}

	/**
	 * Works.
	 *
	 * @param float $seconds About so long.
	 * @param bool  $waits   May this process wait for another one of this network? A visitor's may not.
	 * @return bool Is anything left?
	 */
	public static function work( $seconds, $waits = true ) {
		$until         = microtime( true ) + Rollcall_Limits::seconds( $seconds );
		$done          = Rollcall_Network_Chores::work( $until, $waits );
		$run           = self::open_run();
		self::$at_once = ! $done || $run;
		while ( $run && microtime( true ) < $until ) {
			$view = Rollcall_Network_Runs::view( $run );
			if ( null !== $view['next'] && ! Rollcall_Network_Errand::page( $run, $view['next'], $until - microtime( true ), $waits ) ) {
				break;
			}
			$next = self::open_run();
			if ( $next && $next->seq === $run->seq && array( $next->place, $next->after, $next->state ) === array( $run->place, $run->after, $run->state ) ) {
				// Somebody else is at it, or it fails: not in a circle.
				self::$at_once = ! $done;
				break;
			}
			$run = $next;
		}
		$left = ! $done || self::open_run() || Rollcall_Network_Due::count() > 0;
		if ( $left ) {
			self::wake();
		}
		return $left;
	}

	/**
	 * There is something to do: another turn is asked for, on the site of this request and, where nobody
	 * visits that one, with the look on the main site. The host's own cron mostly knows the main site alone.
	 *
	 * @return void
	 */
	public static function wake() {
		self::schedule();
		self::on_main_site(
			static function () {
				if ( self::is_the_systems() ) {
					self::schedule();
				}
				if ( ! wp_next_scheduled( self::LOOK ) ) {
					wp_schedule_event( time() + self::LOOK_S, self::SCHEDULE, self::LOOK );
				}
			}
		);
	}

	/**
	 * A turn on the present site.
	 *
	 * @return void
	 */
	private static function schedule() {
		if ( ! wp_next_scheduled( self::HOOK ) ) {
			wp_schedule_single_event( time(), self::HOOK );
		}
	}

	/**
	 * The look of a network is there as long as one of its triggers is on.
	 *
	 * @param int|null $network Network; null: this one.
	 * @return void
	 */
	public static function arm( $network = null ) {
		if ( ! is_multisite() ) {
			return;
		}
		$network = null === $network ? get_current_network_id() : (int) $network;
		$on      = Rollcall_Network_Settings::any_trigger( Rollcall_Network_Settings::fresh( $network ) );
		self::on_main_site(
			static function () use ( $on ) {
				if ( ! $on ) {
					wp_unschedule_hook( self::LOOK );
				} elseif ( ! wp_next_scheduled( self::LOOK ) ) {
					wp_schedule_event( time() + self::LOOK_S, self::SCHEDULE, self::LOOK );
				}
			},
			$network
		);
	}

	/**
	 * The plugin is switched off.
	 *
	 * @return void
	 */
	public static function disarm() {
		wp_unschedule_hook( self::HOOK );
		self::on_main_site(
			static function () {
				wp_unschedule_hook( self::LOOK );
			}
		);
	}

	/**
	 * The oldest run of this network that cron goes on with.
	 *
	 * @return object|null
	 */
	private static function open_run() {
		global $wpdb;
		return $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM ' . Rollcall_Network_Tables::runs() . " WHERE network = %d AND driver = 'cron' AND state IN ('running', 'undoing') ORDER BY seq LIMIT 1", get_current_network_id() ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Runs something on the main site of a network.
	 *
	 * @param callable $work    What to run.
	 * @param int|null $network Network; null: this one.
	 * @return void
	 */
	private static function on_main_site( $work, $network = null ) {
		is_multisite() ? Rollcall_Network_Announcer::on_site( get_main_site_id( $network ), $work ) : $work();
	}
}
