<?php
/**
 * What this installation was told by its hub, and by its own administrators.
 *
 * Does: keeps the binding, the term, the site keys, the watch list, the clock's offset, the guard's
 *   own lists, and this installation's home; one site option, network-wide on a network.
 * Does not: decide what follows from them.
 * Always true: the signal's secret lies in an option that is not loaded with every request;
 *   `generation()` rises whenever something is newly watched, so that what was there before is told
 *   apart from what came later.
 * On failure: unreadable settings count as unbound, and nothing is captured or applied.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Settings of this installation.
 */
final class Rollcall_Settings {

	const OPTION        = 'rollcall_settings';
	const SIGNAL_OPTION = 'rollcall_signal';

	/** What an installation starts with. */
	const DEFAULTS = array(
		'hub_id'          => '',
		'hub_name'        => '',
		'term'            => 0,
		'keys'            => array(),
		'meta'            => array(),
		'patterns'        => array(),
		'ext'             => array(),
		'generation'      => 0,
		'offset_ms'       => 0,
		'service_user_id' => 0,
		'home'            => '',
		'away'            => array(),
		'returned'        => array(),
		'released'        => array(),
		'grantable'       => array(),
		'read_only'       => array(),
		'whitelist'       => array(),
	);

	/**
	 * What is stored, with defaults; null until it is asked for. Asked for many times per account.
	 *
	 * @var array|null
	 */
	private static $all = null;

	/**
	 * Meta keys to watch, as long as `$all` stands.
	 *
	 * @var string[]|null
	 */
	private static $meta_keys = null;

	/**
	 * Site keys by blog, as long as `$all` stands.
	 *
	 * @var array<int,int>|null
	 */
	private static $keys = null;

	/** Is a hub bound? Unbound, nothing is captured and nothing written. */
	public static function is_bound() {
		return '' !== self::value( 'hub_id' );
	}

	/** Id of the bound hub, '' when none. */
	public static function hub_id() {
		return (string) self::value( 'hub_id' );
	}

	/** Name the bound hub gave itself. */
	public static function hub_name() {
		return (string) self::value( 'hub_name' );
	}

	/** The greatest term seen of the bound hub. */
	public static function term() {
		return (int) self::value( 'term' );
	}

	/**
	 * Takes over a later term; an earlier one is ignored.
	 *
	 * @param int $term Number of the hub's reign.
	 */
	public static function set_term( $term ) {
		if ( (int) $term > self::term() ) {
			self::change(
				static function ( array $now ) use ( $term ) {
					return array( 'term' => max( (int) $now['term'], (int) $term ) );
				}
			);
		}
	}

	/**
	 * Binds this installation to a hub. Binding again renews everything that is given.
	 *
	 * @param array $binding hub_id, term, hub_name, keys, meta, signal, service_user_id, offset_ms.
	 */
	public static function bind( array $binding ) {
		Rollcall_Store::note_released( self::stored_home() );
		$binding['home']     = Rollcall_Home::encode( Rollcall_Home::now() );
		$binding['away']     = array();
		$binding['returned'] = array();
		if ( self::was_released_from( (string) $binding['hub_id'] ) ) {
			$binding['released'] = array();
		}
		Rollcall_Store::note_bound( $binding['home'] );
		Rollcall_Facts::delete( Rollcall_Address::EPOCH );
		self::update( $binding );
	}

	/** Ends the binding. Guard lists, ledger and tombstones stay; what was consented to was for that hub. */
	public static function unbind() {
		Rollcall_Consent::forget();
		Rollcall_Shared_Option::delete( self::SIGNAL_OPTION );
		Rollcall_Store::note_released( self::stored_home() );
		Rollcall_Notices::keep( null );
		self::save(
			array(
				'hub_id'          => '',
				'hub_name'        => '',
				'term'            => 0,
				'service_user_id' => 0,
				'away'            => array(),
				'returned'        => array(),
				'released'        => array( 'hub' => self::hub_id() ),
			)
		);
	}

	/**
	 * Was this installation taken from this hub?
	 *
	 * @param string $hub_id Id of a hub, as it names itself.
	 */
	public static function was_released_from( $hub_id ) {
		$released = self::value( 'released' );
		return isset( $released['hub'] ) && '' !== $hub_id && hash_equals( strtolower( (string) $released['hub'] ), strtolower( $hub_id ) );
	}

	/** Name of the bound hub and where it is, for people. */
	public static function hub_named() {
		$name   = '' === self::hub_name() ? self::hub_id() : self::hub_name();
		$signal = self::signal();
		$host   = null === $signal ? null : wp_parse_url( $signal['url'], PHP_URL_HOST );
		/* translators: 1: name of a hub, 2: its host. */
		return is_string( $host ) ? sprintf( __( '“%1$s” at %2$s', 'rollcall-connector' ), $name, $host ) : '“' . $name . '”';
	}

	/**
	 * Changes some settings; what is not named stays.
	 *
	 * @param array $change Any of the keys of DEFAULTS, and `signal` (array or null).
	 */
	public static function update( array $change ) {
		if ( array_key_exists( 'signal', $change ) ) {
			self::save_signal( $change['signal'] );
		}
		self::change(
			static function ( array $before ) use ( $change ) {
				return self::renewed( array_intersect_key( $change, self::DEFAULTS ), $before );
			}
		);
	}

	/**
	 * Changes one site's entry of a setting that has one for each.
	 *
	 * @param string $name  `grantable` or `read_only`.
	 * @param int    $blog  Site.
	 * @param mixed  $entry What is kept for it.
	 */
	public static function update_entry( $name, $blog, $entry ) {
		self::change(
			static function ( array $now ) use ( $name, $blog, $entry ) {
				return array( $name => array( $blog => $entry ) + $now[ $name ] );
			}
		);
	}

	/**
	 * A change with the generations of what is newly watched.
	 *
	 * @param array $next   The change.
	 * @param array $before Settings so far.
	 * @return array
	 */
	private static function renewed( array $next, array $before ) {
		$newer  = (int) $before['generation'] + 1;
		$raised = false;

		if ( isset( $next['meta'] ) ) {
			$meta = array();
			foreach ( self::entries( $next, $before ) as $key ) {
				if ( Rollcall_Never_Synced::is_never( $key ) ) {
					continue;
				}
				$raised       = $raised || ! isset( $before['meta'][ $key ] );
				$meta[ $key ] = isset( $before['meta'][ $key ] ) ? (int) $before['meta'][ $key ] : $newer;
			}
			$next['meta'] = $meta;
		}
		if ( isset( $next['keys'] ) ) {
			$keys = array();
			foreach ( $next['keys'] as $blog => $key ) {
				// A hub may not have heard yet that a site has ended.
				if ( ! isset( $before['keys'][ $blog ] ) && Rollcall_Network_Sites::is_none( (int) $blog ) ) {
					continue;
				}
				$since         = isset( $before['keys'][ $blog ][1] ) ? (int) $before['keys'][ $blog ][1] : $newer;
				$raised        = $raised || ! isset( $before['keys'][ $blog ] );
				$keys[ $blog ] = array( (int) $key, $since );
			}
			$next['keys'] = $keys;
		}
		if ( $raised ) {
			$next['generation'] = $newer;
		}
		return $next;
	}

	/**
	 * The keys that a new list names, and those that its patterns cover.
	 *
	 * @param array $next   The list comes as `meta`, and leaves as keys; its patterns are kept beside it.
	 * @param array $before Settings so far.
	 * @return string[]
	 */
	private static function entries( array &$next, array $before ) {
		list( $keys, $patterns ) = Rollcall_Meta_Patterns::split( $next['meta'] );
		$next['patterns']        = $patterns;
		$covered                 = array();
		foreach ( array_map( 'strval', array_keys( $before['meta'] ) ) as $key ) {
			if ( Rollcall_Meta_Patterns::cover( $patterns, $key ) ) {
				$covered[] = $key;
			}
		}
		$covered = array_merge( $covered, Rollcall_Meta_Patterns::found( array_diff( $patterns, $before['patterns'] ) ) );
		$covered = array_slice( array_values( array_unique( $covered ) ), 0, Rollcall_Meta_Patterns::MOST_KEYS );
		return array_unique( array_merge( $keys, $covered ) );
	}

	/**
	 * Is a meta key watched? One that a pattern covers is from now on.
	 *
	 * @param string $key Meta key.
	 */
	public static function watches( $key ) {
		if ( in_array( $key, self::meta_keys(), true ) ) {
			return true;
		}
		$all = self::all();
		if ( ! Rollcall_Meta_Patterns::cover( $all['patterns'], $key ) || count( $all['meta'] ) >= Rollcall_Meta_Patterns::MOST_KEYS ) {
			return false;
		}
		self::change(
			static function ( array $now ) use ( $key ) {
				$newer = (int) $now['generation'] + 1;
				return isset( $now['meta'][ $key ] ) ? array() : array(
					'meta'       => $now['meta'] + array( $key => $newer ),
					'generation' => $newer,
				);
			}
		);
		return true;
	}

	/**
	 * Site keys of the sites that take part.
	 *
	 * @return array<int,int> Blog id => key.
	 */
	public static function keys() {
		$stored = self::value( 'keys' );
		if ( null === self::$keys ) {
			self::$keys = array();
			foreach ( $stored as $blog => $entry ) {
				self::$keys[ (int) $blog ] = (int) $entry[0];
			}
		}
		return self::$keys;
	}

	/**
	 * The key in the stamps of a site.
	 *
	 * @param int $blog Blog id.
	 * @return int The main site's key for a site that has none yet; 0 when nothing is bound.
	 */
	public static function key_of( $blog ) {
		$keys = self::keys();
		if ( isset( $keys[ $blog ] ) ) {
			return $keys[ $blog ];
		}
		$main = Rollcall_Shared_Option::main_site();
		if ( isset( $keys[ $main ] ) ) {
			return $keys[ $main ];
		}
		return $keys ? (int) reset( $keys ) : 0;
	}

	/**
	 * A site that ended takes no further part; its removals are nobody's decision.
	 *
	 * @param int $blog Blog id.
	 */
	public static function drop_key( $blog ) {
		self::change(
			static function ( array $now ) use ( $blog ) {
				return array( 'keys' => array_diff_key( $now['keys'], array( (int) $blog => 0 ) ) );
			}
		);
	}

	/**
	 * Meta keys to watch.
	 *
	 * @return string[]
	 */
	public static function meta_keys() {
		$meta = self::value( 'meta' );
		if ( null === self::$meta_keys ) {
			self::$meta_keys = array();
			foreach ( array_keys( $meta ) as $key ) {
				if ( ! Rollcall_Never_Synced::is_never( (string) $key ) ) {
					self::$meta_keys[] = (string) $key;
				}
			}
		}
		return self::$meta_keys;
	}

	/** Names of other plugins' fields that routes name. */
	public static function ext() {
		return (array) self::value( 'ext' );
	}

	/** Rises whenever something is newly watched. */
	public static function generation() {
		return (int) self::value( 'generation' );
	}

	/**
	 * Since which generation a meta key is watched.
	 *
	 * @param string $key Meta key.
	 */
	public static function meta_since( $key ) {
		$meta = self::value( 'meta' );
		return isset( $meta[ $key ] ) ? (int) $meta[ $key ] : PHP_INT_MAX;
	}

	/**
	 * Since which generation the roles of a site are watched.
	 *
	 * @param int $blog Blog id.
	 */
	public static function blog_since( $blog ) {
		$keys = self::value( 'keys' );
		return isset( $keys[ $blog ][1] ) ? (int) $keys[ $blog ][1] : PHP_INT_MAX;
	}

	/**
	 * Where to signal.
	 *
	 * @return array{url:string,secret:string}|null
	 */
	public static function signal() {
		$signal = Rollcall_Shared_Option::get( self::SIGNAL_OPTION );
		return is_array( $signal ) && isset( $signal['url'], $signal['secret'] ) ? $signal : null;
	}

	/** Site clock + offset = hub clock, in ms. */
	public static function offset_ms() {
		return (int) self::value( 'offset_ms' );
	}

	/** The site's own clock, ms since 1970. */
	public static function clock_ms() {
		return (int) floor( microtime( true ) * 1000 );
	}

	/** Hub time, ms since 1970. */
	public static function now_ms() {
		return self::clock_ms() + self::offset_ms();
	}

	/** The hub's own account here, 0 when none. It is never read, captured or written. */
	public static function service_user_id() {
		return (int) self::value( 'service_user_id' );
	}

	/** That home as it is stored. */
	public static function stored_home() {
		return (string) self::value( 'home' );
	}

	/**
	 * What is known of having woken up at another address, as long as nobody has said what happened.
	 *
	 * @return array home, since, place, told; empty when it stands where it was connected.
	 */
	public static function away() {
		return self::value( 'away' );
	}

	/**
	 * What is known of having been brought back from another address.
	 *
	 * @return array from, at; empty when it wasn't.
	 */
	public static function returned() {
		return self::value( 'returned' );
	}

	/** Forgets what is watched, and under which keys it was stamped. */
	public static function forget_watched() {
		self::save(
			array(
				'keys'       => array(),
				'meta'       => array(),
				'patterns'   => array(),
				'generation' => 0,
			)
		);
	}

	/**
	 * Roles that a hub may give on a site: the site's own list, or every role that isn't privileged.
	 *
	 * @param int $blog Blog id.
	 * @return string[]
	 */
	public static function grantable( $blog ) {
		$lists = self::value( 'grantable' );
		if ( isset( $lists[ $blog ] ) && is_array( $lists[ $blog ] ) ) {
			return array_values( array_intersect( array_map( 'strval', $lists[ $blog ] ), array_keys( Rollcall_Roles::defined( $blog ) ) ) );
		}
		$free = array();
		foreach ( array_keys( Rollcall_Roles::defined( $blog ) ) as $role ) {
			if ( ! Rollcall_Privilege::role_is_privileged( (string) $role, $blog ) ) {
				$free[] = (string) $role;
			}
		}
		return $free;
	}

	/**
	 * Does a site refuse incoming changes?
	 *
	 * @param int $blog Blog id.
	 */
	public static function read_only( $blog ) {
		$sites = self::value( 'read_only' );
		return ! empty( $sites[ $blog ] );
	}

	/** The whitelist as it is stored; see Rollcall_Whitelist. */
	public static function whitelist() {
		return self::value( 'whitelist' );
	}

	/** Removes all settings. */
	public static function erase() {
		self::$all = null;
		Rollcall_Shared_Option::delete( self::OPTION );
		Rollcall_Shared_Option::delete( self::SIGNAL_OPTION );
	}

	/**
	 * One setting.
	 *
	 * @param string $name Key of DEFAULTS.
	 * @return mixed
	 */
	private static function value( $name ) {
		$all = self::all();
		return $all[ $name ];
	}

	/** All settings, with defaults for what is missing or of the wrong kind. */
	private static function all() {
		if ( null !== self::$all ) {
			return self::$all;
		}
		self::$all       = self::with_defaults( Rollcall_Shared_Option::get( self::OPTION ) );
		self::$meta_keys = null;
		self::$keys      = null;
		return self::$all;
	}

	/**
	 * What is stored, with defaults for what is missing or of the wrong kind.
	 *
	 * @param mixed $stored The option.
	 * @return array
	 */
	private static function with_defaults( $stored ) {
		$all = self::DEFAULTS;
		if ( is_array( $stored ) ) {
			foreach ( $all as $name => $default ) {
				if ( array_key_exists( $name, $stored ) && is_array( $default ) === is_array( $stored[ $name ] ) ) {
					$all[ $name ] = $stored[ $name ];
				}
			}
		}
		return $all;
	}

	/**
	 * Stores some settings.
	 *
	 * @param array $change Name => value.
	 */
	private static function save( array $change ) {
		self::change(
			static function () use ( $change ) {
				return $change;
			}
		);
	}

	/**
	 * Changes some settings by what they are now, whatever this request has read of them.
	 *
	 * @param callable $change From all settings to those that become another.
	 */
	private static function change( $change ) {
		Rollcall_Option_Row::change(
			self::OPTION,
			static function ( array $stored ) use ( $change ) {
				$now = self::with_defaults( $stored );
				return array_merge( $now, $change( $now ) );
			}
		);
		self::$all = null;
	}

	/**
	 * Stores where to signal, outside of what every request loads.
	 *
	 * @param array|null $signal url and secret.
	 */
	private static function save_signal( $signal ) {
		if ( null === $signal ) {
			Rollcall_Shared_Option::delete( self::SIGNAL_OPTION );
		} elseif ( is_multisite() ) {
			Rollcall_Shared_Option::set( self::SIGNAL_OPTION, $signal );
		} else {
			update_option( self::SIGNAL_OPTION, $signal, false );
		}
	}
}
