import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fault } from '../../errors.ts';
import type { Identity } from '../../model/identity.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { openStorage } from '../open-storage.ts';
import { findKey, secretsOf } from '../secrets.ts';
import {
  account,
  addPlace,
  carried,
  delivery,
  identity,
  type Place,
  read,
  SECRETS,
  save,
} from '../test/world.ts';
import { backUp } from './back-up.ts';
import { sealed } from './backup-file.ts';
import { restoreHub, withKey } from './restore-hub.ts';

const PASSPHRASE = 'a passphrase of some length';
const folder = mkdtempSync(join(tmpdir(), 'rollcall-restore-'));
const [home, target] = [join(folder, 'home'), join(folder, 'target')];
const [plain, keyed] = [join(folder, 'plain.backup'), join(folder, 'keyed.backup')];
let place: Place;
let person: Identity;

async function bytesOf(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}
async function* from(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
const noPassphrase = () => Promise.reject(new Error('no passphrase is to be asked for'));
const restore = (file: string, passphrase: () => Promise<string> = noPassphrase) =>
  restoreHub(file, { dataFolder: target }, { dataFolder: target }, passphrase);
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'restored',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  );

beforeAll(async () => {
  const storage = await openStorage({ dataFolder: home }, { dataFolder: home });
  place = await addPlace(storage);
  const password = carried('$wp$2y$10$hash-on-its-way', place.site);
  person = identity(
    [account(place.installation, { login: 'anna', email: 'anna@example.test' })],
    [delivery(place.site, { password })],
  );
  await save(storage, person);
  const { content } = await backUp(storage.database, storage.secrets, home);
  writeFileSync(plain, await bytesOf(content));
  await storage.close();
  const source = { dataFolder: home };
  writeFileSync(keyed, await bytesOf(withKey(from(readFileSync(plain)), source, PASSPHRASE)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('T190: a backup holds nothing that can be read without the key, and the key under a passphrase alone', () => {
  const key = findKey({ dataFolder: home }, false);
  for (const file of [plain, keyed]) {
    const bytes = readFileSync(file);
    for (const secret of [
      'anna',
      'hash-on-its-way',
      SECRETS.credential.password,
      SECRETS.signalSecret,
      key.toString('base64'),
      key.toString('base64url'),
      key,
    ]) {
      expect(bytes.includes(secret)).toBe(false);
    }
  }
});

test('T189: a backup that is damaged, newer, of another key or over another hub restores nothing; the same folder takes the right one', async () => {
  const altered = join(folder, 'altered.backup');
  const damage = (change: (bytes: Buffer) => Buffer): void =>
    writeFileSync(altered, change(readFileSync(keyed)));
  const right = () => Promise.resolve(PASSPHRASE);
  expect(await codeOf(restore(join(folder, 'nowhere')))).toBe('file.not_readable');
  expect(await codeOf(restore(plain))).toBe('backup.no_key');
  expect(await codeOf(restore(keyed, async () => 'another passphrase'))).toBe(
    'backup.wrong_passphrase',
  );
  damage((bytes) => bytes.subarray(0, -1));
  expect(await codeOf(restore(altered, right))).toBe('backup.damaged');
  damage((bytes) => {
    bytes[bytes.length - 30] = (bytes[bytes.length - 30] ?? 0) ^ 1;
    return bytes;
  });
  expect(await codeOf(restore(altered, right))).toBe('backup.damaged');
  const keys = secretsOf(findKey({ dataFolder: home }, false));
  const newer = { made: new Date().toISOString(), store: (MIGRATIONS.at(-1)?.number ?? 0) + 1 };
  writeFileSync(altered, await bytesOf(sealed(keys, newer, from(Buffer.from('')))));
  const other = { dataFolder: target, secretKey: 'the key of another hub' };
  expect(await codeOf(restoreHub(plain, { dataFolder: target }, other, noPassphrase))).toBe(
    'backup.wrong_key',
  );
  expect(existsSync(join(target, 'secret.key'))).toBe(false);
  copyFileSync(join(home, 'secret.key'), join(folder, 'secret.key'));
  const own = { dataFolder: folder };
  expect(await codeOf(restoreHub(altered, { dataFolder: target }, own, noPassphrase))).toBe(
    'backup.newer',
  );

  const restored = await restore(keyed, right);
  expect(restored).toMatchObject({ accounts: 1, sites: [expect.stringContaining('.test')] });
  expect(statSync(join(target, 'secret.key')).mode & 0o777).toBe(0o600);
  const storage = await openStorage({ dataFolder: target }, { dataFolder: target });
  const found = await read(storage, person.uid);
  const { credential } = await storage.registry.connection(place.installation);
  await storage.close();
  expect(found).toEqual(person);
  expect(credential).toEqual(SECRETS.credential);
  expect(await codeOf(restore(keyed))).toBe('restore.not_empty');
});
