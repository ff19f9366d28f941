<?php
/**
 * Does what triggers have noted.
 *
 * Does: brings new accounts to the sites of their network, new sites everybody (as a run), and changed
 *   roles to the account's other sites.
 * Does not: hear of anything; what is to be done was noted at the hook. Write from a visitor's request to a site
 *   with code of its own: that is left to cron, which sends an errand.
 * Always true: decided by what is there when the work is done; a trigger that was switched off meanwhile
 *   does nothing more. What is written here no run can undo, but a run for a new site.
 * On failure: the rows come again later.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Work of triggers.
 */
final class Rollcall_Network_Chores {

	/** New accounts that are brought to sites together. */
	const AT_ONCE = 500;

	/**
	 * Works until nothing is due, or the time is over, or somebody else has to do the next thing.
	 *
	 * @param float $until When to end.
	 * @param bool  $waits May this process wait for another one?
	 * @return bool Is nothing due any more?
	 */
	public static function work( $until, $waits ) {
		Rollcall_Tables::use_writer();
		Rollcall_Network_Pairs::forget_triggers();
		try {
			Rollcall_Network_Marks::look();
		} catch ( Throwable $fault ) {
			Rollcall_Network_Announcer::complain( $fault );
			return false;
		}
		do {
			$rows = Rollcall_Network_Due::some( self::AT_ONCE );
			if ( ! $rows ) {
				return true;
			}
			try {
				if ( ! Rollcall_Network_Triggers::while_writing( array( __CLASS__, 'one' ), $rows, $until, $waits ) ) {
					return false;
				}
			} catch ( Throwable $fault ) {
				Rollcall_Query_Faults::make_good();
				Rollcall_Network_Announcer::complain( $fault );
				Rollcall_Network_Due::put_off( $rows );
			}
		} while ( microtime( true ) < $until );
		return false;
	}

	/**
	 * Does on one site what an errand names.
	 *
	 * @param array $named Pairs of row and revision.
	 * @param int   $blog  Site.
	 * @return void
	 */
	public static function errand( array $named, $blog ) {
		Rollcall_Tables::use_writer();
		Rollcall_Network_Triggers::while_writing(
			static function () use ( $named, $blog ) {
				$rows   = Rollcall_Network_Due::named( $named );
				$action = $rows ? self::action( $rows ) : null;
				if ( $action && in_array( $blog, $action['sites'], true ) ) {
					$plan = self::plan( $action, $blog );
					null === $plan || self::write( $plan );
					Rollcall_Network_Due::advance( $rows, $blog );
				}
			}
		);
	}

	/**
	 * Works on rows that belong together. Called by work().
	 *
	 * @param object[] $rows  Rows.
	 * @param float    $until When to end.
	 * @param bool     $waits May this process wait for another one?
	 * @return bool False: the next thing is left to a process that may.
	 */
	public static function one( array $rows, $until, $waits ) {
		if ( Rollcall_Network_Due::SITE === $rows[0]->kind ) {
			self::site( $rows[0] );
			return true;
		}
		$action = self::action( $rows );
		foreach ( null !== $action && $action['people'] ? $action['sites'] : array() as $blog ) {
			if ( $blog <= (int) $rows[0]->done ) {
				continue;
			}
			if ( microtime( true ) > $until ) {
				return true;
			}
			$plan = self::plan( $action, $blog );
			if ( null !== $plan && Rollcall_Network_Own_Code::of( $blog ) ) {
				if ( ! $waits ) {
					return false;
				}
				$nothing = static function () use ( $action, $blog ) {
					return null === self::plan( $action, $blog );
				};
				$plan    = Rollcall_Network_Errand::due( $rows, $blog, $until - microtime( true ), $nothing ) ? null : self::plan( $action, $blog );
			}
			null === $plan || self::write( $plan );
			Rollcall_Network_Due::advance( $rows, $blog );
		}
		Rollcall_Network_Due::drop( $rows );
		return true;
	}

	/**
	 * Is the trigger of a row on?
	 *
	 * @param object $row Row.
	 * @return bool
	 */
	private static function is_on( $row ) {
		$on = array(
			Rollcall_Network_Due::ACCOUNT => 'new_account',
			Rollcall_Network_Due::SITE    => 'new_site',
			Rollcall_Network_Due::ROLE    => 'role_change',
		);
		return get_network( (int) $row->network ) && Rollcall_Network_Settings::fresh( (int) $row->network )[ $on[ $row->kind ] ];
	}

	/**
	 * What rows that belong together amount to.
	 *
	 * @param object[] $rows Rows, of accounts or of a role.
	 * @return array{network:int,spec:array,people:array,sites:int[]}|null Null: the trigger is off.
	 */
	private static function action( array $rows ) {
		if ( ! self::is_on( $rows[0] ) ) {
			return null;
		}
		$network  = (int) $rows[0]->network;
		$settings = Rollcall_Network_Settings::fresh( $network );
		$copies   = Rollcall_Network_Due::ROLE === $rows[0]->kind;
		$ids      = array_map( 'intval', wp_list_pluck( $rows, 'ref' ) );
		sort( $ids );
		$spec   = array(
			'action'   => $copies ? 'copy' : 'fill',
			'people'   => $ids,
			'add_back' => false,
		) + ( $copies ? array(
			'from'        => (int) $rows[0]->blog,
			'memberships' => $settings['role_sites'],
		) : array() );
		$sites  = $copies && 'existing' === $settings['role_sites'] ? self::sites_of( $network, $ids[0] ) : Rollcall_Network_Sites::ids( $network );
		$people = ( new Rollcall_Network_People( $network, $ids ) )->next( 0, count( $ids ) + 1 );
		return array(
			'network' => $network,
			'spec'    => $spec,
			'people'  => array_filter( $people['people'], 'is_null' ),
			'sites'   => array_values( array_diff( $sites, array( $copies ? (int) $rows[0]->blog : 0 ) ) ),
		);
	}

	/**
	 * What is to be written to one site.
	 *
	 * @param array $action See action().
	 * @param int   $blog   Site.
	 * @return Rollcall_Network_Plan|null Null: nothing.
	 */
	private static function plan( array $action, $blog ) {
		$settings = Rollcall_Network_Settings::fresh( $action['network'] );
		if ( ! $action['people'] || null !== Rollcall_Network_Sites::refusal( $action['network'], $blog, $settings ) ) {
			return null;
		}
		$plan = Rollcall_Network_Look::at( $action['spec'], new Rollcall_Network_Target( $blog, $settings ), $action['people'] );
		return 0 === $plan->size() ? null : $plan;
	}

	/**
	 * Writes to one site.
	 *
	 * @param Rollcall_Network_Plan $plan Plan.
	 * @return void
	 */
	private static function write( $plan ) {
		Rollcall_Network_Can_Add::ask( $plan );
		if ( 0 === $plan->size() ) {
			return;
		}
		$blog  = $plan->target->blog;
		$pairs = Rollcall_Network_Transaction::run(
			$blog,
			static function () use ( $plan, $blog ) {
				$pairs = Rollcall_Network_Writer::carry_out( $plan );
				Rollcall_Network_Pairs::keep( Rollcall_Network_Pairs::TRIGGER, $blog, $pairs );
				Rollcall_Network_Outgoing::put( $blog, array_keys( $pairs ) );
				return $pairs;
			}
		);
		Rollcall_Network_Doubles::part( $plan->target, $pairs, Rollcall_Network_Pairs::TRIGGER );
		Rollcall_Network_Homes::give( $plan->target, $pairs );
		Rollcall_Network_Announcer::tell( $plan->target, $pairs );
	}

	/**
	 * Begins the run that brings everybody to a new site.
	 *
	 * @param object $row Row of what is due.
	 * @return void
	 */
	private static function site( $row ) {
		$blog = (int) $row->ref;
		$site = get_site( $blog );
		if ( ! self::is_on( $row ) || ! $site || (int) $site->network_id !== (int) $row->network ) {
			Rollcall_Network_Due::drop( array( $row ) );
			return;
		}
		if ( ! wp_is_site_initialized( $site ) ) {
			Rollcall_Network_Due::put_off( array( $row ) );
			return;
		}
		// The same site gives the same id: a request that is killed here begins no second run.
		$id  = self::uuid( "site\n$blog\n$site->registered\n" . Rollcall_Network_Tables::runs() );
		$run = Rollcall_Network_Runs::begin(
			$id,
			(int) $row->network,
			array(
				'action' => 'fill',
				'sites'  => array( $blog ),
			),
			'cron',
			'trigger'
		);
		is_wp_error( $run ) ? Rollcall_Network_Due::put_off( array( $row ) ) : Rollcall_Network_Due::drop( array( $row ) );
	}

	/**
	 * Sites of a network on which an account has a membership.
	 *
	 * @param int $network Network.
	 * @param int $id      Account.
	 * @return int[]
	 */
	private static function sites_of( $network, $id ) {
		global $wpdb;
		$keys = $wpdb->get_col( $wpdb->prepare( "SELECT DISTINCT meta_key FROM {$wpdb->usermeta} WHERE user_id = %d AND meta_key LIKE %s", $id, $wpdb->esc_like( $wpdb->base_prefix ) . '%capabilities' ) ); // phpcs:ignore WordPress.DB
		$mine = array_filter( array_map( array( 'Rollcall_Roles', 'blog_of_caps_key' ), $keys ) );
		return array_values( array_intersect( Rollcall_Network_Sites::ids( $network ), $mine ) );
	}

	/**
	 * A UUID that is always the same for the same text.
	 *
	 * @param string $text Text.
	 * @return string
	 */
	private static function uuid( $text ) {
		$hex = hash( 'sha256', $text );
		return substr( $hex, 0, 8 ) . '-' . substr( $hex, 8, 4 ) . '-5' . substr( $hex, 13, 3 ) . '-8' . substr( $hex, 17, 3 ) . '-' . substr( $hex, 20, 12 );
	}
}
