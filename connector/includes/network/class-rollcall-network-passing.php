<?php
/**
 * Passes by sites of a run on which nothing is to be written.
 *
 * Does: looks at a run's next sites one after the other, counts what they come to, and moves the run on, up to the first
 *   one on which there may be something to write.
 * Does not: write a membership, or tell anybody. Where somebody is to be added or changed the site is asked itself, so
 *   that its own plugins decide (`can_add_user_to_blog`, the roles that they define) and hear of it.
 * Always true: a site is passed by whole or not at all, and only for what is the same wherever it is looked at from:
 *   memberships, flags of accounts, removals, closed sites. What a site's roles decide is left to it.
 * On failure: the run stays where it was; the turn at the site itself meets the fault and counts it.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Passing by.
 */
final class Rollcall_Network_Passing {

	/** At most so long at once, in seconds: who pauses the run waits for it, and it is all done again if it is killed. */
	const SECONDS = 5;

	/** Accounts that one statement compares with a site's members; where there are more, page by page. */
	const AT_ONCE = 200000;

	/** Sites that are asked at once whether they may be written to. */
	const SITES = 50;

	/** So many who are missing are read first: one who is to be added is among them, as a rule. Then ever more. */
	const FIRST = 100;
	const MORE  = 6;

	/** What is skipped for these only the site itself can say for certain. */
	const ITS_OWN = array( 'network.role_undefined', 'network.role_privileged', 'target.last_administrator' );

	/**
	 * Run.
	 *
	 * @var Rollcall_Network_Hold
	 */
	private $hold;

	/**
	 * People.
	 *
	 * @var Rollcall_Network_People
	 */
	private $people;

	/**
	 * How many they are; null: not counted yet.
	 *
	 * @var int|null
	 */
	private $all = null;

	/**
	 * Settings of the network, as they were read for the sites ahead: nothing is written by them.
	 *
	 * @var array
	 */
	private $settings = array();

	/**
	 * Why the sites ahead may not be written to: site => reason, or null.
	 *
	 * @var array<int,?string>
	 */
	private $refusals = array();

	/**
	 * When to end.
	 *
	 * @var float
	 */
	private $until;

	/**
	 * Passes by what a run has before it, if nobody is at the run.
	 *
	 * @param object $row     Row of the run.
	 * @param float  $seconds At most so long, roughly.
	 * @return bool Has the run moved on?
	 */
	public static function at( $row, $seconds ) {
		$view  = Rollcall_Network_Runs::view( $row );
		$moved = false;
		if ( in_array( $view['state'], array( 'running', 'undoing' ), true ) && null !== $view['next'] ) {
			$until = microtime( true ) + Rollcall_Limits::seconds( $seconds );
			Rollcall_Network_Hold::during(
				$row,
				static function ( $hold ) use ( $until, &$moved ) {
					$moved = self::by( $hold, $until );
				}
			);
		}
		return $moved;
	}

	/**
	 * Passes by what a held run has before it.
	 *
	 * @param Rollcall_Network_Hold $hold  Run.
	 * @param float                 $until When to end.
	 * @return bool Has the run moved on?
	 */
	public static function by( $hold, $until ) {
		// In the middle of a site: that is its own turn's, which also tells what another one has not told.
		if ( 0 !== $hold->after ) {
			return false;
		}
		try {
			$passing = new self( $hold, $until );
			$passed  = false;
			while ( null !== $hold->blog() && $passing->in_time() && $passing->site( $hold->blog() ) ) {
				$hold->next_site();
				$passed = true;
			}
			if ( $passed ) {
				$hold->save();
			}
			return $passed;
		} catch ( Rollcall_Network_Stopped $stopped ) {
			return false;
		} catch ( Throwable $fault ) {
			Rollcall_Query_Faults::make_good();
			Rollcall_Network_Announcer::complain( $fault );
			return false;
		}
	}

	/**
	 * A new one.
	 *
	 * @param Rollcall_Network_Hold $hold  Run.
	 * @param float                 $until When to end.
	 */
	private function __construct( $hold, $until ) {
		$this->hold   = $hold;
		$this->until  = min( $until, microtime( true ) + self::SECONDS );
		$this->people = new Rollcall_Network_People( $hold->network, $hold->spec['people'] );
	}

	/** Is there time left? */
	private function in_time() {
		return microtime( true ) < $this->until && ! Rollcall_Limits::memory_is_short();
	}

	/**
	 * Counts a site on which there is nothing to write.
	 *
	 * @param int $blog Site.
	 * @return bool False: there may be, or time was short. Nothing was counted.
	 */
	private function site( $blog ) {
		if ( $this->hold->undoes() ) {
			return ! Rollcall_Network_Pairs::of( $this->hold->seq, $blog, 0, 0, 1 );
		}
		if ( ! array_key_exists( $blog, $this->refusals ) ) {
			$this->settings = Rollcall_Network_Settings::fresh( $this->hold->network );
			$this->refusals = Rollcall_Network_Sites::refusals( $this->hold->network, $this->hold->ahead( self::SITES ), $this->settings );
		}
		$refusal = $this->refusals[ $blog ];
		if ( null !== $refusal ) {
			$found = array( 0, array( $refusal => $this->all() ) );
		} elseif ( 'fill' === $this->hold->spec['action'] && 'all' === $this->hold->spec['people'] && $this->all() <= self::AT_ONCE ) {
			$found = $this->full( $blog );
		} else {
			$found = $this->as_it_should_be( new Rollcall_Network_Target( $blog, $this->settings ) );
		}
		if ( null === $found ) {
			return false;
		}
		list( $unchanged, $skipped ) = $found;
		$this->hold->count(
			array(
				'done'      => $unchanged + array_sum( $skipped ),
				'unchanged' => $unchanged,
			),
			$skipped
		);
		return true;
	}

	/**
	 * Is everybody on a site who is to be there? Asks the database for those alone who are missing.
	 *
	 * @param int $blog Site.
	 * @return array|null How many are members, and reason => how many are not; null: somebody may be to be added.
	 */
	private function full( $blog ) {
		$skipped = array();
		$after   = 0;
		for ( $limit = self::FIRST; null !== $after; $limit = min( Rollcall_Network_Turn::LARGEST, $limit * self::MORE ) ) {
			if ( ! $this->in_time() ) {
				return null;
			}
			$page    = $this->people->missing( Rollcall_Roles::caps_key( $blog ), $after, $limit );
			$after   = $page['after'];
			$removed = $this->hold->spec['add_back'] ? array() : Rollcall_Network_Look::removed_of( $blog, array_keys( $page['people'], null, true ) );
			foreach ( $page['people'] as $id => $never ) {
				if ( null === $never && ! isset( $removed[ $id ] ) ) {
					return null;
				}
				$reason             = null === $never ? 'network.removed_before' : $never;
				$skipped[ $reason ] = 1 + ( isset( $skipped[ $reason ] ) ? $skipped[ $reason ] : 0 );
			}
		}
		return array( max( 0, $this->all() - array_sum( $skipped ) ), $skipped );
	}

	/**
	 * Is a site as it should be? Looks page by page, as a turn does.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @return array|null As full().
	 */
	private function as_it_should_be( $target ) {
		$unchanged = 0;
		$skipped   = array();
		$after     = 0;
		while ( null !== $after ) {
			if ( ! $this->in_time() ) {
				return null;
			}
			$page = $this->people->next( $after, Rollcall_Network_Turn::LARGEST );
			$plan = Rollcall_Network_Look::at( $this->hold->spec, $target, $page['people'] );
			if ( $plan->size() > 0 || array_intersect_key( $plan->skipped, array_flip( self::ITS_OWN ) ) ) {
				return null;
			}
			$unchanged += $plan->unchanged;
			foreach ( $plan->skipped as $reason => $number ) {
				$skipped[ $reason ] = $number + ( isset( $skipped[ $reason ] ) ? $skipped[ $reason ] : 0 );
			}
			$after = $page['after'];
		}
		return array( $unchanged, $skipped );
	}

	/** How many people there are. */
	private function all() {
		if ( null === $this->all ) {
			$this->all = $this->people->count();
		}
		return $this->all;
	}
}
