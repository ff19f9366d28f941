/** No plaintext password anywhere, no never-synced meta on the way, no mail that nobody asked for. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '#hub/storage/open-database.ts';
import { editProfile, resetPassword, restAs, signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { type HubProcess, type ProcessStage, startProcessStage } from './hub-process.ts';
import { createAccount, type Hub, REST_MS } from './stage.ts';

let stage: ProcessStage;
let shop: Site;
let blog: Site;
let folder: string;
let process: HubProcess;
let hub: Hub;

beforeAll(async () => {
  stage = await startProcessStage();
  ({ shop, blog, folder, process, hub } = stage);
});
afterAll(() => stage?.end());

/** Every cell of every table that the connector made, and WordPress's options. */
const tablesOf = (site: Site): Promise<string> =>
  site.php(`global $wpdb; $out = '';
    foreach ( array( Rollcall_Tables::outbox(), Rollcall_Tables::accounts(), Rollcall_Tables::tombstones(), Rollcall_Tables::facts(), $wpdb->options, $wpdb->usermeta ) as $table ) {
      $out .= wp_json_encode( $wpdb->get_results( "SELECT * FROM $table", ARRAY_A ) );
    }
    echo $out;`);

async function hubTables(dataFolder: string): Promise<string> {
  const database = await openDatabase({ dataFolder });
  try {
    const tables = await sql<{ schema: string; name: string }>`
      select table_schema as schema, table_name as name from information_schema.tables
      where table_schema not in ('pg_catalog', 'information_schema')`.execute(database.kysely);
    let text = '';
    for (const { schema, name } of tables.rows) {
      const rows = await sql`select * from ${sql.table(`${schema}.${name}`)}`.execute(
        database.kysely,
      );
      text += JSON.stringify(rows.rows);
    }
    return text;
  } finally {
    await database.close();
  }
}

/** Somebody with an older account on each site. @returns how the mailed links and the sign-in prove themselves */
async function openProofs(password: string): Promise<{ tokens: string[]; verifier: string }> {
  const setCreates = async (creates: boolean) => {
    for (const route of [1, 2]) await hub.call('PATCH', `/routes/${route}`, { rules: { creates } });
  };
  await setCreates(false);
  const email = 'rosa@people.test';
  await createAccount(shop, 'rosa', { email, password });
  await createAccount(blog, 'old-rosa', { email, password });
  await hub.rest();
  const pair = { site: 'shop', login: 'rosa', otherSite: 'blog', otherLogin: 'old-rosa' };
  for (const kind of ['mail', 'password']) await hub.call('POST', '/links/ask', { ...pair, kind });
  const mails = [...(await shop.mails()), ...(await blog.mails())];
  const tokens = mails.flatMap(({ message }) => /token=([0-9a-f]{64})/u.exec(message)?.[1] ?? []);
  const { visitor } = await signIn(shop, 'rosa', password);
  const link = mails.flatMap(({ message }) => /\/wp-login\.php\?\S*token=\S+/u.exec(message) ?? []);
  await visitor.request(link[0] ?? '/');
  let verifier = '';
  // It is hashed once the visitor has the answer.
  await waitUntil(async () => {
    verifier = await shop.php(
      "echo implode( wp_list_pluck( Rollcall_Proof_Store::confirmed(), 'verifier' ) );",
    );
    return verifier !== '';
  }, REST_MS);
  await hub.rest();
  await setCreates(true);
  return { tokens, verifier };
}

test('no plaintext password and no token of a proof rests in a database, a log or an error, and no hash unsealed in the hub', async () => {
  const secrets = [
    'Plain-by-cli-71',
    'Plain-by-profile-72',
    'Plain-by-reset-73',
    'Plain-by-rest-74',
    'Plain-for-proof-75',
  ] as const;
  const { tokens, verifier } = await openProofs(secrets[4]);
  expect([tokens.length, verifier]).toEqual([2, expect.stringMatching(/^\$2y\$12\$/u)]);
  await createAccount(shop, 'sesame', { password: secrets[0] });
  await hub.rest();
  const { visitor } = await signIn(shop, 'sesame', secrets[0]);
  await editProfile(visitor, { pass1: secrets[1], pass2: secrets[1] });
  await resetPassword(shop, 'sesame', secrets[2]);
  const rest = await restAs((await signIn(shop, 'sesame', secrets[2])).visitor);
  await hub.rest();
  const blogTables = await tablesOf(blog);
  // The one that is changed by REST stays on its way: the target is down when the store is read.
  await blog.pause();
  await rest('/wp/v2/users/me', { method: 'POST', body: JSON.stringify({ password: secrets[3] }) });
  await hub.settled(['shop']);
  const hash = await shop.php("echo get_user_by( 'login', 'sesame' )->user_pass;");

  const answers = await Promise.all(
    [
      '/status',
      '/log',
      '/log/export?format=csv',
      '/log/export?format=jsonl',
      '/held',
      '/sites',
      '/routes',
      '/doctor',
      '/explain?site=shop&login=sesame',
      '/explain?site=shop&login=rosa',
      '/links/asked',
    ].map(async (path) => (await hub.raw('GET', path)).text()),
  );
  await process.stop();
  const files = await Promise.all(
    (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1')),
  );
  const places = {
    answers: answers.join(),
    printed: process.output(),
    store: await hubTables(folder),
    files: files.join(),
    shop: await tablesOf(shop),
    blog: blogTables,
    shopLog: await shop.debugLog(),
    blogLog: await blog.debugLog(),
  };
  hub = await process.start();
  await blog.resume();
  for (const secret of [...secrets, ...tokens]) {
    for (const [place, text] of Object.entries(places)) {
      expect(text.includes(secret), `${secret} in ${place}`).toBe(false);
    }
  }
  for (const place of ['answers', 'printed', 'store', 'files'] as const) {
    expect(places[place].includes(hash), `the hash in ${place}`).toBe(false);
    expect(places[place].includes(verifier), `the verifier in ${place}`).toBe(false);
  }
  // The search does find what is there: the login rests in the store, and signs in on the blog in the end.
  expect(places.store).toContain('sesame');
  await hub.rest();
  expect(await signIn(blog, 'sesame', secrets[3])).toMatchObject({ ok: true });
});

const NEVER = [
  'wp_capabilities_of_mine_capabilities',
  '_two_factor_totp_key',
  '_woocommerce_persistent_cart_1',
  'wc_last_active',
  'wp_user-settings',
  'session_tokens',
];

test('meta that is never synced can’t be put on a list, and does not travel even when it stands there', async () => {
  const refused = await hub.raw('PATCH', '/routes/1', { rules: { meta: ['session_tokens'] } });
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ error: { code: 'request.invalid' } });
  // Past every check of the hub's, as a broken or hostile hub would have it.
  await process.stop();
  const database = await openDatabase({ dataFolder: folder });
  const meta = JSON.stringify([...NEVER, 'harmless']);
  await sql`update routes set rules = jsonb_set(rules, '{meta}', ${meta}::jsonb)`.execute(
    database.kysely,
  );
  await database.close();
  hub = await process.start();
  await hub.rest();
  await createAccount(shop, 'carrier', { password: 'carried' });
  await shop.php(`$id = get_user_by( 'login', 'carrier' )->ID;
    foreach ( array( ${[...NEVER, 'harmless'].map((key) => `'${key}'`).join(', ')} ) as $key ) {
      if ( 'session_tokens' !== $key ) { update_user_meta( $id, $key, 'value of ' . $key ); }
    }`);
  await signIn(shop, 'carrier', 'carried');
  await hub.rest();
  const keys: string[] = JSON.parse(
    await blog.php(
      "echo wp_json_encode( array_keys( get_user_meta( get_user_by( 'login', 'carrier' )->ID ) ) );",
    ),
  );
  expect(keys).toContain('harmless');
  for (const key of NEVER) expect(keys).not.toContain(key);
});

test('an apply sends no mail, whatever it changes', async () => {
  await blog.forgetMails();
  await createAccount(shop, 'quiet', { password: 'first' });
  await hub.rest();
  await shop.php(
    `wp_update_user( array( 'ID' => get_user_by( 'login', 'quiet' )->ID, 'user_email' => 'moved@people.test', 'user_pass' => 'second' ) );`,
  );
  await hub.rest();
  await shop.wp('user', 'delete', 'quiet', '--yes');
  await hub.rest();
  expect(await blog.mails()).toEqual([]);
});
