/** Who a users table is: a copied database is not taken for the one that it was copied from. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StatusAnswerSchema } from '#contract/messages.ts';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import {
  applicationPassword,
  ask,
  basic,
  CONNECTOR,
  connect,
  connectedSite,
  HUB,
  parsed,
  write,
} from './connected-site.ts';
import { BEST } from './engines.ts';

const OTHER_HUB = { id: '99999999-9999-4999-8999-999999999999', term: 1, name: 'Other' };
const started: Site[] = [];
let original: Site;
beforeAll(async () => {
  original = await startSite({ ...BEST.options, name: 'original', connector: CONNECTOR });
  started.push(original);
  await activatePlugin(original);
});
afterAll(async () => {
  await Promise.all(started.map((site) => site.stop()));
});

async function copyOf(site: Site, name: string): Promise<Site> {
  const copy = await startSite({ name, from: await site.snapshot(), connector: CONNECTOR });
  started.push(copy);
  return copy;
}
/** What an administrator is told before a hub is bound. */
async function storeOf(site: Site): Promise<string> {
  const headers = basic(site.adminLogin, await applicationPassword(site, site.adminLogin));
  return parsed(StatusAnswerSchema, await ask(site, 'status', {}, { headers })).store;
}
const known = (site: Site): Promise<string> =>
  site.php(
    `global $wpdb; echo $wpdb->get_var( 'SELECT COUNT(*) FROM ' . Rollcall_Tables::accounts() ), ' ', $wpdb->get_var( 'SELECT COUNT(*) FROM ' . Rollcall_Tables::tombstones() );`,
  );

it('copies of an unbound database become stores of their own, and forget what was known of the original', async () => {
  const first = await connect(original);
  const hub = connectedSite(original, first.credential);
  await hub.one(write());
  await original.php(`Rollcall_Tombstones::put( '${write().uid}', array( 5, 3 ), 99, 'gone' );`);
  const store = await storeOf(original);
  await hub.post('disconnect', { hub: HUB });
  expect(await storeOf(original)).toBe(store);
  const before = await known(original);

  const [one, two] = [await copyOf(original, 'one'), await copyOf(original, 'two')];
  const told = [store, await storeOf(one), await storeOf(two)];
  expect(new Set(told).size).toBe(3);
  const connected = await connect(one, { hub: OTHER_HUB });
  // What the hub was told before it bound the site is what it is told afterwards.
  expect(connected.status.store).toBe(told[1]);
  expect((await connect(two)).status.store).toBe(told[2]);
  expect(await known(one)).toBe('0 1');
  expect((await connect(original)).status.store).toBe(store);
  expect(await known(original)).toBe(before);
});

it('while bound a database at another address keeps its id, and stays silent until a person has said', async () => {
  const moved = await copyOf(original, 'moved');
  const store = await storeOf(original);
  const headers = basic(moved.adminLogin, await applicationPassword(moved, moved.adminLogin));
  const status = parsed(StatusAnswerSchema, await ask(moved, 'status', {}, { headers }));
  expect([status.store, status.bound?.home_matches]).toEqual([store, false]);
  expect(status.warnings.map(({ code }) => code)).toEqual(['installation.moved']);
  await moved.php('Rollcall_Address::say_moved();');
  // Connected once more it stands where it stands.
  const again = await connect(moved);
  expect([again.status.store, again.status.warnings]).toEqual([store, []]);
});

it('two sites over one users table stay one store, whatever they call their database', async () => {
  // The other site: not bound itself, with another name for the server in its wp-config.php.
  const seen = await original.php(`
    $mine = Rollcall_Store::id();
    $kept = Rollcall_Facts::get( 'store_origin' );
    Rollcall_Facts::set( 'store_origin', '{"place":"elsewhere","server":"x"}' );
    delete_site_option( 'rollcall_settings' );
    ( function () { self::$all = null; } )->bindTo( null, 'Rollcall_Settings' )();
    Rollcall_Store::settle_in();
    echo Rollcall_Settings::is_bound() ? 'bound ' : 'unbound ', Rollcall_Store::id() === $mine ? 'same' : 'another';`);
  expect(seen).toBe('unbound same');
});
