<?php
/**
 * What a hub is answered below `network/`.
 *
 * Does: shows its network; switches triggers and tightens; previews, begins, works on and steers runs.
 * Does not: decide or write anything itself. It can't loosen a network: what a hub may name has no word for that,
 *   and letting a site's own administrators act is refused.
 * Always true: a run that a hub begins is a hub's to go on with; every request may be repeated. What is asked is
 *   answered for the network alone that the hub is bound to: of another one of the same installation nothing is
 *   shown, changed or steered.
 * On failure: `network.missing`, `network.run_missing`, `network.run_state`, `target.guard_kept`, `request.invalid`.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Answers to a hub.
 */
final class Rollcall_Network_Answers {

	/** A page ends after this, in seconds: who pauses a run waits for it, and hosts cut off at 30. */
	const SECONDS = 5;

	/** The beginning of a run passes by sites on which there is nothing to do for so long, in seconds. */
	const BEGIN_SECONDS = 2;

	/** Settings that a hub sets as it likes. */
	const FREE = array( 'new_account', 'new_site', 'role_change', 'role_sites', 'site_admins' );

	/**
	 * POST /network/show.
	 *
	 * @param array $request NetworkShowRequest.
	 * @return array|WP_Error NetworkShowAnswer.
	 */
	public static function show( $request ) {
		if ( ! is_multisite() ) {
			return self::missing();
		}
		$network = get_network();
		if ( ! $network || ( isset( $request['network'] ) && ! self::exists( $request['network'] ) ) ) {
			return self::missing();
		}
		return array( 'networks' => array( self::network( $network ) ) );
	}

	/**
	 * POST /network/settings: switches triggers, and tightens.
	 *
	 * @param array $request NetworkSettingsRequest.
	 * @return array|WP_Error NetworkSettingsAnswer.
	 */
	public static function settings( $request ) {
		$network = $request['network'];
		if ( ! self::exists( $network ) ) {
			return self::missing();
		}
		$part  = array_intersect_key( $request, array_flip( self::FREE ) );
		$lists = array();
		if ( isset( $request['revoke'] ) ) {
			$lists['privileged_roles'] = array( array(), $request['revoke'] );
		}
		if ( isset( $request['exclude'] ) ) {
			$lists['excluded'] = array( $request['exclude'], array() );
		}
		if ( Rollcall_Network_Settings::loosens( $network, $part ) ) {
			return Rollcall_Rest::error( 'target.guard_kept', 409, __( 'A hub may switch triggers of this network and tighten it. What loosens it takes its own administrators: in Network Admin, or with WP-CLI.', 'rollcall-connector' ) );
		}
		$after = Rollcall_Network_Settings::change( $network, $part, $lists );
		return is_wp_error( $after ) ? $after : array(
			'network'  => $network,
			'settings' => $after,
		);
	}

	/**
	 * POST /network/preview.
	 *
	 * @param array $request NetworkPreviewRequest.
	 * @return array|WP_Error NetworkPreviewAnswer.
	 */
	public static function preview( $request ) {
		if ( ! self::exists( $request['network'] ) ) {
			return self::missing();
		}
		$page = Rollcall_Network_Preview::page( $request['spec'], $request['after'], $request['network'] );
		if ( is_wp_error( $page ) ) {
			return $page;
		}
		foreach ( $page['sites'] as $i => $site ) {
			$page['sites'][ $i ]['skipped'] = (object) $site['skipped'];
		}
		return $page;
	}

	/**
	 * POST /network/begin: begins a run, and passes by sites on which there is nothing to do: of a full network nothing
	 * else is asked.
	 *
	 * @param array $request NetworkBeginRequest.
	 * @return array|WP_Error NetworkRunAnswer.
	 */
	public static function begin( $request ) {
		if ( ! self::exists( $request['network'] ) ) {
			return self::missing();
		}
		$run = Rollcall_Network_Runs::begin( $request['id'], $request['network'], $request['spec'], 'hub', sanitize_text_field( $request['by'] ) );
		return self::run( is_wp_error( $run ) ? $run : Rollcall_Network_Runs::pass_by( $run['id'], self::BEGIN_SECONDS ) );
	}

	/**
	 * POST /network/page: works on one site of a run, and passes by those behind it on which there is nothing to do.
	 * Asked at the REST root of that very site. The hub needs no signal for what it has done itself: it looks when the
	 * run rests, and reads each account once.
	 *
	 * @param array $request NetworkPageRequest.
	 * @return array|WP_Error NetworkRunAnswer.
	 */
	public static function page( $request ) {
		if ( ! is_multisite() ) {
			return self::missing();
		}
		add_filter( 'rollcall_signal_allowed', '__return_false' );
		return self::run( Rollcall_Network_Runs::page( $request['run'], $request['blog'], self::SECONDS ) );
	}

	/**
	 * POST /network/control. A run of somebody's command line is the hub's to go on with from there.
	 *
	 * @param array $request NetworkControlRequest.
	 * @return array|WP_Error NetworkRunAnswer.
	 */
	public static function control( $request ) {
		if ( ! is_multisite() ) {
			return self::missing();
		}
		$row  = in_array( $request['do'], array( 'resume', 'undo' ), true ) ? Rollcall_Network_Runs::row( $request['run'] ) : null;
		$mine = $row && 'cli' === $row->driver;
		return self::run( Rollcall_Network_Runs::control( $request['run'], $request['do'], $mine ? 'hub' : null ) );
	}

	/**
	 * POST /network/runs.
	 *
	 * @param array $request NetworkRunsRequest.
	 * @return array|WP_Error NetworkRunsAnswer.
	 */
	public static function runs( $request ) {
		if ( ! self::exists( $request['network'] ) ) {
			return self::missing();
		}
		$before = isset( $request['before'] ) ? $request['before'] : null;
		$runs   = Rollcall_Network_Runs::recent( $request['network'], $before, min( 100, $request['limit'] ) );
		return array( 'runs' => array_map( array( __CLASS__, 'shown' ), $runs ) );
	}

	/**
	 * POST /network/rows.
	 *
	 * @param array $request NetworkRowsRequest.
	 * @return array|WP_Error NetworkRowsAnswer.
	 */
	public static function rows( $request ) {
		if ( ! is_multisite() ) {
			return self::missing();
		}
		return Rollcall_Network_Runs::rows( $request['run'], isset( $request['after'] ) ? $request['after'] : null, $request['limit'] );
	}

	/**
	 * One network.
	 *
	 * @param WP_Network $network Network.
	 * @return array
	 */
	private static function network( $network ) {
		$id      = (int) $network->id;
		$members = Rollcall_Network_Sites::members( $id );
		$sites   = array();
		foreach ( Rollcall_Network_Sites::all( $id ) as $site ) {
			$site['members'] = isset( $members[ $site['blog'] ] ) ? $members[ $site['blog'] ] : 0;
			$sites[]         = $site;
		}
		$people = new Rollcall_Network_People( $id, 'all' );
		return array(
			'id'       => $id,
			'name'     => (string) $network->site_name,
			'main'     => (int) get_main_site_id( $id ),
			'settings' => Rollcall_Network_Settings::fresh( $id ),
			'accounts' => $people->count(),
			'sites'    => $sites,
		);
	}

	/**
	 * A run, or why there is none.
	 *
	 * @param array|WP_Error $run Run.
	 * @return array|WP_Error NetworkRunAnswer.
	 */
	private static function run( $run ) {
		return is_wp_error( $run ) ? $run : array( 'run' => self::shown( $run ) );
	}

	/**
	 * A run as the contract has it: nothing skipped is an object, too.
	 *
	 * @param array $run Run.
	 * @return array
	 */
	private static function shown( $run ) {
		foreach ( array_keys( Rollcall_Network_Runs::BY_REASON ) as $by ) {
			$run['counts'][ $by ] = (object) $run['counts'][ $by ];
		}
		return $run;
	}

	/**
	 * Is it this network? The hub's keys, its account and the guard are this one's alone.
	 *
	 * @param int $network Network.
	 * @return bool
	 */
	private static function exists( $network ) {
		return is_multisite() && get_current_network_id() === $network;
	}

	/**
	 * There is none.
	 *
	 * @return WP_Error
	 */
	private static function missing() {
		return Rollcall_Rest::error( 'network.missing', 404, Rollcall_Reasons::sentence( 'network.missing' ) );
	}
}
