<?php
/**
 * Writes the jobs of a set: accounts, meta, roles and ledger in one transaction.
 *
 * Does: works rows out, inserts and updates them in a few statements, has other plugins told, reads back.
 * Does not: decide which fields win. Sends no mail, captures nothing of what it writes itself.
 * Always true: an account, its label and its stamps become visible together. Until listeners have heard of
 * a new account its marker stays, so that a repetition after a fatal error finishes it.
 * On failure: the transaction is rolled back, and every job is left for one by one.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Writer of a set.
 */
final class Rollcall_Set_Writer {

	/**
	 * Places of jobs that are left for one by one.
	 *
	 * @var int[]
	 */
	public $later = array();

	/**
	 * Place → job.
	 *
	 * @var array<int,Rollcall_Set_Job>
	 */
	private $jobs;

	/**
	 * The accounts as they were read.
	 *
	 * @var Rollcall_Set_Accounts
	 */
	private $accounts;

	/**
	 * Where their rows of the outbox stood before that.
	 *
	 * @var Rollcall_Second_Look
	 */
	private $look;

	/**
	 * Usermeta of the accounts.
	 *
	 * @var Rollcall_Set_Meta
	 */
	private $meta;

	/**
	 * A new writer.
	 *
	 * @param array<int,Rollcall_Set_Job> $jobs     Place → job.
	 * @param Rollcall_Set_Accounts       $accounts The accounts as they were read.
	 * @param Rollcall_Second_Look        $look     Where their rows of the outbox stood before that.
	 */
	public function __construct( $jobs, $accounts, $look ) {
		$this->jobs     = $jobs;
		$this->accounts = $accounts;
		$this->look     = $look;
	}

	/**
	 * Writes everything.
	 *
	 * @return array Place → receipt.
	 */
	public function write() {
		$readback = Rollcall_Capture::quiet(
			function () {
				$this->prepare();
				$ledger = $this->jobs ? $this->commit() : null;
				if ( null === $ledger ) {
					return null;
				}
				Rollcall_Set_Caches::drop( $this->jobs );
				$ledger->written()->prime( wp_list_pluck( $this->jobs, 'id' ) );
				Rollcall_Set_Announcer::announce( $this->jobs );
				return $ledger;
			}
		);
		if ( null === $readback ) {
			return array();
		}
		$readback->after( $this->jobs );
		return array_map( array( 'Rollcall_Apply_Set', 'receipt' ), $this->jobs );
	}

	/**
	 * Works out what is to be written, before anything is.
	 *
	 * @return void
	 */
	private function prepare() {
		$ids = array();
		foreach ( $this->jobs as $job ) {
			if ( ! $job->creates() ) {
				$ids[] = $job->id;
			}
		}
		$this->meta = new Rollcall_Set_Meta( array_intersect_key( $this->accounts->metas, array_flip( $ids ) ) );
		$this->accounts->prime( $ids );
		foreach ( $this->jobs as $place => $job ) {
			try {
				self::work_out( $job );
			} catch ( Throwable $unusual ) {
				$this->leave( $place );
			}
		}
		$labelled  = Rollcall_Set_Ledger::labels_in_use( $this->jobs );
		$nicenames = new Rollcall_Set_Nicenames( $this->jobs );
		foreach ( $this->jobs as $place => $job ) {
			if ( isset( $labelled[ $job->operation['uid'] ] ) || ( ! $job->creates() && null !== $job->userdata && $nicenames->clashes( $job ) ) ) {
				$this->leave( $place );
			} elseif ( $job->creates() ) {
				$nicenames->give( $job );
			}
		}
	}

	/**
	 * Works out one job.
	 *
	 * @param Rollcall_Set_Job $job The job.
	 * @return void
	 * @throws Rollcall_One_By_One When something is unusual.
	 */
	private static function work_out( $job ) {
		if ( $job->creates() ) {
			Rollcall_Set_Rows::create( $job );
			return;
		}
		$job->user = new WP_User( $job->id );
		if ( ! $job->user->exists() ) {
			throw new Rollcall_One_By_One();
		}
		$job->old       = clone $job->user;
		$job->old->data = clone $job->user->data;
		$core           = array_intersect_key( $job->differing(), Rollcall_Account_Writer::CORE );
		if ( $core ) {
			Rollcall_Set_Rows::update( $job, $core );
		}
	}

	/**
	 * Leaves a job for one by one.
	 *
	 * @param int $place Its place.
	 * @return void
	 */
	private function leave( $place ) {
		$this->later[] = $place;
		unset( $this->jobs[ $place ] );
	}

	/**
	 * The transaction.
	 *
	 * @return Rollcall_Set_Ledger|null What was recorded; null when nothing was written.
	 */
	private function commit() {
		try {
			$this->leave_moved();
			Rollcall_Set_Sql::run( 'START TRANSACTION' );
			$this->note_overwritten();
			$this->insert_users();
			foreach ( $this->jobs as $job ) {
				/** This action is documented in class-rollcall-account-writer.php */
				Rollcall_Callbacks::tell( 'rollcall_before_apply', Rollcall_Callbacks::shown( $job->operation ), $job->id );
				Rollcall_Set_Fields::write( $job, $this->meta );
			}
			$this->update_users();
			$this->meta->flush();
			$ledger = new Rollcall_Set_Ledger( Rollcall_Set_Accounts::known( $this->users(), $this->meta->rows() ) );
			$ledger->record( $this->jobs );
			Rollcall_Set_Sql::run( 'COMMIT' );
			return $ledger;
		} catch ( Throwable $fault ) {
			global $wpdb;
			$wpdb->query( 'ROLLBACK' ); // phpcs:ignore WordPress.DB
			Rollcall_Query_Faults::make_good();
			foreach ( array_keys( $this->jobs ) as $place ) {
				$this->leave( $place );
			}
			return null;
		}
	}

	/**
	 * Leaves accounts that somebody has saved, or began to save, since they were read: they are read again.
	 *
	 * @return void
	 */
	private function leave_moved() {
		$there = array();
		foreach ( $this->jobs as $place => $job ) {
			if ( ! $job->creates() ) {
				$there[ $place ] = $job->id;
			}
		}
		$moved = array_flip( $this->look->moved( $there ) );
		foreach ( $there as $place => $id ) {
			if ( isset( $moved[ $id ] ) ) {
				$this->leave( $place );
			}
		}
	}

	/**
	 * Notes edits made here that are about to be overwritten, and of which the hub doesn't know yet.
	 *
	 * @return void
	 */
	private function note_overwritten() {
		$winners = array();
		foreach ( $this->jobs as $job ) {
			if ( ! $job->creates() ) {
				$winners[ $job->id ] = array( $job->target, array_keys( $job->winners ) );
			}
		}
		Rollcall_Overwritten::note( $winners );
	}

	/**
	 * Inserts the accounts that are created, and finds out their ids.
	 *
	 * @return void
	 * @throws RuntimeException When one of them isn't there afterwards.
	 */
	private function insert_users() {
		global $wpdb;
		$shapes = array();
		$made   = array();
		foreach ( $this->jobs as $job ) {
			if ( $job->creates() ) {
				$shapes[ implode( ' ', array_keys( $job->row ) ) ][] = $job->row;
				$made[ $job->row['user_login'] ]                     = $job;
			}
		}
		if ( ! $made ) {
			return;
		}
		foreach ( $shapes as $rows ) {
			Rollcall_Set_Sql::insert( $wpdb->users, array_keys( $rows[0] ), $rows );
		}
		$logins = array_map( 'strval', array_keys( $made ) );
		$marks  = implode( ',', array_fill( 0, count( $logins ), '%s' ) );
		$blank  = new WP_User();
		$blank->for_site( get_current_blog_id() );
		foreach ( $wpdb->get_results( $wpdb->prepare( "SELECT * FROM {$wpdb->users} WHERE user_login IN ($marks)", $logins ) ) as $row ) { // phpcs:ignore WordPress.DB
			if ( isset( $made[ $row->user_login ] ) ) {
				$job             = $made[ $row->user_login ];
				$job->id         = (int) $row->ID;
				$job->user       = clone $blank;
				$job->user->ID   = $job->id;
				$job->user->data = $row;
				unset( $made[ $row->user_login ] );
			}
		}
		if ( $made ) {
			throw new RuntimeException( 'An account was not inserted.' );
		}
	}

	/**
	 * Updates the accounts that were there.
	 *
	 * @return void
	 */
	private function update_users() {
		global $wpdb;
		$changes = array();
		foreach ( $this->jobs as $job ) {
			$change = $job->creates() ? array() : array_diff_assoc( $this->row( $job ), $this->accounts->users[ $job->id ] );
			if ( $change ) {
				$changes[ $job->id ] = $change;
			}
		}
		Rollcall_Set_Sql::update( $wpdb->users, 'ID', $changes );
	}

	/**
	 * The row of the users table that a job leaves.
	 *
	 * @param Rollcall_Set_Job $job The job.
	 * @return array Column → text.
	 */
	private function row( $job ) {
		$row = $job->creates() ? (array) $job->user->data : $this->accounts->users[ $job->id ];
		foreach ( $job->creates() ? array() : $job->row as $column => $value ) {
			$row[ $column ] = (string) ( is_bool( $value ) ? (int) $value : $value );
		}
		return $row;
	}

	/**
	 * The rows of the users table after the writing.
	 *
	 * @return array Account → row.
	 */
	private function users() {
		$users = array();
		foreach ( $this->jobs as $job ) {
			$users[ $job->id ] = $this->row( $job );
		}
		return $users;
	}
}
