<?php
/**
 * Removes everything the connector stored. No user is touched but the hub's own service account. What lies beside
 * the users table stays while another installation over the same one needs it.
 *
 * @package Rollcall_Connector
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/includes/autoload.php';

if ( class_exists( 'Rollcall_Service_Account' ) && method_exists( 'Rollcall_Service_Account', 'remove' ) ) {
	Rollcall_Service_Account::remove();
}
if ( ! Rollcall_Neighbours::another_is_bound() ) {
	// An apply that was killed may have left it behind.
	delete_metadata( 'user', 0, Rollcall_Account_Creator::MARKER, '', true );
	delete_metadata( 'user', 0, Rollcall_Table_Marks::KEY, '', true );
	Rollcall_Proof_Store::forget_all();
	Rollcall_Tables::drop();
}
Rollcall_Network_Tables::drop();
Rollcall_Network_Settings::erase();
Rollcall_Settings::erase();
Rollcall_Consent::forget();
Rollcall_Erasure_Run::forget();
delete_site_option( 'rollcall_tables_version' );
