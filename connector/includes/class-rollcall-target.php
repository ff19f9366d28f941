<?php
/**
 * The account that an operation is about, as it stands now.
 *
 * Does: settles it, so that an edit which nobody has seen yet has its stamp before anything is merged;
 * gives values and stamps by the names that operations use; captures what else a write changed. Whoever
 * writes finds it in the object cache as it lies in the database.
 * Does not: write values.
 * Always true: a dry run leaves ledger and outbox as they are.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Target account.
 */
final class Rollcall_Target {

	/**
	 * Account id.
	 *
	 * @var int
	 */
	public $id;

	/**
	 * Site the operation is for.
	 *
	 * @var int
	 */
	private $blog;

	/**
	 * Present state, as Rollcall_Fields reads it.
	 *
	 * @var array
	 */
	private $present;

	/**
	 * Ledger row.
	 *
	 * @var array
	 */
	private $row;

	/**
	 * Entries that were rewritten past the hooks and wait for an operator: name → fingerprint.
	 *
	 * @var array<string,string>
	 */
	private $on_hold = array();

	/**
	 * Loads an account.
	 *
	 * @param int  $id      Account.
	 * @param int  $blog    Site.
	 * @param bool $dry_run Read only.
	 * @return self|null Null when there is none.
	 */
	public static function load( $id, $blog, $dry_run ) {
		if ( $dry_run ) {
			$target       = new self();
			$target->id   = $id;
			$target->blog = $blog;
			$read         = Rollcall_Fields::read( array( $id ) );
			$rows         = Rollcall_Ledger::load( array( $id ) );
			if ( ! isset( $read[ $id ] ) ) {
				return null;
			}
			$target->present = $read[ $id ];
			$target->row     = isset( $rows[ $id ] ) ? $rows[ $id ] : Rollcall_Ledger::blank( $id );
			$target->imagine_settled();
			return $target;
		}
		$targets = self::load_many( array( $id ), $blog );
		Rollcall_User_Cache::refresh( $id );
		return isset( $targets[ $id ] ) ? $targets[ $id ] : null;
	}

	/**
	 * Loads accounts, settled: what was written past the hooks is stamped and captured, or held when it
	 * is too much.
	 *
	 * @param int[]      $ids     Accounts.
	 * @param int        $blog    Site.
	 * @param array|null $present Their states, if the caller has read them.
	 * @return array<int,self> Without those that don't exist.
	 */
	public static function load_many( $ids, $blog, $present = null ) {
		$options = array( 'gate' => array( 'Rollcall_Outside', 'gate' ) );
		$targets = array();
		if ( null === $present ) {
			Rollcall_Capture::settle_left_open( Rollcall_Outbox::has_stale_open( $ids ) );
		} else {
			$options['present'] = $present;
		}
		foreach ( Rollcall_Ledger::settle( $ids, $options ) as $id => $settled ) {
			$target          = new self();
			$target->id      = $id;
			$target->blog    = $blog;
			$target->present = $settled['present'];
			$target->row     = $settled['row'];
			$target->on_hold = self::held_of( $settled );
			$targets[ $id ]  = $target;
		}
		return $targets;
	}

	/**
	 * What of a settled account is held.
	 *
	 * @param array $settled As Rollcall_Settle::run() answers it.
	 * @return array<string,string> Entry → fingerprint.
	 */
	private static function held_of( $settled ) {
		if ( ! $settled['held'] ) {
			return array();
		}
		$changed = Rollcall_Comparison::of( $settled['row'], $settled['present'] )['changed'];
		return array_intersect_key( $changed, array_fill_keys( $settled['held'], true ) );
	}

	/**
	 * Settles accounts after a write: whatever else changed meanwhile is this site's own change.
	 *
	 * @param array<int,self|null> $targets Accounts as they were before, by id; null: there was none.
	 * @return void
	 */
	public static function settle_after( $targets ) {
		$opened = array();
		$held   = array();
		foreach ( array_filter( $targets ) as $id => $target ) {
			// Still nobody's edit.
			$held[ $id ] = $target->on_hold;
		}
		Rollcall_Ledger::settle(
			array_keys( $targets ),
			array(
				'except' => array_filter( $held ),
				'gate'   => static function ( $ids ) use ( &$opened ) {
					foreach ( $ids as $one ) {
						Rollcall_Outbox::open( $one, 'update' );
						$opened[ $one ] = 'update';
					}
					return array();
				},
			)
		);
		Rollcall_Outbox::ready( $opened );
	}

	/**
	 * The name under which the ledger keeps a field: roles are a site's.
	 *
	 * @param string $name Field name.
	 * @param int    $blog Site.
	 * @return string
	 */
	public static function entry_name( $name, $blog ) {
		return 0 === strpos( $name, 'role:' ) ? $blog . '/' . $name : $name;
	}

	/**
	 * Stamp that the site holds of a field, null when it knows none.
	 *
	 * @param string $name Field name.
	 * @return array|null
	 */
	public function held( $name ) {
		$entry = self::entry_name( $name, $this->blog );
		return isset( $this->row['entries'][ $entry ] ) ? array( (int) $this->row['entries'][ $entry ][0], (int) $this->row['entries'][ $entry ][1] ) : null;
	}

	/**
	 * Of some fields, those that were last edited on a site of this installation.
	 *
	 * @param array $names Field names.
	 * @return array Entry name => stamp.
	 */
	public function edited_here( $names ) {
		$keys   = Rollcall_Settings::keys();
		$stamps = array();
		foreach ( $names as $name ) {
			$held = $this->held( (string) $name );
			if ( null !== $held && $held[0] > 0 && in_array( $held[1], $keys, true ) ) {
				$stamps[ self::entry_name( (string) $name, $this->blog ) ] = $held;
			}
		}
		return $stamps;
	}

	/**
	 * Does a field wait for an operator (`source.rewritten_outside`)? Nothing may write over it.
	 *
	 * @param string $name Field name.
	 * @return bool
	 */
	public function is_on_hold( $name ) {
		return isset( $this->on_hold[ self::entry_name( $name, $this->blog ) ] );
	}

	/**
	 * Stamp that the site holds, `[0, site key]` where nothing is known: what receipts say.
	 *
	 * @param string $name Field name.
	 * @return array
	 */
	public function held_or_before( $name ) {
		$held = $this->held( $name );
		return null === $held ? array( 0, Rollcall_Settings::key_of( $this->blog ) ) : $held;
	}

	/**
	 * Present value, in the form in which it would come in; null when it can't be read.
	 *
	 * @param string $name Field name.
	 * @return mixed
	 */
	public function value( $name ) {
		if ( 0 === strpos( $name, 'role:' ) && ! isset( Rollcall_Settings::keys()[ $this->blog ] ) ) {
			$user = new WP_User( $this->id );
			return ! empty( $user->caps[ substr( $name, 5 ) ] );
		}
		return self::value_of( $this->present, $this->blog, $name );
	}

	/**
	 * A value out of what Rollcall_Fields read.
	 *
	 * @param array  $present Present state.
	 * @param int    $blog    Site, one that takes part.
	 * @param string $name    Field name.
	 * @return mixed
	 */
	public static function value_of( $present, $blog, $name ) {
		if ( 0 === strpos( $name, 'role:' ) ) {
			return isset( $present['caps'][ $blog ][ substr( $name, 5 ) ] );
		}
		return isset( $present['fields'][ $name ] ) ? $present['fields'][ $name ] : null;
	}

	/**
	 * Reads the present values again.
	 *
	 * @return void
	 */
	public function read_again() {
		clean_user_cache( $this->id );
		$read = Rollcall_Fields::read( array( $this->id ) );
		if ( isset( $read[ $this->id ] ) ) {
			$this->present = $read[ $this->id ];
		}
	}

	/**
	 * Does the account reject incoming changes?
	 *
	 * @return bool
	 */
	public function rejects() {
		return ! empty( $this->row['switches']['reject_incoming'] );
	}

	/**
	 * Its login.
	 *
	 * @return string
	 */
	public function login() {
		return $this->present['login'];
	}

	/**
	 * Its ledger row.
	 *
	 * @return array
	 */
	public function row() {
		return $this->row;
	}

	/**
	 * Stamps of everything known of the account.
	 *
	 * @return array List of [ms, site key].
	 */
	public function stamps() {
		$stamps = array();
		foreach ( $this->row['entries'] as $entry ) {
			$stamps[] = array( (int) $entry[0], (int) $entry[1] );
		}
		return $stamps;
	}

	/**
	 * For a dry run: the stamps as they would be once settled.
	 *
	 * @return void
	 */
	private function imagine_settled() {
		$found = Rollcall_Comparison::of( $this->row, $this->present );
		$stamp = array( max( Rollcall_Settings::now_ms(), Rollcall_Ledger::greatest_of( $this->row ) + 1 ), Rollcall_Settings::key_of( $this->blog ) );
		foreach ( $found['changed'] as $name => $fingerprint ) {
			$this->row['entries'][ $name ] = array( $stamp[0], $stamp[1], $fingerprint );
		}
		$this->row['entries'] = array_merge( $this->row['entries'], $found['arrived'] ) + $found['baseline'];
	}
}
