/** The hub's store goes away or fills up in mid-run: the hub says so, and goes on by itself. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { startPostgresCluster } from '#hub/storage/test/postgres-cluster.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { createAccount, type Hub, person, REST_MS, type Stage, startStage } from './stage.ts';

const cluster = await startPostgresCluster();
const key = process.env['ROLLCALL_SECRET_KEY'];
let stage: Stage | undefined;
/** A dead worker's job stands for as long as its heartbeat, and is looked for now and then. */
const COMES_BACK_MS = REST_MS + 120_000;

afterEach(async () => {
  await stage?.end();
  stage = undefined;
});
afterAll(async () => {
  await cluster?.stop();
  if (key === undefined) delete process.env['ROLLCALL_SECRET_KEY'];
  else process.env['ROLLCALL_SECRET_KEY'] = key;
});

const rename = (site: Site, login: string, name: string): Promise<string> =>
  site.php(`update_user_meta( get_user_by( 'login', '${login}' )->ID, 'first_name', '${name}' );`);

async function answerOf(hub: Hub): Promise<{ status: number; text: string; code?: string }> {
  const response = await hub.raw('GET', '/status');
  const text = await response.text();
  const code = /"code":"([a-z_.]+)"/u.exec(text)?.[1];
  return { status: response.status, text, ...(code === undefined ? {} : { code }) };
}

/** Ten edits on each side while `trouble` lasts; afterwards both hold the last ones, once each. */
async function throughTrouble(
  { hub, sites }: Stage,
  trouble: { begin: () => Promise<void>; end: () => Promise<void>; code: string },
): Promise<void> {
  const [shop, blog] = sites;
  if (shop === undefined || blog === undefined) throw new Error('two sites were asked for');
  for (const login of ['anna', 'bert']) await createAccount(shop, login);
  await hub.rest();
  await rename(shop, 'anna', 'Before');
  await trouble.begin();
  for (let count = 0; count < 10; count += 1) {
    await rename(shop, 'anna', `Anna ${count}`);
    await rename(blog, 'bert', `Bert ${count}`);
  }
  await createAccount(shop, 'carl');
  await waitUntil(async () => (await answerOf(hub)).code === trouble.code, 60_000);
  const { status, text } = await answerOf(hub);
  expect(status).toBe(503);
  expect(text).not.toMatch(/\bat .*:\d+:\d+|node_modules|ECONN|postgres:\/\//u);
  await trouble.end();
  await waitUntil(async () => (await answerOf(hub)).status === 200, 60_000);
  await hub.rest(COMES_BACK_MS);

  for (const one of [shop, blog]) {
    expect(await person(one, 'anna')).toMatchObject({ firstName: 'Anna 9' });
    expect(await person(one, 'bert')).toMatchObject({ firstName: 'Bert 9' });
    expect((await person(one, 'carl'))?.hash).toBe((await person(shop, 'carl'))?.hash);
    expect(await one.php('echo count_users()["total_users"];')).toBe(
      await shop.php('echo count_users()["total_users"];'),
    );
  }
  const rows = await hub.log('&account=carl');
  expect(rows.filter((row) => row.status === 'delivered')).toHaveLength(1);
}

// Without PostgreSQL there is no connection to lose; the line that installs it is printed.
describe.skipIf(cluster === null)('PostgreSQL', () => {
  test('T205: goes away and comes back in mid-run', async () => {
    process.env['ROLLCALL_SECRET_KEY'] = 'a key for this test';
    const databaseUrl = (await cluster?.createDatabase()) ?? '';
    stage = await startStage({
      sites: ['shop', 'blog'],
      routes: ['shop=blog'],
      hub: { databaseUrl },
    });
    const name = new URL(databaseUrl).pathname.slice(1);
    const admin = new pg.Client({ connectionString: databaseUrl.replace(/\/\w+$/u, '/postgres') });
    await admin.connect();
    try {
      await throughTrouble(stage, {
        code: 'database.unreachable',
        async begin() {
          await admin.query(`alter database ${name} with allow_connections false`);
          await admin.query(
            'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1',
            [name],
          );
        },
        async end() {
          await admin.query(`alter database ${name} with allow_connections true`);
        },
      });
    } finally {
      await admin.end();
    }
  }, 400_000);

  test('T205: connections that are cut again and again lose nothing', async () => {
    process.env['ROLLCALL_SECRET_KEY'] = 'a key for this test';
    const databaseUrl = (await cluster?.createDatabase()) ?? '';
    stage = await startStage({
      sites: ['shop', 'blog'],
      routes: ['shop=blog'],
      hub: { databaseUrl },
    });
    const [shop, blog] = [stage.site('shop'), stage.site('blog')];
    await createAccount(shop, 'anna');
    await stage.hub.rest();
    const admin = new pg.Client({ connectionString: databaseUrl });
    await admin.connect();
    for (let count = 0; count < 15; count += 1) {
      const cut = admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      );
      await Promise.all([cut, rename(count % 2 === 0 ? shop : blog, 'anna', `Anna ${count}`)]);
    }
    await admin.end();
    await stage.hub.rest(COMES_BACK_MS);
    for (const one of [shop, blog]) {
      expect(await person(one, 'anna')).toMatchObject({ firstName: 'Anna 14' });
    }
  }, 400_000);
});

/** A small disk of its own; null where this user may not make one. */
function smallDisk(megabytes: number): { folder: string; end: () => void } | null {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {
      stdio: 'pipe',
    });
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
  return {
    folder,
    end() {
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const disk = process.platform === 'linux' ? smallDisk(256) : null;
if (disk === null) process.stderr.write('a full disk can only be tried as root on Linux\n');
afterAll(() => disk?.end());

describe.skipIf(disk === null)('a data folder', () => {
  test('T204: its disk fills up, and has room again', async () => {
    const folder = disk?.folder ?? '';
    const filler = join(folder, 'filler');
    const data = join(folder, 'data');
    mkdirSync(data);
    stage = await startStage({
      sites: ['shop', 'blog'],
      routes: ['shop=blog'],
      hub: { dataFolder: data },
    });
    await throughTrouble(stage, {
      code: 'data.full',
      async begin() {
        const { bavail, bsize } = statfsSync(folder);
        writeFileSync(filler, Buffer.alloc(bavail * bsize));
      },
      async end() {
        rmSync(filler);
      },
    });
  }, 400_000);
});
