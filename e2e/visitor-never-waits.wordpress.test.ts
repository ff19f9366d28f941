/**
 * Whatever is wrong with the hub or with the connector's own tables: who saves a profile gets the
 * answer that they always get, as soon as always; and what they saved is found afterwards.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RestCall, restAs, signIn } from '#lab/sign-in.ts';
import { nativeMissing } from '#lab/start-site.ts';
import { type ReadSite, readSite } from '../connector/tests/read-site.ts';
import { FAULTS, hold, letTimePass, visit } from './source-faults.ts';

const VISITS = 12;
/** MySQL waits 50 s for a row and for ever for a table; a whole visit is far below, on any machine. */
const LONGEST_MS = 20_000;
/** The lab's sites reach no other host; this one is let out, so that its name is really looked up. */
const LET_OUT = `<?php add_filter( 'pre_http_request', static function ( $answer, $args, $url ) {
	return false !== strpos( $url, 'hub.invalid' ) ? false : $answer;
}, PHP_INT_MAX, 3 );`;

const missing = nativeMissing();
if (missing !== null) console.warn(`Signals and locks need native sites: ${missing}`);

describe.skipIf(missing !== null)('a visitor', () => {
  let shop: ReadSite;
  let me: RestCall;
  let calm: number[];
  const listening: Server[] = [];

  beforeAll(async () => {
    shop = await readSite({
      name: 'shop',
      engine: 'native',
      muPlugins: { ...FAULTS, 'z-let-out.php': LET_OUT },
    });
    await shop.php(
      `wp_insert_user( array( 'user_login' => 'visitor', 'user_email' => 'visitor@people.test', 'user_pass' => 'their password', 'role' => 'subscriber' ) );`,
    );
    me = await restAs((await signIn(shop.site, 'visitor', 'their password')).visitor);
    await shop.drain();
    calm = await visits('calm');
  });
  afterAll(async () => {
    for (const server of listening) server.close();
    await shop?.site.stop();
  });

  let count = 0;
  /** Saves the profile; the answer and what it shows must be as ever. Answers how long it took, ms. */
  async function save(what: string): Promise<number> {
    count += 1;
    const started = performance.now();
    const response = await me('/wp/v2/users/me?context=edit', {
      method: 'POST',
      body: JSON.stringify({ first_name: `${what} ${count}`, description: what }),
    });
    const text = await response.text();
    expect([response.status, text.startsWith('{')], text).toEqual([200, true]);
    expect(JSON.parse(text)).toMatchObject({ first_name: `${what} ${count}`, description: what });
    return performance.now() - started;
  }
  async function visits(what: string): Promise<number[]> {
    const times: number[] = [];
    for (let index = 0; index < VISITS; index += 1) times.push(await save(what));
    return times;
  }
  const asEver = (times: readonly number[]) => {
    // Below the second that a request nobody answers costs at least.
    expect(median(times)).toBeLessThan(median(calm) * 2 + 750);
    expect(Math.max(...times)).toBeLessThan(LONGEST_MS);
  };

  /** A hub that answers so; its port. */
  async function hubThat(answer: (socket: Socket) => void): Promise<string> {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      answer(socket);
    });
    listening.push(server);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `http://127.0.0.1:${address.port}/api/v1/signals/x`;
  }
  const flood = (socket: Socket) => {
    const more = () => {
      while (socket.writable && socket.write(Buffer.alloc(65_536))) {
        if (socket.bytesWritten > 2 ** 28) return socket.destroy();
      }
      return undefined;
    };
    socket.on('drain', more);
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n', more);
  };

  test.each<[string, () => Promise<string>]>([
    ['hangs', () => hubThat(() => {})],
    ['refuses', async () => 'http://127.0.0.1:1/api/v1/signals/x'],
    [
      'answers 500',
      () => hubThat((socket) => socket.end('HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n')),
    ],
    ['answers gigabytes', () => hubThat(flood)],
    ['has no address', async () => 'http://hub.invalid/api/v1/signals/x'],
  ])('T121: waits for no hub: one that %s', async (what, url) => {
    await shop.settings({
      signal: { url: await url(), secret: 'a secret of thirty-two characters' },
    });
    await shop.drain();
    asEver(await visits(what));
    const { rows } = await shop.changes();
    expect(rows.map(({ account }) => account?.fields?.['description']?.v)).toEqual([what]);
    await shop.settings({ signal: null });
  });

  const table = (name: 'outbox' | 'accounts' | 'facts') => `' . Rollcall_Tables::${name}() . '`;
  const sql = (statement: string) =>
    shop.php(
      `if ( false === $GLOBALS['wpdb']->query( '${statement}' ) ) { throw new RuntimeException( $GLOBALS['wpdb']->last_error ); }`,
    );

  test.each(['outbox', 'accounts', 'facts'] as const)(
    'T122: saves while the table of %s can’t be read; the change is found later',
    async (name) => {
      await shop.drain();
      await sql(`RENAME TABLE ${table(name)} TO kept_${name}`);
      asEver(await visits(`no ${name}`));
      await sql(`RENAME TABLE kept_${name} TO ${table(name)}`);
      // Where a row could be opened it stays open, and is settled half a minute later.
      await letTimePass(shop.site);
      const account = await shop.account('visitor');
      expect(account.fields?.['description']).toMatchObject({ v: `no ${name}` });
      expect(account.fields?.['description']?.s[0]).toBeGreaterThan(0);
      const stamped = Object.entries(account.fields ?? {}).filter(
        ([, { s }]) => s[0] === account.fields?.['description']?.s[0],
      );
      expect(stamped.map(([field]) => field).sort()).toEqual(['description', 'first_name']);
      const { rows } = await shop.changes();
      expect(rows.map((row) => row.account?.login)).toContain('visitor');
    },
  );

  test('T123: saves while the outbox is locked; the change is found later', async () => {
    await shop.drain();
    const held = await hold(shop.site);
    const locking = visit(
      shop.site,
      `global $wpdb; $wpdb->query( 'LOCK TABLES ' . Rollcall_Tables::outbox() . ' WRITE' ); rollcall_test_hold(); $wpdb->query( 'UNLOCK TABLES' );`,
    );
    await held.reached();
    expect(await save('locked')).toBeLessThan(LONGEST_MS);
    await held.go();
    await locking;
    expect((await shop.account('visitor')).fields?.['description']).toMatchObject({ v: 'locked' });
    const { rows } = await shop.changes();
    expect(rows.map((row) => row.account?.login)).toEqual(['visitor']);
  });

  test('T124: a table that is gone is made again, and the hub sees that its rows are lost', async () => {
    const { epoch } = await shop.changes();
    await sql(`DROP TABLE ${table('outbox')}`);
    await expect(shop.changes()).rejects.toThrow('site.error');
    const mended = await shop.changes();
    expect(mended.epoch).not.toBe(epoch);
    await save('mended');
    const { rows } = await shop.changes();
    expect(rows.map((row) => row.account?.login)).toEqual(['visitor']);
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
