<?php
/**
 * `wp rollcall network sync` and `copy-roles`: what an action would do, and then the action.
 *
 * Always true: what will be written is counted and shown before anything is, and nothing is without a yes.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Actions from the command line.
 */
final class Rollcall_Network_Cli_Action {

	/**
	 * Adds people to the sites of this network where they have no membership yet, each with the site's default role.
	 *
	 * ## OPTIONS
	 *
	 * [--sites=<sites>]
	 * : Numbers, addresses or folders, with commas. All sites, if none are given.
	 *
	 * [--people=<people>]
	 * : Logins, e-mail addresses or numbers, with commas. Everybody, if none are given.
	 *
	 * [--add-back]
	 * : Add those, too, whom a person has taken off a site.
	 *
	 * [--dry-run]
	 * : Only count.
	 *
	 * [--background]
	 * : Leave the work to WordPress's cron.
	 *
	 * [--yes]
	 * : Don't ask.
	 *
	 * [--format=<format>]
	 * : table, json or csv. With json and csv there is no question: say --yes or --dry-run.
	 * ---
	 * default: table
	 * ---
	 *
	 * ## EXAMPLES
	 *
	 *     wp rollcall network sync --dry-run
	 *     wp rollcall network sync --sites=shop,blog --people=anna,bert@example.com --yes
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public static function sync( $args, $options ) {
		self::act( array( 'action' => 'fill' ), $options );
	}

	/**
	 * Copies the roles of people from one site of this network to others.
	 *
	 * ## OPTIONS
	 *
	 * --from=<site>
	 * : Number, address or folder.
	 *
	 * --people=<people>
	 * : Logins, e-mail addresses or numbers, with commas; or “all”.
	 *
	 * [--sites=<sites>]
	 * : Numbers, addresses or folders, with commas. All others, if none are given.
	 *
	 * [--memberships=<existing|all>]
	 * : Only where they are members already, or everywhere.
	 * ---
	 * default: existing
	 * ---
	 *
	 * [--add-back]
	 * : Add those, too, whom a person has taken off a site.
	 *
	 * [--dry-run]
	 * : Only count.
	 *
	 * [--background]
	 * : Leave the work to WordPress's cron.
	 *
	 * [--yes]
	 * : Don't ask.
	 *
	 * [--format=<format>]
	 * : table, json or csv. With json and csv there is no question: say --yes or --dry-run.
	 * ---
	 * default: table
	 * ---
	 *
	 * ## EXAMPLES
	 *
	 *     wp rollcall network copy-roles --from=shop --people=anna --memberships=all
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public static function copy_roles( $args, $options ) {
		$from = Rollcall_Network_Cli::or_end( Rollcall_Network_Typed::sites( get_current_network_id(), array( (string) $options['from'] ) ) );
		$spec = array(
			'action'      => 'copy',
			'from'        => $from[0],
			'memberships' => $options['memberships'],
		);
		self::act( $spec, $options );
	}

	/**
	 * Counts, asks, and begins.
	 *
	 * @param array $spec    Action, as far as it is known.
	 * @param array $options Options.
	 * @return void
	 */
	private static function act( array $spec, $options ) {
		$spec  = Rollcall_Network_Cli::or_end( Rollcall_Network_Spec::checked( get_current_network_id(), self::whole( $spec, $options ) ) );
		$asks  = empty( $options['yes'] ) && empty( $options['dry-run'] );
		$plain = 'table' !== $options['format'];
		if ( $asks && $plain ) {
			WP_CLI::error( __( 'Say --dry-run to count, or --yes to go ahead.', 'rollcall-connector' ) );
		}
		if ( ! $plain || ! empty( $options['dry-run'] ) ) {
			self::preview( $spec, $options );
		}
		if ( ! empty( $options['dry-run'] ) ) {
			return;
		}
		WP_CLI::confirm( __( 'Go ahead?', 'rollcall-connector' ), $options );
		Rollcall_Roles::read_anew();
		$later = ! empty( $options['background'] );
		$run   = Rollcall_Network_Cli::or_end( Rollcall_Network_Runs::begin( wp_generate_uuid4(), get_current_network_id(), $spec, $later ? 'cron' : 'cli', self::by() ) );
		if ( ! $later ) {
			Rollcall_Network_Cli_Run::finish( $run, $options );
			return;
		}
		Rollcall_Network_Cli::show_run( $run, $options );
	}

	/**
	 * The whole of an action.
	 *
	 * @param array $spec    As far as it is known.
	 * @param array $options Options.
	 * @return array
	 */
	private static function whole( array $spec, $options ) {
		$spec += array( 'add_back' => ! empty( $options['add-back'] ) );
		if ( isset( $options['sites'] ) && 'all' !== $options['sites'] ) {
			$spec['sites'] = Rollcall_Network_Cli::or_end( Rollcall_Network_Typed::sites( get_current_network_id(), Rollcall_Network_Typed::words( $options['sites'] ) ) );
		}
		if ( isset( $options['people'] ) && 'all' !== $options['people'] ) {
			$spec['people'] = Rollcall_Network_Cli::or_end( Rollcall_Network_Typed::people( Rollcall_Network_Typed::words( $options['people'] ), true ) );
		}
		return $spec;
	}

	/**
	 * Shows what the action would do.
	 *
	 * @param array $spec    Action.
	 * @param array $options Options.
	 * @return void
	 */
	private static function preview( array $spec, $options ) {
		$sites = array();
		$after = 0;
		do {
			$page  = Rollcall_Network_Cli::or_end( Rollcall_Network_Preview::page( $spec, $after ) );
			$sites = array_merge( $sites, $page['sites'] );
			$after = $page['after'];
		} while ( null !== $after );
		$sum = Rollcall_Network_Shown::sum( $sites );
		if ( 'json' === $options['format'] ) {
			Rollcall_Network_Cli::json( array( 'spec' => $spec ) + $sum + array( 'sites' => $sites ) );
			return;
		}
		foreach ( $sites as &$site ) {
			$site['site']    = $site['blog'];
			$site['skipped'] = array_sum( $site['skipped'] );
		}
		unset( $site );
		Rollcall_Network_Cli::rows( $sites, array( 'site', 'add', 'change', 'unchanged', 'skipped' ), $options );
		if ( 'table' === $options['format'] ) {
			/* translators: 1: memberships to begin, 2: memberships to change, 3: memberships as they are. */
			WP_CLI::line( sprintf( __( 'To add: %1$s, to change: %2$s, unchanged: %3$s.', 'rollcall-connector' ), number_format_i18n( $sum['add'] ), number_format_i18n( $sum['change'] ), number_format_i18n( $sum['unchanged'] ) ) );
			foreach ( Rollcall_Network_Shown::skipped( $sum['skipped'] ) as $sentence ) {
				WP_CLI::line( $sentence );
			}
		}
	}

	/**
	 * Who begins the run.
	 *
	 * @return string
	 */
	private static function by() {
		$user = wp_get_current_user();
		return $user->exists() ? 'WP-CLI, ' . $user->user_login : 'WP-CLI';
	}
}
