/** What WordPress itself holds of everybody on a site, so that two sites can be compared field by field. */
import type { Site } from '#lab/start-site.ts';

export interface Held {
  readonly email: string;
  readonly displayName: string;
  readonly url: string;
  readonly hash: string;
  readonly registered: string;
  readonly roles: readonly string[];
  /** What routes carry of usermeta; a key without a row is missing. */
  readonly meta: Readonly<Record<string, readonly string[]>>;
}

/**
 * By login, without administrators and the hub's own account. Rows are read past every cache; a login that
 * two accounts have is an error.
 */
export async function accountsOf(site: Site): Promise<Readonly<Record<string, Held>>> {
  return JSON.parse(
    await site.php(`global $wpdb; $all = array();
      foreach ( $wpdb->get_results( "SELECT * FROM $wpdb->users ORDER BY user_login" ) as $row ) {
        clean_user_cache( (int) $row->ID );
        $user = new WP_User( (int) $row->ID );
        if ( $user->has_cap( 'manage_options' ) || $user->has_cap( 'rollcall_hub' ) ) { continue; }
        if ( isset( $all[ $row->user_login ] ) ) { throw new Exception( "two are $row->user_login" ); }
        $meta = array();
        foreach ( array( 'first_name', 'last_name', 'nickname', 'description', 'locale', 'phone', 'rollcall_creating' ) as $key ) {
          $rows = $wpdb->get_col( $wpdb->prepare( "SELECT meta_value FROM $wpdb->usermeta WHERE user_id = %d AND meta_key = %s", $row->ID, $key ) );
          if ( $rows ) { $meta[ $key ] = $rows; }
        }
        $all[ $row->user_login ] = array( 'email' => $row->user_email, 'displayName' => $row->display_name,
          'url' => $row->user_url, 'hash' => $row->user_pass, 'registered' => $row->user_registered,
          'roles' => array_values( $user->roles ), 'meta' => $meta );
      }
      echo wp_json_encode( (object) $all );`),
  );
}
