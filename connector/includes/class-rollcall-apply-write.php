<?php
/**
 * One write operation: merges what comes in with what the site holds.
 *
 * Does: finds the account, asks the guard, has its fields decided (Rollcall_Decision) and the winners
 * written, and gives the receipt.
 * Does not: touch the tables of accounts itself (Rollcall_Account_Writer, Rollcall_Account_Creator).
 * Always true: repeating an operation changes nothing more. A refused field doesn't hold up the others.
 * On failure: throws; what was written by then is in the ledger.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Write operation.
 */
final class Rollcall_Apply_Write {

	/**
	 * Runs the operation. The current site is the one that it is for.
	 *
	 * @param array $operation WriteOperation.
	 * @param bool  $dry_run   Decide only.
	 * @return array Receipt.
	 */
	public static function one( $operation, $dry_run ) {
		if ( Rollcall_Tombstones::of( array( $operation['uid'] ) ) ) {
			return Rollcall_Receipt::refused( $operation, 'identity.deleted' );
		}
		$found = Rollcall_Account_Finder::by_label( $operation );
		if ( null !== $found['refusal'] ) {
			return Rollcall_Receipt::refused( $operation, $found['refusal'] );
		}
		if ( $found['id'] ) {
			return self::existing( $operation, $found['id'], $dry_run, Rollcall_Account_Creator::is_unfinished( $found['id'] ) );
		}
		if ( null === $operation['create'] ) {
			return Rollcall_Receipt::refused( $operation, 'target.account_missing' );
		}
		$operation = Rollcall_Suffixed_Login::chosen( $operation );
		$hindrance = Rollcall_Account_Creator::hindrance( $operation );
		if ( null !== $hindrance ) {
			return $hindrance;
		}
		if ( $dry_run ) {
			return Rollcall_Receipt::of_fields( $operation, 0, $operation['create']['login'], Rollcall_Decision::of_new( $operation, new Rollcall_Lookups() ), true );
		}
		$id = Rollcall_Account_Creator::create( $operation );
		return is_array( $id ) ? $id : self::existing( $operation, $id, false, true );
	}

	/**
	 * Merges into an account that is there, or that was just made.
	 *
	 * @param array $operation Operation.
	 * @param int   $id        Account.
	 * @param bool  $dry_run   Decide only.
	 * @param bool  $filling   Its creation isn't finished: this fills it.
	 * @return array Receipt.
	 */
	private static function existing( $operation, $id, $dry_run, $filling ) {
		try {
			if ( ! $dry_run && Rollcall_Turns::take( array( $id ), Rollcall_Turns::WAIT_S ) ) {
				return Rollcall_Receipt::of( $operation, 'busy', 'account.busy' );
			}
			return self::merged( $operation, $id, $dry_run, $filling );
		} finally {
			Rollcall_Turns::end();
		}
	}

	/**
	 * Merges into an account at which nobody else begins to save meanwhile.
	 *
	 * @param array $operation Operation.
	 * @param int   $id        Account.
	 * @param bool  $dry_run   Decide only.
	 * @param bool  $filling   Its creation isn't finished: this fills it.
	 * @return array Receipt.
	 */
	private static function merged( $operation, $id, $dry_run, $filling ) {
		if ( Rollcall_Outbox::has_fresh_open( array( $id ) ) ) {
			return Rollcall_Receipt::of( $operation, 'busy', 'account.busy' );
		}
		$target = Rollcall_Target::load( $id, $operation['blog'], $dry_run );
		$look   = $dry_run ? null : new Rollcall_Second_Look( array( $id ) );
		if ( null === $target ) {
			return Rollcall_Receipt::refused( $operation, 'target.account_missing' );
		}
		$refusal = Rollcall_Guard::account( $id, $target->rejects(), $operation );
		if ( null !== $refusal ) {
			return Rollcall_Receipt::refused( $operation, $refusal );
		}
		$found  = null;
		$fields = Rollcall_Decision::of_fields( $operation, $target, $filling, new Rollcall_Lookups(), $found );
		if ( ! $dry_run ) {
			if ( $look->moved( array( $id ) ) ) {
				// Somebody has saved the account since it was read: what was decided is of yesterday.
				return Rollcall_Receipt::of( $operation, 'busy', 'account.busy' );
			}
			$fields = Rollcall_Account_Writer::apply( $operation, $target, $fields, $filling );
		}
		$receipt = Rollcall_Receipt::of_fields( $operation, $id, $target->login(), $fields, $filling );
		if ( $filling && ! $dry_run ) {
			$receipt = Rollcall_Receipt::with_roles( $receipt, $operation, ( new WP_User( $id ) )->roles );
		}
		$joined = $dry_run || $filling ? null : Rollcall_Account_Creator::join( $operation, $id );
		if ( null !== $joined ) {
			$plain   = in_array( $receipt['result'], array( 'unchanged', 'updated' ), true );
			$joined  = $joined ? array( 'updated', null ) : array( $receipt['result'], 'target.default_role_missing' );
			$receipt = $plain ? array_merge( $receipt, Rollcall_Receipt::of( $operation, $joined[0], $joined[1] ) ) : $receipt;
		}
		if ( null !== $found ) {
			$receipt['found'] = $found;
		}
		if ( ! $dry_run ) {
			/**
			 * Fires after an operation was carried out.
			 *
			 * @param array $receipt   Its receipt.
			 * @param array $operation The operation.
			 */
			Rollcall_Callbacks::tell( 'rollcall_after_apply', $receipt, Rollcall_Callbacks::shown( $operation ) );
		}
		return $receipt;
	}
}
