/**
 * A hub's key in its backup, readable only with a passphrase.
 *
 * Always true: finding the passphrase by trying costs 64 MB and a good part of a second each time.
 * On failure: `backup.wrong_passphrase`.
 */
import { randomBytes, scryptSync } from 'node:crypto';
import { Fault } from '../../errors.ts';
import { secretsOf } from '../secrets.ts';

const COST = { N: 65_536, r: 8, p: 1, maxmem: 128 * 1024 * 1024 };
const KEY_BYTES = 32;
const PURPOSE = 'backup.key';
export const SHORTEST_PASSPHRASE = 12;

export function lockKey(key: Buffer, passphrase: string): string {
  if (passphrase.length < SHORTEST_PASSPHRASE) {
    const sentence = `A passphrase has ${SHORTEST_PASSPHRASE} characters or more.`;
    throw new Fault('request.invalid', sentence);
  }
  const salt = randomBytes(KEY_BYTES).toString('base64url');
  return `${salt}.${under(passphrase, salt).seal(PURPOSE, key.toString('base64'))}`;
}

export function unlockKey(locked: string, passphrase: string): Buffer {
  const at = locked.indexOf('.');
  try {
    const opened = under(passphrase, locked.slice(0, at)).open(PURPOSE, locked.slice(at + 1));
    return Buffer.from(opened, 'base64');
  } catch (cause) {
    throw new Fault(
      'backup.wrong_passphrase',
      'The key in the backup does not open with this passphrase.',
      {
        cause,
      },
    );
  }
}

const under = (passphrase: string, salt: string) =>
  secretsOf(scryptSync(passphrase.normalize('NFC'), salt, KEY_BYTES, COST));
