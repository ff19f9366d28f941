<?php
/**
 * Settling: an account's present values are compared with the ledger, and what changed is stamped.
 *
 * Does: reads, compares, stamps `max( hub time, greatest stamp on the account + 1 )`, writes.
 * Does not: make outbox rows; whoever settles after a hook has one open already.
 * Always true: everything that changed in one settling of one account shares one stamp; what is
 *   seen for the first time gets `[0, site key]`, which wins over nothing.
 * On failure: what was not written is still different, and found by the next look.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Gives stamps.
 */
final class Rollcall_Settle {

	/**
	 * Settles accounts.
	 *
	 * Options:
	 * - `created` (id => true): creation seen by a hook, all fields are stamped, also as `born`
	 * - `touched` (id => name => true): seen changing by a hook, so a first sight is a change
	 * - `cut_short` (id => true): its deletion was begun and not finished; what changed is remembered
	 *   under the stamps it had, and comes out as `held`: it is nobody's edit
	 * - `except` (id => name => fingerprint): held, and not to be stamped while they are still like this
	 * - `blog` (id => blog id): where it happened; the present site where it isn't named
	 * - `baseline_only` (bool): take first sights, stamp nothing
	 * - `present` (id => state): what was read already
	 * - `gate` (callable): is told the ids that will be stamped, before anything is written, and
	 *   answers those of them that must not be; what changed there comes out as `held`
	 *
	 * @param int[] $ids     WordPress user ids.
	 * @param array $options See above.
	 * @return array<int,array{changed:string[],held:string[],stamp:?array,present:array,row:array}>
	 */
	public static function run( array $ids, array $options = array() ) {
		$present = isset( $options['present'] ) ? $options['present'] : Rollcall_Fields::read( $ids );
		$todo    = array_keys( $present );
		$done    = array();
		for ( $i = 0; $todo && $i < Rollcall_Ledger::ATTEMPTS; $i++ ) {
			if ( $i > 0 ) {
				$present = Rollcall_Fields::read( $todo );
			}
			$round = self::round( $present, Rollcall_Ledger::load( $todo ), $options );
			$done  = $round['done'] + $done;
			$todo  = $round['lost'];
		}
		return $done;
	}

	/**
	 * Settles once; accounts somebody else wrote meanwhile come out as lost.
	 *
	 * @param array $present States by id.
	 * @param array $rows    Ledger rows by id.
	 * @param array $options See `run()`.
	 * @return array{done:array,lost:int[]}
	 */
	private static function round( array $present, array $rows, array $options ) {
		$plans = array();
		foreach ( $present as $id => $state ) {
			$plans[ $id ] = self::plan( $id, $state, isset( $rows[ $id ] ) ? $rows[ $id ] : null, $options );
		}
		$stamped = array_keys( array_filter( wp_list_pluck( $plans, 'stamp' ) ) );
		if ( $stamped && isset( $options['gate'] ) ) {
			foreach ( call_user_func( $options['gate'], $stamped ) as $id ) {
				$held                 = $plans[ $id ]['changed'];
				$plans[ $id ]         = self::plan( $id, $present[ $id ], isset( $rows[ $id ] ) ? $rows[ $id ] : null, array( 'baseline_only' => true ) + $options );
				$plans[ $id ]['held'] = $held;
			}
		}
		return self::write( $plans, $present, $options );
	}

	/**
	 * What is to be written of one account.
	 *
	 * @param int        $id      WordPress user id.
	 * @param array      $state   Present state.
	 * @param array|null $row     Ledger row.
	 * @param array      $options See `run()`.
	 * @return array{row:array,is_new:bool,dirty:bool,changed:string[],held:string[],stamp:?array}
	 */
	private static function plan( $id, array $state, $row, array $options ) {
		$created = isset( $options['created'][ $id ] );
		$touched = isset( $options['touched'][ $id ] ) ? $options['touched'][ $id ] : array();
		$found   = Rollcall_Comparison::of( $row, $state, $created, $touched );
		$changed = empty( $options['baseline_only'] ) ? $found['changed'] : array();
		if ( isset( $options['except'][ $id ] ) ) {
			$changed = array_diff_assoc( $changed, $options['except'][ $id ] );
		}
		$held = array();
		if ( isset( $options['cut_short'][ $id ] ) ) {
			$held    = $changed;
			$changed = array();
		}

		$next            = $row ? $row : Rollcall_Ledger::blank( $id );
		$next['entries'] = array_merge( $next['entries'], $found['baseline'], $found['arrived'] );
		$next['watch']   = Rollcall_Settings::generation();
		$stamp           = null;
		foreach ( $held as $name => $fp ) {
			$entry                    = isset( $next['entries'][ $name ] ) ? $next['entries'][ $name ] : array( 0, Rollcall_Settings::key_of( get_main_site_id() ) );
			$next['entries'][ $name ] = array( $entry[0], $entry[1], $fp );
		}
		if ( $changed ) {
			$blog  = isset( $options['blog'][ $id ] ) ? $options['blog'][ $id ] : get_current_blog_id();
			$stamp = array( max( Rollcall_Settings::now_ms(), Rollcall_Ledger::greatest_of( $next ) + 1 ), Rollcall_Settings::key_of( $blog ) );
			foreach ( $changed as $name => $fp ) {
				$next['entries'][ $name ] = array( $stamp[0], $stamp[1], $fp );
			}
			if ( $created ) {
				$next['born'] = $stamp;
			}
		}
		return array(
			'row'     => $next,
			'is_new'  => null === $row,
			'dirty'   => null === $row || $changed || $held || $found['baseline'] || $found['arrived'] || $row['watch'] !== $next['watch'],
			'changed' => array_map( 'strval', array_keys( $changed ) ),
			'held'    => array_map( 'strval', array_keys( $held ) ),
			'stamp'   => $stamp,
		);
	}

	/**
	 * Writes plans: first sights many at once, stamps one by one over the revision that was read.
	 *
	 * @param array $plans   Plans by id.
	 * @param array $present States by id.
	 * @param array $options See `run()`.
	 * @return array{done:array,lost:int[]}
	 */
	private static function write( array $plans, array $present, array $options ) {
		$done   = array();
		$lost   = array();
		$new    = array();
		$sights = array();
		foreach ( $plans as $id => $plan ) {
			$won = true;
			if ( $plan['dirty'] && $plan['stamp'] ) {
				$won = $plan['is_new'] ? 1 === Rollcall_Ledger::insert( array( $plan['row'] ) ) : Rollcall_Ledger::replace( $plan['row'] );
			} elseif ( $plan['dirty'] && $plan['is_new'] ) {
				$new[] = $plan['row'];
			} elseif ( $plan['dirty'] ) {
				$sights[] = $plan['row'];
			}
			if ( ! $won ) {
				$lost[] = $id;
				continue;
			}
			if ( $plan['dirty'] && ! $plan['is_new'] ) {
				// The revision that it has now.
				++$plan['row']['rev'];
			}
			$done[ $id ] = array(
				'changed' => $plan['changed'],
				'held'    => $plan['held'],
				'stamp'   => $plan['stamp'],
				'present' => $present[ $id ],
				'row'     => $plan['row'],
			);
		}
		if ( $new ) {
			Rollcall_Ledger::insert( $new );
		}
		if ( $sights ) {
			Rollcall_Ledger::replace_many( $sights );
		}
		return array(
			'done' => $done,
			'lost' => $lost,
		);
	}
}
