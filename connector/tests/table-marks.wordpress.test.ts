/** The numbers that show whether the tables of users went back by themselves. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ConnectedSite, startConnectedSite } from './connected-site.ts';

let hub: ConnectedSite;
beforeAll(async () => {
  hub = await startConnectedSite('table-marks');
});
afterAll(async () => {
  await hub?.stop();
});

const wentBack = async (): Promise<boolean> =>
  (await hub.site.php('echo Rollcall_Table_Marks::went_back() ? "yes" : "no";')).trim() === 'yes';

it('two requests that raise the number at once raise no alarm', async () => {
  await hub.site.php('Rollcall_Table_Marks::renew();');
  // The other one has written the first table when this one reads, and writes the second before this one does.
  await hub.site.php(`global $wpdb;
    $id     = Rollcall_Service_Account::id();
    $number = 'rollcall:' . ( Rollcall_Facts::counter( Rollcall_Table_Marks::FACT ) + 1 );
    $wpdb->update( $wpdb->users, array( 'user_activation_key' => $number ), array( 'ID' => $id ) );
    $other = static function ( $query ) use ( &$other, $wpdb, $id, $number ) {
      if ( false !== strpos( $query, 'UPDATE' ) && false !== strpos( $query, 'user_activation_key' ) ) {
        remove_filter( 'query', $other );
        $wpdb->update( $wpdb->usermeta, array( 'meta_value' => $number ), array( 'user_id' => $id, 'meta_key' => Rollcall_Table_Marks::KEY ) );
      }
      return $query;
    };
    add_filter( 'query', $other );
    Rollcall_Table_Marks::renew();`);
  expect(await wentBack()).toBe(false);
  await hub.site.php('Rollcall_Table_Marks::renew();');
  expect(await wentBack()).toBe(false);
});

it('one table that was put back raises it', async () => {
  await hub.site.php(
    `global $wpdb; $wpdb->update( $wpdb->usermeta, array( 'meta_value' => 'rollcall:1' ), array( 'meta_key' => Rollcall_Table_Marks::KEY ) );`,
  );
  expect(await wentBack()).toBe(true);
});
