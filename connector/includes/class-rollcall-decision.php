<?php
/**
 * What becomes of each incoming field of an account that is there.
 *
 * Does: judges the value, merges the stamps, asks the guard for roles and looks for another account with
 * the e-mail address.
 * Does not: write, or look anything up itself: that is the business of the Rollcall_Lookups it is given.
 * Always true: one by one and in sets the same fields win.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Decisions about fields.
 */
final class Rollcall_Decision {

	/**
	 * Decides all fields of an operation.
	 *
	 * @param array            $operation WriteOperation.
	 * @param Rollcall_Target  $target    The account.
	 * @param bool             $filling   Whether the account is being created.
	 * @param Rollcall_Lookups $lookups   Roles and addresses.
	 * @param array|null       $found     Out: the account in the way.
	 * @return array Field → { s, r, why?, was? }.
	 */
	public static function of_fields( $operation, $target, $filling, $lookups, &$found ) {
		$fields = array();
		foreach ( $operation['fields'] as $name => $field ) {
			$fields[ $name ] = self::of( (string) $name, $operation, $target, $filling, $lookups, $found );
		}
		return $fields;
	}

	/**
	 * Decides the fields of an account that doesn't exist yet: nothing is held, everything that the site
	 * takes wins.
	 *
	 * @param array            $operation WriteOperation.
	 * @param Rollcall_Lookups $lookups   Roles.
	 * @return array Field → { s, r, why? }.
	 */
	public static function of_new( $operation, $lookups ) {
		$blog   = $operation['blog'];
		$fields = array();
		foreach ( $operation['fields'] as $name => $field ) {
			$why = Rollcall_Incoming::why_not( (string) $name, $field, $blog );
			if ( null === $why && true === $field['v'] && 0 === strpos( $name, 'role:' ) ) {
				$why = self::role( substr( $name, 5 ), $operation, $lookups );
			}
			$fields[ $name ] = null === $why ? array(
				's' => $field['s'],
				'r' => 'applied',
			) : array(
				's'   => array( 0, Rollcall_Settings::key_of( $blog ) ),
				'r'   => 'refused',
				'why' => $why,
			);
		}
		return $fields;
	}

	/**
	 * Decides one field.
	 *
	 * @param string           $name      Field name.
	 * @param array            $operation WriteOperation.
	 * @param Rollcall_Target  $target    The account.
	 * @param bool             $filling   Whether the account is being created.
	 * @param Rollcall_Lookups $lookups   Roles and addresses.
	 * @param array|null       $found     Out: the account in the way.
	 * @return array { s, r, why?, was? }.
	 */
	private static function of( $name, $operation, $target, $filling, $lookups, &$found ) {
		$field = $operation['fields'][ $name ];
		$held  = $target->held( $name );
		if ( $target->is_on_hold( $name ) ) {
			return self::stays( $target, $name, 'conflict', 'source.rewritten_outside' );
		}
		$why = Rollcall_Incoming::why_not( $name, $field, $operation['blog'] );
		if ( null !== $why ) {
			return self::stays( $target, $name, 'refused', $why );
		}
		$outcome = Rollcall_Merge::outcome( $field['s'], $held, $filling );
		if ( 'applied' !== $outcome ) {
			return self::stays( $target, $name, $outcome );
		}
		if ( $target->value( $name ) !== $field['v'] ) {
			if ( 0 === strpos( $name, 'role:' ) ) {
				$why = self::role( substr( $name, 5 ), $operation, $lookups );
				$why = null === $why ? self::last_administrator( $name, $field, $target, $operation['blog'] ) : $why;
				if ( null !== $why ) {
					return self::stays( $target, $name, 'refused', $why );
				}
			}
			if ( 'email' === $name ) {
				$other = $lookups->email( $field['v'], $target->id );
				if ( null !== $other ) {
					$found = $other['exact'] ? Rollcall_Receipt::found( 'email', $other['user'] ) : null;
					return self::stays( $target, $name, 'conflict', 'identity.email_taken' );
				}
			}
		}
		$result = array(
			's' => $field['s'],
			'r' => 'applied',
		);
		if ( null !== $held && ! $filling ) {
			$result['was'] = $held;
		}
		return $result;
	}

	/**
	 * May a role be given or taken? A privileged one only where the route names it and the site has consented.
	 *
	 * @param string           $role      Role.
	 * @param array            $operation Operation.
	 * @param Rollcall_Lookups $lookups   Roles.
	 * @return string|null Reason of a refusal.
	 */
	public static function role( $role, $operation, $lookups ) {
		$why = $lookups->role( $role, $operation['blog'] );
		return 'role.not_grantable' === $why ? Rollcall_Consent::role( $role, Rollcall_Consent::named( $operation, 'roles' ), $operation['blog'] ) : $why;
	}

	/**
	 * A site keeps its last administrator, whoever consented to what.
	 *
	 * @param string          $name   Field name.
	 * @param array           $field  { v, s }.
	 * @param Rollcall_Target $target The account.
	 * @param int             $blog   Site.
	 * @return string|null Reason of a refusal.
	 */
	private static function last_administrator( $name, $field, $target, $blog ) {
		return 'role:administrator' === $name && true !== $field['v'] && Rollcall_Guard::is_last_administrator( $target->id, $blog ) ? 'target.last_administrator' : null;
	}

	/**
	 * A field that stays as it is here.
	 *
	 * @param Rollcall_Target $target The account.
	 * @param string          $name   Field name.
	 * @param string          $result Result.
	 * @param string|null     $why    Reason code.
	 * @return array
	 */
	private static function stays( $target, $name, $result, $why = null ) {
		$field = array(
			's' => $target->held_or_before( $name ),
			'r' => $result,
		);
		if ( null !== $why ) {
			$field['why'] = $why;
		}
		return $field;
	}
}
