<?php
/**
 * What an action would do, counted site by site. Nothing is written.
 *
 * Does: decides as a run does, and counts; ends when its time is over, and says where.
 * Always true: a page holds at least one site, so that whoever reads on comes to an end.
 * On failure: a WP_Error.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Preview.
 */
final class Rollcall_Network_Preview {

	/** A page takes so long, and the rest of its last site. */
	const SECONDS = 5;

	/** Accounts that are looked at together. */
	const AT_ONCE = 2500;

	/**
	 * A page of sites.
	 *
	 * @param array    $spec       Action; its network is that of this request unless `$network` says otherwise.
	 * @param int      $after_blog Site after which to begin.
	 * @param int|null $network    Network.
	 * @return array|WP_Error { sites: [ { blog, add, change, unchanged, skipped } ], after: ?int }
	 */
	public static function page( array $spec, $after_blog, $network = null ) {
		$network = null === $network ? get_current_network_id() : (int) $network;
		$spec    = Rollcall_Network_Spec::checked( $network, $spec );
		if ( is_wp_error( $spec ) ) {
			return $spec;
		}
		$until    = microtime( true ) + Rollcall_Limits::seconds( self::SECONDS );
		$settings = Rollcall_Network_Settings::fresh( $network );
		$people   = new Rollcall_Network_People( $network, $spec['people'] );
		$todo     = Rollcall_Network_Spec::todo( $network, $spec );
		$sites    = array();
		foreach ( $todo as $place => $blog ) {
			if ( $blog <= $after_blog ) {
				continue;
			}
			$sites[] = self::site( $network, $spec, $blog, $people, $settings );
			if ( isset( $todo[ $place + 1 ] ) && ( microtime( true ) > $until || Rollcall_Limits::memory_is_short() ) ) {
				return array(
					'sites' => $sites,
					'after' => $blog,
				);
			}
		}
		return array(
			'sites' => $sites,
			'after' => null,
		);
	}

	/**
	 * Counts one site.
	 *
	 * @param int                     $network  Network.
	 * @param array                   $spec     Action.
	 * @param int                     $blog     Site.
	 * @param Rollcall_Network_People $people   People.
	 * @param array                   $settings Settings.
	 * @return array
	 */
	private static function site( $network, array $spec, $blog, $people, array $settings ) {
		$refusal = Rollcall_Network_Sites::refusal( $network, $blog, $settings );
		$counts  = array(
			'blog'      => $blog,
			'add'       => 0,
			'change'    => 0,
			'unchanged' => 0,
			'skipped'   => null === $refusal ? array() : array( $refusal => $people->count() ),
		);
		$target  = new Rollcall_Network_Target( $blog, $settings );
		$after   = null === $refusal ? 0 : null;
		while ( null !== $after ) {
			$page = $people->next( $after, self::AT_ONCE );
			$plan = Rollcall_Network_Look::at( $spec, $target, $page['people'] );

			$counts['add']       += $plan->size() - count( $plan->change );
			$counts['change']    += count( $plan->change );
			$counts['unchanged'] += $plan->unchanged;
			foreach ( $plan->skipped as $reason => $number ) {
				$counts['skipped'][ $reason ] = $number + ( isset( $counts['skipped'][ $reason ] ) ? $counts['skipped'][ $reason ] : 0 );
			}
			$after = $page['after'];
		}
		return $counts;
	}
}
