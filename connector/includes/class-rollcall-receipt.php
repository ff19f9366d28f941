<?php
/**
 * Receipts of operations.
 *
 * Does: puts them into the contract's form.
 * Does not: decide; the result of a write follows from the results of its fields alone.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Receipt.
 */
final class Rollcall_Receipt {

	/**
	 * A receipt without fields.
	 *
	 * @param array       $operation Operation.
	 * @param string      $result    Result.
	 * @param string|null $reason    Reason code.
	 * @param string|null $message   Sentence; by default that of the reason.
	 * @return array
	 */
	public static function of( $operation, $result, $reason = null, $message = null ) {
		$receipt = array(
			'op'     => $operation['op'],
			'result' => $result,
		);
		if ( null !== $reason ) {
			$receipt['reason']  = $reason;
			$receipt['message'] = null === $message ? Rollcall_Reasons::sentence( $reason ) : $message;
		}
		return $receipt;
	}

	/**
	 * A refusal.
	 *
	 * @param array  $operation Operation.
	 * @param string $reason    Reason code.
	 * @return array
	 */
	public static function refused( $operation, $reason ) {
		return self::of( $operation, 'refused', $reason );
	}

	/**
	 * A conflict, with the account in the way.
	 *
	 * @param array      $operation Operation.
	 * @param string     $reason    Reason code.
	 * @param array|null $found     Account in the way, by found().
	 * @return array
	 */
	public static function conflict( $operation, $reason, $found = null ) {
		$receipt = self::of( $operation, 'conflict', $reason );
		if ( null !== $found ) {
			$receipt['found'] = $found;
		}
		return $receipt;
	}

	/**
	 * The account in the way, as the hub wants to see it.
	 *
	 * @param string  $by   `email` or `login`.
	 * @param WP_User $user The account.
	 * @return array|null Null for the hub's own account: nobody is to be linked with that.
	 */
	public static function found( $by, $user ) {
		$states = Rollcall_Ledger::states( array( (int) $user->ID ), 'who' );
		$state  = reset( $states );
		if ( ! is_array( $state ) ) {
			return null;
		}
		return array( 'by' => $by ) + array_intersect_key( $state, array_flip( array( 'id', 'uid', 'login', 'email', 'registered', 'privileged' ) ) );
	}

	/**
	 * The same, of an account that was created and asked for the default role, but has no role at all.
	 *
	 * @param array $receipt   Receipt of a write.
	 * @param array $operation The operation.
	 * @param array $roles     Roles of the account on the operation's site.
	 * @return array
	 */
	public static function with_roles( $receipt, $operation, $roles ) {
		$lacks = 'created' === $receipt['result'] && ! empty( $operation['create']['default_role'] ) && ! $roles;
		return $lacks ? array_merge( $receipt, self::of( $operation, 'created', 'target.default_role_missing' ) ) : $receipt;
	}

	/**
	 * The receipt of a write, from the results of its fields.
	 *
	 * @param array  $operation Operation.
	 * @param int    $id        Account; 0 when a dry run would create it.
	 * @param string $login     Its login.
	 * @param array  $fields    Field → { s, r, why?, was? }.
	 * @param bool   $created   Whether the account was created by this.
	 * @return array
	 */
	public static function of_fields( $operation, $id, $login, $fields, $created ) {
		$counts = array_count_values( array_column( $fields, 'r' ) ) + array_fill_keys( array( 'applied', 'altered', 'same', 'kept', 'refused', 'conflict' ), 0 );
		$result = 'unchanged';
		$reason = null;
		if ( $created ) {
			$result = 'created';
		} elseif ( $counts['altered'] ) {
			$result = 'altered';
		} elseif ( $counts['applied'] ) {
			$result = 'updated';
		} elseif ( $counts['conflict'] ) {
			$result = 'conflict';
		} elseif ( $counts['refused'] && ! $counts['same'] && ! $counts['kept'] ) {
			$result = 'refused';
		}
		if ( in_array( $result, array( 'conflict', 'refused' ), true ) ) {
			foreach ( $fields as $field ) {
				if ( $result === $field['r'] ) {
					$reason = $field['why'];
					break;
				}
			}
		}
		$receipt          = self::of( $operation, $result, $reason );
		$receipt['login'] = $login;
		if ( $id ) {
			$receipt['id'] = $id;
		}
		if ( $fields ) {
			$receipt['fields'] = $fields;
		}
		return $receipt;
	}
}
