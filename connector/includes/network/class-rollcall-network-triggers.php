<?php
/**
 * Hears of new accounts, new sites and changed roles inside a network, and notes what is due.
 *
 * Does: writes a row at the hook; after the visitor has the answer, works for about a second.
 * Does not: write memberships inside the hook. What is decided is read when the work is done, so roles
 *   that the same request gives explicitly win over a fill.
 * Always true: our own writing, and what listeners of other plugins do within it, is no trigger, no person's
 *   hand and no removal: nothing cascades. The beginning of a membership is no change of a role. A trigger
 *   that is off notes nothing.
 * On failure: nothing of the visitor's request is held up; what the hook couldn't note, the marks find.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Triggers.
 */
final class Rollcall_Network_Triggers {

	/** After the answer, a PHP worker is held for so long. */
	const AFTER_ANSWER_S = 1.0;

	/** Where the host can't answer first, somebody waits for it. */
	const BEFORE_ANSWER_S = 0.2;

	/** What every key of a membership ends with. */
	const ENDING = 'capabilities';

	/** What every key of a level ends with. */
	const LEVEL = 'user_level';

	/**
	 * How many pieces of our own work are running.
	 *
	 * @var int
	 */
	private static $writing = 0;

	/**
	 * Roles before the change that is being written: “account site” => roles.
	 *
	 * @var array<string,string[]>
	 */
	private static $before = array();

	/**
	 * Memberships that began in this request.
	 *
	 * @var array<string,bool>
	 */
	private static $begun = array();

	/** Hooks in. */
	public static function start() {
		if ( ! is_multisite() ) {
			return;
		}
		Rollcall_Network_Removals::start();
		$me = __CLASS__;
		add_action( 'user_register', array( $me, 'account' ), PHP_INT_MIN, 1 );
		add_action( 'wp_insert_site', array( $me, 'site' ), PHP_INT_MIN, 1 );
		add_action( 'update_user_meta', array( $me, 'before' ), PHP_INT_MIN, 3 );
		add_action( 'updated_user_meta', array( $me, 'changed' ), PHP_INT_MIN, 4 );
		add_action( 'added_user_meta', array( $me, 'began' ), PHP_INT_MIN, 3 );
		add_action( 'deleted_user_meta', array( $me, 'ended' ), PHP_INT_MIN, 3 );
		// Before capture settles and signals: what is written here is told with it.
		add_action( 'shutdown', array( $me, 'work' ), PHP_INT_MAX - 20, 0 );
	}

	/**
	 * Runs our own work: nothing in it is a trigger, a person's removal or a person's role; nothing is
	 * captured one by one, and no mail leaves. May be nested.
	 *
	 * @param callable $work      What to run.
	 * @param mixed    ...$values Its arguments.
	 * @return mixed What it gives.
	 */
	public static function while_writing( $work, ...$values ) {
		++self::$writing;
		try {
			return Rollcall_Mail_Block::during(
				static function () use ( $work, $values ) {
					return Rollcall_Capture::quiet(
						static function () use ( $work, $values ) {
							return call_user_func_array( $work, $values );
						}
					);
				}
			);
		} finally {
			--self::$writing;
		}
	}

	/** Is our own work running? */
	public static function is_writing() {
		return self::$writing > 0;
	}

	/**
	 * The settings of a network were changed.
	 *
	 * @param int   $network Network.
	 * @param array $before  As they were.
	 * @param array $now     As they are.
	 * @return void
	 */
	public static function settings_changed( $network, array $before, array $now ) {
		if ( $now['new_account'] && ! $before['new_account'] ) {
			Rollcall_Network_Marks::begin( $network, Rollcall_Network_Due::ACCOUNT );
		}
		if ( $now['new_site'] && ! $before['new_site'] ) {
			Rollcall_Network_Marks::begin( $network, Rollcall_Network_Due::SITE );
		}
		Rollcall_Network_Cron::arm( $network );
	}

	/**
	 * `user_register`: an account came about, whoever made it. It belongs to the network of this request.
	 *
	 * @param int $id Account.
	 * @return void
	 */
	public static function account( $id ) {
		// Ids come again; what was remembered of the one before was about somebody else.
		Rollcall_Network_Removals::forget_account( (int) $id );
		$network = get_current_network_id();
		if ( ! Rollcall_Service_Account::is_it( (int) $id ) && Rollcall_Network_Settings::of( $network )['new_account'] ) {
			Rollcall_Network_Due::note( $network, Rollcall_Network_Due::ACCOUNT, (int) $id );
		}
	}

	/**
	 * `wp_insert_site`: a site came about.
	 *
	 * @param WP_Site $site The site.
	 * @return void
	 */
	public static function site( $site ) {
		if ( Rollcall_Network_Settings::of( (int) $site->network_id )['new_site'] ) {
			Rollcall_Network_Due::note( (int) $site->network_id, Rollcall_Network_Due::SITE, (int) $site->blog_id );
		}
	}

	/**
	 * `update_user_meta`: a membership is about to be changed.
	 *
	 * @param int    $mid Row of usermeta.
	 * @param int    $id  Account.
	 * @param string $key Meta key.
	 * @return void
	 */
	public static function before( $mid, $id, $key ) {
		$blog = self::blog( $key );
		if ( $blog ) {
			$was                         = get_user_meta( (int) $id, $key, true );
			self::$before[ "$id $blog" ] = self::roles( $blog, $was );
			Rollcall_Network_Hands::change( (int) $mid, (int) $id, $blog, $key, $was );
		}
	}

	/**
	 * `updated_user_meta`: a membership was changed.
	 *
	 * @param int    $mid   Row of usermeta.
	 * @param int    $id    Account.
	 * @param string $key   Meta key.
	 * @param mixed  $value Its value.
	 * @return void
	 */
	public static function changed( $mid, $id, $key, $value ) {
		$blog = self::blog( $key );
		if ( ! $blog ) {
			return;
		}
		$pair   = "$id $blog";
		$before = isset( self::$before[ $pair ] ) ? self::$before[ $pair ] : null;
		unset( self::$before[ $pair ] );
		Rollcall_Network_Hands::touch( (int) $id, $blog );
		$site = get_site( $blog );
		if ( isset( self::$begun[ $pair ] ) || ! $site || self::roles( $blog, $value ) === $before ) {
			return;
		}
		if ( Rollcall_Network_Settings::of( (int) $site->network_id )['role_change'] ) {
			Rollcall_Network_Due::note( (int) $site->network_id, Rollcall_Network_Due::ROLE, (int) $id, $blog );
		}
	}

	/**
	 * `added_user_meta`: a membership began.
	 *
	 * @param int    $mid Row of usermeta.
	 * @param int    $id  Account.
	 * @param string $key Meta key.
	 * @return void
	 */
	public static function began( $mid, $id, $key ) {
		if ( 0 === self::$writing && is_string( $key ) && self::LEVEL === substr( $key, -strlen( self::LEVEL ) ) ) {
			Rollcall_Network_Hands::leveled( (int) $mid, (int) $id, $key );
		}
		$blog = self::blog( $key );
		if ( ! $blog ) {
			return;
		}
		self::$begun[ "$id $blog" ] = true;
		Rollcall_Network_Hands::began( (int) $mid, (int) $id, $blog );
		Rollcall_Network_Hands::touch( (int) $id, $blog );
		// Not every plugin adds people by WordPress's own function, and it is somebody's hand all the same.
		Rollcall_Network_Removals::forget( (int) $id, $blog );
	}

	/**
	 * Did a membership begin in this request?
	 *
	 * @param int $id   Account.
	 * @param int $blog Site.
	 * @return bool
	 */
	public static function has_begun( $id, $blog ) {
		return isset( self::$begun[ "$id $blog" ] );
	}

	/**
	 * `deleted_user_meta`: a membership ended.
	 *
	 * @param int[]  $mids Rows of usermeta.
	 * @param int    $id   Account.
	 * @param string $key  Meta key.
	 * @return void
	 */
	public static function ended( $mids, $id, $key ) {
		$blog = self::blog( $key );
		if ( $blog && $id ) {
			Rollcall_Network_Hands::touch( (int) $id, $blog );
		}
	}

	/**
	 * The request ends: what it noted is done, as far as there is time.
	 *
	 * @return void
	 */
	public static function work() {
		if ( ! Rollcall_Network_Due::was_noted() ) {
			return;
		}
		$seconds = Rollcall_Signal::answer_first() ? self::AFTER_ANSWER_S : self::BEFORE_ANSWER_S;
		// Whatever waits for another process is left to cron: no visitor's does.
		if ( Rollcall_Network_Cron::work( $seconds, false ) ) {
			Rollcall_Network_Cron::spawn();
		}
	}

	/**
	 * The site whose memberships a key holds, if somebody else is at it.
	 *
	 * @param mixed $key Meta key.
	 * @return int 0: none.
	 */
	public static function blog( $key ) {
		// Almost all keys are others, and almost every request writes some.
		if ( self::$writing > 0 || ! is_string( $key ) || self::ENDING !== substr( $key, -strlen( self::ENDING ) ) ) {
			return 0;
		}
		return Rollcall_Roles::blog_of_caps_key( $key );
	}

	/**
	 * Roles in a membership, sorted.
	 *
	 * @param int   $blog Site.
	 * @param mixed $caps Membership.
	 * @return string[]
	 */
	private static function roles( $blog, $caps ) {
		$roles = array_intersect( array_map( 'strval', array_keys( is_array( $caps ) ? $caps : array() ) ), array_map( 'strval', array_keys( Rollcall_Roles::defined( $blog ) ) ) );
		sort( $roles );
		return $roles;
	}
}
