<?php
/**
 * Looks a set of write operations through: which are done together, which one by one, which need nothing.
 *
 * Does: finds accounts, asks the guard, has fields decided, with the same few queries however many
 * operations; gives receipts to those that are decided without a write.
 * Does not: write (but what settling finds). Anything unusual it leaves to Rollcall_Apply_Write.
 * Always true: an operation that has to do with an earlier one of the set (same person, account, login,
 * address) is done after it, one by one; so the result is that of doing all in their order.
 * On failure: throws; nothing was written of any operation.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Sifter of a set.
 */
final class Rollcall_Set_Sifter {

	/**
	 * Place in the set → receipt.
	 *
	 * @var array
	 */
	public $receipts = array();

	/**
	 * Place in the set → job to be written together with the others.
	 *
	 * @var array<int,Rollcall_Set_Job>
	 */
	public $jobs = array();

	/**
	 * Places of operations that are done one by one, afterwards.
	 *
	 * @var int[]
	 */
	public $later = array();

	/**
	 * The accounts that are there, as they were read.
	 *
	 * @var Rollcall_Set_Accounts
	 */
	public $accounts;

	/**
	 * Where their rows of the outbox stood before they were read.
	 *
	 * @var Rollcall_Second_Look
	 */
	public $look;

	/**
	 * Look-ups.
	 *
	 * @var Rollcall_Set_Lookups
	 */
	private $lookups;

	/**
	 * What the operations so far have to do with: key → true.
	 *
	 * @var array
	 */
	private $taken = array();

	/**
	 * Sifts a set.
	 *
	 * @param array $operations WriteOperations for the current site.
	 */
	public function __construct( $operations ) {
		$this->lookups = new Rollcall_Set_Lookups( $operations );
		$tombstones    = Rollcall_Tombstones::of( array_column( $operations, 'uid' ) );
		$accounts      = Rollcall_Account_Finder::by_labels( $operations );
		$about         = $this->about( array_filter( array_column( $accounts, 'id' ) ), $operations[0]['blog'] );
		foreach ( $operations as $place => $operation ) {
			$id    = $accounts[ $place ]['id'];
			$email = isset( $about['targets'][ $id ] ) ? (string) $about['targets'][ $id ]->value( 'email' ) : '';
			$keys  = Rollcall_Set_Lookups::keys( $operation, $id, $email );
			try {
				if ( array_intersect_key( $this->taken, array_flip( $keys ) ) ) {
					throw new Rollcall_One_By_One();
				}
				if ( isset( $tombstones[ $operation['uid'] ] ) ) {
					$this->receipts[ $place ] = Rollcall_Receipt::refused( $operation, 'identity.deleted' );
				} elseif ( null !== $accounts[ $place ]['refusal'] ) {
					$this->receipts[ $place ] = Rollcall_Receipt::refused( $operation, $accounts[ $place ]['refusal'] );
				} elseif ( $id ) {
					$this->existing( $place, $operation, $id, $about );
				} else {
					$this->missing( $place, $operation );
				}
			} catch ( Rollcall_One_By_One $unusual ) {
				$this->later[] = $place;
			}
			$this->taken += array_fill_keys( $keys, true );
		}
	}

	/**
	 * What must be known of the accounts that are there.
	 *
	 * @param int[] $ids  Accounts.
	 * @param int   $blog Site.
	 * @return array busy, unfinished, privileged: id → any; targets: id → Rollcall_Target.
	 */
	private function about( $ids, $blog ) {
		Rollcall_Capture::settle_left_open( $ids ? Rollcall_Outbox::has_stale_open( $ids ) : array() );
		$taken          = Rollcall_Turns::take( $ids, 0 );
		$busy           = $ids ? array_merge( $taken, Rollcall_Outbox::has_fresh_open( $ids ) ) : array();
		$this->look     = new Rollcall_Second_Look( $ids );
		$this->accounts = new Rollcall_Set_Accounts( array_diff( $ids, $busy ) );
		return array(
			'busy'       => array_flip( $busy ),
			'unfinished' => array_flip( Rollcall_Account_Creator::unfinished_among( $ids ) ),
			'privileged' => array_flip( Rollcall_Privilege::privileged_among( $ids ) ),
			'targets'    => $ids ? Rollcall_Target::load_many( array(), $blog, $this->accounts->present() ) : array(),
		);
	}

	/**
	 * An operation on an account that is there.
	 *
	 * @param int   $place     Place in the set.
	 * @param array $operation WriteOperation.
	 * @param int   $id        Account.
	 * @param array $about     What is known of the accounts.
	 * @return void
	 * @throws Rollcall_One_By_One When it is to be done one by one.
	 */
	private function existing( $place, $operation, $id, $about ) {
		if ( isset( $about['busy'][ $id ] ) ) {
			$this->receipts[ $place ] = Rollcall_Receipt::of( $operation, 'busy', 'account.busy' );
			return;
		}
		if ( ! isset( $about['targets'][ $id ] ) || isset( $about['unfinished'][ $id ] ) ) {
			throw new Rollcall_One_By_One();
		}
		if ( null !== $operation['create'] && is_multisite() && ! is_user_member_of_blog( $id, $operation['blog'] ) ) {
			throw new Rollcall_One_By_One();
		}
		$target = $about['targets'][ $id ];
		if ( isset( $about['privileged'][ $id ] ) && isset( $operation['privileged'] ) ) {
			// Who is the last administrator is another question after each of them.
			throw new Rollcall_One_By_One();
		}
		$refusal = $this->refusal( $id, $target, isset( $about['privileged'][ $id ] ) );
		if ( null !== $refusal ) {
			$this->receipts[ $place ] = Rollcall_Receipt::refused( $operation, $refusal );
			return;
		}
		$found       = null;
		$job         = new Rollcall_Set_Job( $operation );
		$job->id     = $id;
		$job->target = $target;
		$job->fields = Rollcall_Decision::of_fields( $operation, $target, false, $this->lookups, $found );
		$this->choose( $job );
		if ( ! $job->winners ) {
			$this->receipts[ $place ] = Rollcall_Apply_Set::receipt( $job );
			return;
		}
		if ( is_multisite() && ! is_user_member_of_blog( $id, $operation['blog'] ) && in_array( true, $job->differing(), true ) ) {
			// Joining a site of a network takes more than a role.
			throw new Rollcall_One_By_One();
		}
		$this->jobs[ $place ] = $job;
	}

	/**
	 * Why nothing may be done with an account whose privileged roles no route names.
	 *
	 * @param int             $id         Account.
	 * @param Rollcall_Target $target     The account.
	 * @param bool            $privileged Whether it is privileged; asked for all at once.
	 * @return string|null Reason of a refusal.
	 */
	private function refusal( $id, $target, $privileged ) {
		if ( $target->rejects() ) {
			return 'account.incoming_rejected';
		}
		if ( Rollcall_Guard::is_hubs_own( $id ) ) {
			return 'target.hub_account';
		}
		return $privileged ? 'target.privileged_account' : null;
	}

	/**
	 * An operation on an account that isn't there.
	 *
	 * @param int   $place     Place in the set.
	 * @param array $operation WriteOperation.
	 * @return void
	 * @throws Rollcall_One_By_One When it is to be done one by one.
	 */
	private function missing( $place, $operation ) {
		if ( null === $operation['create'] ) {
			$this->receipts[ $place ] = Rollcall_Receipt::refused( $operation, 'target.account_missing' );
			return;
		}
		if ( is_multisite() ) {
			throw new Rollcall_One_By_One();
		}
		$hindrance = Rollcall_Account_Creator::malformed( $operation );
		if ( null === $hindrance || 'login.malformed' === $hindrance['reason'] ) {
			$this->lookups->email( $operation['fields']['email']['v'], 0 );
		}
		if ( null !== $hindrance ) {
			$this->receipts[ $place ] = $hindrance;
			return;
		}
		$this->lookups->login( $operation['create']['login'] );
		$job         = new Rollcall_Set_Job( $operation );
		$job->fields = Rollcall_Decision::of_new( $operation, $this->lookups );
		$this->choose( $job );
		$this->jobs[ $place ] = $job;
	}

	/**
	 * Notes the fields that won.
	 *
	 * @param Rollcall_Set_Job $job The job.
	 * @return void
	 * @throws Rollcall_One_By_One When another plugin has to be asked for one of them.
	 */
	private function choose( $job ) {
		foreach ( $job->fields as $name => $field ) {
			if ( 'applied' === $field['r'] ) {
				$role = 0 === strpos( (string) $name, 'role:' ) ? substr( (string) $name, 5 ) : '';
				if ( 0 === strpos( (string) $name, 'ext:' ) || Rollcall_Privilege::role_is_privileged( $role, $job->operation['blog'] ) ) {
					throw new Rollcall_One_By_One();
				}
				$job->winners[ $name ] = Rollcall_Account_Writer::as_stored( $job->operation['fields'][ $name ]['v'], (string) $name );
			}
		}
	}
}
