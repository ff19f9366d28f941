/**
 * What a backup needs outside of a running hub: its key put into the file, and a hub made of the file again.
 *
 * Does: find the key (environment, data folder, or in the file under a passphrase), and restore into an empty store.
 * Does not: start the hub. Keep the passphrase.
 * Always true: a key file that is there is never replaced; one that came with the backup is written when all else
 * is done.
 * On failure: `Fault` (`backup.*`, `restore.not_empty`, `data.*`, `secret.unreadable`); the store is as it was.
 */
import { createReadStream } from 'node:fs';
import { Fault } from '../../errors.ts';
import { hubIdentity } from '../hub-meta.ts';
import { type DatabaseSource, openDatabase } from '../open-database.ts';
import { findKey, hasKey, type KeySource, secretsOf, writeKeyFile } from '../secrets.ts';
import { type OpenedHead, readHead, refuseWrongKey } from './backup-file.ts';
import { lockKey, unlockKey } from './key-under-passphrase.ts';
import { restoreStore } from './restore-store.ts';

export interface RestoredHub {
  /** When the backup was made. */
  readonly made: string;
  readonly hub: string;
  readonly sites: readonly string[];
  readonly accounts: number;
}

export async function restoreHub(
  file: string,
  source: DatabaseSource,
  keySource: KeySource,
  passphrase: () => Promise<string>,
): Promise<RestoredHub> {
  const backup = await readHead(readFile(file));
  const own = hasKey(keySource);
  const key = own ? findKey(keySource, false) : await keyIn(backup, passphrase);
  const keys = secretsOf(key);
  refuseWrongKey(keys, backup.head);
  const database = await openDatabase(source, { migrates: false });
  try {
    await restoreStore(database, keys, backup);
    if (!own && keySource.dataFolder !== undefined) writeKeyFile(keySource.dataFolder, key);
    const { id: hub } = await hubIdentity(database);
    const { kysely } = database;
    const sites = await kysely
      .selectFrom('sites')
      .select('name')
      .where('removed', '=', false)
      .execute();
    const { accounts } = await kysely
      .selectFrom('accounts')
      .select((count) => count.fn.countAll<number>().as('accounts'))
      .where('gone', 'is', null)
      .executeTakeFirstOrThrow();
    const names = sites.map(({ name }) => name).sort();
    return { made: backup.head.made, hub, sites: names, accounts };
  } finally {
    await database.close();
  }
}

/** The same backup with the key in it, under a passphrase. @throws before it gives out anything */
export async function* withKey(
  bytes: AsyncIterable<Uint8Array>,
  keySource: KeySource,
  passphrase: string,
): AsyncGenerator<Uint8Array> {
  const backup = await readHead(bytes);
  if (!hasKey(keySource)) throw noKey('Neither ROLLCALL_SECRET_KEY nor a key file is here');
  const key = findKey(keySource, false);
  refuseWrongKey(secretsOf(key), backup.head);
  yield Buffer.from(`${backup.lines}${lockKey(key, passphrase)}\n`);
  yield* backup.body;
}

async function keyIn(backup: OpenedHead, passphrase: () => Promise<string>): Promise<Buffer> {
  if (backup.key === null) throw noKey('The backup was made without its key');
  return unlockKey(backup.key, await passphrase());
}

const noKey = (why: string): Fault =>
  new Fault('backup.no_key', `The hub’s key is missing: ${why}.`);

async function* readFile(file: string): AsyncGenerator<Buffer> {
  try {
    for await (const part of createReadStream(file)) yield part;
  } catch (cause) {
    throw new Fault('file.not_readable', `${file} can’t be read.`, { cause });
  }
}
