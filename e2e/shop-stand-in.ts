/**
 * Two plugins of ours that stand for WooCommerce, which does not come with this project: what a shop does
 * with its customers, and nothing else of it.
 *
 * Does (read from WooCommerce 10: WC_Customer, WC_Customer_Data_Store, and the data store of the customers'
 *   report): setters per field of which `set_billing_email` refuses what is no address; `save()` writes the
 *   account through wp_update_user() and the changed addresses through update_user_meta(), then fires
 *   `woocommerce_update_customer`; the table `wc_customer_lookup` is written on that action, on
 *   `woocommerce_new_customer` and on `profile_update`, for accounts with the role `customer` alone.
 * Does not: stand for anything else of WooCommerce. A real shop has more listeners on the same actions.
 */

/** The role, and the table behind the report of customers, kept on the same actions as the real one. */
const REPORTS = `<?php
add_action( 'init', function () {
  get_role( 'customer' ) || add_role( 'customer', 'Customer', array( 'read' => true ) );
  global $wpdb;
  if ( ! get_option( 'stand_in_table' ) ) {
    $wpdb->query( "CREATE TABLE {$wpdb->prefix}wc_customer_lookup ( user_id bigint NOT NULL PRIMARY KEY, username varchar(60), first_name varchar(255), email varchar(100), city varchar(100), country char(2) )" );
    update_option( 'stand_in_table', '1' );
  }
}, 0 );
function stand_in_report( $id ) {
  global $wpdb;
  $user = new WP_User( $id );
  if ( ! in_array( 'customer', $user->roles, true ) ) { return; }
  $one = function ( $key ) use ( $id ) { return (string) get_user_meta( $id, $key, true ); };
  $wpdb->replace( "{$wpdb->prefix}wc_customer_lookup", array( 'user_id' => $id, 'username' => $user->user_login,
    'first_name' => $user->first_name ? $user->first_name : $one( 'billing_first_name' ), 'email' => $user->user_email,
    'city' => $one( 'billing_city' ), 'country' => $one( 'billing_country' ) ) );
}
foreach ( array( 'profile_update', 'woocommerce_new_customer', 'woocommerce_update_customer' ) as $action ) {
  add_action( $action, 'stand_in_report' );
}
`;

const CUSTOMER = `<?php
class WC_Data_Exception extends Exception {}
class WC_Customer {
  private $id;
  private $changes = array();
  public function __construct( $id = 0 ) { $this->id = get_userdata( (int) $id ) ? (int) $id : 0; }
  public function set_billing_email( $text ) {
    if ( $text && ! is_email( $text ) ) { throw new WC_Data_Exception( 'Invalid billing email address' ); }
    $this->changes['billing_email'] = sanitize_email( $text );
  }
  public function set_shipping_phone( $text ) { $this->changes['shipping_phone'] = $text; }
  public function __call( $name, $arguments ) { $this->changes[ substr( $name, 4 ) ] = $arguments[0]; }
  public function save() {
    $user = get_userdata( $this->id );
    wp_update_user( array( 'ID' => $this->id, 'user_email' => $user->user_email, 'display_name' => $user->display_name ) );
    foreach ( $this->changes as $key => $text ) { update_user_meta( $this->id, $key, $text ); }
    $this->changes = array();
    update_option( 'stand_in_saves', 1 + (int) get_option( 'stand_in_saves' ) );
    do_action( 'woocommerce_update_customer', $this->id, $this );
    return $this->id;
  }
}
`;

/** A shop, and one that keeps the report but has no WC_Customer. */
export const SHOP = { 'shop-reports.php': REPORTS, 'shop-customer.php': CUSTOMER };
export const OLD_SHOP = { 'shop-reports.php': REPORTS };
