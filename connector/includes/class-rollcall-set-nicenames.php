<?php
/**
 * Unique nicenames for a set, as wp_insert_user() would have found them one after the other.
 *
 * Does: asks for all wanted nicenames in one query, and for those that need a number in one more per round.
 * Always true: earlier jobs choose first. What is taken is what somebody with another login has.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Nicenames of a set.
 */
final class Rollcall_Set_Nicenames {

	/** Numbers that are looked up at once. */
	const AT_ONCE = 20;

	/**
	 * Nicenames that were looked up, lower-cased → login of somebody who has it, or ''.
	 *
	 * @var array
	 */
	private $holders = array();

	/**
	 * Nicenames that are given in this set, lower-cased → true.
	 *
	 * @var array
	 */
	private $given = array();

	/**
	 * Looks up what the jobs want.
	 *
	 * @param Rollcall_Set_Job[] $jobs Jobs whose rows are worked out.
	 */
	public function __construct( $jobs ) {
		$wanted = array();
		foreach ( $jobs as $job ) {
			if ( isset( $job->row['user_nicename'] ) ) {
				$wanted[] = $job->row['user_nicename'];
			}
		}
		$this->look_up( $wanted );
	}

	/**
	 * Gives a job that creates an account a nicename of its own.
	 *
	 * @param Rollcall_Set_Job $job The job.
	 * @return void
	 */
	public function give( $job ) {
		$base   = $job->row['user_nicename'];
		$chosen = $base;
		for ( $number = 2; $this->is_taken( $chosen, $job->row['user_login'] ); $number++ ) {
			if ( 2 === $number % self::AT_ONCE ) {
				$this->look_up( self::numbered( $base, range( $number, $number + self::AT_ONCE - 1 ) ) );
			}
			$chosen = self::numbered( $base, array( $number ) )[0];
		}
		$job->row['user_nicename']                  = $chosen;
		$this->given[ strtolower( (string) $chosen ) ] = true;
	}

	/**
	 * Does somebody else have the nicename that a job's account has already?
	 *
	 * @param Rollcall_Set_Job $job The job.
	 * @return bool
	 */
	public function clashes( $job ) {
		return $this->is_taken( $job->row['user_nicename'], $job->login() );
	}

	/**
	 * Is a nicename somebody else's?
	 *
	 * @param string $nicename Nicename.
	 * @param string $login    Who wants it.
	 * @return bool
	 */
	private function is_taken( $nicename, $login ) {
		$key     = strtolower( (string) $nicename );
		$holders = isset( $this->holders[ $key ] ) ? $this->holders[ $key ] : array();
		unset( $holders[ strtolower( $login ) ] );
		return isset( $this->given[ $key ] ) || $holders;
	}

	/**
	 * A nicename with numbers, as core puts them.
	 *
	 * @param string $base    Nicename.
	 * @param int[]  $numbers Numbers.
	 * @return string[]
	 */
	private static function numbered( $base, $numbers ) {
		$names = array();
		foreach ( $numbers as $number ) {
			$names[] = mb_substr( $base, 0, 49 - mb_strlen( (string) $number ) ) . '-' . $number;
		}
		return $names;
	}

	/**
	 * Finds out who has some nicenames.
	 *
	 * @param string[] $nicenames Nicenames.
	 * @return void
	 */
	private function look_up( $nicenames ) {
		global $wpdb;
		foreach ( array_chunk( array_unique( $nicenames ), 500 ) as $some ) {
			$marks = implode( ',', array_fill( 0, count( $some ), '%s' ) );
			foreach ( $wpdb->get_results( $wpdb->prepare( "SELECT user_nicename, user_login FROM {$wpdb->users} WHERE user_nicename IN ($marks)", $some ) ) as $row ) { // phpcs:ignore WordPress.DB
				$this->holders[ strtolower( $row->user_nicename ) ][ strtolower( $row->user_login ) ] = true;
			}
		}
	}
}
