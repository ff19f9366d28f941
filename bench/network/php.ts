/** What is done on the site itself, in PHP. */

/** Accounts by SQL: making them is not what is measured. Sites as WordPress makes them. */
export const PEOPLE_AND_SITES = `global $wpdb;
  for ( $i = 1; $i < $sites; $i++ ) {
    $id = wp_insert_site( array( 'domain' => get_network()->domain, 'path' => get_network()->path . "s$i/", 'title' => "S$i", 'user_id' => 1 ) );
    if ( is_wp_error( $id ) ) { throw new Exception( $id->get_error_message() ); }
  }
  for ( $from = 1; $from <= $accounts; $from += 500 ) {
    $rows = array();
    for ( $i = $from; $i < min( $from + 500, $accounts + 1 ); $i++ ) {
      $rows[] = "( 'p$i', 'x', 'p$i', 'p$i@people.test', '2020-01-02 03:04:05', 'Person $i' )";
    }
    $wpdb->query( "INSERT INTO $wpdb->users ( user_login, user_pass, user_nicename, user_email, user_registered, display_name ) VALUES " . implode( ',', $rows ) );
  }
  $rest = array();
  foreach ( array( 'first_name', 'last_name', 'nickname', 'description', 'locale' ) as $key ) {
    $wpdb->query( "INSERT INTO $wpdb->usermeta ( user_id, meta_key, meta_value ) SELECT ID, '$key', display_name FROM $wpdb->users WHERE user_login LIKE 'p%'" );
  }`;

/** Seconds that WordPress takes by itself. */
export const coreLoop = (sites: number): string => `global $wpdb;
  $ids   = array_map( 'intval', $wpdb->get_col( "SELECT ID FROM $wpdb->users WHERE user_login LIKE 'p%' ORDER BY ID" ) );
  $began = microtime( true );
  for ( $blog = 1; $blog <= ${sites}; $blog++ ) {
    foreach ( $ids as $id ) { add_user_to_blog( $blog, $id, get_blog_option( $blog, 'default_role' ) ); }
  }
  echo wp_json_encode( microtime( true ) - $began );`;

/** What rows there are of memberships, as one sum. */
export const MEMBERSHIPS = `global $wpdb;
  $wpdb->query( 'SET SESSION group_concat_max_len = 100000000' );
  echo md5( (string) $wpdb->get_var( "SELECT GROUP_CONCAT( CONCAT_WS( ' ', m.user_id, m.meta_key, m.meta_value ) ORDER BY m.user_id, m.meta_key SEPARATOR '|' ) FROM $wpdb->usermeta m JOIN $wpdb->users u ON u.ID = m.user_id AND u.user_login LIKE 'p%' WHERE m.meta_key LIKE '%capabilities' OR m.meta_key LIKE '%user\\\\_level' OR m.meta_key IN ( 'primary_blog', 'source_domain' )" ) );`;

export const TAKE_AWAY = `global $wpdb;
  $wpdb->query( "DELETE m FROM $wpdb->usermeta m JOIN $wpdb->users u ON u.ID = m.user_id AND u.user_login LIKE 'p%' WHERE m.meta_key LIKE '%capabilities' OR m.meta_key LIKE '%user\\\\_level' OR m.meta_key IN ( 'primary_blog', 'source_domain' )" );
  wp_cache_flush();`;
