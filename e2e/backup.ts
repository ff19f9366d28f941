/**
 * A backup as hosts and plugins make it: every row of some tables, put back later as it was.
 *
 * Always true: putting it back lets the next ids be those that follow the restored rows, as a dump
 * that is loaded again does.
 */
import type { Site } from '#lab/start-site.ts';

/** `accounts`: the tables of users and usermeta alone; `all`: everything, Rollcall's own included. */
export type Extent = 'all' | 'accounts';

const TABLES = `global $wpdb;
  $wanted = 'accounts' === $extent
    ? array( $wpdb->users, $wpdb->usermeta )
    : $wpdb->get_col( "SHOW TABLES LIKE '" . $wpdb->esc_like( $wpdb->base_prefix ) . "%'" );
  $file = WP_CONTENT_DIR . "/backup-$extent.txt";`;

export async function backUp(site: Site, extent: Extent): Promise<void> {
  await site.php(`$extent = '${extent}'; ${TABLES}
    $rows = array();
    foreach ( $wanted as $table ) { $rows[ $table ] = $wpdb->get_results( "SELECT * FROM $table", ARRAY_A ); }
    file_put_contents( $file, serialize( $rows ) );`);
}

export async function putBack(site: Site, extent: Extent): Promise<void> {
  const left = await site.php(`$extent = '${extent}'; ${TABLES}
    $left = 0;
    foreach ( unserialize( file_get_contents( $file ) ) as $table => $rows ) {
      $wpdb->query( "TRUNCATE TABLE $table" );
      foreach ( $rows as $row ) { $left += false === $wpdb->insert( $table, $row ) ? 1 : 0; }
    }
    wp_cache_flush();
    echo $left;`);
  if (left !== '0') throw new Error(`${left} rows were not put back`);
}
