/**
 * Somebody saves an account while an apply is at work on it: between its reading and its writing, in the last moment,
 * and in a transaction that lasts. Whatever the order, what the person saved stays, and leaves the site.
 */
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Receipt, WriteOperation } from '#contract/messages.ts';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { startSite } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import {
  CONNECTOR,
  type ConnectedSite,
  connect,
  connectedSite,
  fields,
  HERE,
  past,
  resultsOf,
  write,
} from './connected-site.ts';
import { BEST, SQLITE } from './engines.ts';

const LIMIT_MS = 60_000;
/** One more than are done one by one. */
const MANY = 26;
/** Of the second set: the first is a small one. */
const ONE_OF_MANY = 13;

const MEANWHILE = `<?php
// Somebody saves in this very request, or another one is let through, once an apply has read an account.
$saved = (int) get_option( 'saved_since' );
$gate  = 'cli' === PHP_SAPI ? 0 : (int) get_option( 'gate_since' );
if ( $saved || $gate ) {
	add_filter( 'query', function ( $query ) use ( &$saved, &$gate ) {
		static $read = false;
		if ( $read && $saved ) {
			$id    = $saved;
			$saved = 0;
			update_user_meta( $id, 'nickname', 'Theirs' );
			Rollcall_Capture::settle_now();
		} elseif ( $read && $gate ) {
			$gate = 0;
			touch( WP_CONTENT_DIR . '/gate' );
			lab_until( function () { return file_exists( WP_CONTENT_DIR . '/saved' ); } );
		}
		$read = $read || ( $saved && 0 === strpos( $query, 'SELECT user_id, id, opened_ms' ) )
			|| ( $gate && preg_match( "/rollcall_accounts WHERE user_id IN.*\\b$gate\\b/", $query ) );
		return $query;
	} );
}
function lab_until( $holds ) {
	for ( $i = 0; $i < 1500 && ! $holds(); $i++ ) {
		usleep( 10000 );
		clearstatcache();
	}
}
add_action( 'rollcall_before_apply', function ( $operation, $id ) {
	if ( (string) $id !== get_option( 'gate_at' ) ) { return; }
	touch( WP_CONTENT_DIR . '/gate' );
	// Until the person waits, or has saved.
	lab_until( function () {
		global $wpdb;
		return file_exists( WP_CONTENT_DIR . '/saved' ) || $wpdb->get_var( "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User lock'" );
	} );
}, 10, 2 );`;

let hub: ConnectedSite;
let people: readonly WriteOperation[];
let ids: readonly number[];

const file = (name: string): string => join(hub.site.dir, 'wp-content', name);
const idOf = (place: number): number => ids[place] ?? 0;
const nicknames = async (): Promise<string[]> =>
  JSON.parse(
    await hub.site.php(`echo wp_json_encode( array_map( function ( $id ) {
      return get_user_meta( $id, 'nickname', true ); }, array( ${ids.join(', ')} ) ) );`),
  );
/** What the site has to tell, told. */
async function told(): Promise<Map<number, unknown>> {
  const { rows } = await hub.changes();
  await hub.changes(rows.map(({ row, rev }) => [row, rev]));
  return new Map(
    rows.map(({ account }) => [account?.id ?? 0, account?.fields?.['nickname']] as const),
  );
}
const arriving = (nickname: string, places: readonly number[]): WriteOperation[] =>
  places.flatMap((place) => {
    const person = people[place];
    if (person === undefined) return [];
    const { uid } = person;
    return [write({ uid, id: idOf(place), create: null, fields: fields({ nickname }, past(5)) })];
  });
const everybody = Array.from({ length: MANY }, (_, place) => place);
const THEIRS = { v: 'Theirs', s: [expect.any(Number), HERE] };

beforeAll(async () => {
  const site = await startSite({
    ...BEST.options,
    name: 'meanwhile',
    connector: CONNECTOR,
    muPlugins: { 'meanwhile.php': MEANWHILE },
  });
  await activatePlugin(site);
  hub = connectedSite(site, (await connect(site)).credential);
  people = everybody.map((i) =>
    write({ fields: fields({ email: `m${i}@new.test`, nickname: 'Old' }, past(60)) }),
  );
  ids = (await hub.apply(people)).receipts.map(({ id }) => id ?? 0);
  await told();
});
afterAll(() => hub?.stop());

async function again(): Promise<void> {
  for (const name of ['gate', 'saved', 'looked']) await rm(file(name), { force: true });
  await hub.site.php(`foreach ( array( ${ids.join(', ')} ) as $id ) {
    update_user_meta( $id, 'nickname', 'Old' ); }
    Rollcall_Capture::settle_now();
    foreach ( array( ${ids.join(', ')} ) as $id ) {
      Rollcall_Ledger::record( $id, array( 'nickname' => array( ${past(60)}, 3, 'Old' ) ) ); }`);
  await told();
}

const result = ({ result: is, reason }: Receipt): string => reason ?? is;

describe('between the reading and the writing of an apply', () => {
  test('T211: what somebody saves is not written over by a single one, which comes again', async () => {
    await hub.option('saved_since', String(idOf(0)));
    const [operation] = arriving('Arrived', [0]);
    if (operation === undefined) throw new Error('no operation');
    expect(result(await hub.one(operation))).toBe('account.busy');
    await hub.option('saved_since', '');
    expect(resultsOf(await hub.one(operation))).toEqual({ nickname: 'kept' });
    expect((await nicknames())[0]).toBe('Theirs');
    expect((await told()).get(idOf(0))).toEqual(THEIRS);
  });
});

describe.skipIf(BEST === SQLITE)('in a request beside an apply', () => {
  const save = (id: number) => `update_user_meta( ${id}, 'nickname', 'Theirs' );`;
  const saveAtGate = (id: number) =>
    hub.site.php(`lab_until( function () { return file_exists( WP_CONTENT_DIR . '/gate' ); } );
      ${save(id)} Rollcall_Capture::settle_now(); touch( WP_CONTENT_DIR . '/saved' );`);

  test('T211: what is saved after a second of waiting is not written over by a set: it is read once more', async () => {
    const id = idOf(ONE_OF_MANY);
    await again();
    await hub.option('gate_since', String(id));
    const operations = arriving('Arrived', everybody);
    const [{ receipts }] = await Promise.all([hub.apply(operations), saveAtGate(id)]);
    await hub.option('gate_since', '');
    const at = (is: string, other: string) => (place: number) =>
      place === ONE_OF_MANY ? is : other;
    expect(receipts.map((one) => resultsOf(one)['nickname'])).toEqual(
      everybody.map(at('kept', 'applied')),
    );
    expect(await nicknames()).toEqual(everybody.map(at('Theirs', 'Arrived')));
    expect((await told()).get(id)).toEqual(THEIRS);
  });

  test.each([
    ['a single one', [0], 0],
    ['a set', everybody, ONE_OF_MANY],
  ])(
    'T212: who saves after the last look of %s waits for its end, and what is saved stays',
    async (_, places, at) => {
      await again();
      await hub.option('gate_at', String(idOf(at)));
      const [{ receipts }] = await Promise.all([
        hub.apply(arriving('Arrived', places)),
        saveAtGate(idOf(at)),
      ]);
      await hub.option('gate_at', '');
      expect(existsSync(file('gate'))).toBe(true);
      expect(new Set(receipts.map((one) => resultsOf(one)['nickname']))).toEqual(
        new Set(['applied']),
      );
      const now = await nicknames();
      for (const place of places) expect(now[place]).toBe(place === at ? 'Theirs' : 'Arrived');
      expect((await told()).get(idOf(at))).toEqual(THEIRS);
    },
  );

  test.each([
    ['a single one', [0], 0],
    ['a set', everybody, ONE_OF_MANY],
  ])(
    'T213: what a plugin saves in a transaction that lasts is seen by %s, which does not wait',
    async (_, places, at) => {
      await again();
      const person = hub.site.php(`global $wpdb;
        $wpdb->query( 'START TRANSACTION' );
        ${save(idOf(at))}
        touch( WP_CONTENT_DIR . '/gate' );
        lab_until( function () { return file_exists( WP_CONTENT_DIR . '/looked' ); } );
        $wpdb->query( 'COMMIT' );`);
      await waitUntil(async () => existsSync(file('gate')), LIMIT_MS);
      const operations = arriving('Arrived', places);
      const { receipts } = await hub.apply(operations);
      expect(receipts.map(result)).toEqual(
        places.map((place) => (place === at ? 'account.busy' : 'updated')),
      );
      await writeFile(file('looked'), '');
      await person;
      const { receipts: later } = await hub.apply(operations);
      expect(
        later.flatMap(({ fields: of }) => of?.['nickname'] ?? []).at(places.indexOf(at)),
      ).toMatchObject({ r: 'kept' });
      expect((await nicknames())[at]).toBe('Theirs');
      expect((await told()).get(idOf(at))).toEqual(THEIRS);
    },
  );
});
