<?php
/**
 * `wp rollcall network`: who is a member of which site of this network.
 *
 * Does: shows and sets what a network's administrators can set in wp-admin, previews actions, works on runs.
 * Does not: need a hub, or speak to one.
 * Always true: a command that is refused changes nothing and ends with exit code 1 and one sentence. The network
 *   is the one of `--url`; a run of another one is as good as none.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Who is a member of which site of this network: triggers, actions and their runs.
 */
final class Rollcall_Network_Cli {

	/** More runs are not listed at once, nor more people of one. */
	const MOST_LISTED = 1000;

	/**
	 * Adds the command. Called where there is WP-CLI.
	 *
	 * @return void
	 */
	public static function start() {
		// Asked before each of the others, too.
		WP_CLI::add_command( 'rollcall network', __CLASS__, array( 'before_invoke' => array( __CLASS__, 'only_on_a_network' ) ) );
		foreach ( array( 'pause', 'resume', 'cancel', 'undo' ) as $to ) {
			WP_CLI::add_command( "rollcall network $to", array( 'Rollcall_Network_Cli_Run', $to ) );
		}
		WP_CLI::add_command( 'rollcall network sync', array( 'Rollcall_Network_Cli_Action', 'sync' ) );
		WP_CLI::add_command( 'rollcall network copy-roles', array( 'Rollcall_Network_Cli_Action', 'copy_roles' ) );
		WP_CLI::add_command( 'rollcall network work', array( 'Rollcall_Network_Cli_Run', 'work' ) );
	}

	/**
	 * Ends the command on a single site.
	 *
	 * @return void
	 */
	public static function only_on_a_network() {
		if ( ! is_multisite() ) {
			WP_CLI::error( __( 'This is a single site, not a network: there are no other sites that its accounts could join.', 'rollcall-connector' ) );
		}
	}

	/**
	 * Lists the networks of this installation.
	 *
	 * ## OPTIONS
	 *
	 * [--format=<format>]
	 * : table, json or csv.
	 * ---
	 * default: table
	 * ---
	 *
	 * @subcommand list
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public function networks( $args, $options ) {
		$rows = array();
		foreach ( get_networks( array( 'number' => 0 ) ) as $network ) {
			$id     = (int) $network->id;
			$rows[] = array(
				'network'  => $id,
				'url'      => $network->domain . $network->path,
				'sites'    => count( Rollcall_Network_Sites::ids( $id ) ),
				'accounts' => ( new Rollcall_Network_People( $id, 'all' ) )->count(),
			) + array_map( array( __CLASS__, 'word' ), array_intersect_key( Rollcall_Network_Settings::fresh( $id ), Rollcall_Network_Shown::triggers() ) );
		}
		self::rows( $rows, array_merge( array( 'network', 'url', 'sites', 'accounts' ), array_keys( Rollcall_Network_Shown::triggers() ) ), $options );
	}

	/**
	 * Shows the settings and the sites of a network.
	 *
	 * ## OPTIONS
	 *
	 * [<network>]
	 * : Its number; this one, if none is given.
	 *
	 * [--format=<format>]
	 * : table, json (with the settings) or csv (the sites alone).
	 * ---
	 * default: table
	 * ---
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public function show( $args, $options ) {
		$network = isset( $args[0] ) ? (int) $args[0] : get_current_network_id();
		if ( isset( $args[0] ) && ( ! ctype_digit( $args[0] ) || ! get_network( $network ) ) ) {
			WP_CLI::error( __( 'There is no such network.', 'rollcall-connector' ) );
		}
		$unheard = Rollcall_Network_Unheard::sentence( $network );
		if ( '' !== $unheard ) {
			WP_CLI::warning( $unheard );
		}
		$members = Rollcall_Network_Sites::members( $network );
		$sites   = array();
		foreach ( Rollcall_Network_Sites::all( $network ) as $site ) {
			$sites[] = array(
				'site'         => $site['blog'],
				'name'         => $site['name'],
				'url'          => $site['url'],
				'default_role' => $site['default_role'],
				'members'      => $members[ $site['blog'] ],
				'closed'       => (string) $site['closed'],
			);
		}
		if ( 'json' === $options['format'] ) {
			self::json( array( 'network' => $network ) + Rollcall_Network_Settings::fresh( $network ) + array( 'sites' => $sites ) );
			return;
		}
		if ( 'csv' !== $options['format'] ) {
			self::facts( self::settings( $network ), $options );
		}
		self::rows( $sites, array( 'site', 'name', 'url', 'default_role', 'members', 'closed' ), $options );
	}

	/**
	 * Shows and sets what happens by itself on this network.
	 *
	 * ## OPTIONS
	 *
	 * [--new-account=<on|off>]
	 * : A new account joins every site, with each site's default role.
	 *
	 * [--new-site=<on|off>]
	 * : Everybody joins a new site, with its default role.
	 *
	 * [--role-change=<on|off>]
	 * : A role that changes on one site changes on the account's other sites.
	 *
	 * [--role-sites=<existing|all>]
	 * : Where: on the sites that the account is a member of, or on all of them.
	 *
	 * [--site-admins=<on|off>]
	 * : A site's own administrators may fill that site.
	 *
	 * [--format=<format>]
	 * : table, json or csv.
	 * ---
	 * default: table
	 * ---
	 *
	 * ## EXAMPLES
	 *
	 *     wp rollcall network triggers --new-account=on --new-site=on
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public function triggers( $args, $options ) {
		$part = array();
		foreach ( array( 'new_account', 'new_site', 'role_change', 'site_admins' ) as $name ) {
			$option = str_replace( '_', '-', $name );
			if ( ! isset( $options[ $option ] ) ) {
				continue;
			}
			if ( ! in_array( $options[ $option ], array( 'on', 'off', true, false ), true ) ) {
				/* translators: %s: name of an option. */
				WP_CLI::error( sprintf( __( '--%s is on or off.', 'rollcall-connector' ), $option ) );
			}
			$part[ $name ] = in_array( $options[ $option ], array( 'on', true ), true );
		}
		if ( isset( $options['role-sites'] ) ) {
			$part['role_sites'] = $options['role-sites'];
		}
		if ( $part ) {
			self::or_end( Rollcall_Network_Settings::change( get_current_network_id(), $part ) );
		}
		self::facts( self::settings( get_current_network_id() ), $options );
	}

	/**
	 * Which roles that can administer a site may be given and taken inside this network.
	 *
	 * ## OPTIONS
	 *
	 * <allow|forbid>
	 * : What with it.
	 *
	 * <role>...
	 * : Exact names.
	 *
	 * ## EXAMPLES
	 *
	 *     wp rollcall network privileged allow administrator
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public function privileged( $args, $options ) {
		$what = array_shift( $args );
		if ( ! in_array( $what, array( 'allow', 'forbid' ), true ) ) {
			WP_CLI::error( __( 'Say “allow” or “forbid”.', 'rollcall-connector' ) );
		}
		$allows = 'allow' === $what;
		$now    = self::or_end( Rollcall_Network_Settings::amend( get_current_network_id(), 'privileged_roles', $allows ? $args : array(), $allows ? array() : $args ) );
		if ( $allows ) {
			/* translators: %s: names of roles. */
			WP_CLI::warning( sprintf( __( 'From now on fills, copies and triggers of this network give and take these roles, too: %s. Whoever administers one site can then come to administer others.', 'rollcall-connector' ), implode( ', ', $args ) ) );
		}
		WP_CLI::success( $now['privileged_roles'] ? implode( ', ', $now['privileged_roles'] ) : __( 'No privileged role is given or taken inside this network.', 'rollcall-connector' ) );
	}

	/**
	 * Excludes sites: nothing is ever written to them.
	 *
	 * ## OPTIONS
	 *
	 * <site>...
	 * : Numbers, addresses or folders.
	 *
	 * @param string[] $args Arguments.
	 * @return void
	 */
	public function exclude( $args ) {
		$sites = self::or_end( Rollcall_Network_Typed::sites( get_current_network_id(), $args ) );
		self::or_end( Rollcall_Network_Settings::amend( get_current_network_id(), 'excluded', $sites, array() ) );
		WP_CLI::success( __( 'Nothing is written to these sites from now on.', 'rollcall-connector' ) );
	}

	/**
	 * Takes the exclusion of sites back.
	 *
	 * ## OPTIONS
	 *
	 * <site>...
	 * : Numbers, addresses or folders.
	 *
	 * @param string[] $args Arguments.
	 * @return void
	 */
	public function include( $args ) {
		$sites = self::or_end( Rollcall_Network_Typed::sites( get_current_network_id(), $args ) );
		self::or_end( Rollcall_Network_Settings::amend( get_current_network_id(), 'excluded', array(), $sites ) );
		WP_CLI::success( __( 'These sites may be written to again.', 'rollcall-connector' ) );
	}

	/**
	 * Lists the newest runs of this network.
	 *
	 * ## OPTIONS
	 *
	 * [--limit=<number>]
	 * : At most so many.
	 * ---
	 * default: 20
	 * ---
	 *
	 * [--before=<id>]
	 * : Only older ones than this run.
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
	public function runs( $args, $options ) {
		$before = isset( $options['before'] ) ? self::run_of( (string) $options['before'] )['id'] : null;
		$limit  = max( 1, min( self::MOST_LISTED, (int) $options['limit'] ) );
		$runs   = Rollcall_Network_Runs::recent( get_current_network_id(), $before, $limit );
		if ( 'json' === $options['format'] ) {
			self::json( $runs );
			return;
		}
		$rows = array();
		foreach ( $runs as $run ) {
			$rows[] = array(
				'id'    => $run['id'],
				'what'  => Rollcall_Network_Shown::action( $run['spec'] ),
				'state' => $run['state'],
				'by'    => $run['by'],
				'began' => Rollcall_Network_Shown::time( $run['began_ms'] ),
			) + $run['counts'];
		}
		self::rows( $rows, array( 'id', 'what', 'state', 'by', 'began', 'done', 'total', 'added', 'changed' ), $options );
	}

	/**
	 * Shows a run, or whom it added and changed.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The run.
	 *
	 * [--rows]
	 * : Who was added and changed, page by page.
	 *
	 * [--after=<place>]
	 * : Where the page before ended.
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
	public function run( $args, $options ) {
		$run = self::run_of( $args[0] );
		if ( empty( $options['rows'] ) ) {
			self::show_run( $run, $options );
			return;
		}
		$page = self::or_end( Rollcall_Network_Runs::rows( $run['id'], isset( $options['after'] ) ? (string) $options['after'] : null, self::MOST_LISTED ) );
		if ( 'json' === $options['format'] ) {
			self::json( $page );
			return;
		}
		$rows = array();
		foreach ( $page['rows'] as $row ) {
			$row['was']     = null === $row['was'] ? '' : implode( ',', $row['was'] );
			$row['now']     = implode( ',', $row['now'] );
			$row['touched'] = $row['touched'] ? 'yes' : '';
			$rows[]         = $row;
		}
		self::rows( $rows, array( 'id', 'login', 'blog', 'was', 'now', 'touched' ), $options );
		if ( null !== $page['after'] ) {
			/* translators: %s: where the next page begins. */
			WP_CLI::warning( sprintf( __( 'There are more: --after=%s', 'rollcall-connector' ), $page['after'] ) );
		}
	}

	/**
	 * A run of this network.
	 *
	 * @param string $id Run.
	 * @return array
	 */
	public static function run_of( $id ) {
		$run = self::or_end( Rollcall_Network_Runs::find( $id ) );
		if ( get_current_network_id() !== $run['network'] ) {
			WP_CLI::error( Rollcall_Reasons::sentence( 'network.run_missing' ) );
		}
		return $run;
	}

	/**
	 * Shows a run.
	 *
	 * @param array $run     Run.
	 * @param array $options Options.
	 * @return void
	 */
	public static function show_run( array $run, $options ) {
		if ( 'json' === $options['format'] ) {
			self::json( $run );
			return;
		}
		$facts = array(
			'id'    => $run['id'],
			'what'  => Rollcall_Network_Shown::action( $run['spec'] ),
			'state' => $run['state'],
			'by'    => $run['by'],
			'began' => Rollcall_Network_Shown::time( $run['began_ms'] ),
			'ended' => Rollcall_Network_Shown::time( $run['ended_ms'] ),
		) + array_diff_key( $run['counts'], Rollcall_Network_Runs::BY_REASON ) + Rollcall_Network_Shown::skipped( $run['counts']['skipped'] );
		foreach ( Rollcall_Network_Shown::skipped( $run['counts']['left'] ) as $reason => $sentence ) {
			$facts[ "left: $reason" ] = $sentence;
		}
		self::facts( $facts, $options );
	}

	/**
	 * What was asked for, or the end.
	 *
	 * @param mixed $given Perhaps a WP_Error.
	 * @return mixed
	 */
	public static function or_end( $given ) {
		if ( is_wp_error( $given ) ) {
			WP_CLI::error( $given->get_error_message() );
		}
		return $given;
	}

	/**
	 * Facts, one below the other, or as one object.
	 *
	 * @param array $facts   Name → value.
	 * @param array $options Options.
	 * @return void
	 */
	public static function facts( $facts, $options ) {
		if ( 'json' === $options['format'] ) {
			self::json( $facts );
			return;
		}
		$rows = array();
		foreach ( $facts as $fact => $value ) {
			$rows[] = compact( 'fact', 'value' );
		}
		self::rows( $rows, array( 'fact', 'value' ), $options );
	}

	/**
	 * Rows.
	 *
	 * @param array    $rows    Rows.
	 * @param string[] $columns Columns.
	 * @param array    $options Options.
	 * @return void
	 */
	public static function rows( $rows, $columns, $options ) {
		WP_CLI\Utils\format_items( $options['format'], $rows, $columns );
	}

	/**
	 * One value as JSON.
	 *
	 * @param mixed $value Value.
	 * @return void
	 */
	public static function json( $value ) {
		WP_CLI::line( (string) wp_json_encode( self::with_maps( $value ), JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) );
	}

	/**
	 * The same, with maps of reasons that stay maps where they are empty.
	 *
	 * @param mixed $value Value.
	 * @return mixed
	 */
	private static function with_maps( $value ) {
		foreach ( is_array( $value ) ? $value : array() as $name => $part ) {
			$value[ $name ] = isset( Rollcall_Network_Runs::BY_REASON[ $name ] ) ? (object) $part : self::with_maps( $part );
		}
		return $value;
	}

	/**
	 * The settings of a network, for people.
	 *
	 * @param int $network Network.
	 * @return array
	 */
	private static function settings( $network ) {
		$facts = array( 'network' => $network );
		foreach ( Rollcall_Network_Settings::fresh( $network ) as $name => $value ) {
			$facts[ $name ] = is_array( $value ) ? implode( ',', $value ) : self::word( $value );
		}
		return $facts;
	}

	/**
	 * On, off, or the word itself.
	 *
	 * @param bool|string $value Value.
	 * @return string
	 */
	public static function word( $value ) {
		return is_bool( $value ) ? ( $value ? 'on' : 'off' ) : $value;
	}
}
