<?php
/**
 * Look-ups for a whole set: each made once.
 *
 * Does: asks for all logins and addresses of a set in one query each; remembers roles; tells operations
 * apart that have to do with each other.
 * Does not: say who is in the way: such an operation goes one by one, and gets its answer there.
 * Always true: logins and addresses that the database could take for equal are equal here, too; more than
 * that may be. Being wrong that way costs time and nothing else.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Look-ups of a set.
 */
final class Rollcall_Set_Lookups extends Rollcall_Lookups {

	/**
	 * Role → reason of a refusal, or null.
	 *
	 * @var array
	 */
	private $roles = array();

	/**
	 * Folded login → true, for those that are taken.
	 *
	 * @var array
	 */
	private $logins = array();

	/**
	 * Folded address → ids of the accounts that have it.
	 *
	 * @var array
	 */
	private $emails = array();

	/**
	 * The database found an equality that folding does not see.
	 *
	 * @var bool
	 */
	private $unclear = false;

	/**
	 * Looks up everything that the operations of a set bring.
	 *
	 * @param array $operations WriteOperations.
	 */
	public function __construct( $operations ) {
		$logins = array();
		$emails = array();
		foreach ( $operations as $operation ) {
			if ( null !== $operation['create'] ) {
				$logins[] = $operation['create']['login'];
			}
			if ( isset( $operation['fields']['email'] ) && is_string( $operation['fields']['email']['v'] ) && '' !== $operation['fields']['email']['v'] ) {
				$emails[] = $operation['fields']['email']['v'];
			}
		}
		foreach ( $this->holders( 'user_login', $logins ) as $folded => $ids ) {
			$this->logins[ $folded ] = true;
		}
		$this->emails = $this->holders( 'user_email', $emails );
	}

	/**
	 * May this role be given or taken on this site?
	 *
	 * @param string $role Role.
	 * @param int    $blog Site; the same for the whole set.
	 * @return string|null Reason of a refusal.
	 */
	public function role( $role, $blog ) {
		if ( ! array_key_exists( $role, $this->roles ) ) {
			$this->roles[ $role ] = parent::role( $role, $blog );
		}
		return $this->roles[ $role ];
	}

	/**
	 * Another account that has this e-mail address.
	 *
	 * @param string $email Address.
	 * @param int    $id    Account that may have it.
	 * @return null
	 * @throws Rollcall_One_By_One When there is one.
	 */
	public function email( $email, $id ) {
		$folded = self::fold( $email );
		if ( '' !== $email && ( $this->unclear || ( isset( $this->emails[ $folded ] ) && array( $id ) !== $this->emails[ $folded ] ) ) ) {
			throw new Rollcall_One_By_One();
		}
		return null;
	}

	/**
	 * Makes sure that nobody has this login.
	 *
	 * @param string $login Login.
	 * @return void
	 * @throws Rollcall_One_By_One When somebody has.
	 */
	public function login( $login ) {
		if ( $this->unclear || isset( $this->logins[ self::fold( $login ) ] ) ) {
			throw new Rollcall_One_By_One();
		}
	}

	/**
	 * What operations have to share to have to do with each other.
	 *
	 * @param array  $operation WriteOperation.
	 * @param int    $id        Account that it means, 0: none yet.
	 * @param string $email     Address that the account has now.
	 * @return string[]
	 */
	public static function keys( $operation, $id, $email ) {
		$keys = array( 'uid:' . $operation['uid'] );
		foreach ( array( $id, (int) $operation['id'] ) as $account ) {
			if ( $account ) {
				$keys[] = 'id:' . $account;
			}
		}
		$addresses = array( $email );
		if ( isset( $operation['fields']['email'] ) && is_string( $operation['fields']['email']['v'] ) ) {
			$addresses[] = $operation['fields']['email']['v'];
		}
		foreach ( $addresses as $address ) {
			if ( '' !== $address ) {
				$keys[] = 'email:' . self::fold( $address );
			}
		}
		if ( ! $id && null !== $operation['create'] ) {
			$keys[] = 'login:' . self::fold( $operation['create']['login'] );
		}
		return array_values( array_unique( $keys ) );
	}

	/**
	 * What two texts have in common that a collation may take for equal.
	 *
	 * @param string $text Login or address.
	 * @return string
	 */
	public static function fold( $text ) {
		$plain = preg_match( '/[\x80-\xff]/', $text ) ? remove_accents( $text ) : $text;
		return strtolower( preg_replace( '/[^\x21-\x7e]+/', '', $plain ) );
	}

	/**
	 * Accounts that have one of some values.
	 *
	 * @param string   $column Column of the users table.
	 * @param string[] $values Values.
	 * @return array Folded value → ids.
	 */
	private function holders( $column, $values ) {
		global $wpdb;
		$found = array();
		$asked = array();
		foreach ( $values as $value ) {
			$asked[ self::fold( $value ) ] = true;
		}
		foreach ( array_chunk( array_unique( $values ), 500 ) as $some ) {
			$marks = implode( ',', array_fill( 0, count( $some ), '%s' ) );
			foreach ( $wpdb->get_results( $wpdb->prepare( "SELECT ID, $column AS text FROM {$wpdb->users} WHERE $column IN ($marks)", $some ) ) as $row ) { // phpcs:ignore WordPress.DB
				$folded             = self::fold( $row->text );
				$found[ $folded ][] = (int) $row->ID;
				$this->unclear      = $this->unclear || ! isset( $asked[ $folded ] );
			}
		}
		return $found;
	}
}
