<?php
/**
 * Takes back what a run wrote, as far as nobody has touched it since.
 *
 * Does: ends memberships that the run began, as core's remove_user_from_blog() ends them; gives changed
 *   ones their roles back.
 * Does not: decide which sites may be written to. Reassigns no content. Give or take a role that can administer
 *   and that the network doesn't name now, or a site's last administrator: such pairs stay.
 * Always true: only the very row of usermeta that the run left, with the very value, and only where no
 *   hook has told of anybody else's hand; what is taken back is no person's removal. What stays though nobody
 *   touched it is told with its reason: another undo may take it back.
 * On failure: throws, and the chunk is as it was; a listener may then hear of a removal again.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Undo.
 */
final class Rollcall_Network_Undo {

	/**
	 * Site.
	 *
	 * @var Rollcall_Network_Target
	 */
	private $target;

	/**
	 * Number of the run.
	 *
	 * @var int
	 */
	private $run;

	/**
	 * Its id.
	 *
	 * @var string
	 */
	private $id;

	/**
	 * A new one.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param int                     $run    Number of the run.
	 * @param string                  $id     Its id.
	 */
	public function __construct( $target, $run, $id ) {
		$this->target = $target;
		$this->run    = $run;
		$this->id     = $id;
	}

	/**
	 * Takes some pairs back.
	 *
	 * @param array       $pairs   Account => { mid, was, now, touched }.
	 * @param string|null $refusal Why the site may not be written to; null: it may.
	 * @param callable    $note    Is told, in the transaction, how many were taken back, and reason => how many were not.
	 * @return void
	 */
	public function carry_out( array $pairs, $refusal, $note ) {
		$pairs = array_filter(
			$pairs,
			static function ( $pair ) {
				return ! $pair['touched'];
			}
		);
		if ( null !== $refusal ) {
			$note( 0, 'target.site_missing' === $refusal ? array() : array( $refusal => count( $pairs ) ) );
			return;
		}
		$still = Rollcall_Network_Writer::are( $pairs, 'now' );
		$this->tell_of_ends( array_diff_key( $still, $this->refused( $still ) ) );
		$done = Rollcall_Network_Transaction::run(
			$this->target->blog,
			function () use ( $pairs, $note ) {
				$held = new Rollcall_Network_Held( $this->target, array_keys( $pairs ) );
				// Asked when the rows are held: whoever comes later waits, and sees what has become of them.
				$pairs   = array_diff_key( $pairs, $this->touched( array_keys( $pairs ) ) );
				$still   = $held->still( $pairs, 'now' );
				$refused = $this->refused( $still );
				$ends    = array_filter( array_diff_key( $still, $refused ), array( __CLASS__, 'is_end' ) );
				$back    = $held->change( array_map( array( __CLASS__, 'turned' ), array_diff_key( $still, $refused, $ends ) ) );
				$held->end( $ends );
				$done = $back + array_map( array( __CLASS__, 'turned' ), $ends );
				$this->forget( array_keys( $done ) );
				Rollcall_Network_Outgoing::put( $this->target->blog, array_keys( $done ), $this->id );
				$left = array_fill_keys( array_keys( array_diff_key( $pairs, $done ) ), 'network.changed_since' );
				$note( count( $done ), array_count_values( $refused + $left ) );
				return $done;
			}
		);
		Rollcall_Network_Doubles::part( $this->target, $done, $this->run );
		Rollcall_Network_Homes::leave( $this->target->blog, array_keys( array_filter( $done, array( __CLASS__, 'has_ended' ) ) ) );
		Rollcall_Network_Announcer::tell( $this->target, $done );
	}

	/**
	 * Is the membership over?
	 *
	 * @param array $pair Pair, the other way round.
	 * @return bool
	 */
	private static function has_ended( array $pair ) {
		return null === $pair['now'];
	}

	/**
	 * Did the run begin this membership?
	 *
	 * @param array $pair Pair.
	 * @return bool
	 */
	private static function is_end( array $pair ) {
		return null === $pair['was'];
	}

	/**
	 * Those that may not be taken back as the network is set now.
	 *
	 * @param array $pairs Pairs.
	 * @return array<int,string> Account => reason.
	 */
	private function refused( array $pairs ) {
		$refused = $this->raised( array_keys( $pairs ) );
		foreach ( $pairs as $id => $pair ) {
			$was     = Rollcall_Network_Plan::caps( (string) $pair['was'] );
			$now     = Rollcall_Network_Plan::caps( $pair['now'] );
			$differs = array_keys( array_diff_key( $was, $now ) + array_diff_key( $now, $was ) );
			if ( array_filter( $differs, array( $this->target, 'allows' ) ) !== $differs ) {
				$refused[ $id ] = 'network.role_privileged';
			}
		}
		$stays = Rollcall_Network_Last_Administrator::among( $this->target, array_map( array( __CLASS__, 'turned' ), array_diff_key( $pairs, $refused ) ) );
		return null === $stays ? $refused : $refused + array( $stays => 'target.last_administrator' );
	}

	/**
	 * Who has become a super admin since: those are never changed.
	 *
	 * @param int[] $ids Accounts.
	 * @return array<int,string> Account => reason.
	 */
	private function raised( array $ids ) {
		sort( $ids );
		$people = new Rollcall_Network_People( (int) get_site( $this->target->blog )->network_id, $ids );
		$never  = $ids ? $people->next( 0, count( $ids ) )['people'] : array();
		return array_intersect( array_filter( $never ), array( 'network.super_admin' ) );
	}

	/**
	 * A pair the other way round.
	 *
	 * @param array $pair Pair.
	 * @return array
	 */
	private static function turned( array $pair ) {
		return array(
			'mid' => $pair['mid'],
			'was' => $pair['now'],
			'now' => $pair['was'],
		);
	}

	/**
	 * Whom somebody touched in the meantime: listeners of the ends that were just told, too.
	 *
	 * @param int[] $ids Accounts.
	 * @return array<int,bool>
	 */
	private function touched( array $ids ) {
		global $wpdb;
		if ( ! $ids ) {
			return array();
		}
		$list = implode( ',', array_map( 'intval', $ids ) );
		return array_fill_keys( array_map( 'intval', $wpdb->get_col( $wpdb->prepare( 'SELECT user_id FROM ' . Rollcall_Network_Tables::pairs() . " WHERE run = %d AND blog = %d AND touched = 1 AND user_id IN ($list)", $this->run, $this->target->blog ) ) ), true ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Fires `remove_user_from_blog`, which core fires before a membership ends.
	 *
	 * @param array $pairs Pairs.
	 * @return void
	 */
	private function tell_of_ends( array $pairs ) {
		$blog = $this->target->blog;
		Rollcall_Network_Announcer::on_site(
			$blog,
			static function () use ( $pairs, $blog ) {
				foreach ( array_keys( array_filter( $pairs, array( __CLASS__, 'is_end' ) ) ) as $id ) {
					try {
						/** This action is documented in wp-includes/ms-functions.php */
						do_action( 'remove_user_from_blog', $id, $blog, 0 ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
					} catch ( Throwable $fault ) {
						Rollcall_Network_Announcer::complain( $fault );
					}
				}
			}
		);
	}

	/**
	 * These are as they were before the run.
	 *
	 * @param int[] $ids Accounts.
	 * @return void
	 */
	private function forget( array $ids ) {
		global $wpdb;
		if ( $ids ) {
			Rollcall_Set_Sql::run( $wpdb->prepare( 'DELETE FROM ' . Rollcall_Network_Tables::pairs() . ' WHERE run = %d AND blog = %d AND user_id IN (' . implode( ',', array_map( 'intval', $ids ) ) . ')', $this->run, $this->target->blog ) ); // phpcs:ignore WordPress.DB
		}
	}
}
