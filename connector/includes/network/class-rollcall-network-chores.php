<?php
/**
 * Does what triggers have noted.
 *
 * Does: brings new accounts to the sites of their network, new sites everybody (as a run), and changed
 *   roles to the account's other sites.
 * Does not: hear of anything; what is to be done was noted at the hook.
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
	 * Works until nothing is due, or the time is over.
	 *
	 * @param float $until When to end.
	 * @return bool Is nothing due any more?
	 */
	public static function work( $until ) {
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
				Rollcall_Network_Triggers::while_writing( array( __CLASS__, 'one' ), $rows, $until );
			} catch ( Throwable $fault ) {
				Rollcall_Query_Faults::make_good();
				Rollcall_Network_Announcer::complain( $fault );
				Rollcall_Network_Due::put_off( $rows );
			}
		} while ( microtime( true ) < $until );
		return false;
	}

	/**
	 * Works on rows that belong together. Called by work().
	 *
	 * @param object[] $rows  Rows.
	 * @param float    $until When to end.
	 * @return void
	 */
	public static function one( array $rows, $until ) {
		$row      = $rows[0];
		$network  = (int) $row->network;
		$settings = Rollcall_Network_Settings::fresh( $network );
		$on       = array(
			Rollcall_Network_Due::ACCOUNT => 'new_account',
			Rollcall_Network_Due::SITE    => 'new_site',
			Rollcall_Network_Due::ROLE    => 'role_change',
		);
		if ( ! get_network( $network ) || ! $settings[ $on[ $row->kind ] ] ) {
			Rollcall_Network_Due::drop( $rows );
			return;
		}
		if ( Rollcall_Network_Due::SITE === $row->kind ) {
			self::site( $row );
			return;
		}
		$copies = Rollcall_Network_Due::ROLE === $row->kind;
		$people = array_map( 'intval', wp_list_pluck( $rows, 'ref' ) );
		sort( $people );
		$spec  = array(
			'action'   => $copies ? 'copy' : 'fill',
			'people'   => $people,
			'add_back' => false,
		) + ( $copies ? array(
			'from'        => (int) $row->blog,
			'memberships' => $settings['role_sites'],
		) : array() );
		$sites = $copies && 'existing' === $settings['role_sites'] ? self::sites_of( $network, $people[0] ) : Rollcall_Network_Sites::ids( $network );
		self::people( $network, $spec, array_diff( $sites, array( $copies ? (int) $row->blog : 0 ) ), $rows, $until );
	}

	/**
	 * Brings people to sites.
	 *
	 * @param int      $network Network.
	 * @param array    $spec    Action.
	 * @param int[]    $sites   Sites.
	 * @param object[] $rows    Rows of what is due.
	 * @param float    $until   When to end.
	 * @return void
	 */
	private static function people( $network, array $spec, array $sites, array $rows, $until ) {
		$people = new Rollcall_Network_People( $network, $spec['people'] );
		$page   = $people->next( 0, count( $spec['people'] ) + 1 );
		$left   = array_filter( $page['people'], 'is_null' );
		foreach ( $left ? $sites : array() as $blog ) {
			if ( $blog <= (int) $rows[0]->done ) {
				continue;
			}
			if ( microtime( true ) > $until ) {
				return;
			}
			self::write( $network, $spec, $blog, $left );
			Rollcall_Network_Due::advance( $rows, $blog );
		}
		Rollcall_Network_Due::drop( $rows );
	}

	/**
	 * Writes to one site.
	 *
	 * @param int   $network Network.
	 * @param array $spec    Action.
	 * @param int   $blog    Site.
	 * @param array $people  Account => null.
	 * @return void
	 */
	private static function write( $network, array $spec, $blog, array $people ) {
		$settings = Rollcall_Network_Settings::fresh( $network );
		if ( null !== Rollcall_Network_Sites::refusal( $network, $blog, $settings ) ) {
			return;
		}
		$plan = Rollcall_Network_Look::at( $spec, new Rollcall_Network_Target( $blog, $settings ), $people );
		Rollcall_Network_Can_Add::ask( $plan );
		if ( 0 === $plan->size() ) {
			return;
		}
		$pairs = Rollcall_Network_Transaction::run(
			static function () use ( $plan, $blog ) {
				$pairs = Rollcall_Network_Writer::carry_out( $plan );
				Rollcall_Network_Pairs::keep( Rollcall_Network_Pairs::TRIGGER, $blog, $pairs );
				Rollcall_Network_Outgoing::put( $blog, array_keys( $pairs ) );
				return $pairs;
			}
		);
		Rollcall_Network_Doubles::part( $plan->target, $pairs, Rollcall_Network_Pairs::TRIGGER );
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
		if ( ! $site || (int) $site->network_id !== (int) $row->network ) {
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
