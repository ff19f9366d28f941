<?php
/**
 * Capture: from the first hook on an account to its outbox row being ready.
 *
 * Does: keeps the accounts this request is changing, with their rows open; settles them when the
 *   request ends, or when too many have come together.
 * Does not: listen to hooks itself (`Rollcall_Hooks`, `Rollcall_Password_Watch`), and believe them:
 *   hooks only mark, the comparison with the ledger decides.
 * Always true: nothing is captured while unbound, or inside `quiet()`; an account unknown so far is
 *   read before WordPress writes it, so that the change can be told from what was there.
 * On failure: the row stays open, counts as ready after 30 s, and whoever reads it settles it. Where
 *   not even a row could be written, the rest of the request goes uncaptured and unstamped: the
 *   difference is there to be found by the next look at the account. The visitor sees nothing of it.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The accounts this request is changing.
 */
final class Rollcall_Capture {

	/** So many accounts are kept open at most: a long import must not grow without end. */
	const AT_ONCE = 50;

	/** A request that goes on editing an account renews its row before others may take it over. */
	const RENEW_MS = 10000;

	/** But nobody keeps an account to himself for longer: a worker that never ends must not. */
	const LONGEST_MS = 300000;

	/**
	 * Open accounts: id => row, since and renewed (site's clock, ms), created, touched, blog, force,
	 * except (what is held of it: name => fingerprint).
	 *
	 * @var array<int,array>
	 */
	private static $open = array();

	/**
	 * How many `quiet()` calls are running.
	 *
	 * @var int
	 */
	private static $quiet = 0;

	/**
	 * Our tables can't be written: nothing more is tried in this request.
	 *
	 * @var bool
	 */
	private static $given_up = false;

	/** Hooks capture in. */
	public static function start() {
		Rollcall_Hooks::start();
		Rollcall_Password_Watch::start();
		Rollcall_Outbox::start();
		// After whatever other plugins still write at the end of a request, before the signal.
		add_action( 'shutdown', array( __CLASS__, 'settle_now' ), PHP_INT_MAX - 10, 0 );
	}

	/**
	 * Runs something that must not be captured. May be nested.
	 *
	 * @param callable $work What to run.
	 * @return mixed What it returns.
	 */
	public static function quiet( $work ) {
		++self::$quiet;
		try {
			return call_user_func( $work );
		} finally {
			--self::$quiet;
		}
	}

	/**
	 * Runs a part of capture inside somebody's request: whatever goes wrong there is ours alone.
	 *
	 * @param callable $work What to run.
	 * @return mixed What it returns; null when it failed, now or before in this request.
	 */
	public static function attempt( $work ) {
		if ( self::$given_up ) {
			return null;
		}
		try {
			return Rollcall_Patience::run( $work );
		} catch ( Throwable $fault ) {
			self::$given_up = true;
			if ( function_exists( 'error_log' ) ) {
				error_log( 'Rollcall Connector: ' . Rollcall_Rest::describe( $fault ) ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions
			}
			return null;
		}
	}

	/**
	 * Marks an account for comparison at the end of the request.
	 *
	 * @param int  $id    WordPress user id.
	 * @param bool $force Tell the hub also when no field differs (switches, privileges).
	 */
	public static function mark( $id, $force = false ) {
		if ( self::open( $id ) && $force ) {
			self::$open[ $id ]['force'] = true;
		}
	}

	/**
	 * Is this account's change to be captured now?
	 *
	 * @param int $id WordPress user id.
	 */
	public static function captures( $id ) {
		if ( ! self::is_listening() ) {
			return false;
		}
		if ( ! self::wants( $id ) ) {
			Rollcall_Declined::note( (int) $id );
			return false;
		}
		return true;
	}

	/**
	 * May changes of this account be captured at all?
	 *
	 * @param int $id WordPress user id.
	 */
	public static function wants( $id ) {
		if ( $id <= 0 || Rollcall_Settings::service_user_id() === (int) $id ) {
			return false;
		}
		if ( ! has_filter( 'rollcall_should_capture' ) ) {
			return true;
		}
		/**
		 * Filters whether the changes of an account are captured.
		 *
		 * @param bool $capture Whether to capture.
		 * @param int  $user_id WordPress user id.
		 */
		list( $ended, $capture ) = Rollcall_Callbacks::call( 'rollcall_should_capture', 'apply_filters', array( 'rollcall_should_capture', true, (int) $id ) );
		return ! $ended || (bool) $capture;
	}

	/** Is anything captured now? */
	public static function is_listening() {
		return 0 === self::$quiet && ! self::$given_up && Rollcall_Settings::is_bound();
	}

	/**
	 * Is an account open in this request?
	 *
	 * @param int $id WordPress user id.
	 */
	public static function is_open( $id ) {
		return isset( self::$open[ $id ] );
	}

	/**
	 * Was an account created in this request?
	 *
	 * @param int $id WordPress user id.
	 */
	public static function is_created( $id ) {
		return ! empty( self::$open[ $id ]['created'] );
	}

	/**
	 * Opens an account. The first time in a request this writes its outbox row; after that it only
	 * notes what was touched.
	 *
	 * @param int      $id      WordPress user id.
	 * @param string[] $touched Field names that were seen changing.
	 * @param bool     $created Its creation was seen.
	 * @param int|null $blog    Blog id, the present site when null.
	 * @return bool Whether it is open.
	 */
	public static function open( $id, array $touched = array(), $created = false, $blog = null ) {
		$id = (int) $id;
		if ( ! self::captures( $id ) ) {
			return false;
		}
		$blog = null === $blog ? get_current_blog_id() : (int) $blog;
		if ( isset( self::$open[ $id ] ) ) {
			self::renew( $id, $created );
		} else {
			self::attempt(
				static function () use ( $id, $touched, $created, $blog ) {
					self::begin( $id, $touched, $created, $blog );
				}
			);
		}
		if ( ! isset( self::$open[ $id ] ) ) {
			return false;
		}
		self::$open[ $id ]['touched'] += array_fill_keys( $touched, true );
		if ( $created ) {
			self::$open[ $id ]['created'] = true;
		}
		return true;
	}

	/**
	 * Opens an account that is not open in this request.
	 *
	 * @param int      $id      WordPress user id.
	 * @param string[] $touched Field names that were seen changing.
	 * @param bool     $created Its creation was seen.
	 * @param int      $blog    Blog id.
	 */
	private static function begin( $id, array $touched, $created, $blog ) {
		if ( count( self::$open ) >= self::AT_ONCE ) {
			self::settle_now();
		}
		$row               = self::open_row( $id, $created, $blog );
		$now               = Rollcall_Settings::clock_ms();
		self::$open[ $id ] = array(
			'row'     => $row,
			'since'   => $now,
			'renewed' => $now,
			'created' => $created,
			'touched' => array_fill_keys( $touched, true ),
			'blog'    => $blog,
			'force'   => false,
			'except'  => array(),
		);
		self::know( $id, $created );
	}

	/**
	 * Opens the row of an account, before an apply looks at it or after that has ended.
	 *
	 * @param int  $id      WordPress user id.
	 * @param bool $created Its creation was seen.
	 * @param int  $blog    Blog id.
	 * @return array{id:string,rev:int,mine:bool}
	 */
	private static function open_row( $id, $created, $blog ) {
		return Rollcall_Turns::await(
			$id,
			static function () use ( $id, $created, $blog ) {
				return Rollcall_Outbox::open( $id, $created ? 'create' : 'update', $blog );
			}
		);
	}

	/**
	 * Opens the row of an open account once more when it was opened long ago: it may have been read
	 * and acknowledged meanwhile, and what is written from now on needs a row of its own.
	 *
	 * @param int  $id      WordPress user id.
	 * @param bool $created Its creation was seen.
	 */
	private static function renew( $id, $created ) {
		$one = self::$open[ $id ];
		$now = Rollcall_Settings::clock_ms();
		if ( $now - $one['renewed'] < self::RENEW_MS || $now - $one['since'] > self::LONGEST_MS ) {
			return;
		}
		self::attempt(
			static function () use ( $id, $created, $one, $now ) {
				$row         = self::open_row( $id, $created || $one['created'], $one['blog'] );
				$row['mine'] = $row['mine'] || ( $one['row']['mine'] && $one['row']['id'] === $row['id'] && $one['row']['rev'] + 1 === $row['rev'] );

				self::$open[ $id ]['row']     = $row;
				self::$open[ $id ]['renewed'] = $now;
			}
		);
	}

	/**
	 * Opens many accounts that one statement is about to change.
	 *
	 * @param int[] $ids WordPress user ids.
	 */
	public static function open_many( array $ids ) {
		$ids = array_values( array_filter( array_diff( $ids, array_keys( self::$open ) ), array( __CLASS__, 'captures' ) ) );
		$now = Rollcall_Settings::clock_ms();
		$did = self::attempt(
			static function () use ( $ids ) {
				Rollcall_Outbox::open_many( $ids );
				Rollcall_Settle::run( $ids, array( 'baseline_only' => true ) );
				return array( 'held' => Rollcall_Held_Back::note( $ids ) );
			}
		);
		foreach ( $did ? $ids : array() as $id ) {
			self::$open[ $id ] = array(
				'row'     => array(
					'id'   => '',
					'rev'  => 0,
					'mine' => false,
				),
				'since'   => $now,
				'renewed' => $now,
				'created' => false,
				'touched' => array(),
				'blog'    => get_current_blog_id(),
				'force'   => false,
				'except'  => isset( $did['held'][ $id ] ) ? $did['held'][ $id ] : array(),
			);
		}
	}

	/**
	 * Lets go of an account that ended.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function let_go( $id ) {
		unset( self::$open[ $id ] );
	}

	/**
	 * Settles everything that is open: stamps what changed, makes rows ready, takes back those that
	 * stand for nothing.
	 */
	public static function settle_now() {
		if ( ! self::$open && ! Rollcall_Declined::any() && ! Rollcall_Password_Watch::suspects() ) {
			return;
		}
		self::attempt(
			static function () {
				Rollcall_Password_Watch::look();
				Rollcall_Declined::settle();
				$open       = array_filter( self::$open, array( 'Rollcall_Hooks', 'is_not_ending' ), ARRAY_FILTER_USE_KEY );
				self::$open = array_diff_key( self::$open, $open );
				foreach ( array_chunk( $open, 500, true ) as $some ) {
					self::settle( $some );
				}
			}
		);
	}

	/**
	 * Settles accounts whose row was left open by a request that never ended.
	 *
	 * @param int[] $ids WordPress user ids.
	 */
	public static function settle_left_open( array $ids ) {
		global $wpdb;
		if ( ! $ids ) {
			return;
		}
		Rollcall_Outbox::take_over( $ids );
		$list  = "'u:" . implode( "','u:", array_map( 'intval', $ids ) ) . "'";
		$kinds = array();
		$made  = array();
		$blogs = array();
		$ends  = array();
		foreach ( $wpdb->get_results( 'SELECT user_id, kind, blog, gone FROM ' . Rollcall_Tables::outbox() . " WHERE subject IN ($list)" ) as $row ) { // phpcs:ignore WordPress.DB
			$id           = (int) $row->user_id;
			$kinds[ $id ] = (string) $row->kind;
			$blogs[ $id ] = (int) $row->blog;
			if ( 'create' === $row->kind ) {
				$made[ $id ] = true;
			}
			if ( '' !== $row->gone ) {
				$ends[ $id ] = true;
			}
		}
		$settled = Rollcall_Settle::run(
			array_keys( $kinds ),
			array(
				'created'   => self::not_settled_yet( $made ),
				'cut_short' => $ends,
				'except'    => Rollcall_Held_Back::of( array_keys( $kinds ) ),
				'blog'      => $blogs,
			)
		);
		foreach ( array_keys( $ends ) as $id ) {
			if ( isset( $settled[ $id ] ) && ! $settled[ $id ]['held'] ) {
				Rollcall_Outbox::expect_no_delete( $id );
			}
		}
		Rollcall_Outbox::ready( $kinds, $blogs );
	}

	/**
	 * Those of some accounts seen coming about that have no stamps yet. A request that lasts is settled
	 * by who reads it meanwhile, and must not stamp everything again: edits of others came since.
	 *
	 * @param array<int,true> $created Account => true.
	 * @return array<int,true>
	 */
	private static function not_settled_yet( array $created ) {
		foreach ( Rollcall_Ledger::load( array_keys( $created ) ) as $id => $row ) {
			if ( $row['born'][0] > 0 ) {
				unset( $created[ $id ] );
			}
		}
		return $created;
	}

	/**
	 * Settles some accounts.
	 *
	 * @param array $open Part of `$open`.
	 */
	private static function settle( array $open ) {
		$created = array_filter( wp_list_pluck( $open, 'created' ) );
		$blogs   = wp_list_pluck( $open, 'blog' );
		$settled = Rollcall_Settle::run(
			array_keys( $open ),
			array(
				'created' => self::not_settled_yet( $created ),
				'touched' => wp_list_pluck( $open, 'touched' ),
				'except'  => array_filter( wp_list_pluck( $open, 'except' ) ),
				'blog'    => $blogs,
			)
		);
		$ready   = array();
		foreach ( $open as $id => $one ) {
			$nothing = isset( $settled[ $id ] ) && ! $settled[ $id ]['changed'] && ! $one['force'];
			if ( $nothing && $one['row']['mine'] ) {
				Rollcall_Outbox::take_back( $id, $one['row'] );
			} else {
				$ready[ $id ] = isset( $created[ $id ] ) ? 'create' : 'update';
			}
		}
		Rollcall_Outbox::ready( $ready, $blogs );
		foreach ( array_filter( wp_list_pluck( $open, 'except' ) ) as $id => $held ) {
			Rollcall_Held_Back::forget( $id );
		}
	}

	/**
	 * Makes sure that an account's values before the change are known.
	 *
	 * @param int  $id      WordPress user id.
	 * @param bool $created Its creation was seen: there is no before.
	 */
	private static function know( $id, $created ) {
		global $wpdb;
		$watch = $wpdb->get_var( $wpdb->prepare( 'SELECT watch FROM ' . Rollcall_Tables::accounts() . ' WHERE user_id = %d', $id ) ); // phpcs:ignore WordPress.DB
		if ( $created ) {
			if ( null !== $watch ) {
				// The id was used before (an old MySQL, a restore): that was somebody else.
				Rollcall_Ledger::forget( $id );
			}
			return;
		}
		if ( null === $watch && Rollcall_Newcomers::is_one( $id ) ) {
			// Made past the hooks a moment ago: there is no before either.
			self::$open[ $id ]['created'] = true;
		} elseif ( null === $watch || (int) $watch < Rollcall_Settings::generation() ) {
			Rollcall_Settle::run(
				array( $id ),
				array(
					'baseline_only' => true,
					'touched'       => array( $id => self::$open[ $id ]['touched'] ),
				)
			);
		}
		// What a restored table put there must not get this person's stamp.
		$held = Rollcall_Held_Back::note( array( $id ) );

		self::$open[ $id ]['except'] = isset( $held[ $id ] ) ? $held[ $id ] : array();
	}
}
