<?php
/**
 * Runs from the command line: worked on to their end, paused, gone on with, cancelled, undone.
 *
 * Always true: a site with plugins or a theme of its own is worked on in a process that has loaded these, so
 *   that they hear; the others in this one. A process that is killed leaves a run that `resume` goes on with.
 * On failure: a run that doesn't come to its end is exit code 1 and a sentence.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Runs from the command line.
 */
final class Rollcall_Network_Cli_Run {

	/** Seconds of work between two looks at the progress. */
	const SECONDS = 2;

	/** The same in a process of its own, which takes a while to start. */
	const OWN_SECONDS = 10;

	/** A run that doesn't move for so long is worked on by somebody else, or by nobody. */
	const PATIENCE_S = 90;

	/** Between two looks at a run that somebody else is at, in microseconds. */
	const PAUSE_US = 500000;

	/**
	 * Pauses a run, whoever works on it.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The run.
	 *
	 * [--format=<format>]
	 * : table, json or csv.
	 * ---
	 * default: table
	 * ---
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public static function pause( $args, $options ) {
		Rollcall_Network_Cli::show_run( self::control( $args[0], 'pause' ), $options );
	}

	/**
	 * Cancels a run. What it has written stays; “undo” takes it back.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The run.
	 *
	 * [--format=<format>]
	 * : table, json or csv.
	 * ---
	 * default: table
	 * ---
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public static function cancel( $args, $options ) {
		Rollcall_Network_Cli::show_run( self::control( $args[0], 'cancel' ), $options );
	}

	/**
	 * Goes on with a run that was paused, has failed, or whose process was killed.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The run.
	 *
	 * [--format=<format>]
	 * : table, json or csv.
	 * ---
	 * default: table
	 * ---
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public static function resume( $args, $options ) {
		$run = Rollcall_Network_Cli::run_of( $args[0] );
		self::finish( self::works( $run ) ? $run : self::control( $run['id'], 'resume', 'cli' ), $options );
	}

	/**
	 * Takes back what a run wrote: the memberships that it added, and roles that it changed, where nobody has
	 * touched them since. What stayed because a site was closed, or for another reason that has passed, is taken
	 * back when it is undone again.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The run.
	 *
	 * [--yes]
	 * : Don't ask.
	 *
	 * [--format=<format>]
	 * : table, json or csv.
	 * ---
	 * default: table
	 * ---
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public static function undo( $args, $options ) {
		$run    = Rollcall_Network_Cli::run_of( $args[0] );
		$counts = $run['counts'];
		if ( 'table' !== $options['format'] && empty( $options['yes'] ) ) {
			WP_CLI::error( __( 'Say --yes to undo it.', 'rollcall-connector' ) );
		}
		/* translators: %s: a number. */
		WP_CLI::confirm( sprintf( __( 'Take back %s memberships?', 'rollcall-connector' ), number_format_i18n( $counts['added'] + $counts['changed'] - $counts['removed'] ) ), $options );
		self::finish( self::control( $run['id'], 'undo', 'cli' ), $options );
	}

	/**
	 * Works on one site of a run in this process, for a while. “sync” and “resume” call it by themselves for sites
	 * with plugins of their own.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The run.
	 *
	 * <site>
	 * : Number of the site.
	 *
	 * @param string[] $args Arguments.
	 * @return void
	 */
	public static function work( $args ) {
		$run = Rollcall_Network_Cli::run_of( $args[0] );
		Rollcall_Network_Cli::json( Rollcall_Network_Cli::or_end( Rollcall_Network_Runs::page( $run['id'], (int) $args[1], self::OWN_SECONDS ) ) );
	}

	/**
	 * Works on a run until it has come to its end.
	 *
	 * @param array $run     Run.
	 * @param array $options Options.
	 * @return void
	 */
	public static function finish( array $run, $options ) {
		$bar = 'table' === $options['format'] ? self::bar( $run ) : null;
		$at  = self::place( $run );
		for ( $since = microtime( true ); self::works( $run ) && microtime( true ) < $since + self::PATIENCE_S; ) {
			$before = $run;
			$run    = Rollcall_Network_Cli::or_end( self::turn( $run ) );
			if ( self::place( $run ) === $at ) {
				usleep( self::PAUSE_US );
				continue;
			}
			$at    = self::place( $run );
			$since = microtime( true );
			if ( $bar ) {
				$bar->tick( self::done( $run ) - self::done( $before ) );
			}
		}
		if ( $bar ) {
			$bar->finish();
		}
		Rollcall_Network_Cli::show_run( $run, $options );
		if ( ! in_array( $run['state'], array( 'done', 'undone' ), true ) ) {
			/* translators: 1: state of a run, 2: its id. */
			WP_CLI::error( sprintf( __( 'The run has not come to its end (%1$s). “wp rollcall network resume %2$s” goes on with it.', 'rollcall-connector' ), Rollcall_Network_Shown::state( $run['state'] ), $run['id'] ) );
		}
	}

	/**
	 * One turn of work.
	 *
	 * @param array $run Run.
	 * @return array|WP_Error The run.
	 */
	private static function turn( array $run ) {
		if ( Rollcall_Network_Own_Code::of( $run['next'] ) && WP_CLI\Utils\check_proc_available( 'rollcall', true ) ) {
			// A process of its own only where there is something to write.
			$passed = Rollcall_Network_Cli::or_end( Rollcall_Network_Runs::pass_by( $run['id'], self::SECONDS ) );
			if ( self::place( $passed ) !== self::place( $run ) ) {
				return $passed;
			}
			$url = get_home_url( $run['next'] );
			WP_CLI::launch_self( 'rollcall network work', array( $run['id'], $run['next'] ), array(), false, true, array( 'url' => $url ) );
			return Rollcall_Network_Runs::find( $run['id'] );
		}
		return Rollcall_Network_Runs::page( $run['id'], $run['next'], self::SECONDS );
	}

	/**
	 * Is there work to do?
	 *
	 * @param array $run Run.
	 * @return bool
	 */
	private static function works( array $run ) {
		return in_array( $run['state'], array( 'running', 'undoing' ), true ) && null !== $run['next'];
	}

	/**
	 * Tells a run what to do.
	 *
	 * @param string      $id     Run.
	 * @param string      $to     pause, resume, cancel or undo.
	 * @param string|null $driver Who works on it from here; null: who did so far.
	 * @return array The run.
	 */
	private static function control( $id, $to, $driver = null ) {
		return Rollcall_Network_Cli::or_end( Rollcall_Network_Runs::control( Rollcall_Network_Cli::run_of( $id )['id'], $to, $driver ) );
	}

	/**
	 * Where a run stands; the same as before: it has not moved.
	 *
	 * @param array $run Run.
	 * @return string
	 */
	private static function place( array $run ) {
		return $run['state'] . ' ' . $run['next'] . ' ' . self::done( $run );
	}

	/**
	 * How much of a run is done.
	 *
	 * @param array $run Run.
	 * @return int
	 */
	private static function done( array $run ) {
		$counts = $run['counts'];
		return 'undoing' === $run['state'] || 'undone' === $run['state'] ? $counts['removed'] + $counts['kept'] : $counts['done'];
	}

	/**
	 * A progress bar.
	 *
	 * @param array $run Run.
	 * @return object
	 */
	private static function bar( array $run ) {
		$counts = $run['counts'];
		$undoes = 'undoing' === $run['state'];
		$bar    = WP_CLI\Utils\make_progress_bar( $run['id'], $undoes ? $counts['added'] + $counts['changed'] : $counts['total'] );
		$bar->tick( self::done( $run ) );
		return $bar;
	}
}
