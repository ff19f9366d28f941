import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BACKUP_BYTES } from '../api/test/samples.ts';
import { fakeHub } from './test/fake-hub.ts';

const hub = fakeHub();

it('backup writes what the hub gives into a file that its owner alone can read', async () => {
  expect(await hub.rollcall('backup', '--out', 'hub.backup')).toBe(0);
  const file = join(hub.folder, 'hub.backup');
  expect(readFileSync(file).equals(BACKUP_BYTES)).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(hub.terminal.written.out).toContain('keep it apart');
});

it('a backup that breaks off leaves no file, and the one before stays', async () => {
  writeFileSync(join(hub.folder, 'whole.backup'), 'the one before');
  hub.operations.on({
    backUp: async () => ({
      bytes: 1_000,
      content: (async function* () {
        yield Buffer.from('some of it');
        throw new Error('the disk is gone');
      })(),
    }),
  });
  expect(await hub.rollcall('backup', '--out', 'whole.backup')).toBe(3);
  expect(readFileSync(join(hub.folder, 'whole.backup'), 'utf8')).toBe('the one before');
  expect(readdirSync(hub.folder).filter((name) => /backup\.\d+/u.test(name))).toEqual([]);
});

it('a passphrase is not asked for where nobody can answer, nor taken without its use', async () => {
  expect(await hub.rollcall('backup', '--out', 'a', '--with-key')).toBe(2);
  expect(hub.terminal.written.err).toContain('--passphrase-file');
  expect(await hub.rollcall('backup', '--out', 'a', '--passphrase-file', 'b')).toBe(2);
  expect(await hub.rollcall('backup')).toBe(2);
  expect(existsSync(join(hub.folder, 'a'))).toBe(false);
});

it('restore says what is wrong with its file', async () => {
  writeFileSync(join(hub.folder, 'photo'), 'not one');
  expect(await hub.rollcall('restore', 'photo')).toBe(1);
  expect(hub.terminal.written.err).toContain('is no backup of a Rollcall hub');
  expect(await hub.rollcall('restore', 'nowhere', '--json')).toBe(1);
  expect(hub.terminal.written.err).toContain('file.not_readable');
});
