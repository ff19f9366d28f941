/**
 * What a person gets who does something wrong: one clear sentence, the next step, a non-zero exit,
 * and nothing changed. The command line is run as it is, against real sites.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Site, startSite } from '#lab/start-site.ts';
import { HubProcess } from './hub-process.ts';
import { CONNECTOR, ENGINE, prepare } from './stage.ts';

const CLI = new URL('../bin/rollcall.mjs', import.meta.url).pathname;
/** What the host of this site does to requests, by an option that the test sets. */
const HABITS = `<?php
$habit = get_option( 'host_habit' );
if ( 'strips' === $habit ) {
	unset( $_SERVER['HTTP_AUTHORIZATION'], $_SERVER['PHP_AUTH_USER'], $_SERVER['PHP_AUTH_PW'], $_SERVER['HTTP_X_ROLLCALL_AUTHORIZATION'] );
}
if ( 'no passwords' === $habit ) {
	add_filter( 'wp_is_application_passwords_available', '__return_false' );
}`;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function rollcall(args: readonly string[], input = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString('utf8');
    });
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString('utf8');
    });
    child.on('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input);
  });
}

let folder: string;
let hub: HubProcess;
let site: Site;
let bare: Site;
let other: Server;
let otherUrl: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-wrong-'));
  hub = new HubProcess(join(folder, 'data'));
  [site, bare] = await Promise.all([
    startSite({
      name: 'shop',
      engine: ENGINE,
      connector: CONNECTOR,
      muPlugins: { 'habits.php': HABITS },
    }),
    startSite({ name: 'bare', engine: ENGINE }),
    hub.start(),
  ]);
  await prepare(site);
  other = createServer((_, response) => response.end('<h1>A page</h1>'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  otherUrl = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
});
afterAll(async () => {
  other?.close();
  await hub?.stop();
  await Promise.all([site?.stop(), bare?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** A sentence and a next step, and nothing that a person should never see. */
function expectClear(ended: Ended, sentence: RegExp, next: RegExp): void {
  expect(ended.code).not.toBe(0);
  expect(ended.stderr).toMatch(sentence);
  expect(ended.stderr).toMatch(next);
  expect(ended.stderr.trim().split('\n').length).toBeLessThanOrEqual(3);
  expect(ended.stderr).not.toMatch(/\bat .+:\d+:\d+|node_modules|Error:/u);
}

const data = () => ['--data', hub.dataFolder];
const appPassword = (where: Site) =>
  where.wp(
    'user',
    'application-password',
    'create',
    where.adminLogin,
    `try-${Date.now()}`,
    '--porcelain',
  );
const add = async (url: string, password: string) =>
  rollcall(
    ['site', 'add', url, '--name', 'Shop', '--user', 'admin', '--app-password', '-', ...data()],
    password,
  );
const habit = (value: string) => site.php(`update_option( 'host_habit', '${value}' );`);

describe('site add', () => {
  test('an address that is no WordPress', async () => {
    expectClear(await add(otherUrl, 'whatever it is'), /WordPress/u, /home page/u);
  });

  test('an address where nothing answers', async () => {
    expectClear(await add('http://127.0.0.1:9', 'whatever it is'), /127\.0\.0\.1/u, /up|reach/u);
  });

  test('a site without the connector', async () => {
    expectClear(await add(bare.url, await appPassword(bare)), /[Cc]onnector/u, /connector build/u);
  });

  test('a wrong password, which is not repeated in the answer', async () => {
    const ended = await add(site.url, 'abcd efgh ijkl mnop qrst uvwx');
    expectClear(ended, /wrong/u, /Application Password/u);
    expect(ended.stdout + ended.stderr).not.toContain('abcd');
  });

  test('Application Passwords switched off', async () => {
    const password = await appPassword(site);
    await habit('no passwords');
    const ended = await add(site.url, password);
    await habit('');
    expectClear(
      ended,
      /Application Passwords are off|Application Passwords/u,
      /Switch Application Passwords on/u,
    );
  });

  test('a host that strips the Authorization header', async () => {
    const password = await appPassword(site);
    await habit('strips');
    const ended = await add(site.url, password);
    await habit('');
    expectClear(ended, /did not arrive|Authorization/u, /CGIPassAuth/u);
  });

  test('an account that may not', async () => {
    await site.wp('user', 'create', 'reader', 'reader@people.test', '--role=subscriber');
    const password = await site.wp(
      'user',
      'application-password',
      'create',
      'reader',
      'try',
      '--porcelain',
    );
    const ended = await rollcall(
      [
        'site',
        'add',
        site.url,
        '--name',
        'Shop',
        '--user',
        'reader',
        '--app-password',
        '-',
        ...data(),
      ],
      password,
    );
    expectClear(ended, /may not connect|connect/u, /manage options/u);
  });

  test('after all of that nothing was added, here or on the site', async () => {
    const { stdout } = await rollcall(['site', 'list', '--json', ...data()]);
    expect(JSON.parse(stdout)).toMatchObject({ sites: [] });
    expect(await site.php('echo (int) Rollcall_Settings::is_bound();')).toBe('0');
    expect(await site.php("echo count( get_users( array( 'search' => 'rollcall*' ) ) );")).toBe(
      '0',
    );
  });
});

describe('names that nobody has', () => {
  test.each([
    ['site test', ['site', 'test', 'Nowhere'], /Nowhere/u, /site list/u],
    ['route add', ['route', 'add', 'Nowhere', 'Elsewhere'], /Nowhere/u, /site list/u],
    ['explain', ['explain', 'Nowhere', 'anna'], /Nowhere/u, /site list/u],
    ['sync', ['sync', '--from', 'Nowhere', '--to', 'Elsewhere', '--all'], /Nowhere/u, /site list/u],
  ])('%s', async (_, args, sentence, next) => {
    expectClear(await rollcall([...args, ...data()]), sentence, next);
  });
});

describe('data folders', () => {
  test('a second process on the same folder', async () => {
    const ended = await rollcall(['serve', '--port', '0', ...data()]);
    expectClear(ended, /in use|used by|process/u, /Stop the other process/u);
  });

  test('a broken folder: it is left as it is', async () => {
    const broken = join(folder, 'broken');
    await mkdir(join(broken, 'database'), { recursive: true });
    await writeFile(join(broken, 'database', 'PG_VERSION'), 'not a version');
    const before = await readdir(broken, { recursive: true });
    const ended = await rollcall(['serve', '--port', '0', '--data', broken]);
    expectClear(ended, /damaged/u, /backup|new one/u);
    expect(
      (await readdir(broken, { recursive: true })).filter((name) => before.includes(name)),
    ).toEqual(before);
  });

  test('no hub there', async () => {
    const ended = await rollcall(['status', '--data', join(folder, 'empty')]);
    expectClear(ended, /hub/iu, /rollcall serve/u);
    expect(ended.code).toBe(3);
  });
});
