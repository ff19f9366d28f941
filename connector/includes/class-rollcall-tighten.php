<?php
/**
 * POST /guard: the hub looks at a site's guard, and may tighten it.
 *
 * Does: switches read-only on, takes roles off the list of those that may be given, and consents back, switches the whitelist on;
 * tells which entry of the whitelist an address, a URL or the caller itself matches.
 * Does not: loosen anything; that takes wp-admin or WP-CLI on the site.
 * Always true: a request that asks for anything that is refused changes nothing at all.
 * On failure: `target.site_missing`, `role.unknown`, `target.guard_kept`, `whitelist.would_refuse`.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The guard, from the hub's side.
 */
final class Rollcall_Tighten {

	/**
	 * Answers the request.
	 *
	 * @param array $request GuardRequest.
	 * @return array|WP_Error GuardAnswer.
	 */
	public static function answer( $request ) {
		$blog = $request['blog'];
		if ( is_multisite() ? ! get_site( $blog ) : get_current_blog_id() !== $blog ) {
			return Rollcall_Rest::error( 'target.site_missing', 404, Rollcall_Reasons::sentence( 'target.site_missing' ) );
		}
		$refusal = self::refusal( $request, $blog );
		if ( null !== $refusal ) {
			return $refusal;
		}
		self::tighten( $request, $blog );
		return self::state( $request, $blog );
	}

	/**
	 * Why not, before anything is done.
	 *
	 * @param array $request GuardRequest.
	 * @param int   $blog    Site.
	 * @return WP_Error|null
	 */
	private static function refusal( $request, $blog ) {
		$looser = ( isset( $request['read_only'] ) && ! $request['read_only'] && Rollcall_Settings::read_only( $blog ) )
			|| ( isset( $request['whitelist'] ) && ! $request['whitelist'] && Rollcall_Whitelist::is_on() );
		if ( $looser ) {
			return Rollcall_Rest::error( 'target.guard_kept', 409, Rollcall_Reasons::sentence( 'target.guard_kept' ) );
		}
		foreach ( isset( $request['revoke'] ) ? $request['revoke'] : array() as $role ) {
			if ( ! isset( Rollcall_Roles::defined( $blog )[ $role ] ) ) {
				/* translators: %s: name of a role. */
				return Rollcall_Rest::error( 'role.unknown', 422, sprintf( __( 'There is no role “%s” on this site.', 'rollcall-connector' ), sanitize_text_field( $role ) ) );
			}
		}
		$why = self::switches_on( $request ) ? Rollcall_Whitelist::why_not_on( Rollcall_Whitelist::entries(), (string) Rollcall_Caller::address(), self::sources( $request ) ) : null;
		return null === $why ? null : Rollcall_Rest::error( 'whitelist.would_refuse', 409, $why );
	}

	/**
	 * Does what was asked for.
	 *
	 * @param array $request GuardRequest.
	 * @param int   $blog    Site.
	 * @return void
	 */
	private static function tighten( $request, $blog ) {
		if ( ! empty( $request['read_only'] ) && ! Rollcall_Settings::read_only( $blog ) ) {
			Rollcall_Site_Guard::set_read_only( $blog, true );
		}
		if ( ! empty( $request['revoke'] ) ) {
			Rollcall_Site_Guard::set_grantable( $blog, array_values( array_diff( Rollcall_Settings::grantable( $blog ), $request['revoke'] ) ) );
			Rollcall_Consent::withdraw( $blog, $request['revoke'] );
		}
		if ( self::switches_on( $request ) ) {
			Rollcall_Whitelist::save( array( 'on' => true ) );
		}
	}

	/**
	 * Is the whitelist to be switched on now?
	 *
	 * @param array $request GuardRequest.
	 * @return bool
	 */
	private static function switches_on( $request ) {
		return ! empty( $request['whitelist'] ) && ! Rollcall_Whitelist::is_on();
	}

	/**
	 * The sites that the hub brings changes from.
	 *
	 * @param array $request GuardRequest.
	 * @return string[]
	 */
	private static function sources( $request ) {
		return isset( $request['sources'] ) ? $request['sources'] : array();
	}

	/**
	 * The guard as it is now.
	 *
	 * @param array $request GuardRequest.
	 * @param int   $blog    Site.
	 * @return array GuardAnswer.
	 */
	private static function state( $request, $blog ) {
		$entries = Rollcall_Whitelist::entries();
		$address = Rollcall_Caller::address();
		$sources = array();
		foreach ( self::sources( $request ) as $url ) {
			$sources[] = array(
				'url'   => $url,
				'entry' => Rollcall_Whitelist::entry_of_url( $url, $entries ),
			);
		}
		$answer = array(
			'blog'      => $blog,
			'read_only' => Rollcall_Settings::read_only( $blog ),
			'grantable' => Rollcall_Settings::grantable( $blog ),
			'consents'  => Rollcall_Consent::roles( $blog ),
			'whitelist' => array(
				'on'      => Rollcall_Whitelist::is_on(),
				'entries' => $entries,
				'proxies' => Rollcall_Whitelist::proxies(),
			),
			'caller'    => array(
				'address' => $address,
				'entry'   => Rollcall_Whitelist::entry_of_address( $address, $entries ),
			),
			'sources'   => $sources,
		);
		if ( isset( $request['check'] ) ) {
			$answer['check'] = self::check( $request['check'], $entries );
		}
		return $answer;
	}

	/**
	 * Which entries an address and a URL match.
	 *
	 * @param array   $check   address and url, '' where nothing is asked.
	 * @param array[] $entries Entries.
	 * @return array address and url: name of the entry, or null.
	 */
	public static function check( $check, $entries ) {
		return array(
			'address' => Rollcall_Whitelist::entry_of_address( Rollcall_Ip_Range::address( $check['address'] ), $entries ),
			'url'     => Rollcall_Whitelist::entry_of_url( $check['url'], $entries ),
		);
	}
}
