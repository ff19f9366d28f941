/** Two hub processes share one PostgreSQL database and the load; either may go away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningHub } from '#hub/cli/hub-process.ts';
import { startHub } from '#hub/main.ts';
import { startPostgresCluster } from '#hub/storage/test/postgres-cluster.ts';
import { createAccount, Hub, person, type Stage, startStage } from './stage.ts';

// Prints the line that installs PostgreSQL where it is missing.
const cluster = await startPostgresCluster();

let stage: Stage;
let second: RunningHub;
let folder: string;
const key = process.env['ROLLCALL_SECRET_KEY'];

beforeAll(async () => {
  if (cluster === null) return;
  process.env['ROLLCALL_SECRET_KEY'] = 'one key for both of these processes';
  const databaseUrl = await cluster.createDatabase();
  stage = await startStage({
    sites: ['shop', 'blog'],
    routes: ['shop=blog'],
    hub: { databaseUrl },
  });
  folder = await mkdtemp(join(tmpdir(), 'rollcall-second-'));
  second = await startHub({
    dataFolder: folder,
    databaseUrl,
    port: 0,
    pollSeconds: 1,
    settleDeletesSeconds: 1,
  });
});
afterAll(async () => {
  await second?.stop();
  await stage?.end();
  await cluster?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  if (key === undefined) delete process.env['ROLLCALL_SECRET_KEY'];
  else process.env['ROLLCALL_SECRET_KEY'] = key;
});

// Without PostgreSQL there is nothing that two processes could share.
test.skipIf(cluster === null)('both know the same, and each change arrives once', async () => {
  const [shop, blog] = [stage.site('shop'), stage.site('blog')];
  const other = new Hub(second);
  await createAccount(shop, 'shared', { firstName: 'One' });
  await other.rest();
  expect(await person(blog, 'shared')).toMatchObject({ firstName: 'One' });
  await Promise.all([
    shop.wp('user', 'meta', 'update', 'shared', 'last_name', 'From shop'),
    blog.wp('user', 'meta', 'update', 'shared', 'description', 'From blog'),
  ]);
  await stage.hub.rest();
  await other.rest();
  for (const site of [shop, blog]) {
    expect(await person(site, 'shared')).toMatchObject({
      lastName: 'From shop',
      description: 'From blog',
    });
  }
  const rows = (await other.log('&account=shared')).filter((row) => row.status === 'delivered');
  expect(rows).toHaveLength(3);
  expect(await stage.hub.log('&account=shared')).toEqual(await other.log('&account=shared'));
});
