<?php
/**
 * Who may bring changes here: entries with a name, a site's URL, and an address or range.
 *
 * Does: keeps the entries, one list for the whole installation; says which active entry matches an address or
 * a URL; remembers from where the hub called last.
 * Does not: guard anything but rollcall/v1: wp-admin is open to its administrators whatever stands here.
 * Always true: it is never switched on while the hub, as it called last, would be shut out. Before anybody has
 * saved it, it holds one entry: the hub.
 * On failure: an entry that can't be read matches nothing.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Whitelist.
 */
final class Rollcall_Whitelist {

	/** Fact: from where the hub called last. */
	const HUB_ADDRESS = 'hub_address';

	/** More is a mistake. */
	const MOST = 200;

	/** Longest name and URL. */
	const LONGEST_NAME = 100;
	const LONGEST_URL  = 300;

	/** Is it on? */
	public static function is_on() {
		$stored = Rollcall_Settings::whitelist();
		return ! empty( $stored['on'] );
	}

	/**
	 * All entries.
	 *
	 * @return array[] name, url, ip, active.
	 */
	public static function entries() {
		$stored = Rollcall_Settings::whitelist();
		if ( ! isset( $stored['entries'] ) || ! is_array( $stored['entries'] ) ) {
			return self::of_the_hub();
		}
		return array_values( array_filter( array_map( array( __CLASS__, 'clean' ), $stored['entries'] ) ) );
	}

	/**
	 * Ranges of declared proxies.
	 *
	 * @return string[]
	 */
	public static function proxies() {
		$stored = Rollcall_Settings::whitelist();
		return isset( $stored['proxies'] ) && is_array( $stored['proxies'] ) ? array_values( array_filter( array_map( array( 'Rollcall_Ip_Range', 'range' ), $stored['proxies'] ) ) ) : array();
	}

	/**
	 * Changes what is given.
	 *
	 * @param array $change Any of on, entries, proxies; all clean.
	 * @return void
	 */
	public static function save( $change ) {
		$now = array(
			'on'      => self::is_on(),
			'entries' => self::entries(),
			'proxies' => self::proxies(),
		);
		Rollcall_Settings::update( array( 'whitelist' => array_intersect_key( $change, $now ) + $now ) );
	}

	/**
	 * An entry as it is kept.
	 *
	 * @param mixed $entry As it came.
	 * @return array|null Null where it names neither address nor URL, or not as they are written.
	 */
	public static function clean( $entry ) {
		$entry = (array) $entry;
		$url   = self::bare( isset( $entry['url'] ) ? (string) $entry['url'] : '' );
		$given = isset( $entry['ip'] ) ? trim( (string) $entry['ip'] ) : '';
		$range = '' === $given ? '' : Rollcall_Ip_Range::range( $given );
		if ( null === $range || ( '' === $range && '' === $url ) || strlen( $url ) > self::LONGEST_URL || preg_match( '#[\s<>"]#', $url ) ) {
			return null;
		}
		$name = mb_substr( sanitize_text_field( isset( $entry['name'] ) ? (string) $entry['name'] : '' ), 0, self::LONGEST_NAME );
		return array(
			'name'   => '' === $name ? ( '' === $url ? $range : $url ) : $name,
			'url'    => $url,
			'ip'     => $range,
			'active' => ! empty( $entry['active'] ),
		);
	}

	/**
	 * The active entry that an address matches.
	 *
	 * @param string|null $address Address.
	 * @param array[]     $entries Entries.
	 * @return string|null Its name.
	 */
	public static function entry_of_address( $address, $entries ) {
		foreach ( $entries as $entry ) {
			if ( $entry['active'] && '' !== $entry['ip'] && Rollcall_Ip_Range::holds( $entry['ip'], $address ) ) {
				return $entry['name'];
			}
		}
		return null;
	}

	/**
	 * The active entry that a site's URL matches. Scheme, “www.” and a slash at the end don't count.
	 *
	 * @param string  $url     URL.
	 * @param array[] $entries Entries.
	 * @return string|null Its name.
	 */
	public static function entry_of_url( $url, $entries ) {
		$bare = self::bare( $url );
		foreach ( $entries as $entry ) {
			if ( $entry['active'] && '' !== $entry['url'] && $bare === $entry['url'] ) {
				return $entry['name'];
			}
		}
		return null;
	}

	/**
	 * May the present caller speak?
	 *
	 * @return true|WP_Error
	 */
	public static function caller_may_speak() {
		if ( ! self::is_on() ) {
			return true;
		}
		$address = Rollcall_Caller::address();
		if ( null !== self::entry_of_address( $address, self::entries() ) ) {
			return true;
		}
		$from = null === $address ? __( 'an unknown address', 'rollcall-connector' ) : $address;
		/* translators: %s: an internet address. */
		$sentence = sprintf( __( 'The whitelist of this site has no active entry for %s, from where this request came. Add one in wp-admin under User Sync → Whitelist.', 'rollcall-connector' ), $from );
		return Rollcall_Rest::error( 'whitelist.address', 403, $sentence );
	}

	/**
	 * May changes of this site come in?
	 *
	 * @param string $url URL of the site that a change comes from.
	 * @return bool
	 */
	public static function takes_from( $url ) {
		return ! self::is_on() || null !== self::entry_of_url( $url, self::entries() );
	}

	/**
	 * Why it can't be switched on as it is.
	 *
	 * @param array[]     $entries Entries, as they are to be.
	 * @param string|null $address From where the hub calls; null: it never did.
	 * @param string[]    $sources URLs of sites that it brings changes from, where that is known.
	 * @return string|null A sentence; null: it can.
	 */
	public static function why_not_on( $entries, $address, $sources = array() ) {
		if ( null !== $address && null === self::entry_of_address( $address, $entries ) ) {
			/* translators: %s: an internet address. */
			return sprintf( __( 'The hub calls from %s, and no active entry has that address: the whitelist would shut it out.', 'rollcall-connector' ), $address );
		}
		foreach ( $sources as $url ) {
			if ( null === self::entry_of_url( $url, $entries ) ) {
				/* translators: %s: address of a site. */
				return sprintf( __( 'Changes come in from %s, and no active entry has that URL: the whitelist would shut them out.', 'rollcall-connector' ), self::bare( $url ) );
			}
		}
		return null;
	}

	/** From where the hub called last; null: it never did. */
	public static function hub_address() {
		return Rollcall_Facts::get( self::HUB_ADDRESS );
	}

	/**
	 * Remembers from where the hub calls.
	 *
	 * @return void
	 */
	public static function note_hub() {
		$address = Rollcall_Caller::address();
		if ( null !== $address && self::hub_address() !== $address ) {
			Rollcall_Facts::set( self::HUB_ADDRESS, $address );
		}
	}

	/**
	 * What it holds before anybody has saved it.
	 *
	 * @return array[]
	 */
	private static function of_the_hub() {
		$address = self::hub_address();
		if ( null === $address || ! Rollcall_Settings::is_bound() ) {
			return array();
		}
		$name = '' === Rollcall_Settings::hub_name() ? 'Rollcall' : Rollcall_Settings::hub_name();
		return array_filter(
			array(
				self::clean(
					array(
						'name'   => $name,
						'ip'     => $address,
						'active' => true,
					)
				),
			)
		);
	}

	/**
	 * A URL as it is compared.
	 *
	 * @param string $url URL.
	 * @return string
	 */
	private static function bare( $url ) {
		return Rollcall_Home::bare( $url );
	}
}
