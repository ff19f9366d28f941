<?php
/**
 * Accounts as they go over the wire.
 *
 * Does: reads accounts, looks for what was written past the hooks, and puts values and stamps together.
 * Does not: send a value without its stamp: one that is being written right now, or is held, is left
 *   out and named in `unreadable`.
 * Always true: the same few queries however many accounts; the hub's own account never comes out.
 * On failure: what can't be encoded is named, everything else comes out.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Account states.
 */
final class Rollcall_States {

	/**
	 * States of accounts.
	 *
	 * @param int[]  $ids    WordPress user ids.
	 * @param string $detail `who` or `state`.
	 * @return array<int,array> By id, in the order of ids; accounts that don't exist are missing.
	 */
	public static function of( array $ids, $detail = 'state' ) {
		$ids = array_diff( array_map( 'intval', $ids ), array( 0, Rollcall_Settings::service_user_id() ) );
		if ( ! $ids ) {
			return array();
		}
		$seen   = 'who' === $detail ? self::look_at( $ids ) : self::look_into( $ids );
		$power  = Rollcall_Privilege::power_among( array_keys( $seen ) );
		$states = array();
		foreach ( $seen as $id => $one ) {
			$states[ $id ] = self::state( $id, $one, isset( $power[ $id ] ) ? $power[ $id ] : null, 'state' === $detail );
		}
		return 'state' === $detail ? Rollcall_Proofs::tell( $states ) : $states;
	}

	/**
	 * Who accounts are, without their fields.
	 *
	 * @param int[] $ids WordPress user ids.
	 */
	private static function look_at( array $ids ) {
		global $wpdb;
		Rollcall_Tables::use_writer();
		$rows = Rollcall_Ledger::load( $ids );
		$seen = array();
		foreach ( array_chunk( $ids, 500 ) as $some ) {
			$list = implode( ',', $some );
			foreach ( $wpdb->get_results( "SELECT ID, user_login, user_email, user_registered FROM {$wpdb->users} WHERE ID IN ($list) ORDER BY ID" ) as $user ) { // phpcs:ignore WordPress.DB
				$id          = (int) $user->ID;
				$seen[ $id ] = array(
					'present' => array(
						'login'      => (string) $user->user_login,
						'email'      => (string) $user->user_email,
						'registered' => (string) $user->user_registered,
						'unreadable' => array(),
					),
					'row'     => isset( $rows[ $id ] ) ? $rows[ $id ] : Rollcall_Ledger::blank( $id ),
					'held'    => array(),
				);
			}
		}
		return $seen;
	}

	/**
	 * Accounts with all they hold, settled on the way.
	 *
	 * @param int[] $ids WordPress user ids.
	 */
	private static function look_into( array $ids ) {
		Rollcall_Capture::settle_left_open( Rollcall_Outbox::has_stale_open( $ids ) );
		$present = Rollcall_Fields::read( $ids );
		$busy    = array_intersect_key( $present, array_flip( Rollcall_Outbox::has_fresh_open( $ids ) ) );
		$settled = Rollcall_Settle::run(
			array(),
			array(
				'present' => array_diff_key( $present, $busy ),
				'gate'    => array( 'Rollcall_Outside', 'gate' ),
			)
		);
		$rows = $busy ? Rollcall_Ledger::load( array_keys( $busy ) ) : array();
		$seen = array();
		foreach ( $present as $id => $state ) {
			if ( isset( $settled[ $id ] ) ) {
				$seen[ $id ] = array(
					'present' => $settled[ $id ]['present'],
					'row'     => $settled[ $id ]['row'],
					'held'    => array_fill_keys( $settled[ $id ]['held'], 'source.rewritten_outside' ),
				);
				continue;
			}
			$row         = isset( $rows[ $id ] ) ? $rows[ $id ] : null;
			$moving      = Rollcall_Comparison::of( $row, $state );
			$seen[ $id ] = array(
				'present' => $state,
				'row'     => $row ? $row : Rollcall_Ledger::blank( $id ),
				'held'    => array_fill_keys( array_keys( $moving['changed'] + $moving['baseline'] + $moving['arrived'] ), 'account.busy' ),
			);
		}
		return $seen;
	}

	/**
	 * One state.
	 *
	 * @param int        $id          WordPress user id.
	 * @param array      $one         present, row, held.
	 * @param array|null $power       What makes it privileged; null: nothing does.
	 * @param bool       $with_fields Whether to give fields and roles.
	 */
	private static function state( $id, array $one, $power, $with_fields ) {
		$row        = $one['row'];
		$present    = $one['present'];
		$unreadable = $present['unreadable'] + $one['held'];
		$text       = array();
		foreach ( array( 'login', 'email', 'registered' ) as $part ) {
			$text[ $part ] = $present[ $part ];
			if ( 1 !== preg_match( '//u', $text[ $part ] ) ) {
				$text[ $part ]       = preg_replace( '/[^\x20-\x7e]/', '?', $text[ $part ] );
				$unreadable[ $part ] = 'value.encoding';
			}
		}
		$state = array(
			'id'         => $id,
			'uid'        => $row['uid'],
			'label_ok'   => Rollcall_Ledger::label_ok( $row, $present['login'], $present['registered'] ),
			'login'      => $text['login'],
			'email'      => $text['email'],
			'registered' => $text['registered'],
			'born'       => $row['born'],
			'privileged' => null !== $power,
			'switches'   => $row['switches'],
		);
		if ( null !== $power ) {
			$state['privileged_by'] = array( 'roles' => (object) $power['roles'] ) + $power;
		}
		if ( $with_fields ) {
			$state['fields'] = (object) self::fields( $row, $present, $one['held'] );
			$state['roles']  = (object) self::roles( $row, $present, $one['held'] );
			$state          += Rollcall_Standing::told( $row ) + Rollcall_Email_Origin::told( $row, $present['email'] );
		}
		if ( $unreadable ) {
			$state['unreadable'] = (object) $unreadable;
		}
		return $state;
	}

	/**
	 * Account-wide fields.
	 *
	 * @param array $row     Ledger row.
	 * @param array $present Present state.
	 * @param array $held    Names that don't travel now.
	 */
	private static function fields( array $row, array $present, array $held ) {
		$fields = array();
		foreach ( $present['fields'] as $name => $value ) {
			if ( isset( $row['entries'][ $name ] ) && ! isset( $held[ $name ] ) ) {
				$fields[ $name ] = array(
					'v' => $value,
					's' => array( (int) $row['entries'][ $name ][0], (int) $row['entries'][ $name ][1] ),
				);
			}
		}
		return $fields;
	}

	/**
	 * Roles by site.
	 *
	 * @param array $row     Ledger row.
	 * @param array $present Present state.
	 * @param array $held    Names that don't travel now.
	 */
	private static function roles( array $row, array $present, array $held ) {
		$sites = array();
		foreach ( array_keys( Rollcall_Settings::keys() ) as $blog ) {
			$roles = array();
			foreach ( Rollcall_Comparison::roles_of( $row['entries'], $present, $blog ) as $name => $has ) {
				if ( isset( $row['entries'][ $name ] ) && ! isset( $held[ $name ] ) ) {
					$roles[ substr( $name, strlen( $blog . '/role:' ) ) ] = array(
						'v' => $has,
						's' => array( (int) $row['entries'][ $name ][0], (int) $row['entries'][ $name ][1] ),
					);
				}
			}
			if ( $roles ) {
				$sites[ $blog ] = (object) $roles;
			}
		}
		return $sites;
	}
}
