<?php
/**
 * Says that an operation of a set must be done one by one: something about it is unusual.
 *
 * Does not: mean a fault. Nothing was written of the operation when this is thrown.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * A signal between the parts of the set-based apply.
 */
final class Rollcall_One_By_One extends RuntimeException {}
