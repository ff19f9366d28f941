import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from './open-database.ts';
import { openStorage } from './open-storage.ts';

const base = mkdtempSync(join(tmpdir(), 'rollcall-folder-'));
const folder = join(base, 'data');
const lockFile = join(folder, 'lock');
const open = () => openStorage({ dataFolder: folder }, { dataFolder: folder });

/** A lock as another process would have left it. */
const leaveLock = (holder: { pid: number; host?: string; started?: string }) =>
  writeFileSync(lockFile, JSON.stringify({ host: hostname(), started: '', ...holder }));

/** Every file's name, size and content start: what would show a change. */
function look(path: string): string[] {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== 'lock')
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return `${file} ${statSync(file).size} ${statSync(file).mtimeMs}`;
    })
    .sort();
}

beforeAll(async () => {
  await (await open()).close();
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('the data folder', () => {
  test('is for its owner alone, and so is the key in it', () => {
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'secret.key')).mode & 0o777).toBe(0o600);
    expect(existsSync(lockFile)).toBe(false);
  });

  test('keeps what was stored when it is opened again', async () => {
    const first = await open();
    const [key] = await first.registry.reserveSiteKeys(1);
    const token = await first.tokens.createToken('t', 'viewer');
    await first.close();
    await first.close();
    const again = await open();
    expect((await again.registry.reserveSiteKeys(1))[0]).toBe((key ?? 0) + 1);
    expect(await again.tokens.verifyToken(token)).toMatchObject({ name: 't' });
    await again.close();
  });

  test('is in use while it is open, and says by whom', async () => {
    const first = await open();
    expect(statSync(lockFile).mode & 0o777).toBe(0o600);
    await expect(open()).rejects.toMatchObject({
      code: 'data.in_use',
      detail: { pid: process.pid },
    });
    await first.close();
  });

  test('is in use by another living process', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    try {
      leaveLock({ pid: child.pid ?? 0 });
      await expect(open()).rejects.toMatchObject({
        code: 'data.in_use',
        detail: { pid: child.pid },
      });
      expect(existsSync(lockFile)).toBe(true);
    } finally {
      child.kill('SIGKILL');
      rmSync(lockFile);
    }
  });

  test('opens over the lock of a process that died, or of one cut short', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.once('exit', resolve));
    leaveLock({ pid: child.pid ?? 0 });
    await (await open()).close();
    writeFileSync(lockFile, '');
    await (await open()).close();
    // Ours, from before a restart in a container: the same pid, but this process holds nothing.
    leaveLock({ pid: process.pid });
    await (await open()).close();
    expect(existsSync(lockFile)).toBe(false);
  });

  test.runIf(existsSync('/proc/self/stat'))(
    'opens when the lock’s pid is another process by now',
    async () => {
      leaveLock({ pid: process.ppid, started: '1' });
      await (await open()).close();
    },
  );

  test('of another host is in use until its lock is no longer touched', async () => {
    leaveLock({ pid: 1, host: 'another-container' });
    await expect(open()).rejects.toMatchObject({ code: 'data.in_use' });
    const longAgo = new Date(Date.now() - 120_000);
    utimesSync(lockFile, longAgo, longAgo);
    await (await open()).close();
  });

  test('that can’t be written to is refused', async () => {
    const file = join(base, 'a-file');
    writeFileSync(file, '');
    for (const dataFolder of [file, join(file, 'below')]) {
      await expect(openDatabase({ dataFolder })).rejects.toMatchObject({
        code: 'data.not_writable',
      });
    }
  });

  test('without its key does not open, and gets no new one', async () => {
    const key = readFileSync(join(folder, 'secret.key'));
    rmSync(join(folder, 'secret.key'));
    await expect(open()).rejects.toMatchObject({ code: 'secret.unreadable' });
    expect(existsSync(join(folder, 'secret.key'))).toBe(false);
    writeFileSync(join(folder, 'secret.key'), key, { mode: 0o644 });
    await (await open()).close();
    expect(statSync(join(folder, 'secret.key')).mode & 0o777).toBe(0o600);
  });

  test('whose first start was cut short begins anew', async () => {
    const dataFolder = join(base, 'unfinished');
    mkdirSync(join(dataFolder, 'database', 'base'), { recursive: true });
    writeFileSync(join(dataFolder, 'database.unfinished'), '');
    const database = await openDatabase({ dataFolder });
    expect(existsSync(join(dataFolder, 'database.unfinished'))).toBe(false);
    await database.close();
  });

  test('that is damaged is left as it is', async () => {
    const database = join(folder, 'database');
    const damages = [
      () => writeFileSync(join(database, 'global', 'pg_control'), Buffer.alloc(8_192, 7)),
      () => truncateSync(join(database, 'global', 'pg_control'), 100),
      () => rmSync(join(database, 'pg_xact'), { recursive: true }),
      () => writeFileSync(join(database, 'PG_VERSION'), '17\n'),
      () => rmSync(join(database, 'PG_VERSION')),
    ];
    for (const damage of damages) {
      damage();
      const before = look(database);
      await expect(open()).rejects.toMatchObject({ code: 'data.broken' });
      expect(look(database)).toEqual(before);
      expect(existsSync(lockFile)).toBe(false);
    }
  });
});

test('a PostgreSQL that can’t be reached is named without login or password', async () => {
  const databaseUrl = 'postgres://someone:hush-hush@127.0.0.1:1/rollcall';
  const error = await openDatabase({ databaseUrl }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'database.unreachable' });
  const said = `${String(error)} ${JSON.stringify(error)}`;
  expect(said).toContain('127.0.0.1:1/rollcall');
  expect(said).not.toContain('hush-hush');
  expect(said).not.toContain('someone');
});
