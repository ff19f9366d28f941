<?php
/**
 * Answers `/changes`: what happened here that the hub has not committed yet.
 *
 * Does: drops what is acknowledged, hands out the oldest rows with each account's present state.
 * Does not: mark what it hands out: a row stays until that very revision is acknowledged.
 * Always true: rows are read before states, so a state is never older than the revision it comes with.
 * On failure: `mark.mismatch` where the request was meant for another state of this site. A row that can't be told comes out as an error row, and holds up nothing.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The outbox, as the hub reads it.
 */
final class Rollcall_Changes {

	/**
	 * Answers a request.
	 *
	 * @param array $request ChangesRequest.
	 * @return array|WP_Error ChangesAnswer.
	 */
	public static function answer( array $request ) {
		Rollcall_Tables::use_writer();
		$changes = $request['ack'] || ! empty( $request['restamp'] );
		$fits    = $changes ? Rollcall_Mark::take( $request ) : Rollcall_Mark::check( $request );
		if ( is_wp_error( $fits ) ) {
			return $fits;
		}
		Rollcall_Outbox::ack( $request['ack'] );
		Rollcall_Outside::look();
		Rollcall_Newcomers::look();
		if ( ! empty( $request['restamp'] ) ) {
			self::restamp( array_map( 'intval', $request['restamp'] ) );
		}
		$limit = (int) $request['limit'];
		$page  = Rollcall_Outbox::page( $limit + 1 );
		$some  = self::that_fit( array_slice( $page, 0, $limit ) );
		$more  = count( $page ) > count( $some );
		$page  = self::close_left_open( $some );
		$rows  = self::rows( $page );
		$fits  = $rows ? Rollcall_Mark::take( $request ) : true;
		if ( is_wp_error( $fits ) ) {
			return $fits;
		}
		return array(
			'epoch'     => Rollcall_Life::epoch(),
			'head'      => Rollcall_Life::head(),
			'clock'     => Rollcall_Settings::clock_ms(),
			'mark'      => Rollcall_Mark::held(),
			'rows'      => $rows,
			'more'      => $more,
			'sites_sum' => Rollcall_Site_List::sum(),
			'outside'   => Rollcall_Outside::sentence(),
		);
	}

	/**
	 * The first of some rows, as many as there is memory for.
	 *
	 * @param object[] $page Rows of the outbox.
	 * @return object[]
	 */
	private static function that_fit( array $page ) {
		$ids = array_map( 'intval', wp_list_pluck( $page, 'user_id' ) );
		return array_slice( $page, 0, count( Rollcall_Limits::first_that_fit( $ids ) ) );
	}

	/**
	 * Rows on the wire.
	 *
	 * @param object[] $page Rows of the outbox.
	 */
	private static function rows( array $page ) {
		$living = array();
		foreach ( $page as $row ) {
			if ( ! in_array( $row->kind, array( 'delete', 'erase' ), true ) ) {
				$living[] = (int) $row->user_id;
			}
		}
		$states = Rollcall_Outgoing::filter( Rollcall_States::of( $living ) );
		$rows   = array();
		foreach ( $page as $row ) {
			$one = self::row( $row, isset( $states[ (int) $row->user_id ] ) ? $states[ (int) $row->user_id ] : null );
			if ( $one ) {
				$rows[] = $one;
			}
		}
		return $rows;
	}

	/**
	 * One row on the wire.
	 *
	 * @param object     $row   Row of the outbox.
	 * @param array|null $state Present state of its account.
	 * @return array|null Null where there is nothing left to tell.
	 */
	private static function row( $row, $state ) {
		$actor = json_decode( $row->actor, true );
		$wire  = array(
			'row'   => (string) $row->id,
			'rev'   => (int) $row->rev,
			'kind'  => (string) $row->kind,
			'at'    => (int) $row->at_ms,
			'blog'  => max( 1, (int) $row->blog ),
			'actor' => is_array( $actor ) && isset( $actor['kind'] ) ? $actor : array( 'kind' => 'outside' ),
		);
		if ( 'erase' === $row->kind ) {
			return Rollcall_Erasures::row( $wire, $row );
		}
		if ( 'delete' === $row->kind ) {
			$gone = json_decode( $row->gone, true );
			if ( is_array( $gone ) && isset( $gone['id'], $gone['stamp'] ) ) {
				return $wire + array( 'gone' => $gone );
			}
			return self::error( $wire, $row, 'row.unreadable', __( 'What was kept of the deleted account can’t be read.', 'rollcall-connector' ) );
		}
		if ( null === $state ) {
			if ( self::ended_through_hub( (int) $row->user_id ) ) {
				Rollcall_Outbox::drop( (int) $row->user_id );
				return null;
			}
			return self::error( $wire, $row, 'source.account_missing', __( 'The account is no longer there, and no deletion was seen.', 'rollcall-connector' ) );
		}
		if ( isset( $state['unreadable']->login ) ) {
			return self::error( $wire, $row, 'value.encoding', __( 'The account’s login is not valid UTF-8.', 'rollcall-connector' ) );
		}
		$overwritten = Rollcall_Overwritten::told( $row );
		if ( $overwritten ) {
			$wire['overwritten'] = $overwritten;
		}
		if ( '' !== $row->gone ) {
			// Settled by now: what the deletion had taken is remembered as nobody's edit.
			$wire['error'] = self::what( $row, 'source.delete_unfinished', Rollcall_Reasons::sentence( 'source.delete_unfinished' ) );
		}
		return $wire + array( 'account' => $state );
	}

	/**
	 * A row that can't be told.
	 *
	 * @param array  $wire    Row on the wire.
	 * @param object $row     Row of the outbox.
	 * @param string $code    Reason code.
	 * @param string $message One sentence for people.
	 */
	private static function error( array $wire, $row, $code, $message ) {
		$wire['kind']  = 'error';
		$wire['error'] = self::what( $row, $code, $message );
		return $wire;
	}

	/**
	 * What is to be said of a row.
	 *
	 * @param object $row     Row of the outbox.
	 * @param string $code    Reason code.
	 * @param string $message One sentence for people.
	 */
	private static function what( $row, $code, $message ) {
		return array(
			'code'    => $code,
			'message' => $message,
			'id'      => (int) $row->user_id,
		);
	}

	/**
	 * Settles rows left open by requests that never ended; some of them turn out to be deletions.
	 *
	 * @param object[] $page Rows of the outbox.
	 * @return object[] The same rows as they are now.
	 */
	private static function close_left_open( array $page ) {
		global $wpdb;
		$open = array();
		foreach ( $page as $row ) {
			if ( 'open' === $row->state ) {
				$open[ (int) $row->user_id ] = $row;
			}
		}
		if ( ! $open ) {
			return $page;
		}
		$list  = implode( ',', array_keys( $open ) );
		$alive = array_map( 'intval', $wpdb->get_col( "SELECT ID FROM {$wpdb->users} WHERE ID IN ($list)" ) ); // phpcs:ignore WordPress.DB
		Rollcall_Capture::settle_left_open( $alive );
		$gone = array();
		foreach ( array_diff( array_keys( $open ), $alive ) as $id ) {
			$expected = json_decode( $open[ $id ]->gone, true );
			if ( isset( $expected['login'] ) ) {
				$stamp = array( max( Rollcall_Settings::now_ms(), Rollcall_Ledger::greatest_ms( $id ) + 1 ), Rollcall_Settings::key_of( (int) $open[ $id ]->blog ) );
				$actor = json_decode( $open[ $id ]->actor, true );
				Rollcall_Outbox::put_delete( $id, isset( $expected['uid'] ) ? $expected['uid'] : null, $expected['login'], $stamp, (int) $open[ $id ]->blog, is_array( $actor ) ? $actor : null );
				$gone[] = $id;
			}
		}
		// Deletions found so get rows of their own, at the end of the outbox: they come with the next page.
		$subjects = array();
		foreach ( $page as $row ) {
			if ( ! ( 'open' === $row->state && in_array( (int) $row->user_id, $gone, true ) ) ) {
				$subjects[] = (string) $row->subject;
			}
		}
		return $subjects ? self::reread( $subjects ) : array();
	}

	/**
	 * Rows by subject, oldest first.
	 *
	 * @param string[] $subjects Subjects.
	 * @return object[]
	 */
	private static function reread( array $subjects ) {
		global $wpdb;
		$marks = implode( ',', array_fill( 0, count( $subjects ), '%s' ) );
		return $wpdb->get_results( // phpcs:ignore WordPress.DB
			$wpdb->prepare( 'SELECT * FROM ' . Rollcall_Tables::outbox() . " WHERE subject IN ($marks) ORDER BY queued_ms, id", $subjects ) // phpcs:ignore WordPress.DB
		);
	}

	/**
	 * Did an account end by the hub's own word? Then there is nothing to tell the hub.
	 *
	 * @param int $id WordPress user id.
	 */
	private static function ended_through_hub( $id ) {
		global $wpdb;
		return null !== $wpdb->get_var( $wpdb->prepare( 'SELECT uid FROM ' . Rollcall_Tables::tombstones() . ' WHERE user_id = %d LIMIT 1', $id ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Stamps again, now, what carries a stamp from the future: this site's clock was wrong.
	 *
	 * @param int[] $ids WordPress user ids.
	 */
	private static function restamp( array $ids ) {
		$kinds = array();
		foreach ( array_keys( Rollcall_Fields::read( $ids ) ) as $id ) {
			for ( $i = 0; $i < Rollcall_Ledger::ATTEMPTS; $i++ ) {
				$rows = Rollcall_Ledger::load( array( $id ) );
				if ( ! isset( $rows[ $id ] ) || self::restamp_row( $rows[ $id ] ) ) {
					break;
				}
			}
			$kinds[ $id ] = 'update';
		}
		Rollcall_Outbox::ready( $kinds );
	}

	/**
	 * Stamps one row again.
	 *
	 * @param array $row Ledger row.
	 * @return bool False when somebody else wrote it meanwhile.
	 */
	private static function restamp_row( array $row ) {
		$now   = Rollcall_Settings::now_ms();
		$later = array();
		$past  = 0;
		foreach ( $row['entries'] as $name => $entry ) {
			if ( $entry[0] > $now ) {
				$later[] = $name;
			} else {
				$past = max( $past, (int) $entry[0] );
			}
		}
		$stamp = max( $now, $past + 1 );
		foreach ( $later as $name ) {
			$row['entries'][ $name ][0] = $stamp;
		}
		if ( $row['born'][0] > $now ) {
			$row['born'][0] = $stamp;
		}
		return Rollcall_Ledger::replace( $row );
	}
}
