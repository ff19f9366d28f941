<?php
/**
 * Sites whose own plugins and theme could not be made to hear what was written there.
 *
 * Does: remembers which sites and hosts could not be asked, and why, so that they are not asked in vain again and
 *   again; tells it in wp-admin, WP-CLI and to a hub, with what to do.
 * Does not: hold any work back: what is not heard is written all the same.
 * Always true: forgotten as soon as the site could be asked, and after a day.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * What was not heard.
 */
final class Rollcall_Network_Unheard {

	/** Network option. */
	const OPTION = 'rollcall_network_unheard';

	/** Who could not be asked is not asked for so long. */
	const AGAIN_MS = 600000;

	/** Told for so long. */
	const TOLD_MS = 86400000;

	/** When so many hosts don't answer it is this server that can't ask. */
	const MOST_HOSTS = 3;

	/** So many sites are named. */
	const NAMED = 5;

	/** Longest reason. */
	const CHARS = 200;

	/**
	 * Is there no point in asking a site now? Then it counts as one that has not heard.
	 *
	 * @param int    $network Network.
	 * @param int    $blog    Site.
	 * @param string $url     Its address.
	 * @return bool
	 */
	public static function stands( $network, $blog, $url ) {
		$kept = self::kept( $network );
		$now  = Rollcall_Network_Runs::now();
		$new  = static function ( $entry ) use ( $now ) {
			return $entry[0] > $now - self::AGAIN_MS;
		};
		if ( isset( $kept['asked'][ $blog ] ) && $new( $kept['asked'][ $blog ] ) ) {
			return true;
		}
		$hosts = array_filter( $kept['hosts'], $new );
		$host  = self::host( $url );
		if ( ! isset( $hosts[ $host ] ) && count( $hosts ) < self::MOST_HOSTS ) {
			return false;
		}
		$entry = isset( $hosts[ $host ] ) ? $hosts[ $host ] : end( $hosts );
		if ( ! isset( $kept['sites'][ $blog ] ) || ! $new( $kept['sites'][ $blog ] ) ) {
			self::set( $network, array( 'sites' => array( $blog => array( $now, $entry[1] ) ) ) );
		}
		return true;
	}

	/**
	 * A site could not be asked.
	 *
	 * @param int    $network Network.
	 * @param int    $blog    Site.
	 * @param string $url     Its address.
	 * @param string $why     Why.
	 * @param bool   $host    Did nothing answer there at all?
	 * @return void
	 */
	public static function note( $network, $blog, $url, $why, $host ) {
		$entry = array( Rollcall_Network_Runs::now(), mb_substr( sanitize_text_field( $why ), 0, self::CHARS ) );
		self::set(
			$network,
			array(
				'sites' => array( $blog => $entry ),
				'asked' => array( $blog => $entry ),
				'hosts' => $host ? array( self::host( $url ) => $entry ) : array(),
			)
		);
	}

	/**
	 * A site was asked and has done it.
	 *
	 * @param int    $network Network.
	 * @param int    $blog    Site.
	 * @param string $url     Its address.
	 * @return void
	 */
	public static function forget( $network, $blog, $url ) {
		$kept = self::kept( $network );
		if ( isset( $kept['sites'][ $blog ] ) || isset( $kept['hosts'][ self::host( $url ) ] ) ) {
			self::set( $network, array(), $blog, self::host( $url ) );
		}
	}

	/**
	 * What to tell, for people.
	 *
	 * @param int $network Network.
	 * @return string Empty: nothing.
	 */
	public static function sentence( $network ) {
		$told = array();
		foreach ( self::kept( $network )['sites'] as $blog => $entry ) {
			if ( $entry[0] > Rollcall_Network_Runs::now() - self::TOLD_MS && get_site( $blog ) ) {
				$told[ Rollcall_Network_Counts::name( $blog ) ] = $entry[1];
			}
		}
		if ( ! $told ) {
			return '';
		}
		$names = implode( ', ', array_slice( array_keys( $told ), 0, self::NAMED ) ) . ( count( $told ) > self::NAMED ? ' …' : '' );
		/* translators: 1: number of sites, 2: names of sites, 3: an error. */
		$what = _n( 'On %1$s site (%2$s) memberships were written without its own plugins and theme hearing of it: this server could not ask the site at its own address (%3$s).', 'On %1$s sites (%2$s) memberships were written without their own plugins and themes hearing of it: this server could not ask the sites at their own addresses (%3$s).', count( $told ), 'rollcall-connector' );
		return sprintf( $what, number_format_i18n( count( $told ) ), $names, reset( $told ) ) . ' ' . __( 'Let the server make requests to itself, past password protection and firewalls; or run “wp rollcall network sync”, which works on each site in a process of its own. Plugins that are active for the whole network have heard.', 'rollcall-connector' );
	}

	/**
	 * What `/status` warns of.
	 *
	 * @return array<int,array{code:string,message:string}>
	 */
	public static function warnings() {
		$message = is_multisite() ? self::sentence( get_current_network_id() ) : '';
		return '' === $message ? array() : array( array( 'code' => 'network.unheard' ) + compact( 'message' ) );
	}

	/**
	 * What is kept.
	 *
	 * @param int $network Network.
	 * @return array{sites:array,asked:array,hosts:array} Each: site or host => array( ms, why ).
	 */
	private static function kept( $network ) {
		$kept = maybe_unserialize( Rollcall_Option_Row::read( self::OPTION, $network ) );
		return array_intersect_key( is_array( $kept ) ? $kept : array(), self::none() ) + self::none();
	}

	/** Nothing. */
	private static function none() {
		return array(
			'sites' => array(),
			'asked' => array(),
			'hosts' => array(),
		);
	}

	/**
	 * Changes what is kept; what is old goes.
	 *
	 * @param int      $network Network.
	 * @param array    $more    What comes to it.
	 * @param int|null $blog    Site that goes.
	 * @param string   $host    Host that goes.
	 * @return void
	 */
	private static function set( $network, array $more, $blog = null, $host = '' ) {
		$old = Rollcall_Network_Runs::now() - self::TOLD_MS;
		Rollcall_Option_Row::change(
			self::OPTION,
			static function ( array $kept ) use ( $more, $blog, $host, $old ) {
				$next = array();
				foreach ( self::none() as $kind => $none ) {
					$entries = ( isset( $more[ $kind ] ) ? $more[ $kind ] : $none ) + ( isset( $kept[ $kind ] ) ? $kept[ $kind ] : $none );
					unset( $entries[ 'hosts' === $kind ? $host : (int) $blog ] );
					$next[ $kind ] = array_filter(
						$entries,
						static function ( $entry ) use ( $old ) {
							return $entry[0] > $old;
						}
					);
				}
				return $next;
			},
			$network
		);
	}

	/**
	 * Scheme, host and port of an address.
	 *
	 * @param string $url Address.
	 * @return string
	 */
	private static function host( $url ) {
		$parts = (array) wp_parse_url( $url );
		return implode( ' ', array_intersect_key( $parts, array_flip( array( 'scheme', 'host', 'port' ) ) ) );
	}
}
