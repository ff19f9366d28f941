/**
 * A host that gives little: 64 MB, ten seconds for a request, PHP without what one may do without. Every page and
 * every batch ends by itself, says where, and the next one goes on there.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AccountsAnswer,
  AccountsAnswerSchema,
  type ApplyAnswer,
  StatusAnswerSchema,
} from '#contract/messages.ts';
import { nativeMissing } from '#lab/start-site.ts';
import {
  type ConnectedSite,
  fault,
  fields,
  HUB,
  parsed,
  past,
  startConnectedSite,
  write,
} from './connected-site.ts';

const missing = nativeMissing();
if (missing !== null) console.warn(`Limits of PHP-FPM need native sites: ${missing}`);

/** What hosts switch off, of what the connector or WordPress would like to use. */
const SWITCHED_OFF =
  'set_time_limit,ignore_user_abort,gzdecode,gzencode,error_log,php_uname,ini_get_all,exec,proc_open';
const POOR = {
  name: 'a poor host',
  options: {
    engine: 'native',
    host: {
      php: {
        settings: {
          memory_limit: '64M',
          max_execution_time: '10',
          disable_functions: SWITCHED_OFF,
        },
        pool: { request_terminate_timeout: '10s' },
        without: ['mbstring', 'intl'],
      },
    },
  },
} as const;
const SLOW = `<?php
add_action( 'user_register', function () {
	usleep( 1000 * (int) get_option( 'test_slow_ms' ) );
	$GLOBALS['test_kept'][] = str_repeat( 'x', 1000000 * (int) get_option( 'test_keep_mb' ) );
} );
if ( get_option( 'test_chatty' ) ) {
	error_reporting( E_ALL );
	ini_set( 'display_errors', '1' );
	add_action( 'init', function () { trigger_error( 'A plugin complains', E_USER_WARNING ); } );
	add_action( 'profile_update', function () { echo $undefined; } );
}`;

const ACCOUNTS = 20_000;
/** The first so many have a biography of 20 kB, as letters outside ASCII. */
const LONG = 700;
const BIOGRAPHY = 'Ж'.repeat(10_000);
const FIRST_ID = 1_000;

describe.skipIf(missing !== null)('a host that gives little', () => {
  let hub: ConnectedSite;
  beforeAll(async () => {
    hub = await startConnectedSite('poor', POOR);
    await writeFile(join(hub.site.dir, 'wp-content', 'mu-plugins', 'slow.php'), SLOW);
  });
  afterAll(() => hub?.stop());

  /** Sends operations until each has its receipt; how many each request dealt with. */
  async function applied(operations: readonly ReturnType<typeof write>[]) {
    const parts: number[] = [];
    const receipts: ApplyAnswer['receipts'] = [];
    while (receipts.length < operations.length) {
      const answer = await hub.apply(operations.slice(receipts.length));
      expect(answer.done).toBeGreaterThan(0);
      parts.push(answer.done);
      receipts.push(...answer.receipts);
    }
    return { parts, receipts };
  }

  test('T923: a batch ends when memory is short, and the next goes on there', async () => {
    await hub.option('test_keep_mb', '1');
    const people = Array.from({ length: 70 }, (_, i) =>
      write({ login: `kept${i}`, fields: fields({ email: `kept${i}@new.test` }, past(60)) }),
    );
    const { receipts, parts } = await applied(people);
    expect(receipts.filter(({ result }) => result !== 'created')).toEqual([]);
    expect(parts.length).toBeGreaterThan(1);
    await hub.option('test_keep_mb', '0');
  });

  test('T924: 20,000 accounts are read to the end in pages that fit into memory, and so are their changes', async () => {
    await hub.site.php(`global $wpdb;
      foreach ( array(
        "INSERT INTO $wpdb->users (ID, user_login, user_pass, user_nicename, user_email, user_registered, display_name)
          SELECT ${FIRST_ID} + seq, CONCAT( 'bulk', seq ), 'x', CONCAT( 'bulk', seq ), CONCAT( 'bulk', seq, '@people.test' ), '2026-01-01', 'Bulk' FROM seq_1_to_${ACCOUNTS}",
        "INSERT INTO $wpdb->usermeta (user_id, meta_key, meta_value) SELECT ${FIRST_ID} + seq, 'phone', seq FROM seq_1_to_${ACCOUNTS}",
        "INSERT INTO $wpdb->usermeta (user_id, meta_key, meta_value) SELECT ${FIRST_ID} + seq, '{$wpdb->prefix}capabilities', 'a:1:{s:10:\\"subscriber\\";b:1;}' FROM seq_1_to_${ACCOUNTS}",
        "INSERT INTO $wpdb->usermeta (user_id, meta_key, meta_value) SELECT ${FIRST_ID} + seq, 'description', REPEAT( 'Ж', 10000 ) FROM seq_1_to_${LONG}",
      ) as $statement ) {
        if ( false === $wpdb->query( $statement ) ) { throw new RuntimeException( $wpdb->last_error ); }
      }`);
    const seen: number[] = [];
    const pages: number[] = [];
    let long = 0;
    let after: number | null = FIRST_ID;
    while (after !== null) {
      const ask: object = { hub: HUB, after, limit: 1000, detail: 'state' };
      const page: AccountsAnswer = parsed(AccountsAnswerSchema, await hub.post('accounts', ask));
      pages.push(page.accounts.length);
      seen.push(...page.accounts.map(({ id }) => id));
      long += page.accounts.filter(({ fields: f }) => f?.['description']?.v === BIOGRAPHY).length;
      after = page.next;
    }
    expect(seen).toEqual(Array.from({ length: ACCOUNTS }, (_, i) => FIRST_ID + 1 + i));
    expect(long).toBe(LONG);
    expect(pages[0]).toBeLessThan(LONG);
    expect(Math.max(...pages)).toBeGreaterThan(500);
    // The changes of those with long texts.
    await hub.site.php(
      `Rollcall_Outbox::ready( array_fill_keys( range( ${FIRST_ID + 1}, ${FIRST_ID + LONG} ), 'update' ) );`,
    );
    const changed = new Set<number>();
    for (let ack: (readonly [string, number])[] = []; ; ) {
      const { rows, more } = await hub.changes(ack);
      for (const { account } of rows) if (account) changed.add(account.id);
      ack = rows.map(({ row, rev }) => [row, rev] as const);
      if (!more && rows.length === 0) break;
    }
    for (let id = FIRST_ID + 1; id <= FIRST_ID + LONG; id += 1) expect(changed).toContain(id);
  });

  test('T925: a batch ends well before the host would end it, however slow other plugins are', async () => {
    await hub.option('test_slow_ms', '500');
    const people = Array.from({ length: 40 }, (_, i) =>
      write({ login: `slow${i}`, fields: fields({ email: `slow${i}@new.test` }, past(60)) }),
    );
    const { done } = await hub.apply(people);
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(people.length);
    await hub.option('test_slow_ms', '0');
    const { receipts } = await applied(people.slice(done));
    expect(receipts.filter(({ result }) => result !== 'created')).toEqual([]);
  });

  test('T926: without zlib, mbstring and functions that hosts switch off it runs, and says what it can’t read', async () => {
    const name = 'Ängström Ωмега 🙂';
    const operation = write({
      login: 'a'.repeat(60),
      fields: fields({ email: 'umlaut@new.test', first_name: name, 'meta:city': [name] }, past(9)),
    });
    const { id } = await hub.one(operation);
    expect((await hub.account(id ?? 0)).fields).toMatchObject({
      first_name: { v: name },
      'meta:city': { v: [name] },
    });
    const z = gzipSync(JSON.stringify({ hub: HUB })).toString('hex');
    const packed = await hub.post('status', { z });
    expect(fault(packed)).toEqual([400, 'request.invalid']);
    expect(JSON.stringify(packed.body)).toContain('lacks zlib');
  });

  test('T927: errors that a site shows are not in the answers', async () => {
    await hub.option('test_chatty', '1');
    expect(await (await hub.site.request('/')).text()).toContain('A plugin complains');
    parsed(StatusAnswerSchema, await hub.post('status', {}));
    const created = write({ login: 'chatty' });
    const { id } = await hub.one(created);
    const change = { first_name: 'Heard' };
    const receipt = await hub.one(
      write({ uid: created.uid, id: id ?? 0, create: null, fields: fields(change, Date.now()) }),
    );
    expect(receipt).toMatchObject({ result: 'updated' });
  });
});
