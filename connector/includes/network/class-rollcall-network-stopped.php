<?php
/**
 * Says that a run is no longer this turn's: somebody paused or cancelled it, or took it over.
 *
 * Does not: mean a fault. What the turn's last chunk wrote was rolled back when this is thrown.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * A signal inside a turn.
 */
final class Rollcall_Network_Stopped extends RuntimeException {}
