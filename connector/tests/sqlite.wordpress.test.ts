/** SQLite, which the lab's own sites and some hosts run on: a small test, everything else is proven on MariaDB. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type ConnectedSite,
  countsWhile,
  erase,
  fields,
  GOOD_HASH,
  GOOD_PASSWORD,
  HERE,
  newcomers,
  past,
  resultsOf,
  signsIn,
  startConnectedSite,
  write,
} from './connected-site.ts';
import { SQLITE } from './engines.ts';

let hub: ConnectedSite;
beforeAll(async () => {
  hub = await startConnectedSite('sqlite', SQLITE);
});
afterAll(async () => {
  await hub?.stop();
});

it('creates, merges, captures and deletes', async () => {
  const operation = write({
    login: 'anna',
    fields: fields(
      {
        email: 'anna@example.com',
        first_name: 'Änna',
        password: GOOD_HASH,
        'meta:tags': ['a', ['b']],
        'role:author': true,
      },
      past(50),
    ),
  });
  const { id = 0, result } = await hub.one(operation);
  expect(result).toBe('created');
  expect((await hub.one(operation)).result).toBe('unchanged');
  expect(await signsIn(hub.site, 'anna', GOOD_PASSWORD)).toBe('yes');
  await hub.site.php(`wp_update_user( array( 'ID' => ${id}, 'first_name' => 'Here' ) );`);
  const { rows } = await hub.changes();
  expect(rows).toMatchObject([
    { kind: 'update', account: { id, fields: { first_name: { v: 'Here' } } } },
  ]);
  expect(rows[0]?.account?.fields?.['first_name']?.s[1]).toBe(HERE);
  expect((await hub.changes(rows.map(({ row, rev }) => [row, rev] as const))).rows).toEqual([]);
  const late = write({
    uid: operation.uid,
    id,
    create: null,
    fields: fields({ first_name: 'Late', 'meta:tags': [] }, past(40)),
  });
  expect(resultsOf(await hub.one(late))).toEqual({ first_name: 'kept', 'meta:tags': 'applied' });
  expect((await hub.one(erase({ uid: operation.uid, id }))).result).toBe('deleted');
  expect((await hub.one(operation)).reason).toBe('identity.deleted');
});

it('writes a large batch as a set', async () => {
  const operations = newcomers(25, 'many');
  const counts = await countsWhile(hub, () => hub.apply(operations));
  // A small set first, to learn how long they take; one by one it would be 25.
  expect(new Set(counts).size).toBeLessThanOrEqual(5);
  const { receipts } = await hub.apply(operations);
  expect(new Set(receipts.map(({ result }) => result))).toEqual(new Set(['unchanged']));
  const change = operations.map((operation) => ({
    ...operation,
    create: null,
    fields: fields(
      { last_name: 'Set', 'meta:tags': ["it's", 'b\\"'], 'role:author': false },
      past(30),
    ),
  }));
  const changed = await hub.apply(change);
  expect(new Set(changed.receipts.map(({ result }) => result))).toEqual(new Set(['updated']));
  expect((await hub.account(changed.receipts[7]?.id ?? 0)).fields?.['meta:tags']?.v).toEqual([
    "it's",
    'b\\"',
  ]);
});

it('takes a copy of its file at another address for another store', async () => {
  const seen = await hub.site.php(`
    $here = Rollcall_Store::origin();
    $home = get_option( 'home' );
    update_option( 'home', 'http://copy.test' );
    echo Rollcall_Store::origin() === $here ? 'same' : 'another';
    update_option( 'home', $home );
    echo Rollcall_Store::origin() === $here ? ' same' : ' another';`);
  expect(seen).toBe('another same');
});

it('leaves no notice of PHP behind', async () => {
  expect(await hub.site.debugLog()).toBe('');
});
