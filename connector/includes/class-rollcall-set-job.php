<?php
/**
 * One operation on its way through a set.
 *
 * Does: holds what the parts of the set-based apply hand to each other.
 * Always true: until the set is committed nothing of it is in the database.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Job of a set.
 */
final class Rollcall_Set_Job {

	/**
	 * The operation.
	 *
	 * @var array
	 */
	public $operation;

	/**
	 * Account; 0 until a created one is inserted.
	 *
	 * @var int
	 */
	public $id = 0;

	/**
	 * The account as it was before; null for one that is created.
	 *
	 * @var Rollcall_Target|null
	 */
	public $target = null;

	/**
	 * Field → { s, r, … } as decided.
	 *
	 * @var array
	 */
	public $fields = array();

	/**
	 * Field → value, for the fields that won.
	 *
	 * @var array
	 */
	public $winners = array();

	/**
	 * Columns of the users table to write: all of them for one that is created.
	 *
	 * @var array
	 */
	public $row = array();

	/**
	 * What wp_insert_user() would be given, with slashes; null when no core field is written.
	 *
	 * @var array|null
	 */
	public $userdata = null;

	/**
	 * What wp_update_user() would be given, with slashes.
	 *
	 * @var array
	 */
	public $asked = array();

	/**
	 * Core's own metas, as `insert_user_meta` gets them.
	 *
	 * @var array
	 */
	public $core_meta = array();

	/**
	 * The account as an object: before, and from the writing on after it.
	 *
	 * @var WP_User|null
	 */
	public $user = null;

	/**
	 * The account as it was, for `profile_update`.
	 *
	 * @var WP_User|null
	 */
	public $old = null;

	/**
	 * Default role that was given, '' when none.
	 *
	 * @var string
	 */
	public $default_role = '';

	/**
	 * Actions to fire once everything is written: lists of name and arguments.
	 *
	 * @var array
	 */
	public $events = array();

	/**
	 * What a listener threw.
	 *
	 * @var Throwable|null
	 */
	public $fault = null;

	/**
	 * A new job.
	 *
	 * @param array $operation The operation.
	 */
	public function __construct( $operation ) {
		$this->operation = $operation;
	}

	/**
	 * Is the account being created?
	 *
	 * @return bool
	 */
	public function creates() {
		return null === $this->target;
	}

	/**
	 * Its login.
	 *
	 * @return string
	 */
	public function login() {
		return $this->creates() ? $this->operation['create']['login'] : $this->target->login();
	}

	/**
	 * The fields that won and hold another value than the account does.
	 *
	 * @return array Field → value.
	 */
	public function differing() {
		$differ = array();
		foreach ( $this->winners as $name => $value ) {
			if ( $this->creates() || ! Rollcall_Values::equal( $this->target->value( (string) $name ), $value ) ) {
				$differ[ $name ] = $value;
			}
		}
		return $differ;
	}
}
