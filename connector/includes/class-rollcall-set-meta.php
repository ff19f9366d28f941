<?php
/**
 * The usermeta of a set: written in memory first, then in a few statements.
 *
 * Does: what add_metadata(), update_metadata() and delete_metadata() do, with their filters and sanitising;
 * notes the actions that are to be fired once the rows are there.
 * Does not: touch the object cache.
 * Always true: rows end up in the order in which they were added. Keys are compared without regard to
 * case where core leaves that to the database.
 * On failure: throws; the caller rolls back.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Usermeta of a set.
 */
final class Rollcall_Set_Meta {

	/**
	 * Account → key, lower-cased → its rows: { id, mid: int (0: not there yet), key, value: as stored,
	 * was: as it is in the database }.
	 *
	 * @var array<int,array<string,stdClass[]>>
	 */
	private $rows = array();

	/**
	 * Rows to insert, in the order in which they were added.
	 *
	 * @var stdClass[]
	 */
	private $added = array();

	/**
	 * Rows to update.
	 *
	 * @var stdClass[]
	 */
	private $changed = array();

	/**
	 * Ids of rows to delete.
	 *
	 * @var int[]
	 */
	private $gone = array();

	/**
	 * Key → does anybody sanitise it?
	 *
	 * @var array<string,bool>
	 */
	private $sanitizing = array();

	/**
	 * Takes the rows of accounts that are there.
	 *
	 * @param array $metas Account → rows: [ umeta_id, key, value ].
	 */
	public function __construct( $metas ) {
		foreach ( $metas as $id => $rows ) {
			foreach ( $rows as $row ) {
				$this->put( $id, $row[0], $row[1], $row[2] );
			}
		}
	}

	/**
	 * Marks an account as one whose creation isn't finished.
	 *
	 * @param int    $id  Account.
	 * @param string $uid Its label.
	 * @return void
	 */
	public function mark( $id, $uid ) {
		$this->put( $id, 0, Rollcall_Account_Creator::MARKER, $uid );
	}

	/**
	 * As add_user_meta(), without slashes.
	 *
	 * @param Rollcall_Set_Job $job   The job.
	 * @param string           $key   Key.
	 * @param mixed            $value Value.
	 * @return void
	 */
	public function add( $job, $key, $value ) {
		$value = $this->sanitized( $job->id, $key, $value );
		/** This filter is documented in wp-includes/meta.php */
		if ( null !== apply_filters( 'add_user_metadata', null, $job->id, $key, $value, false ) ) { // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
			return;
		}
		/** This action is documented in wp-includes/meta.php */
		do_action( 'add_user_meta', $job->id, $key, $value ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		$stored = maybe_serialize( $value );
		if ( self::fits( $stored ) ) {
			$row           = $this->put( $job->id, 0, $key, $stored );
			$job->events[] = array( 'added_user_meta', array( 0, $job->id, $key, $value ), array( $row ) );
		}
	}

	/**
	 * As update_user_meta(), without slashes.
	 *
	 * @param Rollcall_Set_Job $job   The job.
	 * @param string           $key   Key.
	 * @param mixed            $given Value.
	 * @return void
	 */
	public function update( $job, $key, $given ) {
		$value = $this->sanitized( $job->id, $key, $given );
		/** This filter is documented in wp-includes/meta.php */
		if ( null !== apply_filters( 'update_user_metadata', null, $job->id, $key, $value, '' ) ) { // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
			return;
		}
		$old = $this->values( $job->id, $key );
		if ( is_countable( $old ) && 1 === count( $old ) && isset( $old[0] ) && $old[0] === $value ) {
			return;
		}
		$rows = $this->rows_of( $job->id, $key );
		if ( ! $rows ) {
			$this->add( $job, $key, $given );
			return;
		}
		$stored  = maybe_serialize( $value );
		$changed = false;
		foreach ( $rows as $row ) {
			/** This action is documented in wp-includes/meta.php */
			do_action( 'update_user_meta', $row->mid, $job->id, $key, $value ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
			$changed = $changed || (string) $row->value !== (string) $stored;
		}
		if ( ! $changed || ! self::fits( $stored ) ) {
			return;
		}
		foreach ( $rows as $row ) {
			$row->value      = $stored;
			$this->changed[] = $row;
			$job->events[]   = array( 'updated_user_meta', array( 0, $job->id, $key, $value ), array( $row ) );
		}
	}

	/**
	 * Replaces the rows of a key, as Rollcall_Account_Writer does one by one.
	 *
	 * @param Rollcall_Set_Job $job    The job.
	 * @param string           $key    Key.
	 * @param array            $values One value per row.
	 * @return void
	 */
	public function replace( $job, $key, $values ) {
		if ( 1 === count( $this->values( $job->id, $key ) ) && 1 === count( $values ) ) {
			$this->update( $job, $key, $values[0] );
			return;
		}
		$this->delete( $job, $key );
		foreach ( $values as $value ) {
			$this->add( $job, $key, $value );
		}
	}

	/**
	 * As delete_user_meta().
	 *
	 * @param Rollcall_Set_Job $job The job.
	 * @param string           $key Key.
	 * @return void
	 */
	private function delete( $job, $key ) {
		/** This filter is documented in wp-includes/meta.php */
		$rows = null === apply_filters( 'delete_user_metadata', null, $job->id, $key, '', false ) ? $this->rows_of( $job->id, $key ) : array(); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		$mids = array_values( array_filter( wp_list_pluck( $rows, 'mid' ) ) );
		if ( $mids ) {
			/** This action is documented in wp-includes/meta.php */
			do_action( 'delete_user_meta', $mids, $job->id, $key, '' ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
			$job->events[] = array( 'deleted_user_meta', array( $mids, $job->id, $key, '' ), array() );
			$this->gone    = array_merge( $this->gone, $mids );
		}
		foreach ( $rows as $row ) {
			$row->gone = true;
		}
		if ( $rows ) {
			unset( $this->rows[ $job->id ][ strtolower( $key ) ] );
		}
	}

	/**
	 * Writes everything, and tells the new rows their ids.
	 *
	 * @return void
	 */
	public function flush() {
		global $wpdb;
		$new     = array();
		$changed = array();
		foreach ( $this->added as $row ) {
			if ( ! $row->gone ) {
				$new[] = $row;
			}
		}
		foreach ( $this->changed as $row ) {
			if ( ! $row->gone && 0 !== $row->mid && $row->value !== $row->was ) {
				$changed[ $row->mid ] = array( 'meta_value' => $row->value );
			}
		}
		if ( $this->gone ) {
			Rollcall_Set_Sql::run( "DELETE FROM {$wpdb->usermeta} WHERE umeta_id IN (" . implode( ',', $this->gone ) . ')' );
		}
		Rollcall_Set_Sql::update( $wpdb->usermeta, 'umeta_id', $changed );
		$values = array();
		foreach ( $new as $row ) {
			$values[] = array( $row->id, $row->key, $row->value );
		}
		Rollcall_Set_Meta_Ids::give( $new, Rollcall_Set_Sql::insert( $wpdb->usermeta, array( 'user_id', 'meta_key', 'meta_value' ), $values ) );
	}

	/**
	 * The rows as they are in the database after flush().
	 *
	 * @return array Account → rows, oldest first: [ umeta_id, key, value ].
	 */
	public function rows() {
		$metas = array();
		foreach ( $this->rows as $id => $keys ) {
			$metas[ $id ] = array();
			foreach ( $keys as $rows ) {
				foreach ( $rows as $row ) {
					$metas[ $id ][ $row->mid ] = array( $row->mid, $row->key, null === $row->value ? null : (string) $row->value );
				}
			}
			ksort( $metas[ $id ] );
			$metas[ $id ] = array_values( $metas[ $id ] );
		}
		return $metas;
	}

	/**
	 * Values of a key, as get_user_meta() gives them.
	 *
	 * @param int    $id  Account.
	 * @param string $key Key.
	 * @return mixed A list, unless another plugin answers otherwise.
	 */
	private function values( $id, $key ) {
		/** This filter is documented in wp-includes/meta.php */
		$other = apply_filters( 'get_user_metadata', null, $id, $key, false, 'user' ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		if ( null !== $other ) {
			return $other;
		}
		$values = array();
		foreach ( $this->rows_of( $id, $key ) as $row ) {
			if ( $key === $row->key ) {
				$values[] = maybe_unserialize( $row->value );
			}
		}
		return $values;
	}

	/**
	 * Rows of a key, as the database compares keys.
	 *
	 * @param int    $id  Account.
	 * @param string $key Key.
	 * @return stdClass[]
	 */
	private function rows_of( $id, $key ) {
		$lower = strtolower( $key );
		return isset( $this->rows[ $id ][ $lower ] ) ? $this->rows[ $id ][ $lower ] : array();
	}

	/**
	 * Puts a row in.
	 *
	 * @param int         $id    Account.
	 * @param int         $mid   Its id, 0: not there yet.
	 * @param string      $key   Key.
	 * @param string|null $value As stored.
	 * @return stdClass
	 */
	private function put( $id, $mid, $key, $value ) {
		$row = (object) array(
			'id'    => $id,
			'mid'   => $mid,
			'key'   => $key,
			'value' => $value,
			'was'   => $value,
			'gone'  => false,
		);
		$this->rows[ $id ][ strtolower( $key ) ][] = $row;
		if ( 0 === $mid ) {
			$this->added[] = $row;
		}
		return $row;
	}

	/**
	 * A value as core sanitises it.
	 *
	 * @param int    $id    Account.
	 * @param string $key   Key.
	 * @param mixed  $value Value.
	 * @return mixed
	 */
	private function sanitized( $id, $key, $value ) {
		if ( ! isset( $this->sanitizing[ $key ] ) ) {
			$this->sanitizing[ $key ] = has_filter( "sanitize_user_meta_{$key}" ) || has_filter( "sanitize_user_meta_{$key}_for_user" ) || has_filter( 'get_object_subtype_user' );
		}
		if ( ! $this->sanitizing[ $key ] ) {
			return $value;
		}
		/** This filter is documented in wp-includes/meta.php */
		return sanitize_meta( $key, $value, 'user', (string) apply_filters( 'get_object_subtype_user', 'user', $id ) ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
	}

	/**
	 * Can the table hold this text as it is? Core drops what it can't.
	 *
	 * @param mixed $stored Serialised value.
	 * @return bool
	 */
	private static function fits( $stored ) {
		global $wpdb;
		return ! is_string( $stored ) || ! preg_match( '/[\x80-\xff]/', $stored ) || $wpdb->strip_invalid_text_for_column( $wpdb->usermeta, 'meta_value', $stored ) === $stored;
	}
}
