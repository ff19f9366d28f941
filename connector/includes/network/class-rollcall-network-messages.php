<?php
/**
 * The shapes of the requests below `network/`, as in contract/network-messages.ts.
 *
 * Does: says what each route expects besides `hub`, in the words of Rollcall_Shape.
 * Does not: judge an action further; Rollcall_Network_Spec does.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Request schemas of a network's routes.
 */
final class Rollcall_Network_Messages {

	/** Sites, people and roles that one request can name. */
	const MOST_SITES  = 20000;
	const MOST_PEOPLE = 5000;
	const MOST_ROLES  = 1000;

	/**
	 * The members of a route's request.
	 *
	 * @param string $route Name of the route.
	 * @return array
	 */
	public static function of( $route ) {
		switch ( $route ) {
			case 'network/show':
				return array( 'network?' => 'positive' );
			case 'network/settings':
				return self::settings();
			case 'network/preview':
				return array(
					'network' => 'positive',
					'spec'    => self::spec(),
					'after'   => 'count',
				);
			case 'network/begin':
				return array(
					'id'      => 'uuid',
					'network' => 'positive',
					'spec'    => self::spec(),
					'by'      => 'string',
				);
			case 'network/page':
				return array(
					'run'  => 'uuid',
					'blog' => 'positive',
				);
			case 'network/control':
				return array(
					'run' => 'uuid',
					'do'  => array( 'one of', 'pause', 'resume', 'cancel', 'undo' ),
				);
			case 'network/runs':
				return array(
					'network' => 'positive',
					'before?' => 'uuid',
					'limit'   => 'limit',
				);
			case 'network/rows':
				return array(
					'run'    => 'uuid',
					'after?' => 'string',
					'limit'  => 'limit',
				);
		}
		return array();
	}

	/**
	 * What may be set from a hub.
	 *
	 * @return array
	 */
	private static function settings() {
		return array(
			'network'      => 'positive',
			'new_account?' => 'bool',
			'new_site?'    => 'bool',
			'role_change?' => 'bool',
			'role_sites?'  => array( 'one of', 'existing', 'all' ),
			'revoke?'      => array( 'list', 'string', self::MOST_ROLES ),
			'exclude?'     => array( 'list', 'positive', self::MOST_SITES ),
			'site_admins?' => 'bool',
		);
	}

	/**
	 * An action.
	 *
	 * @return array
	 */
	private static function spec() {
		return array(
			'object',
			array(
				'action'       => array( 'one of', 'fill', 'copy' ),
				'sites'        => self::all_or( self::MOST_SITES ),
				'people'       => self::all_or( self::MOST_PEOPLE ),
				'from?'        => 'positive',
				'memberships?' => array( 'one of', 'existing', 'all' ),
				'add_back'     => 'bool',
			),
		);
	}

	/**
	 * “all”, or ids.
	 *
	 * @param int $most At most so many.
	 * @return array
	 */
	private static function all_or( $most ) {
		return array( 'word or', 'all', array( 'list', 'positive', $most ) );
	}
}
