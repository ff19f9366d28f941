<?php
/**
 * Notices other plugins here that keep users in step, too: each would undo or repeat what the other does.
 *
 * Does: look which of them are active, on this site, on the network or on any site of it; say so on the page
 * User Sync, in Site Health and in `/status`.
 * Does not: switch anything off, or hold anything back.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Other plugins for the same thing.
 */
final class Rollcall_Other_Sync {

	const CODE = 'installation.other_sync';

	/** How folder or main file of a plugin begin → what it is called. */
	const KNOWN = array(
		'wp-remote-users-sync'     => 'WP Remote Users Sync',
		'wowown-harmony-user-sync' => 'HarmonyUser Sync',
		'harmonyuser-sync'         => 'HarmonyUser Sync',
		'harmony-user-sync'        => 'HarmonyUser Sync',
		'wpm-user-sync'            => 'WPM User Sync',
	);

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'admin_notices', array( __CLASS__, 'show' ) );
		add_filter( 'site_status_tests', array( __CLASS__, 'tests' ) );
	}

	/**
	 * What `/status` warns of.
	 *
	 * @return array<int,array{code:string,message:string}>
	 */
	public static function warnings() {
		$names = self::active();
		return $names ? array(
			array(
				'code'    => self::CODE,
				'message' => self::sentence( $names ),
			),
		) : array();
	}

	/**
	 * Shows it on the page User Sync, connected or not.
	 *
	 * @return void
	 */
	public static function show() {
		$screen = get_current_screen();
		if ( ! $screen || 'toplevel_page_' . Rollcall_Admin::PAGE !== $screen->id || ! current_user_can( 'manage_options' ) ) {
			return;
		}
		foreach ( self::warnings() as $warning ) {
			printf( '<div class="notice notice-warning"><p>%s</p></div>', esc_html( 'Rollcall: ' . $warning['message'] ) );
		}
	}

	/**
	 * Adds a row to Site Health.
	 *
	 * @param array $tests Tests.
	 * @return array
	 */
	public static function tests( $tests ) {
		$tests['direct']['rollcall_other_sync'] = array(
			'label' => __( 'One plugin keeps users in step', 'rollcall-connector' ),
			'test'  => array( __CLASS__, 'test' ),
		);
		return $tests;
	}

	/**
	 * The row in Site Health.
	 *
	 * @return array
	 */
	public static function test() {
		$names = self::active();
		return array(
			'label'       => $names ? __( 'Two plugins keep users in step', 'rollcall-connector' ) : __( 'Only one plugin keeps users in step', 'rollcall-connector' ),
			'status'      => $names ? 'critical' : 'good',
			'badge'       => array(
				'label' => __( 'Users', 'rollcall-connector' ),
				'color' => 'blue',
			),
			'description' => '<p>' . esc_html( $names ? self::sentence( $names ) : __( 'No other plugin that is known for it syncs the users of this site.', 'rollcall-connector' ) ) . '</p>',
			'actions'     => $names && current_user_can( 'activate_plugins' ) ? sprintf( '<p><a href="%s">%s</a></p>', esc_url( self_admin_url( 'plugins.php' ) ), esc_html__( 'Plugins', 'rollcall-connector' ) ) : '',
			'test'        => 'rollcall_other_sync',
		);
	}

	/**
	 * Names of those that are active anywhere on the installation.
	 *
	 * @return string[]
	 */
	public static function active() {
		$found = array();
		foreach ( self::files() as $file ) {
			foreach ( self::KNOWN as $start => $name ) {
				if ( 0 === strpos( $file, $start ) || 0 === strpos( basename( $file ), $start ) ) {
					$found[ $name ] = true;
				}
			}
		}
		$found = array_keys( $found );
		sort( $found );
		return $found;
	}

	/**
	 * Active plugins, as paths below the folder of plugins.
	 *
	 * @return string[]
	 */
	private static function files() {
		if ( ! is_multisite() ) {
			return self::strings( get_option( 'active_plugins' ) );
		}
		$files = self::strings( array_keys( (array) get_site_option( 'active_sitewide_plugins' ) ) );
		$ids   = get_sites(
			array(
				'number'     => 0,
				'fields'     => 'ids',
				'network_id' => get_current_network_id(),
			)
		);
		foreach ( $ids as $id ) {
			$own   = Rollcall_Visits::to(
				$id,
				static function () {
					return get_option( 'active_plugins' );
				}
			);
			$files = array_merge( $files, self::strings( $own ) );
		}
		return array_unique( $files );
	}

	/**
	 * Only what is text: options can hold anything.
	 *
	 * @param mixed $values Values.
	 * @return string[]
	 */
	private static function strings( $values ) {
		return is_array( $values ) ? array_filter( array_values( $values ), 'is_string' ) : array();
	}

	/**
	 * One sentence for people.
	 *
	 * @param string[] $names Names of plugins.
	 * @return string
	 */
	private static function sentence( $names ) {
		/* translators: %s: names of plugins. */
		return sprintf( __( '%s is active here, too. Two plugins that sync the same users undo and repeat each other’s work: let only one of them sync.', 'rollcall-connector' ), implode( ', ', $names ) );
	}
}
