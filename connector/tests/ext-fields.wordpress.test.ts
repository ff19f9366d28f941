/** Fields of other plugins, as a hub applies and reads them: one by one, in sets, in rehearsals. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type StatusAnswer, StatusAnswerSchema } from '#contract/messages.ts';
import {
  type ConnectedSite,
  fields,
  HERE,
  HUB,
  newcomers,
  parsed,
  past,
  resultsOf,
  startConnectedSite,
  THERE,
  write,
} from './connected-site.ts';

const PLUGIN = `<?php
add_action( 'plugins_loaded', function () {
	foreach ( array( 'points', 'grade', 'unasked' ) as $field ) {
		rollcall_register_field( $field, array(
			'read'  => function ( $id ) use ( $field ) {
				if ( 'die' === get_option( 'test_read' ) ) { exit; }
				if ( 'gone' === get_option( 'test_read' ) ) { return new WP_Error( 'no', 'secret text' ); }
				if ( 'object' === get_option( 'test_read' ) ) { return (object) array( 'a' => 1 ); }
				$all = get_option( "test_$field", array() );
				return isset( $all[ $id ] ) ? $all[ $id ] : null;
			},
			'apply' => function ( $id, $value ) use ( $field ) {
				update_option( 'test_applied', 1 + (int) get_option( 'test_applied' ), false );
				if ( 'grade' === $field && 'Z' === $value ) { return new WP_Error( 'no', 'secret text' ); }
				$all        = get_option( "test_$field", array() );
				$all[ $id ] = is_string( $value ) ? strtoupper( $value ) : $value;
				update_option( "test_$field", $all, false );
			},
		) );
	}
	add_action( 'user_register', function ( $id ) {
		$all = get_option( 'test_grade', array() );
		update_option( 'test_grade', array( $id => 'NEW' ) + $all, false );
	} );
} );
`;

let hub: ConnectedSite;
beforeAll(async () => {
  hub = await startConnectedSite('ext-fields');
  await writeFile(join(hub.site.dir, 'wp-content/mu-plugins/fields.php'), PLUGIN);
  await hub.post('settings', {
    hub: HUB,
    ext: ['points', 'grade', 'ext:points', 'No name', 'far'],
  });
});
afterAll(() => hub?.stop());

const extOf = async (id: number) =>
  Object.fromEntries(
    Object.entries((await hub.account(id)).fields ?? {}).filter(([name]) =>
      name.startsWith('ext:'),
    ),
  );
const applied = async () => Number(await hub.site.php("echo (int) get_option( 'test_applied' );"));

it('status names what is registered, and no name that is none is taken', async () => {
  const status: StatusAnswer = parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB }));
  expect(status.ext).toEqual(['points', 'grade', 'unasked']);
  const bad = await hub.site.php(
    `foreach ( array( 'A', '', 'a b', array(), str_repeat( 'x', 61 ) ) as $name ) { echo rollcall_register_field( $name, array( 'read' => 'time', 'apply' => 'time' ) ) ? 'y' : 'n'; }
     echo rollcall_register_field( 'half', array( 'read' => 'time' ) ) ? 'y' : 'n';`,
  );
  expect(bad).toContain('nnnnnn');
});

it('a rehearsal tells what the run does, and asks no plugin to write', async () => {
  const operation = write({
    fields: fields(
      { email: 'ann@new.test', 'ext:points': 5, 'ext:far': 1, 'ext:unasked': 1 },
      past(9),
    ),
  });
  const rehearsed = await hub.one(operation, true);
  expect(await applied()).toBe(0);
  const receipt = await hub.one(operation);
  const results = {
    email: 'applied',
    'ext:points': 'applied',
    'ext:far': 'field.unknown',
    'ext:unasked': 'field.not_watched',
  };
  expect(resultsOf(rehearsed)).toEqual(results);
  expect(resultsOf(receipt)).toEqual(results);
  const id = receipt.id ?? 0;
  expect((await extOf(id))['ext:points']).toEqual(operation.fields['ext:points']);
  // Nothing more happens when it comes again, and an older value loses.
  expect(resultsOf(await hub.one({ ...operation, id }))['ext:points']).toBe('same');
  const older = { ...operation, id, fields: fields({ 'ext:points': 1 }, past(99)) };
  expect(resultsOf(await hub.one(older, true))).toEqual({ 'ext:points': 'kept' });
  expect(resultsOf(await hub.one(older))).toEqual({ 'ext:points': 'kept' });
  expect(await applied()).toBe(1);
});

it('what a plugin alters is told so once; what it refuses, or can’t say, is held back', async () => {
  const operation = write({ fields: fields({ email: 'bo@new.test', 'ext:grade': 'b' }, past(9)) });
  const receipt = await hub.one(operation);
  expect([receipt.result, resultsOf(receipt)['ext:grade']]).toEqual(['created', 'altered']);
  const id = receipt.id ?? 0;
  const held = { v: 'B', s: operation.fields['ext:grade']?.s };
  expect((await extOf(id))['ext:grade']).toEqual(held);
  const next = (value: string) => ({
    ...operation,
    id,
    fields: fields({ 'ext:grade': value, first_name: value }, past(5)),
  });
  const refused = await hub.one(next('Z'));
  expect(resultsOf(refused)).toEqual({ 'ext:grade': 'field.failed', first_name: 'applied' });
  expect((await extOf(id))['ext:grade']).toEqual(held);
  for (const [mode, why] of [
    ['gone', 'field.failed'],
    ['object', 'value.object'],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop
    await hub.option('test_read', mode);
    // oxlint-disable-next-line no-await-in-loop
    expect(resultsOf(await hub.one(next('Y')))['ext:grade']).toBe('field.failed');
    // oxlint-disable-next-line no-await-in-loop
    const { unreadable, fields: told } = await hub.account(id);
    expect(unreadable).toEqual({ 'ext:points': why, 'ext:grade': why });
    expect(Object.keys(told ?? {}).filter((name) => name.startsWith('ext:'))).toEqual([]);
  }
  await hub.option('test_read', '');
  expect(JSON.stringify(await hub.changes())).not.toContain('secret');
});

it('in a large batch those with such a field get it, and what a listener gave is this site’s own', async () => {
  const operations = newcomers(30, 'set').map((operation, i) =>
    i % 3 === 0
      ? { ...operation, fields: { ...operation.fields, ...fields({ 'ext:points': i }, past(60)) } }
      : operation,
  );
  const { receipts, done } = await hub.apply(operations);
  expect([done, new Set(receipts.map(({ result }) => result))]).toEqual([30, new Set(['created'])]);
  const ids = receipts.map(({ id }) => id ?? 0);
  expect((await extOf(ids[3] ?? 0))['ext:points']).toEqual({
    v: 3,
    s: operations[3]?.fields['ext:points']?.s,
  });
  for (const id of [ids[3], ids[4]]) {
    // oxlint-disable-next-line no-await-in-loop
    const { 'ext:grade': grade, 'ext:points': points } = await extOf(id ?? 0);
    expect(grade).toEqual({ v: 'NEW', s: [0, HERE] });
    expect(points?.s[1]).toBe(id === ids[3] ? THERE : HERE);
  }
  const before = await hub.changes();
  expect(before.rows.filter(({ account }) => account?.login.startsWith('set') === true)).toEqual(
    [],
  );
  expect(before.outside).toBeNull();
});

it('a change is found without a word, and told from what was there by a word', async () => {
  const receipt = await hub.one(write({ fields: fields({ email: 'cy@new.test' }, past(9)) }));
  const id = receipt.id ?? 0;
  const set = (points: number) =>
    `update_option( 'test_points', array( ${id} => ${points} ) + get_option( 'test_points', array() ), false );`;
  // Nobody has looked at the account before: the word makes a change of it.
  await hub.site.php(`${set(4)} rollcall_mark_changed( ${id}, 'ext:points' );`);
  const [row] = (await hub.changes()).rows.filter(({ account }) => account?.id === id);
  const first = row?.account?.fields?.['ext:points'];
  expect([first?.v, first?.s[1]]).toEqual([4, HERE]);
  expect(first?.s[0]).toBeGreaterThan(past(60));
  await hub.site.php(set(6));
  const second = (await extOf(id))['ext:points'];
  expect(second?.v).toBe(6);
  expect(second?.s[0]).toBeGreaterThan(first?.s[0] ?? 0);
  await hub.site.php(`rollcall_mark_changed( ${id} );`);
  expect((await extOf(id))['ext:points']).toEqual(second);
});

it('T150: a callback that ends PHP takes one request with it, and is left out from then on', async () => {
  const { id = 0 } = await hub.one(write({ fields: fields({ email: 'di@new.test' }, past(9)) }));
  await hub.option('test_read', 'die');
  // The visitor has the answer, and the row stays open.
  const edit = `wp_update_user( array( 'ID' => ${id}, 'first_name' => 'Dina' ) ); echo 'saved';`;
  expect(await hub.site.php(edit)).toBe('saved');
  await hub.site.php(
    "$GLOBALS['wpdb']->query( 'UPDATE ' . Rollcall_Tables::outbox() . ' SET opened_ms = opened_ms - 60000' );",
  );
  await expect(hub.changes()).rejects.toThrow('no JSON');
  await hub.changes().catch(() => undefined);
  const [row] = (await hub.changes()).rows.filter(({ account }) => account?.id === id);
  expect(row?.account).toMatchObject({
    fields: { first_name: { v: 'Dina' } },
    unreadable: { 'ext:points': 'field.failed' },
  });
  const status: StatusAnswer = parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB }));
  expect(status.warnings.map(({ code }) => code)).toContain('field.failed');
});
