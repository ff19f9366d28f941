/**
 * The target's database takes no writes, only some, is damaged or locked: nothing is believed that was answered
 * meanwhile, no account stays half written, and afterwards everything is there. Needs MariaDB.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SiteTest } from '#hub/api/schemas/site.ts';
import type { SiteStatus } from '#hub/api/schemas/status.ts';
import type { FaultyDoor } from '#lab/faulty-door.ts';
import { nativeServer } from '#lab/native-server.ts';
import { nativeMissing, type Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { accountsOf } from './accounts-of.ts';
import { createAccount, type Hub, REST_MS, type Stage, startStage } from './stage.ts';

const missing = nativeMissing();
if (missing !== null) console.warn(missing);

/** How long the hub waits for an answer where one does not come. A healthy one may take longer on a busy machine. */
const PATIENCE_S = 5;
/** As many as are written as a set. */
const MANY = 30;
const LAB_USER = "'labsite'@'localhost'";
const SAYS_WHO = `<?php if ( isset( $_GET['db_user'] ) ) { exit( DB_USER ); }`;

let stage: Stage;
let hub: Hub;
let shop: Site;
let blog: Site;
let door: FaultyDoor;
let database: string;

const sql = async (statements: string): Promise<string> =>
  (await nativeServer()).sql(database, statements);

const HOLDER = "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%held'";

/** Locks; what it returns releases. */
async function hold(lock: string): Promise<() => Promise<void>> {
  const cutOff = expect(sql(`${lock} SELECT SLEEP(600) AS held;`)).rejects.toThrow('mariadb');
  await waitUntil(async () => (await sql(`${HOLDER};`)) !== '', REST_MS);
  return async () => {
    await sql(`SET @holder = (${HOLDER}); KILL QUERY @holder;`);
    await cutOff;
  };
}

/** A database user of the blog's own, whose rights can be taken away at any moment. */
async function giveOwnUser(site: Site): Promise<void> {
  const file = join(site.dir, 'wp-config.php');
  const config = await readFile(file, 'utf8');
  database = /'DB_NAME', '([^']+)'/u.exec(config)?.[1] ?? '';
  await sql(`CREATE USER ${LAB_USER} IDENTIFIED BY ''; ${ALL()}`);
  await writeFile(file, config.replace(/'DB_USER', '[^']*'/u, "'DB_USER', 'labsite'"));
  // PHP keeps the compiled file for a moment.
  await waitUntil(
    async () => (await (await site.request('/?db_user')).text()) === 'labsite',
    REST_MS,
  );
}

const ALL = () => `GRANT ALL ON \`${database}\`.* TO ${LAB_USER};`;
const NONE = () => `REVOKE ALL ON \`${database}\`.* FROM ${LAB_USER};`;
const SELECT = () => `GRANT SELECT ON \`${database}\`.* TO ${LAB_USER};`;

const blogStatus = async (): Promise<SiteStatus | undefined> =>
  (await hub.status(false)).sites.find(({ name }) => name === 'blog');
const troubled = (code: string) =>
  waitUntil(async () => (await blogStatus())?.trouble?.code === code, REST_MS);

const people = (prefix: string, count = MANY) =>
  shop.php(`add_filter( 'wp_hash_password_options', function ( $o ) { return array( 'cost' => 4 ) + $o; } );
    for ( $i = 0; $i < ${count}; $i++ ) {
      wp_insert_user( array( 'user_login' => "${prefix}$i", 'user_email' => "${prefix}$i@people.test",
        'user_pass' => 'their password', 'first_name' => "First $i", 'role' => 'author' ) );
    }`);
const edit = (prefix: string, lastName: string, count = MANY) =>
  shop.php(`for ( $i = 0; $i < ${count}; $i++ ) {
      $id = get_user_by( 'login', "${prefix}$i" )->ID;
      wp_update_user( array( 'ID' => $id, 'last_name' => '${lastName}', 'display_name' => "${lastName} $i" ) );
    }`);

async function repaired(): Promise<void> {
  // A slot of PHP may still be waiting for a lock that is gone.
  await waitUntil(async () => (await hub.call<SiteTest>('POST', '/sites/blog/test')).ok, REST_MS);
  await hub.rest(REST_MS * 2);
  expect(await accountsOf(blog)).toEqual(await accountsOf(shop));
  expect(await hub.status()).toMatchObject({ held: 0, idle: true });
}

describe.skipIf(missing !== null)('a target whose database', () => {
  beforeAll(async () => {
    stage = await startStage({
      sites: ['shop', { name: 'blog', engine: 'native', muPlugins: { 'who.php': SAYS_WHO } }],
      routes: ['shop>blog'],
      doors: ['blog'],
    });
    hub = stage.hub;
    [shop, blog] = [stage.site('shop'), stage.site('blog')];
    door = stage.door('blog');
    await giveOwnUser(blog);
    await people('old');
    await hub.rest();
  });
  afterEach(() => door?.forget());
  afterAll(() => stage?.end());

  test('T319: is read-only backs off as a whole, and is not asked again and again', async () => {
    // It has something to tell, too, which can’t be acknowledged.
    door.place({ route: 'changes', deed: { kind: 'answer', status: 503 } });
    await createAccount(blog, 'local');
    await shop.php("wp_create_user( 'local', 'shop password', 'local@shop.test' );");
    await sql(`${NONE()} ${SELECT()}`);
    const before = await accountsOf(blog);
    door.behave();
    door.forget();
    await hub.call('POST', '/sites/blog/test');
    await people('ro', 3);
    await edit('old', 'Read only');
    await troubled('site.database');
    expect((await blogStatus())?.trouble?.message).toMatch(/database/u);
    expect(await accountsOf(blog)).toEqual(before);
    expect(door.heard.length).toBeLessThan(60);
    await sql(ALL());
    await blog.php(
      "require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user( get_user_by( 'login', 'local' )->ID );",
    );
    await repaired();
  });

  test('T320: takes users but not their meta leaves nobody half written', async () => {
    const tables = (await sql('SHOW TABLES'))
      .split('\n')
      .slice(1)
      .filter((name) => name !== '');
    const some = tables.filter((name) => name !== 'wp_usermeta');
    await sql(
      `${NONE()} ${SELECT()} ${some.map((name) => `GRANT ALL ON \`${database}\`.\`${name}\` TO ${LAB_USER};`).join(' ')}`,
    );
    await people('set');
    await people('one', 2);
    await edit('old', 'Half', 3);
    await waitUntil(async () => (await hub.log('&status=failed')).length > 5, REST_MS);
    await hub.call('POST', '/sites/blog/test');
    await sql(
      some.map((name) => `REVOKE ALL ON \`${database}\`.\`${name}\` FROM ${LAB_USER};`).join(' '),
    );
    await sql(ALL());
    await repaired();
  });

  test('T321: is damaged: nobody is taken for missing, and the credential not for refused', async () => {
    await sql('RENAME TABLE wp_usermeta TO gone_usermeta;');
    await edit('old', 'Damaged');
    await people('damaged', 2);
    await troubled('site.database');
    await sql('RENAME TABLE gone_usermeta TO wp_usermeta; RENAME TABLE wp_users TO gone_users;');
    await hub.call('POST', '/sites/blog/test');
    await troubled('site.database');
    await sql('RENAME TABLE gone_users TO wp_users;');
    await repaired();
  });

  test('T322: is locked, as by a backup, or one row of it', async () => {
    await stage.restart({ siteTimeoutSeconds: PATIENCE_S });
    hub = stage.hub;
    await hub.rest();
    const releaseTable = await hold('LOCK TABLES wp_usermeta WRITE, wp_users WRITE;');
    await edit('old', 'Locked');
    await people('locked', 3);
    await waitUntil(async () => (await blogStatus())?.trouble !== null, REST_MS);
    await releaseTable();
    await repaired();
    const releaseRow = await hold(
      "START TRANSACTION; UPDATE wp_users SET user_url = 'x' WHERE user_login = 'old1';",
    );
    await edit('old', 'One row', 4);
    await waitUntil(async () => (await blogStatus())?.trouble !== null, REST_MS);
    await releaseRow();
    await repaired();
  });
});
