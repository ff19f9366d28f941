/** Two requests that change settings at the same moment: an administrator's switch is not undone by the hub's clock. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ConnectedSite, startConnectedSite } from './connected-site.ts';

let hub: ConnectedSite;
beforeAll(async () => {
  hub = await startConnectedSite('settings-at-once');
});
afterAll(async () => {
  await hub?.stop();
});

/** Another request switches the site to read-only, and this one's caches know nothing of it. */
const ANOTHER_REQUEST = `$another = static function () {
  global $wpdb;
  $kept = maybe_unserialize( $wpdb->get_var( "SELECT option_value FROM {$wpdb->options} WHERE option_name = 'rollcall_settings'" ) );
  $kept['read_only'] = array( 1 => true );
  $kept['changed']   = uniqid();
  $wpdb->update( $wpdb->options, array( 'option_value' => serialize( $kept ) ), array( 'option_name' => 'rollcall_settings' ) );
};`;
const STORED = `echo wp_json_encode( array( Rollcall_Settings::read_only( 1 ), Rollcall_Settings::offset_ms() ) );`;

it('T931: keeps what another request has stored since this one began', async () => {
  const stored = await hub.site.php(`${ANOTHER_REQUEST}
    Rollcall_Site_Guard::set_read_only( 1, false );
    Rollcall_Settings::offset_ms();
    $another();
    Rollcall_Settings::update( array( 'offset_ms' => 41 ) );
    ${STORED}`);
  expect(JSON.parse(stored)).toEqual([true, 41]);
});

it('T931: keeps what another request stores between its reading and its writing', async () => {
  const stored = await hub.site.php(`${ANOTHER_REQUEST}
    Rollcall_Site_Guard::set_read_only( 1, false );
    $times   = 0;
    $between = static function ( $query ) use ( &$between, &$times, $another ) {
      if ( 0 === strpos( $query, 'UPDATE' ) && false !== strpos( $query, 'rollcall_settings' ) ) {
        remove_filter( 'query', $between );
        ++$times;
        $another();
      }
      return $query;
    };
    add_filter( 'query', $between );
    Rollcall_Settings::update( array( 'offset_ms' => 42 ) );
    if ( 1 !== $times ) { echo 'nobody came between'; }
    ${STORED}`);
  expect(JSON.parse(stored)).toEqual([true, 42]);
});

it('goes on where the row never holds still', async () => {
  const stored = await hub.site.php(`${ANOTHER_REQUEST}
    $always = static function ( $query ) use ( &$always, $another ) {
      if ( 0 === strpos( $query, 'UPDATE' ) && false !== strpos( $query, 'rollcall_settings' ) ) {
        remove_filter( 'query', $always );
        $another();
        add_filter( 'query', $always );
      }
      return $query;
    };
    add_filter( 'query', $always );
    Rollcall_Settings::update( array( 'offset_ms' => 43 ) );
    echo Rollcall_Settings::offset_ms();`);
  expect(stored).toBe('43');
});
