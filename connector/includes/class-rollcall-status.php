<?php
/**
 * POST /status: what this installation is, and how it stands.
 *
 * Does: describes versions, sites with their roles and guards, clock, outbox, binding, password kinds.
 * Does not: name any account. Writes nothing.
 * Always true: it answers on a copy too, so that the hub can see that it is one.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Status.
 */
final class Rollcall_Status {

	/**
	 * Answers the request.
	 *
	 * @return array StatusAnswer.
	 */
	public static function answer() {
		$bound = Rollcall_Settings::is_bound();
		if ( $bound ) {
			// Bound before that was kept.
			Rollcall_Neighbours::claim();
		}
		return array(
			'contract'    => Rollcall_Rest::CONTRACT,
			'connector'   => defined( 'ROLLCALL_CONNECTOR_VERSION' ) ? ROLLCALL_CONNECTOR_VERSION : '0',
			'wordpress'   => get_bloginfo( 'version' ),
			'php'         => PHP_VERSION,
			'database'    => self::database(),
			'multisite'   => is_multisite(),
			'store'       => Rollcall_Tables::store_id(),
			'home'        => Rollcall_Home::now(),
			'sites_sum'   => Rollcall_Site_List::sum(),
			'sites'       => self::sites(),
			'clock'       => Rollcall_Settings::clock_ms(),
			'offset_ms'   => Rollcall_Settings::offset_ms(),
			'epoch'       => Rollcall_Life::epoch(),
			'head'        => Rollcall_Life::head(),
			'mark'        => $bound ? Rollcall_Mark::held() : null,
			'backlog'     => Rollcall_Outbox::backlog(),
			'bound'       => $bound ? array(
				'hub'          => Rollcall_Settings::hub_id(),
				'term'         => Rollcall_Settings::term(),
				'home_matches' => Rollcall_Home::matches(),
			) : null,
			'signals'     => Rollcall_Signal::can_answer_first(),
			'bcrypt_cost' => Rollcall_Passwords::bcrypt_cost(),
			'verifies'    => Rollcall_Passwords::verifies(),
			'woocommerce' => class_exists( 'WooCommerce', false ),
			'ext'         => Rollcall_Ext_Fields::names(),
			'accounts'    => self::count_accounts(),
			'whitelist'   => array( 'on' => Rollcall_Whitelist::is_on() ),
			'warnings'    => self::warnings(),
		) + ( is_multisite() ? array( 'cookies' => Rollcall_Cookie_Facts::here() ) : array() );
	}

	/**
	 * Every site of the installation.
	 *
	 * @return array
	 */
	private static function sites() {
		$sites = array();
		foreach ( Rollcall_Site_List::all() as $listed ) {
			$site = Rollcall_Visits::to(
				$listed['blog'],
				static function () use ( $listed ) {
					return self::site( $listed['blog'] );
				}
			);
			if ( null !== $listed['network'] ) {
				$site['network'] = $listed['network'];
				$site['closed']  = $listed['closed'];
			}
			$sites[] = $site;
		}
		return $sites;
	}

	/**
	 * The current site.
	 *
	 * @param int $blog Its id.
	 * @return array
	 */
	private static function site( $blog ) {
		$roles = array();
		foreach ( wp_roles()->get_names() as $role => $name ) {
			$roles[ $role ] = array(
				'name'       => wp_strip_all_tags( translate_user_role( $name ) ),
				'privileged' => Rollcall_Privilege::role_is_privileged( (string) $role, $blog ),
			);
		}
		return array(
			'blog'         => $blog,
			'name'         => wp_specialchars_decode( (string) get_option( 'blogname' ), ENT_QUOTES ),
			// A site whose tables are just being made has none yet.
			'url'          => '' === (string) get_option( 'home' ) ? '' : home_url(),
			'rest_url'     => get_rest_url(),
			'roles'        => (object) $roles,
			'default_role' => (string) get_option( 'default_role' ),
			'grantable'    => array_values( Rollcall_Settings::grantable( $blog ) ),
			'consents'     => Rollcall_Consent::roles( $blog ),
			'read_only'    => Rollcall_Settings::read_only( $blog ),
		);
	}

	/**
	 * Database and version.
	 *
	 * @return string
	 */
	private static function database() {
		global $wpdb;
		$version = method_exists( $wpdb, 'db_server_info' ) ? (string) $wpdb->db_server_info() : '';
		if ( false !== strpos( get_class( $wpdb ), 'SQLite' ) ) {
			return 'SQLite ' . ( '' === $version && class_exists( 'SQLite3' ) ? SQLite3::version()['versionString'] : $version );
		}
		return ( false !== stripos( $version, 'maria' ) ? 'MariaDB ' : 'MySQL ' ) . $version;
	}

	/**
	 * How many accounts, the hub's own not counted.
	 *
	 * @return int
	 */
	private static function count_accounts() {
		global $wpdb;
		return (int) $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM {$wpdb->users} WHERE ID <> %d", Rollcall_Service_Account::id() ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * What an operator should know.
	 *
	 * @return array
	 */
	private static function warnings() {
		$warnings = array_merge( Rollcall_Notices::warnings(), Rollcall_Other_Sync::warnings(), Rollcall_Network_Unheard::warnings() );
		if ( Rollcall_Settings::is_bound() && ! Rollcall_Home::matches() ) {
			$warnings[] = array(
				'code'    => 'installation.moved',
				'message' => Rollcall_Moved_Notice::sentence(),
			);
		}
		if ( Rollcall_Settings::is_bound() && Rollcall_Home::matches() && null !== Rollcall_Address::brought_back_from() ) {
			$warnings[] = array(
				'code'    => 'installation.brought_back',
				'message' => Rollcall_Moved_Notice::sentence(),
			);
		} elseif ( Rollcall_Settings::is_bound() && Rollcall_Home::matches() && Rollcall_Store::has_moved() ) {
			$warnings[] = array(
				'code'    => 'installation.database_moved',
				'message' => Rollcall_Moved_Notice::sentence(),
			);
		}
		if ( in_array( false, Rollcall_Passwords::verifies(), true ) ) {
			$warnings[] = array(
				'code'    => 'password.unverifiable',
				'message' => __( 'Some kinds of password hashes do not sign in on this site; they will not be stored here.', 'rollcall-connector' ),
			);
		}
		$warnings = array_merge( $warnings, Rollcall_Callbacks::warnings() );
		/**
		 * Filters the warnings of /status.
		 *
		 * @param array $warnings List of { code, message }.
		 */
		return array_values( (array) apply_filters( 'rollcall_status_warnings', $warnings ) );
	}
}
