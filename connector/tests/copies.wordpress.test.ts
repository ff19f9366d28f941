/**
 * Copies of a connected site, and moves: what it does at another address, and what a person's answer does.
 *
 * Native where it can be: loading a database over another one needs MariaDB.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { SignalSchema, type StatusAnswer, StatusAnswerSchema } from '#contract/messages.ts';
import { signIn } from '#lab/sign-in.ts';
import { nativeMissing, type Site, type Snapshot, startSite } from '#lab/start-site.ts';
import {
  applicationPassword,
  ask,
  basic,
  CONNECTOR,
  type ConnectedSite,
  connect,
  connectedSite,
  connectRequest,
  fault,
  fields,
  HUB,
  parsed,
  past,
  startConnectedSite,
  write,
} from './connected-site.ts';

const native = nativeMissing() === null;
const started: Site[] = [];
const heard: string[] = [];
let ear: Server;
let original: ConnectedSite;
let snapshot: Snapshot;
/** Labelled by the hub. */
const anna = write({ login: 'anna' });

beforeAll(async () => {
  ear = createServer((request, answer) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      heard.push(body);
      answer.end();
    });
  });
  await new Promise<void>((resolve) => {
    ear.listen(0, '127.0.0.1', resolve);
  });
  original = await startConnectedSite('original');
  started.push(original.site);
  const address = ear.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const signal = { url: `http://127.0.0.1:${address.port}/signal`, secret: 's'.repeat(32) };
  await original.post('settings', { hub: HUB, signal });
  await original.one(anna);
  snapshot = await original.site.snapshot();
});
afterAll(async () => {
  await Promise.all(started.map((site) => site.stop()));
  ear?.close();
});

/** The copy keeps the hub's credential, as copies do. */
async function copyCalled(name: string, from = snapshot): Promise<ConnectedSite> {
  const site = await startSite({ name, from, connector: CONNECTOR });
  started.push(site);
  return connectedSite(site, original.credential);
}
const status = async (hub: ConnectedSite): Promise<StatusAnswer> =>
  parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB }));
const hostOf = (site: Site): string => new URL(site.url).host;

/** Everything that WordPress knows of its accounts. */
const accountsOf = (site: Site): Promise<string> =>
  site.php(`global $wpdb;
    echo wp_json_encode( $wpdb->get_results( "SELECT * FROM $wpdb->users WHERE user_login <> 'rollcall-hub' ORDER BY ID" ) ),
      wp_json_encode( $wpdb->get_results( "SELECT user_id, meta_key, meta_value FROM $wpdb->usermeta WHERE meta_key NOT IN ( 'session_tokens', '_application_passwords' ) AND user_id IN ( SELECT ID FROM $wpdb->users WHERE user_login <> 'rollcall-hub' ) ORDER BY umeta_id" ) );`);

/** As an administrator answers the notice in wp-admin. */
async function say(site: Site, answer: 'moved' | 'copy' | 'database'): Promise<void> {
  const { visitor } = await signIn(site, site.adminLogin, site.adminPassword);
  const form = await visitor.form('/wp-admin/users.php', 'rollcall-moved');
  const response = await visitor.submit('/wp-admin/admin-post.php', { ...form, [answer]: '1' });
  expect(response.status).toBe(302);
}
async function notice(site: Site): Promise<string> {
  const { visitor } = await signIn(site, site.adminLogin, site.adminPassword);
  return (await visitor.request('/wp-admin/users.php')).text();
}
const changes = { hub: HUB, ack: [], limit: 100 };

test('T831: a copy starts another life at its first request, hands out nothing and takes nothing', async () => {
  const before = await status(original);
  const copy = await copyCalled('staging');
  heard.length = 0;
  // Any visitor's request; the hub has not called.
  await copy.site.request('/');
  expect(await copy.site.php('echo Rollcall_Life::epoch();')).not.toBe(before.epoch);
  const there = await status(copy);
  expect(there.bound?.home_matches).toBe(false);
  expect(there.warnings.map(({ code }) => code)).toContain('installation.moved');
  expect(there.warnings[0]?.message).toContain(hostOf(original.site));
  for (const [route, body] of [
    ['changes', changes],
    ['apply', { hub: HUB, dry_run: false, operations: [write()] }],
    ['accounts', { hub: HUB, after: 0, limit: 10, detail: 'state' }],
    ['digests', { hub: HUB, blog: 1, after: 0, limit: 10, fields: [] }],
    ['settings', { hub: HUB, meta: [] }],
    ['labels', { hub: HUB, labels: [] }],
    ['stamp', { hub: HUB, stamps: [] }],
    ['disconnect', { hub: HUB }],
  ] as const) {
    expect([route, ...fault(await copy.post(route, body))]).toEqual([
      route,
      423,
      'installation.moved',
    ]);
  }
  // Not even with an administrator's password: it would take the original's place.
  const headers = basic(
    copy.site.adminLogin,
    await applicationPassword(copy.site, copy.site.adminLogin),
  );
  expect(fault(await ask(copy.site, 'connect', connectRequest(), { headers }))).toEqual([
    423,
    'installation.moved',
  ]);
  expect(await notice(copy.site)).toContain('id="rollcall-moved"');

  // One note says where it woke up; edits there say nothing.
  await copy.site.wp('user', 'update', 'anna', '--first_name=There', '--skip-email');
  await vi.waitFor(() => expect(heard).not.toEqual([]), { timeout: 20_000, interval: 50 });
  await copy.site.wp('user', 'update', 'anna', '--first_name=Again', '--skip-email');
  await original.site.wp('user', 'update', '1', '--first_name=Here', '--skip-email');
  await vi.waitFor(() => expect(heard.length).toBeGreaterThan(1), {
    timeout: 20_000,
    interval: 50,
  });
  const notes = heard.map((body) => SignalSchema.parse(JSON.parse(body)).woke_at);
  expect(notes).toEqual([hostOf(copy.site), undefined]);

  expect((await status(original)).epoch).toBe(before.epoch);
  const { rows } = await original.changes();
  expect(rows.map(({ account }) => account?.fields?.['first_name']?.v)).toEqual(['Here']);
});

test('T832: what is said to be a copy forgets the original, and is connected as a site of its own', async () => {
  const copy = await copyCalled('copy');
  await copy.site.wp('user', 'update', 'anna', '--first_name=Copy', '--skip-email');
  const [people, there] = [await accountsOf(copy.site), await status(original)];
  await say(copy.site, 'copy');
  expect(await accountsOf(copy.site)).toBe(people);
  expect((await copy.post('status', { hub: HUB })).status).toBe(401);
  expect(
    await copy.site.php(`global $wpdb;
      echo wp_json_encode( array( Rollcall_Settings::is_bound(), username_exists( 'rollcall-hub' ), Rollcall_Settings::keys(), Rollcall_Settings::signal(), Rollcall_Mark::held(),
        $wpdb->get_var( 'SELECT COUNT(*) FROM ' . Rollcall_Tables::accounts() ), $wpdb->get_var( 'SELECT COUNT(*) FROM ' . Rollcall_Tables::outbox() ) ) );`),
  ).toBe('[false,false,[],null,null,"0","0"]');
  const again = await connect(copy.site, { keys: { '1': 9 } });
  expect(again.status.store).not.toBe(there.store);
  expect(again.status.warnings).toEqual([]);
  const mine = connectedSite(copy.site, again.credential);
  const id = Number(await copy.site.wp('user', 'get', 'anna', '--field=ID'));
  expect((await mine.account(id)).uid).toBeNull();
  expect(await status(original)).toMatchObject({ store: there.store, epoch: there.epoch });
  expect((await original.changes()).epoch).toBe(there.epoch);
});

test('T833: what is said to have moved goes on, with the edits made before somebody said so', async () => {
  const moved = await copyCalled('moved');
  const id = Number(await moved.site.wp('user', 'get', 'anna', '--field=ID'));
  await moved.site.wp('user', 'update', 'anna', '--first_name=Waiting', '--skip-email');
  const before = await status(moved);
  await say(moved.site, 'moved');
  const after = await status(moved);
  expect(after).toMatchObject({ store: before.store, warnings: [] });
  expect([after.bound?.home_matches, after.epoch === before.epoch]).toEqual([true, false]);
  expect(after.epoch).toBe((await status(original)).epoch);
  const { rows } = await moved.changes();
  expect(rows.map(({ account }) => [account?.id, account?.uid])).toEqual([[id, anna.uid]]);
  expect(rows[0]?.account?.fields?.['first_name']?.v).toBe('Waiting');
});

test('T834: an address that was changed and changed back costs nothing', async () => {
  const before = await status(original);
  const home = await original.site.wp('option', 'get', 'home');
  await original.site.wp('option', 'update', 'home', 'http://typing-error.test');
  await original.site.wp('user', 'update', '1', '--last_name=Meanwhile', '--skip-email');
  expect(fault(await original.post('changes', changes))).toEqual([423, 'installation.moved']);
  await original.site.php(
    `global $wpdb; $wpdb->update( $wpdb->options, array( 'option_value' => '${home}' ), array( 'option_name' => 'home' ) ); wp_cache_flush();`,
  );
  expect(await status(original)).toMatchObject({ epoch: before.epoch, warnings: [] });
  const { rows } = await original.changes();
  expect(rows.map(({ account }) => account?.fields?.['last_name']?.v)).toEqual(['Meanwhile']);
});

test.runIf(native)(
  'T835: a database that a host has moved goes on, warns, and is believed to a person',
  async () => {
    const { site } = original;
    const config = join(site.dir, 'wp-config.php');
    const text = await readFile(config, 'utf8');
    const name = /'DB_NAME', '([^']+)'/u.exec(text)?.[1] ?? '';
    await site.php(
      `global $wpdb; $wpdb->query( 'CREATE DATABASE ${name}_moved' ); foreach ( $wpdb->get_col( 'SHOW TABLES' ) as $table ) { $wpdb->query( "CREATE TABLE ${name}_moved.$table LIKE $table" ); $wpdb->query( "INSERT INTO ${name}_moved.$table SELECT * FROM $table" ); }`,
    );
    const before = await status(original);
    await writeFile(config, text.replace(`'${name}'`, `'${name}_moved'`));
    await vi.waitFor(
      async () => {
        const { warnings } = await status(original);
        expect(warnings.map(({ code }) => code)).toContain('installation.database_moved');
      },
      { timeout: 20_000, interval: 500 },
    );
    await original.one(write({ fields: fields({ email: 'moved@example.com' }, past(5)) }));
    expect((await original.changes()).epoch).toBe(before.epoch);
    await say(site, 'database');
    const { warnings, store } = await status(original);
    expect(warnings.map(({ code }) => code)).not.toContain('installation.database_moved');
    expect(store).toBe(before.store);
  },
);

test.runIf(native)(
  'T836: a copy’s database that is loaded over the site is seen, and its edits win over nothing',
  async () => {
    const site = original.site;
    for (const login of ['berta', 'carla']) await original.one(write({ login }));
    const copy = await copyCalled('pushed', await site.snapshot());
    const before = await status(original);
    await copy.site.wp('user', 'update', 'anna', '--first_name=Staged', '--skip-email');
    await copy.site.wp('user', 'create', 'dora', 'dora@people.test', '--role=subscriber');
    await copy.site.wp('user', 'delete', 'berta', '--yes');
    const { folder } = await copy.site.snapshot();
    const dump = await readFile(join(folder, 'database.sql'), 'utf8');
    const file = join(folder, 'pushed.sql');
    await writeFile(file, dump.replaceAll(hostOf(copy.site), hostOf(site)));
    await site.wp('db', 'import', file);

    await site.request('/');
    const after = await status(original);
    expect(after.epoch).not.toBe(before.epoch);
    expect([after.mark, after.bound?.home_matches]).toEqual([null, true]);
    const [warning] = after.warnings;
    expect(warning?.code).toBe('installation.brought_back');
    expect(warning?.message).toContain(hostOf(copy.site));
    const id = Number(await site.wp('user', 'get', 'anna', '--field=ID'));
    const { fields: held } = await original.account(id);
    expect(held?.['first_name']).toMatchObject({ v: 'Staged', s: [0, 7] });
    expect(held?.['last_name']?.s).toEqual((await original.account(id)).fields?.['last_name']?.s);
    const dora = Number(await site.wp('user', 'get', 'dora', '--field=ID'));
    expect((await original.account(dora)).born[0]).toBe(0);
    // No deletion is told, and nobody is kept from coming back.
    const { rows } = await original.changes();
    expect(rows.map(({ kind }) => kind)).not.toContain('delete');
    expect(
      await site.php(
        `global $wpdb; echo $wpdb->get_var( 'SELECT COUNT(*) FROM ' . Rollcall_Tables::tombstones() );`,
      ),
    ).toBe('0');
    expect(await notice(site)).toContain('rollcall site restored');
  },
);

test('leaves no notice of PHP behind', async () => {
  for (const site of started) expect([site.name, await site.debugLog()]).toEqual([site.name, '']);
});
