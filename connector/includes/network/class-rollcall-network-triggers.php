<?php
/**
 * What WordPress tells of accounts, sites and roles inside a network.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Triggers.
 */
final class Rollcall_Network_Triggers {

	/**
	 * How many pieces of our own work are running.
	 *
	 * @var int
	 */
	private static $writing = 0;

	/**
	 * Runs our own work: nothing in it is a trigger, a person's removal or a person's role; nothing is
	 * captured one by one, and no mail leaves. May be nested.
	 *
	 * @param callable $work      What to run.
	 * @param mixed    ...$values Its arguments.
	 * @return mixed What it gives.
	 */
	public static function while_writing( $work, ...$values ) {
		++self::$writing;
		try {
			return Rollcall_Mail_Block::during(
				static function () use ( $work, $values ) {
					return Rollcall_Capture::quiet(
						static function () use ( $work, $values ) {
							return call_user_func_array( $work, $values );
						}
					);
				}
			);
		} finally {
			--self::$writing;
		}
	}

	/**
	 * The settings of a network were changed.
	 *
	 * @param int   $network Network.
	 * @param array $before  As they were.
	 * @param array $now     As they are.
	 * @return void
	 */
	public static function settings_changed( $network, array $before, array $now ) {
	}
}
