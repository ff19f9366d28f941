<?php
/**
 * The shapes of the requests, as in contract/messages.ts.
 *
 * Does: says what each route expects, in the words of Rollcall_Shape.
 * Does not: describe answers; those are proven against the contract's schemas by the tests.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Request schemas.
 */
final class Rollcall_Messages {

	const BLOG_ID = '/^[1-9]\d*$/D';

	/**
	 * The schema of a route's request.
	 *
	 * @param string $route Name of the route.
	 * @return array
	 */
	public static function of( $route ) {
		$hub = array(
			'object',
			array(
				'id'   => 'uuid',
				'term' => 'positive',
			),
		);
		switch ( $route ) {
			case 'status':
				return array( 'object', array( 'hub?' => $hub ) );
			case 'connect':
				return array( 'object', array( 'hub' => self::named( $hub ) ) + self::settings( '' ) + array( 'revoke_caller' => 'bool' ) );
			case 'settings':
				return array( 'object', array( 'hub' => $hub ) + self::settings( '?' ) + array(
					'ext?'       => array( 'list', 'string', 1000 ),
					'offset_ms?' => 'int',
					'sign_ins?'  => 'bool',
					'notice?'    => array( 'null or', array( 'one of', 'source.rewound', 'hub.rewound' ) ),
				) );
			case 'changes':
				return array(
					'object',
					array(
						'hub'      => $hub,
						'mark?'    => self::mark_offer(),
						'ack'      => array( 'list', array( 'pair', 'row', 'positive' ) ),
						'limit'    => 'limit',
						'restamp?' => array( 'list', 'positive' ),
					),
				);
			case 'accounts':
				return self::accounts( $hub );
			case 'digests':
				return self::digests( $hub );
			case 'proofs':
				return self::proofs( $hub );
			case 'labels':
				return self::labels( $hub );
			case 'stamp':
				return self::stamps( $hub );
			case 'outside':
				return array(
					'object',
					array(
						'hub'   => $hub,
						'take'  => array( 'one of', 'edits', 'others', 'nothing' ),
						'after' => 'count',
					),
				);
			case 'guard':
				return self::guard( $hub );
			case 'switches':
				return self::switches( $hub );
			case 'erase':
				return self::erasures( $hub );
			case 'apply':
				return array(
					'object',
					array(
						'hub'        => $hub,
						'mark?'      => self::mark_offer(),
						'dry_run'    => 'bool',
						'operations' => array( 'list', self::operation(), 1000 ),
					),
				);
		}
		$more = 0 === strpos( $route, 'network/' ) ? Rollcall_Network_Messages::of( $route ) : array();
		return array( 'object', array( 'hub' => $hub ) + $more );
	}

	/**
	 * A hub that also gives its name.
	 *
	 * @param array $hub Schema of a hub.
	 * @return array
	 */
	private static function named( $hub ) {
		$hub[1]['name'] = 'string';
		return $hub;
	}

	/**
	 * What the site should hold, and what it takes in its place.
	 *
	 * @return array
	 */
	private static function mark_offer() {
		$mark = array(
			'object',
			array(
				'n'  => 'positive',
				'id' => 'row',
			),
		);
		return array(
			'object',
			array(
				'held' => array( 'list', array( 'null or', $mark ), 100 ),
				'next' => $mark,
			),
		);
	}

	/**
	 * What connect and settings share.
	 *
	 * @param string $optional `?` where each may be absent.
	 * @return array
	 */
	private static function settings( $optional ) {
		$signal = array(
			'object',
			array(
				'url'    => 'string',
				'secret' => 'secret',
			),
		);
		return array(
			'keys' . $optional   => array( 'map', self::BLOG_ID, 'positive' ),
			'signal' . $optional => array( 'null or', $signal ),
			'meta' . $optional   => array( 'list', 'string' ),
		);
	}

	/**
	 * The request of /accounts.
	 *
	 * @param array $hub Schema of a hub.
	 * @return array
	 */
	private static function accounts( $hub ) {
		return array(
			'object',
			array(
				'hub'     => $hub,
				'after'   => 'count',
				'limit'   => 'limit',
				'ids?'    => array( 'list', 'positive', 1000 ),
				'logins?' => array( 'list', 'string', 1000 ),
				'roles?'  => array( 'list', 'string' ),
				'search?' => 'string',
				'detail'  => array( 'one of', 'who', 'state' ),
			),
		);
	}

	/**
	 * The request of /digests.
	 *
	 * @param array $hub Schema of a hub.
	 * @return array
	 */
	private static function digests( $hub ) {
		return array(
			'object',
			array(
				'hub'    => $hub,
				'blog'   => 'positive',
				'after'  => 'count',
				'limit'  => 'limit',
				'ids?'   => array( 'list', 'positive', 1000 ),
				'fields' => array( 'list', 'field', 1000 ),
			),
		);
	}

	/**
	 * The request of /labels.
	 *
	 * @param array $hub Schema of a hub.
	 * @return array
	 */
	private static function labels( $hub ) {
		$label = array(
			'object',
			array(
				'id'    => 'positive',
				'uid'   => 'uuid',
				'login' => 'string',
				'was?'  => 'uuid',
			),
		);
		return array(
			'object',
			array(
				'hub'    => $hub,
				'labels' => array( 'list', $label, 1000 ),
			),
		);
	}

	/**
	 * The request of /proofs.
	 *
	 * @param array $hub Schema of a hub.
	 * @return array
	 */
	private static function proofs( $hub ) {
		$base = array(
			'id'   => 'positive',
			'half' => 'uuid',
		);
		$ask  = $base + array(
			'login'   => 'string',
			'other'   => array(
				'object',
				array(
					'site'       => 'title',
					'url'        => 'address',
					'registered' => 'moment',
				),
			),
			'ends_ms' => 'positive',
		);
		$asks = array(
			'kinds',
			array(
				'mail'     => array( 'object', $ask + array( 'salt' => array( 'one of', null ) ) ),
				'password' => array( 'object', $ask + array( 'salt' => 'salt' ) ),
			),
		);
		return array(
			'object',
			array(
				'hub'    => $hub,
				'proofs' => array( 'list', array( 'if it has', 'cancel', array( 'object', $base + array( 'cancel' => array( 'one of', true ) ) ), $asks ), 50 ),
			),
		);
	}

	/**
	 * The request of /guard.
	 *
	 * @param array $hub Schema of a hub.
	 * @return array
	 */
	private static function guard( $hub ) {
		$check = array(
			'object',
			array(
				'address' => 'string',
				'url'     => 'string',
			),
		);
		return array(
			'object',
			array(
				'hub'        => $hub,
				'blog'       => 'positive',
				'read_only?' => 'bool',
				'revoke?'    => array( 'list', 'string', 1000 ),
				'whitelist?' => 'bool',
				'sources?'   => array( 'list', 'string', 1000 ),
				'check?'     => $check,
			),
		);
	}

	/**
	 * The request of /switches.
	 *
	 * @param array $hub Schema of a hub.
	 * @return array
	 */
	private static function switches( $hub ) {
		$order = array(
			'object',
			array(
				'id'               => 'positive',
				'login'            => 'string',
				'stop_outgoing?'   => 'bool',
				'stop_made?'       => 'bool',
				'reject_incoming?' => 'bool',
			),
		);
		return array(
			'object',
			array(
				'hub'      => $hub,
				'switches' => array( 'list', $order, 1000 ),
			),
		);
	}

	/**
	 * The request of /erase.
	 *
	 * @param array $hub Schema of a hub.
	 * @return array
	 */
	private static function erasures( $hub ) {
		$order = array(
			'object',
			array(
				'erasure' => 'uuid',
				'uid'     => 'uuid',
				'source'  => array( 'object', array( 'url' => 'string' ) ),
				'blog'    => 'positive',
				'id'      => 'positive',
			),
		);
		return array(
			'object',
			array(
				'hub'      => $hub,
				'erasures' => array( 'list', $order, 50 ),
			),
		);
	}

	/**
	 * The request of /stamp.
	 *
	 * @param array $hub Schema of a hub.
	 * @return array
	 */
	private static function stamps( $hub ) {
		$order = array(
			'object',
			array(
				'id'       => 'positive',
				'uid'      => 'uuid',
				'blog'     => 'positive',
				'fields'   => array( 'list', 'field' ),
				'at_least' => 'count',
			),
		);
		return array(
			'object',
			array(
				'hub'    => $hub,
				'stamps' => array( 'list', $order, 1000 ),
			),
		);
	}

	/**
	 * An operation of /apply.
	 *
	 * @return array
	 */
	private static function operation() {
		$stamp  = array( 'pair', 'count', 'count' );
		$base   = array(
			'op'     => 'string',
			'uid'    => 'uuid',
			'source' => array(
				'object',
				array(
					'url' => 'string',
					'key' => 'positive',
				),
			),
			'blog'   => 'positive',
			'id'     => array( 'null or', 'positive' ),

			'privileged?' => array(
				'object',
				array(
					'account' => array( 'list', 'string', 1000 ),
					'roles'   => array( 'list', 'string', 1000 ),
				),
			),
		);
		$create = array(
			'object',
			array(
				'login'        => 'string',
				'registered'   => 'string',
				'born'         => $stamp,
				'default_role' => 'bool',
				'login_taken?' => array( 'one of', 'suffix' ),
			),
		);
		$field  = array(
			'object',
			array(
				'v' => 'value',
				's' => $stamp,
			),
		);
		return array(
			'kinds',
			array(
				'write'  => array(
					'object',
					$base + array(
						'create'         => array( 'null or', $create ),
						'password_mail?' => array( 'one of', true ),
						'fields'         => array( 'map', Rollcall_Shape::FIELD, $field ),
					),
				),
				'delete' => array(
					'object',
					$base + array(
						'gone'     => $stamp,
						'reassign' => array( 'null or', 'string' ),
						'how'      => array( 'one of', 'delete', 'strip' ),
					),
				),
			),
		);
	}
}
