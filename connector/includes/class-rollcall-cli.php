<?php
/**
 * `wp rollcall`: how this site stands with its hub, its guard, the switches of accounts, the outbox.
 *
 * Does: shows, and changes what wp-admin can change: whoever has WP-CLI on a site may loosen its guard.
 * Does not: speak to the hub.
 * Always true: a command that is refused changes nothing and ends with exit code 1 and one sentence.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Rollcall on this site: its hub, its guard, switches of accounts, the outbox.
 */
final class Rollcall_Cli {

	/** More are not listed at once. */
	const MOST_LISTED = 1000;

	/**
	 * Adds the command.
	 *
	 * @return void
	 */
	public static function start() {
		if ( defined( 'WP_CLI' ) && WP_CLI ) {
			WP_CLI::add_command( 'rollcall', __CLASS__ );
			WP_CLI::add_command( 'rollcall privileged', 'Rollcall_Consent_Cli' );
			Rollcall_Network_Cli::start();
		}
	}

	/**
	 * Shows how this site stands with its hub.
	 *
	 * ## OPTIONS
	 *
	 * [--format=<format>]
	 * : table, json, csv or yaml.
	 * ---
	 * default: table
	 * ---
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public function status( $args, $options ) {
		$bound = Rollcall_Settings::is_bound();
		$facts = array(
			'connector'    => ROLLCALL_CONNECTOR_VERSION,
			'hub'          => $bound ? Rollcall_Settings::hub_named() : '',
			'hub_address'  => (string) Rollcall_Whitelist::hub_address(),
			'home_matches' => self::word( ! $bound || Rollcall_Home::matches() ),
			'read_only'    => self::word( Rollcall_Settings::read_only( get_current_blog_id() ) ),
			'whitelist'    => self::word( Rollcall_Whitelist::is_on() ),
			'backlog'      => Rollcall_Outbox::backlog(),
			'epoch'        => Rollcall_Life::epoch(),
			'head'         => Rollcall_Life::head(),
		);
		self::show( $facts, $options );
	}

	/**
	 * Shows the guard of this site, tightens or loosens it.
	 *
	 * ## OPTIONS
	 *
	 * [--read-only=<on|off>]
	 * : Prohibit incoming sync modifications.
	 *
	 * [--roles=<roles>]
	 * : Roles that may be given from outside, with commas; '' for none. Privileged ones: “wp rollcall privileged”.
	 *
	 * [--whitelist=<on|off>]
	 * : Use the whitelist.
	 *
	 * [--add-entry=<name>]
	 * : Add an entry to the whitelist, or replace the one of this name; with --ip, --site-url or both.
	 *
	 * [--ip=<range>]
	 * : Address or range of the entry.
	 *
	 * [--site-url=<address>]
	 * : URL of the site that the entry lets in.
	 *
	 * [--inactive]
	 * : Keep the entry, but let it match nothing.
	 *
	 * [--remove-entry=<name>]
	 * : Take an entry off the whitelist.
	 *
	 * [--proxies=<ranges>]
	 * : Proxies in front of this site, with commas; '' for none.
	 *
	 * [--check-address=<address>]
	 * : Which active entry does this address match?
	 *
	 * [--check-url=<address>]
	 * : Which active entry does this site's URL match?
	 *
	 * [--format=<format>]
	 * : table, json, csv or yaml.
	 * ---
	 * default: table
	 * ---
	 *
	 * ## EXAMPLES
	 *
	 *     wp rollcall guard --read-only=off
	 *     wp rollcall guard --add-entry=Hub --ip=203.0.113.9 --whitelist=on
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public function guard( $args, $options ) {
		$blog      = get_current_blog_id();
		$read_only = self::on_or_off( $options, 'read-only' );
		$roles     = isset( $options['roles'] ) ? self::roles( (string) $options['roles'], $blog ) : null;
		$whitelist = self::whitelist( $options );
		if ( null !== $read_only ) {
			Rollcall_Site_Guard::set_read_only( $blog, $read_only );
		}
		if ( null !== $roles ) {
			Rollcall_Site_Guard::set_grantable( $blog, $roles );
		}
		if ( $whitelist ) {
			Rollcall_Whitelist::save( $whitelist );
		}
		$facts = array(
			'read_only' => self::word( Rollcall_Settings::read_only( $blog ) ),
			'roles'     => implode( ',', Rollcall_Settings::grantable( $blog ) ),
			'consents'  => implode( ',', Rollcall_Consent::roles( $blog ) ),
			'whitelist' => self::word( Rollcall_Whitelist::is_on() ),
			'entries'   => wp_json_encode( Rollcall_Whitelist::entries(), JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ),
			'proxies'   => implode( ',', Rollcall_Whitelist::proxies() ),
		);
		self::show( $facts + self::checked( $options ), $options );
	}

	/**
	 * Shows the switches of an account, or of all that have one on, and sets them.
	 *
	 * ## OPTIONS
	 *
	 * [<user>]
	 * : Login, e-mail or id.
	 *
	 * [--stop-outgoing=<on|off>]
	 * : Changes of the account stay on this site.
	 *
	 * [--stop-made=<on|off>]
	 * : With that: also what the account does to others.
	 *
	 * [--reject-incoming=<on|off>]
	 * : Updates and deletes from other sites are refused.
	 *
	 * [--format=<format>]
	 * : table, json, csv or yaml.
	 * ---
	 * default: table
	 * ---
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public function flags( $args, $options ) {
		$wanted = array();
		foreach ( Rollcall_Switches::NAMES as $name ) {
			$given = self::on_or_off( $options, str_replace( '_', '-', $name ) );
			if ( null !== $given ) {
				$wanted[ $name ] = $given;
			}
		}
		if ( ! isset( $args[0] ) ) {
			if ( $wanted ) {
				WP_CLI::error( __( 'Whose? Name a user.', 'rollcall-connector' ) );
			}
			self::list_flags( Rollcall_Ledger::switched( self::MOST_LISTED ), $options );
			return;
		}
		$user = self::user( (string) $args[0] );
		if ( array_diff_assoc( $wanted, Rollcall_Ledger::switches( $user->ID ) ) ) {
			Rollcall_Ledger::set_switches( $user->ID, $wanted );
		}
		self::list_flags( array( $user->ID ), $options );
	}

	/**
	 * Shows how many changes wait for the hub.
	 *
	 * ## OPTIONS
	 *
	 * [--format=<format>]
	 * : table, json, csv or yaml.
	 * ---
	 * default: table
	 * ---
	 *
	 * @param string[] $args    Arguments.
	 * @param array    $options Options.
	 * @return void
	 */
	public function outbox( $args, $options ) {
		self::show( Rollcall_Outbox::counts(), $options );
	}

	/**
	 * What becomes of the whitelist.
	 *
	 * @param array $options Options.
	 * @return array Any of on, entries, proxies.
	 */
	private static function whitelist( $options ) {
		$change  = array();
		$entries = self::entries( $options );
		if ( null !== $entries ) {
			$change['entries'] = $entries;
		}
		if ( isset( $options['proxies'] ) ) {
			$change['proxies'] = array();
			foreach ( preg_split( '/[\s,]+/', (string) $options['proxies'], -1, PREG_SPLIT_NO_EMPTY ) as $given ) {
				$range = Rollcall_Ip_Range::range( $given );
				if ( null === $range ) {
					/* translators: %s: what was typed. */
					WP_CLI::error( sprintf( __( '“%s” is neither an address nor a range.', 'rollcall-connector' ), $given ) );
				}
				$change['proxies'][] = $range;
			}
		}
		$on = self::on_or_off( $options, 'whitelist' );
		if ( null !== $on ) {
			$change['on'] = $on;
		}
		if ( true === $on && ! Rollcall_Whitelist::is_on() ) {
			$why = Rollcall_Whitelist::why_not_on( null === $entries ? Rollcall_Whitelist::entries() : $entries, Rollcall_Whitelist::hub_address() );
			if ( null !== $why ) {
				WP_CLI::error( $why );
			}
		}
		return $change;
	}

	/**
	 * The entries as they are to be; null: as they are.
	 *
	 * @param array $options Options.
	 * @return array[]|null
	 */
	private static function entries( $options ) {
		if ( ! isset( $options['add-entry'] ) && ! isset( $options['remove-entry'] ) ) {
			return null;
		}
		$gone    = array_filter( array( isset( $options['add-entry'] ) ? (string) $options['add-entry'] : '', isset( $options['remove-entry'] ) ? (string) $options['remove-entry'] : '' ), 'strlen' );
		$before  = Rollcall_Whitelist::entries();
		$entries = array();
		foreach ( $before as $entry ) {
			if ( ! in_array( $entry['name'], $gone, true ) ) {
				$entries[] = $entry;
			}
		}
		if ( isset( $options['remove-entry'] ) && ! in_array( (string) $options['remove-entry'], wp_list_pluck( $before, 'name' ), true ) ) {
			/* translators: %s: name of an entry. */
			WP_CLI::error( sprintf( __( 'The whitelist has no entry “%s”.', 'rollcall-connector' ), (string) $options['remove-entry'] ) );
		}
		if ( isset( $options['add-entry'] ) ) {
			$entry = Rollcall_Whitelist::clean(
				array(
					'name'   => (string) $options['add-entry'],
					'ip'     => isset( $options['ip'] ) ? (string) $options['ip'] : '',
					'url'    => isset( $options['site-url'] ) ? (string) $options['site-url'] : '',
					'active' => empty( $options['inactive'] ),
				)
			);
			if ( null === $entry ) {
				WP_CLI::error( __( 'An entry needs --ip with an address or a range, or --site-url with the URL of a site.', 'rollcall-connector' ) );
			}
			$entries[] = $entry;
		}
		return $entries;
	}

	/**
	 * What was asked to be checked.
	 *
	 * @param array $options Options.
	 * @return array
	 */
	private static function checked( $options ) {
		$asked = array(
			'address' => isset( $options['check-address'] ) ? (string) $options['check-address'] : '',
			'url'     => isset( $options['check-url'] ) ? (string) $options['check-url'] : '',
		);
		$shown = array();
		foreach ( Rollcall_Tighten::check( $asked, Rollcall_Whitelist::entries() ) as $what => $entry ) {
			if ( '' !== $asked[ $what ] ) {
				$shown[ 'checked_' . $what ] = null === $entry ? '' : $entry;
			}
		}
		return $shown;
	}

	/**
	 * Roles by name, all of which may be given.
	 *
	 * @param string $given With commas.
	 * @param int    $blog  Site.
	 * @return string[]
	 */
	private static function roles( $given, $blog ) {
		$roles = preg_split( '/[\s,]+/', $given, -1, PREG_SPLIT_NO_EMPTY );
		foreach ( $roles as $role ) {
			if ( ! isset( Rollcall_Roles::defined( $blog )[ $role ] ) ) {
				/* translators: %s: name of a role. */
				WP_CLI::error( sprintf( __( 'There is no role “%s” on this site.', 'rollcall-connector' ), $role ) );
			}
			if ( Rollcall_Privilege::role_is_privileged( $role, $blog ) ) {
				/* translators: %s: name of a role. */
				WP_CLI::error( sprintf( __( 'The role “%s” is privileged: it needs “wp rollcall privileged allow”.', 'rollcall-connector' ), $role ) );
			}
		}
		return $roles;
	}

	/**
	 * A user by login, e-mail or id.
	 *
	 * @param string $given What was typed.
	 * @return WP_User
	 */
	private static function user( $given ) {
		$user = get_user_by( 'login', $given );
		$user = $user ? $user : get_user_by( 'email', $given );
		$user = ! $user && ctype_digit( $given ) ? get_user_by( 'id', (int) $given ) : $user;
		if ( ! $user || Rollcall_Service_Account::is_it( $user->ID ) ) {
			/* translators: %s: what was typed. */
			WP_CLI::error( sprintf( __( 'There is no user “%s”.', 'rollcall-connector' ), $given ) );
		}
		return $user;
	}

	/**
	 * A switch among the options; null: not given.
	 *
	 * @param array  $options Options.
	 * @param string $name    Name.
	 * @return bool|null
	 */
	private static function on_or_off( $options, $name ) {
		if ( ! isset( $options[ $name ] ) ) {
			return null;
		}
		$given = $options[ $name ];
		if ( true === $given || 'on' === $given ) {
			return true;
		}
		if ( false === $given || 'off' === $given ) {
			return false;
		}
		/* translators: %s: name of an option. */
		WP_CLI::error( sprintf( __( '--%s is on or off.', 'rollcall-connector' ), $name ) );
	}

	/**
	 * Switches of some accounts.
	 *
	 * @param int[] $ids     Accounts.
	 * @param array $options Options.
	 * @return void
	 */
	private static function list_flags( $ids, $options ) {
		$rows = array();
		foreach ( Rollcall_Ledger::load( $ids ) as $id => $row ) {
			$user = get_userdata( $id );
			if ( ! $user ) {
				continue;
			}
			$rows[] = array(
				'id'    => $id,
				'login' => $user->user_login,
				'uid'   => (string) $row['uid'],
			) + array_map( array( __CLASS__, 'word' ), $row['switches'] );
		}
		WP_CLI\Utils\format_items( isset( $options['format'] ) ? $options['format'] : 'table', $rows, array_merge( array( 'id', 'login', 'uid' ), Rollcall_Switches::NAMES ) );
	}

	/**
	 * Facts, one below the other, or as one object.
	 *
	 * @param array $facts   Name → value.
	 * @param array $options Options.
	 * @return void
	 */
	private static function show( $facts, $options ) {
		$format = isset( $options['format'] ) ? $options['format'] : 'table';
		if ( 'json' === $format ) {
			WP_CLI::line( wp_json_encode( $facts, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) );
			return;
		}
		$rows = array();
		foreach ( $facts as $fact => $value ) {
			$rows[] = compact( 'fact', 'value' );
		}
		WP_CLI\Utils\format_items( $format, $rows, array( 'fact', 'value' ) );
	}

	/**
	 * On or off.
	 *
	 * @param bool $on Which.
	 * @return string
	 */
	private static function word( $on ) {
		return $on ? 'on' : 'off';
	}
}
