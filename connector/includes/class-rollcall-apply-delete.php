<?php
/**
 * One delete operation.
 *
 * Does: ends the account, or takes the roles on one site that a hub may take (`strip`). Who is a member of other sites
 *   of the network, or of another installation over the same users table, leaves this one and keeps the account.
 * Does not: find accounts by anything but their label. Never loses content silently.
 * Always true: after a delete there is a tombstone, so that late changes can't revive the account.
 * On failure: refuses or throws; a delete that was killed halfway is finished by its repetition.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Delete operation.
 */
final class Rollcall_Apply_Delete {

	/**
	 * Runs the operation. The current site is the one that it is for.
	 *
	 * @param array $operation DeleteOperation.
	 * @param bool  $dry_run   Decide only.
	 * @return array Receipt.
	 */
	public static function one( $operation, $dry_run ) {
		$found = Rollcall_Account_Finder::by_label( $operation );
		$ended = Rollcall_Tombstones::of( array( $operation['uid'] ) );
		// Whose table of users was put back is there again, and a later delete means that.
		$again = $ended && $found['id'] && Rollcall_Merge::is_newer( $operation['gone'], reset( $ended ) );
		if ( $ended && ! $again ) {
			return Rollcall_Receipt::of( $operation, 'unchanged' );
		}
		if ( 'identity.label_mismatch' === $found['refusal'] ) {
			return Rollcall_Receipt::refused( $operation, $found['refusal'] );
		}
		if ( ! $found['id'] ) {
			return self::nobody( $operation, $dry_run );
		}
		$id = $found['id'];
		if ( Rollcall_Outbox::has_fresh_open( array( $id ) ) ) {
			return Rollcall_Receipt::of( $operation, 'busy', 'account.busy' );
		}
		$target = Rollcall_Target::load( $id, $operation['blog'], $dry_run );
		if ( null === $target ) {
			return Rollcall_Receipt::refused( $operation, 'target.account_missing' );
		}
		$refusal = self::refusal( $operation, $target );
		if ( null !== $refusal ) {
			return $refusal;
		}
		if ( 'delete' === $operation['how'] && self::is_member_elsewhere( $id, $operation['blog'] ) ) {
			return self::leave( $operation, $target, $dry_run );
		}
		return 'strip' === $operation['how'] ? self::strip( $operation, $target, $dry_run ) : self::delete( $operation, $target, $dry_run );
	}

	/**
	 * There is no such account (any more): the tombstone still keeps late changes from making one.
	 *
	 * @param array $operation Operation.
	 * @param bool  $dry_run   Decide only.
	 * @return array Receipt.
	 */
	private static function nobody( $operation, $dry_run ) {
		if ( Rollcall_Incoming::is_future( $operation['gone'] ) ) {
			return Rollcall_Receipt::refused( $operation, 'stamp.in_future' );
		}
		if ( ! $dry_run && 'delete' === $operation['how'] ) {
			Rollcall_Tombstones::put( $operation['uid'], $operation['gone'], (int) $operation['id'], '' );
		}
		return Rollcall_Receipt::of( $operation, 'unchanged' );
	}

	/**
	 * What forbids it.
	 *
	 * @param array           $operation Operation.
	 * @param Rollcall_Target $target    The account.
	 * @return array|null Receipt.
	 */
	private static function refusal( $operation, $target ) {
		if ( ! $target->rejects() && Rollcall_Guard::is_last_administrator( $target->id, $operation['blog'] ) ) {
			return Rollcall_Receipt::refused( $operation, 'target.last_administrator' );
		}
		$reason = Rollcall_Guard::account( $target->id, $target->rejects(), $operation );
		if ( null === $reason && Rollcall_Incoming::is_future( $operation['gone'] ) ) {
			$reason = 'stamp.in_future';
		}
		if ( null !== $reason ) {
			return Rollcall_Receipt::refused( $operation, $reason );
		}
		foreach ( 'delete' === $operation['how'] ? $target->stamps() : array() as $stamp ) {
			if ( Rollcall_Merge::is_newer( $stamp, $operation['gone'] ) ) {
				return Rollcall_Receipt::conflict( $operation, 'delete.newer_edit' );
			}
		}
		return null;
	}

	/**
	 * Takes the roles that a hub may take on this site.
	 *
	 * @param array           $operation Operation.
	 * @param Rollcall_Target $target    The account.
	 * @param bool            $dry_run   Decide only.
	 * @return array Receipt.
	 */
	private static function strip( $operation, $target, $dry_run ) {
		$fields = array();
		$user   = new WP_User( $target->id );
		foreach ( $user->roles as $role ) {
			$name = 'role:' . $role;
			$held = $target->held_or_before( $name );
			if ( null === Rollcall_Decision::role( $role, $operation, new Rollcall_Lookups() ) && Rollcall_Merge::is_newer( $operation['gone'], $held ) ) {
				$operation['fields'][ $name ] = array(
					'v' => false,
					's' => $operation['gone'],
				);
				$fields[ $name ]              = array(
					's'   => $operation['gone'],
					'r'   => 'applied',
					'was' => $held,
				);
			}
		}
		if ( $fields && ! $dry_run ) {
			$fields = Rollcall_Account_Writer::apply( $operation, $target, $fields, false );
		}
		return Rollcall_Receipt::of_fields( $operation, $target->id, $target->login(), $fields, false );
	}

	/**
	 * Is the account a member of another site of the network, or of another installation over the same users table?
	 *
	 * @param int $id   Account.
	 * @param int $blog Site that does not count.
	 * @return bool
	 */
	private static function is_member_elsewhere( $id, $blog ) {
		if ( Rollcall_Neighbours::have_member( $id ) ) {
			return true;
		}
		if ( ! is_multisite() ) {
			return false;
		}
		// Archived ones, too: their memberships come back with them.
		$blogs = array_map( 'intval', array_column( get_blogs_of_user( $id, true ), 'userblog_id' ) );
		return array() !== array_diff( $blogs, array( (int) $blog ) );
	}

	/**
	 * Ends the membership on this site, as far as a hub may take the roles.
	 *
	 * @param array           $operation Operation.
	 * @param Rollcall_Target $target    The account.
	 * @param bool            $dry_run   Decide only.
	 * @return array Receipt.
	 */
	private static function leave( $operation, $target, $dry_run ) {
		$id      = $target->id;
		$receipt = self::strip( $operation, $target, $dry_run );
		if ( is_multisite() && ! $dry_run && ! ( new WP_User( $id ) )->roles && is_user_member_of_blog( $id, $operation['blog'] ) ) {
			$heir = self::heir_of( $operation, $id );
			Rollcall_Capture::quiet(
				static function () use ( $id, $operation, $heir ) {
					remove_user_from_blog( $id, $operation['blog'], $heir );
				}
			);
		}
		return array_merge( $receipt, Rollcall_Receipt::of( $operation, 'updated', 'target.member_elsewhere' ) );
	}

	/**
	 * The account that inherits.
	 *
	 * @param array $operation Operation.
	 * @param int   $id        Account that leaves.
	 * @return int 0: none is named, or there is none.
	 */
	private static function heir_of( $operation, $id ) {
		$other = null === $operation['reassign'] ? null : Rollcall_Account_Finder::by_login( $operation['reassign'] );
		return null !== $other && $other['exact'] && (int) $other['user']->ID !== $id ? (int) $other['user']->ID : 0;
	}

	/**
	 * Ends the account.
	 *
	 * @param array           $operation Operation.
	 * @param Rollcall_Target $target    The account.
	 * @param bool            $dry_run   Decide only.
	 * @return array Receipt.
	 * @throws RuntimeException When WordPress did not delete it.
	 */
	private static function delete( $operation, $target, $dry_run ) {
		$id   = $target->id;
		$heir = self::heir_of( $operation, $id );
		if ( ! $heir && Rollcall_Content::of( $id ) ) {
			return Rollcall_Receipt::refused( $operation, null === $operation['reassign'] ? 'target.content_without_heir' : 'target.heir_missing' );
		}
		if ( ! $dry_run ) {
			Rollcall_Callbacks::tell( 'rollcall_before_apply', $operation, $id );
			Rollcall_Capture::quiet(
				static function () use ( $id, $heir ) {
					self::end( $id, $heir );
				}
			);
			if ( Rollcall_Account_Finder::exists( $id ) ) {
				throw new RuntimeException( 'WordPress did not delete the account.' );
			}
			Rollcall_Tombstones::put( $operation['uid'], $operation['gone'], $id, $target->login() );
			Rollcall_Ledger::forget( $id );
		}
		$receipt = Rollcall_Receipt::of( $operation, 'deleted' ) + array(
			'id'    => $id,
			'login' => $target->login(),
		);
		if ( ! $dry_run ) {
			Rollcall_Callbacks::tell( 'rollcall_after_apply', $receipt, $operation );
		}
		return $receipt;
	}

	/**
	 * Deletes through WordPress.
	 *
	 * @param int $id   Account.
	 * @param int $heir Account that inherits, 0: there is nothing to inherit.
	 * @return void
	 */
	private static function end( $id, $heir ) {
		require_once ABSPATH . 'wp-admin/includes/user.php';
		if ( ! is_multisite() ) {
			wp_delete_user( $id, $heir ? $heir : null );
			return;
		}
		require_once ABSPATH . 'wp-admin/includes/ms.php';
		if ( $heir ) {
			foreach ( get_blogs_of_user( $id, true ) as $blog ) {
				remove_user_from_blog( $id, (int) $blog->userblog_id, $heir );
			}
		}
		wpmu_delete_user( $id );
	}
}
