import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { SignalSchema, StatusAnswerSchema } from '#contract/messages.ts';
import { nativeMissing } from '#lab/start-site.ts';
import {
  type ConnectedSite,
  fields,
  HUB,
  parsed,
  past,
  startConnectedSite,
  write,
} from './connected-site.ts';

const SECRET = '0123456789abcdef0123456789abcdef';
interface Heard {
  readonly signature: string;
  readonly body: string;
}

let hub: ConnectedSite;
let ear: Server;
let heard: Heard[] = [];
beforeAll(async () => {
  ear = createServer((request, answer) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      heard.push({ signature: String(request.headers['x-rollcall-signature']), body });
      answer.end();
    });
  });
  await new Promise<void>((resolve) => {
    ear.listen(0, '127.0.0.1', resolve);
  });
  hub = await startConnectedSite('signal');
  const address = ear.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const signal = { url: `http://127.0.0.1:${address.port}/signal`, secret: SECRET };
  await hub.post('settings', { hub: HUB, signal });
});
afterAll(async () => {
  await hub?.stop();
  ear?.close();
});
beforeEach(() => {
  heard = [];
});

/** Saves a profile as a web request, without a sign-in. */
const SAVES = `<?php add_action( 'init', function () {
	if ( isset( $_GET['lab_save'] ) ) { update_user_meta( 1, 'first_name', $_GET['lab_save'] ); exit( 'saved' ); }
} );`;
const edit = (name: string): Promise<string> =>
  hub.site.wp('user', 'update', '1', `--first_name=${name}`, '--skip-email');
const oneHeard = (): Promise<void> =>
  vi.waitFor(() => expect(heard).toHaveLength(1), { timeout: 20_000, interval: 50 });

it('is sent by a request that changed accounts, signed over time and body', async () => {
  // A signal waits a second at most and may be lost on a busy machine; the next one says the same.
  let edits = 0;
  await vi.waitFor(
    async () => {
      edits += 1;
      await edit(`Signal ${edits}`);
      await vi.waitFor(() => expect(heard).not.toEqual([]), { timeout: 3_000, interval: 50 });
    },
    { timeout: 120_000, interval: 10 },
  );
  expect(heard.length).toBeLessThanOrEqual(edits);
  const { signature, body } = heard.at(-1) ?? { signature: '', body: '' };
  const [, t = '', v1 = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
  expect(v1).toBe(createHmac('sha256', SECRET).update(`${t}.${body}`).digest('hex'));
  expect(Math.abs(Number(t) - Date.now())).toBeLessThan(60_000);
  const { epoch, head } = SignalSchema.parse(JSON.parse(body));
  const changes = await hub.changes();
  expect([epoch, head]).toEqual([changes.epoch, changes.head]);
  expect(changes.rows).not.toEqual([]);
});

it('is not sent for nothing: not for a save that changed nothing, not by what the hub itself wrote', async () => {
  const { rows } = await hub.changes();
  await hub.changes(rows.map(({ row, rev }) => [row, rev] as const));
  await hub.site.wp('user', 'update', '1', '--last_name=', '--skip-email');
  await hub.one(write({ fields: fields({ email: 'quiet@example.com' }, past(5)) }));
  await edit('Now something');
  await oneHeard();
});

it('is not sent by a copy, nor when the site says no', async () => {
  const settings = (code: string): Promise<string> =>
    hub.site.php(
      `$s = get_site_option( 'rollcall_settings' ); ${code} update_site_option( 'rollcall_settings', $s );`,
    );
  await settings(`$s['home'] = 'elsewhere.test';`);
  await edit('From a copy');
  await settings(`$s['home'] = Rollcall_Home::now();`);
  await edit('From the site');
  // A copy says once where it woke up, and nothing else.
  const told = (): boolean[] =>
    heard.map(({ body }) => SignalSchema.parse(JSON.parse(body)).woke_at !== undefined);
  await vi.waitFor(() => expect(told()).toHaveLength(2), { timeout: 20_000, interval: 50 });
  expect(told()).toContain(true);
  expect(told()).toContain(false);
  // What the copy's request captured was not lost.
  expect((await hub.changes()).rows[0]?.account?.fields?.['first_name']?.v).toBe('From the site');
});

it('never makes a visitor wait: where the answer can’t be sent first, a web request sends none', async () => {
  const { signals } = parsed(StatusAnswerSchema, await hub.post('status', {}));
  const form = await hub.site.request('/wp-login.php?action=register');
  expect(form.status).toBeLessThan(500);
  await hub.site.php(`update_option( 'users_can_register', 1 );`);
  await hub.site.request('/wp-login.php?action=register', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ user_login: 'visitor', user_email: 'visitor@example.com' }),
  });
  const { rows } = await hub.changes();
  expect(rows.map(({ account }) => account?.login)).toContain('visitor');
  if (signals) {
    await oneHeard();
  } else {
    await edit('After the visitor');
    await oneHeard();
  }
});

it.skipIf(nativeMissing() !== null)(
  'T928: of 100 saves on PHP-FPM, one after another and at once, every one is told',
  async () => {
    await writeFile(join(hub.site.dir, 'wp-content', 'mu-plugins', 'saves.php'), SAVES);
    const save = async (name: string) =>
      expect(await (await hub.site.request(`/?lab_save=${name}`)).text()).toBe('saved');
    const before = parsed(StatusAnswerSchema, await hub.post('status', {})).head;
    for (let i = 0; i < 50; i += 1) await save(`one-${i}`);
    await Promise.all(Array.from({ length: 50 }, (_, i) => save(`many-${i}`)));
    await vi.waitFor(() => expect(heard).toHaveLength(100), { timeout: 60_000, interval: 100 });
    const heads = heard.map(({ body }) => SignalSchema.parse(JSON.parse(body)).head);
    expect(Math.max(...heads)).toBe(parsed(StatusAnswerSchema, await hub.post('status', {})).head);
    expect(Math.max(...heads)).toBe(before + 100);
    expect((await hub.changes()).rows[0]?.account?.fields?.['first_name']?.v).toMatch(/^many-/u);
  },
);
