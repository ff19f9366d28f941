<?php
/**
 * A site's own page: everybody of the network joins this very site.
 *
 * Does: counts, begins, shows how far it is; what was begun here can be paused, gone on with, cancelled and
 *   undone here.
 * Always true: whoever may promote users on this site may use it where the network's settings say so, and the
 *   network's administrators always. The site is the one of the request, the action is a fill of it alone that
 *   adds nobody back: nothing of it comes from a form. Another run is as good as none.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Page of a site.
 */
final class Rollcall_Network_Site_Page {

	const PAGE   = 'rollcall-fill';
	const ACTION = 'rollcall_site_fill';
	const LOOK   = 'rollcall_site_run';

	/** The newest runs among which those of this site are looked for. */
	const RUNS = 100;

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'admin_menu', array( __CLASS__, 'menu' ), 11 );
		add_action( 'admin_post_' . self::ACTION, array( __CLASS__, 'save' ) );
		add_action( 'wp_ajax_' . self::LOOK, array( __CLASS__, 'look' ) );
	}

	/**
	 * Adds the page, for those who may use it.
	 *
	 * @return void
	 */
	public static function menu() {
		if ( self::is_allowed() ) {
			$title = __( 'Fill this site', 'rollcall-connector' );
			add_submenu_page( Rollcall_Admin::PAGE, $title, $title, 'read', self::PAGE, array( __CLASS__, 'show' ) );
		}
	}

	/**
	 * May the present person fill this site?
	 *
	 * @return bool
	 */
	public static function is_allowed() {
		if ( current_user_can( Rollcall_Network_Page::ACTS ) ) {
			return true;
		}
		return current_user_can( 'promote_users' ) && Rollcall_Network_Settings::fresh( get_current_network_id() )['site_admins'];
	}

	/**
	 * The page.
	 *
	 * @return void
	 */
	public static function show() {
		if ( ! self::is_allowed() ) {
			wp_die( esc_html__( 'You are not allowed to do that.', 'rollcall-connector' ), 403 );
		}
		echo '<div class="wrap"><h1>' . esc_html__( 'Fill this site', 'rollcall-connector' ) . '</h1>';
		$run = self::run_of( Rollcall_Network_Page::asked( 'run' ) );
		if ( is_wp_error( $run ) ) {
			self::preview();
		} else {
			Rollcall_Network_Progress::show( $run, self::LOOK );
			if ( self::began_here( $run ) ) {
				Rollcall_Network_Progress::buttons( $run, admin_url( 'admin-post.php' ), self::ACTION );
			}
			echo '<p><a href="' . esc_url( self::url() ) . '">' . esc_html__( 'Back', 'rollcall-connector' ) . '</a></p>';
		}
		echo '</div>';
	}

	/**
	 * Begins a run, or tells one what to do.
	 *
	 * @return void
	 */
	public static function save() {
		if ( ! self::is_allowed() ) {
			wp_die( esc_html__( 'You are not allowed to do that.', 'rollcall-connector' ), 403 );
		}
		$id = Rollcall_Network_Page::sent( 'run' );
		check_admin_referer( Rollcall_Network_Progress::nonce( self::ACTION, $id ) );
		$to  = Rollcall_Network_Page::sent( 'do' );
		$run = Rollcall_Network_Page::or_end( 'begin' === $to ? self::begin( $id ) : self::tell( $id, $to ) );
		wp_safe_redirect( self::url( array( 'run' => $run['id'] ) ) );
		exit;
	}

	/**
	 * Answers the script.
	 *
	 * @return void
	 */
	public static function look() {
		$id = Rollcall_Network_Page::asked( 'run' );
		if ( ! self::is_allowed() || ! check_ajax_referer( Rollcall_Network_Progress::nonce( self::LOOK, $id ), false, false ) ) {
			wp_send_json_error( null, 403 );
		}
		$run = self::run_of( $id );
		if ( is_wp_error( $run ) ) {
			wp_send_json_error( null, 404 );
		}
		wp_send_json_success( Rollcall_Network_Progress::answer( $run ) );
	}

	/**
	 * What filling this site would do, and a button for it.
	 *
	 * @return void
	 */
	private static function preview() {
		echo '<p>' . esc_html__( 'Adds everybody of this network who is no member here yet, with this site’s default role. Memberships stay as they are.', 'rollcall-connector' ) . '</p>';
		$page = Rollcall_Network_Preview::page( self::spec(), 0 );
		if ( is_wp_error( $page ) ) {
			Rollcall_Network_Page::notice( 'error', $page->get_error_message() );
			return;
		}
		echo '<h2>' . esc_html__( 'Preview', 'rollcall-connector' ) . '</h2>';
		Rollcall_Network_Counts::show( $page['sites'] );
		$id = wp_generate_uuid4();
		echo '<form id="rollcall-site-fill" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '">';
		wp_nonce_field( Rollcall_Network_Progress::nonce( self::ACTION, $id ) );
		printf( '<input type="hidden" name="action" value="%1$s"><input type="hidden" name="run" value="%2$s"><input type="hidden" name="do" value="begin"><p>', esc_attr( self::ACTION ), esc_attr( $id ) );
		submit_button( __( 'Start', 'rollcall-connector' ), 'primary', '', false );
		echo '</p></form>';
		self::newest();
	}

	/**
	 * The newest runs of this site.
	 *
	 * @return void
	 */
	private static function newest() {
		$runs = array_filter( Rollcall_Network_Runs::recent( get_current_network_id(), null, self::RUNS ), array( __CLASS__, 'is_of_this_site' ) );
		if ( ! $runs ) {
			return;
		}
		echo '<h2>' . esc_html__( 'Newest runs', 'rollcall-connector' ) . '</h2><ul>';
		foreach ( $runs as $run ) {
			printf( '<li><a href="%1$s">%2$s</a>: %3$s</li>', esc_url( self::url( array( 'run' => $run['id'] ) ) ), esc_html( Rollcall_Network_Shown::time( $run['began_ms'] ) ), esc_html( Rollcall_Network_Shown::state( $run['state'] ) ) );
		}
		echo '</ul>';
	}

	/**
	 * Begins a fill of this site.
	 *
	 * @param string $id Run.
	 * @return array|WP_Error
	 */
	private static function begin( $id ) {
		$by  = Rollcall_Network_Shown::BY_SITE . get_current_blog_id() . ' ' . wp_get_current_user()->user_login;
		$run = Rollcall_Network_Runs::begin( $id, get_current_network_id(), self::spec(), 'cron', $by );
		// Of two beginnings with one id the first counts, and that may be somebody else's.
		return is_wp_error( $run ) ? $run : self::run_of( $run['id'] );
	}

	/**
	 * Tells a run what to do that was begun on this page.
	 *
	 * @param string $id Run.
	 * @param string $to pause, resume, cancel or undo.
	 * @return array|WP_Error
	 */
	private static function tell( $id, $to ) {
		$run = self::run_of( $id );
		if ( is_wp_error( $run ) || self::began_here( $run ) ) {
			return is_wp_error( $run ) ? $run : Rollcall_Network_Runs_Tab::tell( $run, $to );
		}
		return self::missing();
	}

	/**
	 * A fill of this site alone.
	 *
	 * @return array
	 */
	private static function spec() {
		return array(
			'action'   => 'fill',
			'sites'    => array( get_current_blog_id() ),
			'people'   => 'all',
			'add_back' => false,
		);
	}

	/**
	 * A run that fills this site alone.
	 *
	 * @param string $id Run.
	 * @return array|WP_Error
	 */
	private static function run_of( $id ) {
		$run = Rollcall_Network_Page::run_of( $id );
		return is_wp_error( $run ) || self::is_of_this_site( $run ) ? $run : self::missing();
	}

	/**
	 * Does a run do what is begun on this page, and nothing else?
	 *
	 * @param array $run Run.
	 * @return bool
	 */
	private static function is_of_this_site( array $run ) {
		$spec = self::spec();
		ksort( $spec );
		ksort( $run['spec'] );
		return $spec === $run['spec'];
	}

	/**
	 * Was it begun on this page?
	 *
	 * @param array $run Run.
	 * @return bool
	 */
	private static function began_here( array $run ) {
		return 0 === strpos( $run['by'], Rollcall_Network_Shown::BY_SITE . get_current_blog_id() . ' ' );
	}

	/**
	 * There is no such run.
	 *
	 * @return WP_Error
	 */
	private static function missing() {
		return Rollcall_Rest::error( 'network.run_missing', 404, Rollcall_Reasons::sentence( 'network.run_missing' ) );
	}

	/**
	 * Address of the page.
	 *
	 * @param array $more Further arguments.
	 * @return string
	 */
	private static function url( array $more = array() ) {
		return add_query_arg( $more, admin_url( 'admin.php?page=' . self::PAGE ) );
	}
}
