<?php
/**
 * Changes that wait for the hub: at most one row per living account, one per account that ended.
 *
 * Does: opens a row before WordPress writes, makes it ready when the writing is over, hands rows out
 *   oldest first, drops what the hub acknowledged.
 * Does not: hold any value; what changed is read when the row is handed out.
 * Always true: every opening and every closing raises the row's revision, and an acknowledgement
 *   drops only the very revision that was read; a row is closed only by the request that opened it
 *   last; an open row older than 30 s counts as ready.
 * On failure: a request that is killed leaves its row open, and so nothing is lost; a write that
 *   failed throws.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Rows of `rollcall_outbox`.
 */
final class Rollcall_Outbox {

	/** So many locked rows are waited for at an acknowledgement, a second each. */
	const MOST_LOCKED = 3;

	/** An actor whose deeds stay here. No login looks like this: quotes in it are escaped. */
	const STAYS = '%"outgoing_stopped":true%';

	/** How long a request may keep an account to itself. */
	const FRESH_MS = 30000;

	/**
	 * Names this request in the rows it opened.
	 *
	 * @var string
	 */
	private static $owner = '';

	/**
	 * How many rows this request made ready.
	 *
	 * @var int
	 */
	private static $readied = 0;

	/**
	 * Does the head have to be raised for them?
	 *
	 * @var bool
	 */
	private static $head_is_due = false;

	/**
	 * Hooks in, behind the settling of what this request has changed. Raised before, the head's row
	 * would be locked until a transaction of another plugin ends, and everybody would wait for it.
	 */
	public static function start() {
		add_action( 'shutdown', array( __CLASS__, 'raise_head' ), PHP_INT_MAX - 5, 0 );
	}

	/** Raises the head, once for all rows of this request. */
	public static function raise_head() {
		if ( self::$head_is_due ) {
			self::$head_is_due = false;
			Rollcall_Patience::run( array( 'Rollcall_Life', 'next_head' ) );
		}
	}

	/**
	 * Opens the row of an account. Whoever opens last is the one to close.
	 *
	 * @param int    $id   WordPress user id.
	 * @param string $kind `create` or `update`; a row once `create` stays so.
	 * @param int    $blog Blog id, the present site when null.
	 * @throws RuntimeException When it can't be written.
	 * @return array{id:string,rev:int,mine:bool} mine: there was no row before.
	 */
	public static function open( $id, $kind = 'update', $blog = null ) {
		global $wpdb;
		$made = bin2hex( random_bytes( 8 ) );
		$now  = Rollcall_Settings::clock_ms();
		$who  = Rollcall_Actor::current();
		self::written(
			$wpdb->prepare(
				'INSERT INTO ' . Rollcall_Tables::outbox() . " (subject, id, rev, user_id, blog, kind, state, owner, queued_ms, opened_ms, at_ms, actor, gone)
				VALUES (%s, %s, 1, %d, %d, %s, 'open', %s, %d, %d, %d, %s, '')
				ON DUPLICATE KEY UPDATE gone = CASE WHEN owner = VALUES(owner) THEN gone ELSE '' END, rev = rev + 1, state = 'open', owner = VALUES(owner), opened_ms = VALUES(opened_ms), at_ms = VALUES(at_ms),
				blog = VALUES(blog), actor = CASE WHEN actor LIKE %s THEN VALUES(actor) ELSE %s END, kind = CASE WHEN VALUES(kind) = 'create' THEN VALUES(kind) ELSE kind END", // phpcs:ignore WordPress.DB
				'u:' . $id,
				$made,
				$id,
				null === $blog ? get_current_blog_id() : $blog,
				$kind,
				self::owner(),
				$now,
				$now,
				Rollcall_Settings::now_ms(),
				wp_json_encode( (object) $who ),
				self::STAYS,
				// Somebody else's change waits in this row: it leaves, whoever adds to it.
				wp_json_encode( (object) array_diff_key( $who, array( 'outgoing_stopped' => 1 ) ) )
			)
		);
		$row = $wpdb->get_row( $wpdb->prepare( 'SELECT id, rev FROM ' . Rollcall_Tables::outbox() . ' WHERE subject = %s', 'u:' . $id ) ); // phpcs:ignore WordPress.DB
		return array(
			'id'   => $row ? (string) $row->id : $made,
			'rev'  => $row ? (int) $row->rev : 1,
			'mine' => $row && $made === $row->id && 1 === (int) $row->rev,
		);
	}

	/**
	 * Opens rows of many accounts at once. None of them counts as newly made.
	 *
	 * @param int[] $ids WordPress user ids.
	 */
	public static function open_many( array $ids ) {
		self::put_many( $ids, 'open', Rollcall_Actor::current() );
	}

	/**
	 * Takes back a row that turned out to stand for nothing, if nobody else took it up meanwhile.
	 *
	 * @param int   $id  WordPress user id.
	 * @param array $row What `open()` answered.
	 */
	public static function take_back( $id, array $row ) {
		global $wpdb;
		$wpdb->query( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				'DELETE FROM ' . Rollcall_Tables::outbox() . " WHERE subject = %s AND id = %s AND rev = %d AND owner = %s AND state = 'open'", // phpcs:ignore WordPress.DB
				'u:' . $id,
				$row['id'],
				$row['rev'],
				self::owner()
			)
		);
	}

	/**
	 * Makes rows ready. A row that is gone is inserted again; one that another request has opened
	 * since stays open, at a higher revision.
	 *
	 * @param array<int,string> $kinds WordPress user id => `create` or `update`.
	 * @param array<int,int>    $blogs Blog by user id, for rows to be inserted again.
	 */
	public static function ready( array $kinds, array $blogs = array() ) {
		global $wpdb;
		foreach ( $kinds as $id => $kind ) {
			$updated = self::written(
				$wpdb->prepare(
					'UPDATE ' . Rollcall_Tables::outbox() . " SET rev = rev + 1, at_ms = %d,
					kind = CASE WHEN %s = 'create' THEN 'create' ELSE kind END,
					state = CASE WHEN owner = %s THEN 'ready' ELSE state END,
					owner = CASE WHEN owner = %s THEN '' ELSE owner END
					WHERE subject = %s", // phpcs:ignore WordPress.DB
					Rollcall_Settings::now_ms(),
					$kind,
					self::owner(),
					self::owner(),
					'u:' . $id
				)
			);
			if ( ! $updated ) {
				self::put_many( array( $id ), 'ready', Rollcall_Actor::current(), $kind, isset( $blogs[ $id ] ) ? $blogs[ $id ] : null );
			}
			++self::$readied;
		}
		self::$head_is_due = self::$head_is_due || count( $kinds ) > 0;
	}

	/**
	 * Captures accounts that were written past the hooks.
	 *
	 * @param int[] $ids WordPress user ids.
	 */
	public static function put_outside( array $ids ) {
		self::put_many( $ids, 'ready', array( 'kind' => 'outside' ) );
		if ( $ids ) {
			self::$readied    += count( $ids );
			self::$head_is_due = true;
		}
	}

	/**
	 * Rows were made ready past this class, by a set: the hub is to be told.
	 *
	 * @param int $count How many.
	 */
	public static function note_readied( $count ) {
		self::$readied    += $count;
		self::$head_is_due = self::$head_is_due || $count > 0;
	}

	/**
	 * Notes in an open row that the account is about to be deleted: if the request is killed, whoever
	 * reads the row can tell a deletion from an account that vanished.
	 *
	 * @param int   $id   WordPress user id.
	 * @param array $gone login, uid.
	 */
	public static function expect_delete( $id, array $gone ) {
		self::expect_delete_as( $id, wp_json_encode( $gone ) );
	}

	/**
	 * The account is still there, whole: its row is like any other.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function expect_no_delete( $id ) {
		self::expect_delete_as( $id, '' );
	}

	/**
	 * Captures the end of an account: row, tombstone, and the account's own row and ledger go.
	 *
	 * @param int         $id    WordPress user id it had.
	 * @param string|null $uid   Label it had.
	 * @param string      $login Login it had.
	 * @param array       $stamp [ms, site key].
	 * @param int|null    $blog  Blog id.
	 * @param array|null  $actor Who did it, when it wasn't this request.
	 */
	public static function put_delete( $id, $uid, $login, array $stamp, $blog = null, $actor = null ) {
		global $wpdb;
		$row = bin2hex( random_bytes( 8 ) );
		$now = Rollcall_Settings::clock_ms();
		if ( null !== $uid ) {
			Rollcall_Tombstones::put( $uid, $stamp, $id, $login );
		}
		self::written(
			$wpdb->prepare(
				'INSERT INTO ' . Rollcall_Tables::outbox() . " (subject, id, rev, user_id, blog, kind, state, owner, queued_ms, opened_ms, at_ms, actor, gone)
				VALUES (%s, %s, 1, %d, %d, 'delete', 'ready', '', %d, %d, %d, %s, %s)", // phpcs:ignore WordPress.DB
				'g:' . $row,
				$row,
				$id,
				null === $blog ? get_current_blog_id() : $blog,
				$now,
				$now,
				Rollcall_Settings::now_ms(),
				wp_json_encode( (object) ( null === $actor ? Rollcall_Actor::current() : $actor ) ),
				wp_json_encode(
					array(
						'id'    => (int) $id,
						'uid'   => $uid,
						'login' => (string) $login,
						'stamp' => $stamp,
					)
				)
			)
		);
		self::drop( $id );
		Rollcall_Ledger::forget( $id );
		++self::$readied;
		self::$head_is_due = true;
	}

	/**
	 * Drops the row of an account, whatever its state.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function drop( $id ) {
		global $wpdb;
		$wpdb->delete( Rollcall_Tables::outbox(), array( 'subject' => 'u:' . $id ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Those of some accounts that another request is writing right now.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return int[]
	 */
	public static function has_fresh_open( array $ids ) {
		return self::open_among( $ids, true );
	}

	/**
	 * Those of some accounts whose row was left open by a request that never ended.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return int[]
	 */
	public static function has_stale_open( array $ids ) {
		return self::open_among( $ids, false );
	}

	/**
	 * The oldest rows that are ready, or were left open.
	 *
	 * @param int $limit At most so many.
	 * @throws RuntimeException When they can't be read.
	 * @return object[]
	 */
	public static function page( $limit ) {
		global $wpdb;
		$now  = Rollcall_Settings::clock_ms();
		$rows = $wpdb->get_results( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				'SELECT * FROM ' . Rollcall_Tables::outbox() . " WHERE state = 'ready' OR opened_ms < %d OR opened_ms > %d ORDER BY queued_ms, id LIMIT %d", // phpcs:ignore WordPress.DB
				$now - self::FRESH_MS,
				$now + self::FRESH_MS,
				$limit
			)
		);
		if ( ! is_array( $rows ) || '' !== $wpdb->last_error ) {
			throw new RuntimeException( 'The outbox can’t be read.' );
		}
		return $rows;
	}

	/**
	 * Takes over rows that were left open, so that this request may close them.
	 *
	 * @param int[] $ids WordPress user ids.
	 */
	public static function take_over( array $ids ) {
		global $wpdb;
		foreach ( array_chunk( $ids, 500 ) as $some ) {
			$marks = implode( ',', array_fill( 0, count( $some ), '%s' ) );
			$wpdb->query( // phpcs:ignore WordPress.DB
				$wpdb->prepare(
					'UPDATE ' . Rollcall_Tables::outbox() . " SET owner = %s WHERE state = 'open' AND opened_ms < %d AND subject IN ($marks)", // phpcs:ignore WordPress.DB
					array_merge( array( self::owner(), Rollcall_Settings::clock_ms() - self::FRESH_MS ), self::subjects( $some ) )
				)
			);
		}
	}

	/**
	 * Drops what the hub has committed.
	 *
	 * @param array $refs Pairs of row id and revision.
	 */
	public static function ack( array $refs ) {
		Rollcall_Patience::run(
			static function () use ( $refs ) {
				$well = ! Rollcall_Query_Faults::spoil_the_answer();
				foreach ( array_chunk( $refs, 100 ) as $some ) {
					if ( ! self::drop_read( $some ) ) {
						self::drop_one_by_one( $some );
					}
				}
				// What stays is read and acknowledged again.
				if ( $well ) {
					Rollcall_Query_Faults::make_good();
				}
			}
		);
	}

	/**
	 * Drops rows at the revisions that were read, in one statement. In a small outbox the database looks
	 * at every row for that, also at those that somebody's transaction has locked.
	 *
	 * @param array $refs Pairs of row id and revision.
	 * @return bool False when it had to wait too long.
	 */
	private static function drop_read( array $refs ) {
		global $wpdb;
		$rows = array();
		foreach ( $refs as $ref ) {
			$rows[] = $wpdb->prepare( '(id = %s AND rev = %d)', $ref[0], $ref[1] );
		}
		return false !== $wpdb->query( 'DELETE FROM ' . Rollcall_Tables::outbox() . " WHERE state = 'ready' AND (" . implode( ' OR ', $rows ) . ')' ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Drops rows each by its key, past those that somebody has locked: these are read again.
	 *
	 * @param array $refs Pairs of row id and revision.
	 */
	private static function drop_one_by_one( array $refs ) {
		global $wpdb;
		$locked = 0;
		foreach ( $refs as $ref ) {
			$subject = $wpdb->get_var( $wpdb->prepare( 'SELECT subject FROM ' . Rollcall_Tables::outbox() . ' WHERE id = %s', $ref[0] ) ); // phpcs:ignore WordPress.DB
			if ( null === $subject || $locked >= self::MOST_LOCKED ) {
				continue;
			}
			$done    = $wpdb->query( $wpdb->prepare( 'DELETE FROM ' . Rollcall_Tables::outbox() . " WHERE subject = %s AND id = %s AND rev = %d AND state = 'ready'", $subject, $ref[0], $ref[1] ) ); // phpcs:ignore WordPress.DB
			$locked += false === $done ? 1 : 0;
		}
	}

	/** How many rows wait. */
	public static function backlog() {
		global $wpdb;
		return (int) $wpdb->get_var( 'SELECT COUNT(*) FROM ' . Rollcall_Tables::outbox() ); // phpcs:ignore WordPress.DB
	}

	/**
	 * What waits, for people.
	 *
	 * @return array{ready:int,open:int,left_open:int,oldest_seconds:int}
	 */
	public static function counts() {
		global $wpdb;
		$now   = Rollcall_Settings::clock_ms();
		$fresh = $now - self::FRESH_MS;
		$row   = $wpdb->get_row( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				"SELECT SUM(CASE WHEN state = 'ready' THEN 1 ELSE 0 END) AS ready, SUM(CASE WHEN state = 'open' AND opened_ms >= %d THEN 1 ELSE 0 END) AS fresh,
				SUM(CASE WHEN state = 'open' AND opened_ms < %d THEN 1 ELSE 0 END) AS stale, MIN(queued_ms) AS oldest FROM " . Rollcall_Tables::outbox(), // phpcs:ignore WordPress.DB
				$fresh,
				$fresh
			)
		);
		return array(
			'ready'          => $row ? (int) $row->ready : 0,
			'open'           => $row ? (int) $row->fresh : 0,
			'left_open'      => $row ? (int) $row->stale : 0,
			'oldest_seconds' => $row && $row->oldest ? (int) max( 0, ( $now - (int) $row->oldest ) / 1000 ) : 0,
		);
	}

	/** A row that was put here by another part is ready. */
	public static function count_ready() {
		++self::$readied;
		self::$head_is_due = true;
	}

	/** How many rows this request made ready: more than none is a reason to signal. */
	public static function readied() {
		return self::$readied;
	}

	/**
	 * Open rows, fresh or not.
	 *
	 * @param int[] $ids   WordPress user ids.
	 * @param bool  $fresh Which.
	 * @return int[]
	 */
	private static function open_among( array $ids, $fresh ) {
		global $wpdb;
		$now   = Rollcall_Settings::clock_ms();
		$found = array();
		foreach ( array_chunk( array_unique( array_map( 'intval', $ids ) ), 500 ) as $some ) {
			$marks = implode( ',', array_fill( 0, count( $some ), '%s' ) );
			$rows  = $wpdb->get_results( // phpcs:ignore WordPress.DB
				$wpdb->prepare( 'SELECT user_id, opened_ms FROM ' . Rollcall_Tables::outbox() . " WHERE state = 'open' AND subject IN ($marks)", self::subjects( $some ) ) // phpcs:ignore WordPress.DB
			);
			foreach ( $rows as $row ) {
				if ( $fresh === ( abs( $now - (int) $row->opened_ms ) <= self::FRESH_MS ) ) {
					$found[] = (int) $row->user_id;
				}
			}
		}
		return $found;
	}

	/**
	 * Writes rows for many accounts; a row that is there keeps its state and actor, at a higher revision; where
	 * the actor's deeds stay here, the new one counts.
	 *
	 * @param int[]    $ids   WordPress user ids.
	 * @param string   $state `open` or `ready`.
	 * @param array    $actor Actor.
	 * @param string   $kind  `create` or `update`.
	 * @param int|null $blog  Blog id.
	 */
	private static function put_many( array $ids, $state, array $actor, $kind = 'update', $blog = null ) {
		global $wpdb;
		$now   = Rollcall_Settings::clock_ms();
		$at    = Rollcall_Settings::now_ms();
		$actor = wp_json_encode( (object) $actor );
		$owner = 'open' === $state ? self::owner() : '';
		$blog  = null === $blog ? get_current_blog_id() : $blog;
		$again = 'open' === $state ? ", gone = '', state = 'open', owner = VALUES(owner), opened_ms = VALUES(opened_ms)" : '';
		$leaves = $wpdb->prepare( ' ON DUPLICATE KEY UPDATE rev = rev + 1, at_ms = VALUES(at_ms), actor = CASE WHEN actor LIKE %s THEN VALUES(actor) ELSE actor END', self::STAYS ) . $again;
		foreach ( array_chunk( $ids, 100 ) as $some ) {
			$values = array();
			foreach ( $some as $id ) {
				$values[] = $wpdb->prepare( "(%s, %s, 1, %d, %d, %s, %s, %s, %d, %d, %d, %s, '')", 'u:' . $id, bin2hex( random_bytes( 8 ) ), $id, $blog, $kind, $state, $owner, $now, $now, $at, $actor );
			}
			self::written(
				'INSERT INTO ' . Rollcall_Tables::outbox() . ' (subject, id, rev, user_id, blog, kind, state, owner, queued_ms, opened_ms, at_ms, actor, gone) VALUES ' .
				implode( ', ', $values ) . "$leaves"
			);
		}
	}

	/**
	 * Writes what is kept of an account that may be gone.
	 *
	 * @param int    $id   WordPress user id.
	 * @param string $gone JSON, or nothing.
	 */
	private static function expect_delete_as( $id, $gone ) {
		global $wpdb;
		self::written( $wpdb->prepare( 'UPDATE ' . Rollcall_Tables::outbox() . ' SET gone = %s WHERE subject = %s', $gone, 'u:' . $id ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Subjects of accounts.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return string[]
	 */
	private static function subjects( array $ids ) {
		$subjects = array();
		foreach ( $ids as $id ) {
			$subjects[] = 'u:' . (int) $id;
		}
		return $subjects;
	}

	/**
	 * Writes.
	 *
	 * @param string $statement SQL.
	 * @throws RuntimeException When it failed. Without the statement: it holds logins.
	 * @return int Rows.
	 */
	private static function written( $statement ) {
		global $wpdb;
		$rows = $wpdb->query( $statement ); // phpcs:ignore WordPress.DB
		if ( false === $rows ) {
			throw new RuntimeException( 'The outbox can’t be written.' );
		}
		return (int) $rows;
	}

	/** This request's name. */
	private static function owner() {
		if ( '' === self::$owner ) {
			self::$owner = bin2hex( random_bytes( 8 ) );
		}
		return self::$owner;
	}
}
