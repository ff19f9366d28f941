<?php
/**
 * Labels and stamps of a set, and reading back.
 *
 * Does: records, within the set's transaction, stamps with the fingerprints of what is really there; after
 * other plugins were told, looks again: what they altered of a field keeps its stamp with the new
 * fingerprint, what else they changed is this site's own change.
 * Always true: a row is written only over the revision that was read, as in Rollcall_Ledger.
 * On failure: throws within the transaction; afterwards what was not recorded is found by the next look.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Ledger of a set.
 */
final class Rollcall_Set_Ledger {

	/**
	 * What was there right after the writing.
	 *
	 * @var Rollcall_Set_Accounts
	 */
	private $written;

	/**
	 * The same as states.
	 *
	 * @var array
	 */
	private $present = array();

	/**
	 * Account → entries that could not be recorded: somebody else wrote the row meanwhile.
	 *
	 * @var array
	 */
	private $lost = array();

	/**
	 * Labels of accounts to be created that stand in the ledger already, left there by an account that is gone.
	 *
	 * @param Rollcall_Set_Job[] $jobs Jobs.
	 * @return array Label → true.
	 */
	public static function labels_in_use( $jobs ) {
		global $wpdb;
		$uids = array();
		foreach ( $jobs as $job ) {
			if ( $job->creates() ) {
				$uids[] = $job->operation['uid'];
			}
		}
		if ( ! $uids ) {
			return array();
		}
		$marks = implode( ',', array_fill( 0, count( $uids ), '%s' ) );
		return array_fill_keys( $wpdb->get_col( $wpdb->prepare( 'SELECT uid FROM ' . Rollcall_Tables::accounts() . " WHERE uid IN ($marks)", $uids ) ), true ); // phpcs:ignore WordPress.DB
	}

	/**
	 * A new one.
	 *
	 * @param Rollcall_Set_Accounts $written What is there right after the writing.
	 */
	public function __construct( $written ) {
		$this->written = $written;
		$this->present = $written->present();
	}

	/**
	 * What was there right after the writing.
	 *
	 * @return Rollcall_Set_Accounts
	 */
	public function written() {
		return $this->written;
	}

	/**
	 * Records what the jobs wrote. Within the transaction.
	 *
	 * @param Rollcall_Set_Job[] $jobs Jobs.
	 * @return void
	 * @throws RuntimeException When an account isn't there.
	 */
	public function record( $jobs ) {
		$new  = array();
		$next = array();
		foreach ( $jobs as $job ) {
			if ( ! isset( $this->present[ $job->id ] ) ) {
				throw new RuntimeException( 'An account of a set is gone.' );
			}
			$present = $this->present[ $job->id ];
			$entries = self::entries( $job, $present, array_keys( $job->winners ) );
			if ( $job->creates() ) {
				$new[] = self::new_row( $job, $present, $entries );
			} else {
				$next[ $job->id ] = array( $job->target->row(), $entries );
			}
		}
		Rollcall_Set_Sql::insert( Rollcall_Tables::accounts(), array( 'user_id', 'uid', 'label', 'born_ms', 'born_key', 'watch', 'fields' ), $new );
		$this->replace( $next );
	}

	/**
	 * Looks again after other plugins were told, gives the jobs' fields their results, and lets go of markers.
	 *
	 * @param Rollcall_Set_Job[] $jobs Jobs.
	 * @return void
	 */
	public function after( $jobs ) {
		Rollcall_Set_Caches::drop( $jobs );
		$now     = new Rollcall_Set_Accounts( wp_list_pluck( $jobs, 'id' ) );
		$finish  = array();
		$changed = array();
		foreach ( $jobs as $job ) {
			$id      = $job->id;
			$present = $this->present[ $id ];
			$same    = ! isset( $now->users[ $id ] ) || $now->same( $this->written, $id );
			if ( ! $same ) {
				$present = $now->present( array( $id ) )[ $id ];
				$same    = $present === $this->present[ $id ];
			}
			foreach ( $job->winners as $name => $sent ) {
				$really                     = Rollcall_Target::value_of( $present, $job->operation['blog'], (string) $name );
				$job->fields[ $name ]['r'] = Rollcall_Values::equal( $really, $sent ) ? 'applied' : 'altered';
			}
			$entries = isset( $this->lost[ $id ] ) ? $this->lost[ $id ] : array();
			if ( ! $same ) {
				$changed[ $id ] = $job->target;
				$entries   = self::entries( $job, $present, array_keys( $job->winners ) );
			}
			if ( $entries ) {
				Rollcall_Ledger::record( $id, $entries );
			}
			if ( Rollcall_Ext_Fields::watched() ) {
				// A listener's change of another plugin's field shows in no row of ours.
				$changed[ $id ] = $job->target;
			}
			if ( $job->creates() && null === $job->fault ) {
				$finish[] = $id;
			}
		}
		Rollcall_Account_Creator::forget_markers( $finish );
		if ( $changed ) {
			Rollcall_Target::settle_after( $changed );
		}
	}

	/**
	 * Entries for the fields that won.
	 *
	 * @param Rollcall_Set_Job $job     The job.
	 * @param array            $present What is there.
	 * @param array            $names   Field names.
	 * @return array Entry name → [ ms, site key, value ].
	 */
	private static function entries( $job, $present, $names ) {
		$blog    = $job->operation['blog'];
		$entries = array();
		foreach ( $names as $name ) {
			$stamp = $job->operation['fields'][ $name ]['s'];
			$entries[ Rollcall_Target::entry_name( (string) $name, $blog ) ] = array( $stamp[0], $stamp[1], Rollcall_Target::value_of( $present, $blog, (string) $name ) );
		}
		return $entries;
	}

	/**
	 * The row of a created account: what came, and a first sight of everything else.
	 *
	 * @param Rollcall_Set_Job $job     The job.
	 * @param array            $present What is there.
	 * @param array            $entries Entries with values.
	 * @return array
	 */
	private static function new_row( $job, $present, $entries ) {
		$row            = Rollcall_Ledger::blank( $job->id );
		$row['entries'] = Rollcall_Ledger::fingerprinted( $entries );
		// What came has its stamp; everything else (a default role, too) is nobody's decision.
		$present['fields'] = array_diff_key( $present['fields'], $row['entries'] );
		$sights            = Rollcall_Comparison::of( $row, $present );
		return array(
			$job->id,
			$job->operation['uid'],
			Rollcall_Ledger::label_print( $present['login'], $present['registered'] ),
			(int) $job->operation['create']['born'][0],
			(int) $job->operation['create']['born'][1],
			Rollcall_Settings::generation(),
			Rollcall_Ledger::encode( array( 'entries' => array_merge( $row['entries'], $sights['baseline'] ) ) ),
		);
	}

	/**
	 * Writes rows over the revision that was read.
	 *
	 * @param array $next Account → row, entries with values.
	 * @return void
	 */
	private function replace( $next ) {
		global $wpdb;
		$rows = array();
		foreach ( $next as $id => $one ) {
			$row            = $one[0];
			$row['entries'] = array_merge( $row['entries'], Rollcall_Ledger::fingerprinted( $one[1] ) );
			$rows[]         = array( $id, $row['watch'], $row['rev'] + 1, Rollcall_Ledger::encode( $row ) );
		}
		Rollcall_Set_Sql::insert( Rollcall_Tables::accounts(), array( 'user_id', 'watch', 'rev', 'fields' ), $rows, Rollcall_Ledger::OVER_REVISION );
		foreach ( array_chunk( array_keys( $next ), 500 ) as $some ) {
			$list = implode( ',', $some );
			foreach ( $wpdb->get_results( 'SELECT user_id, rev FROM ' . Rollcall_Tables::accounts() . " WHERE user_id IN ($list)" ) as $row ) { // phpcs:ignore WordPress.DB
				if ( (int) $row->rev !== $next[ (int) $row->user_id ][0]['rev'] + 1 ) {
					$this->lost[ (int) $row->user_id ] = $next[ (int) $row->user_id ][1];
				}
			}
		}
	}
}
