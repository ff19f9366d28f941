/**
 * Secrets at rest: AES-256-GCM, a fresh nonce each time, and the purpose as additional data, so
 * that a sealed value moved to another row or column does not open.
 *
 * Does: seal and open texts; take the key from `ROLLCALL_SECRET_KEY` or from a 0600 file.
 * Does not: hold more than the key in memory, or say anything of key or plaintext in a message.
 * Always true: the format starts with its version (`v1.`).
 * On failure: `secret.unreadable` for anything that doesn't open, whatever the cause.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scryptSync } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../errors.ts';

export interface Secrets {
  /** @param purpose what the value is and whose, e.g. `delivery.password:<uid>` */
  seal(purpose: string, plain: string): string;
  /** @throws Fault `secret.unreadable` */
  open(purpose: string, sealed: string): string;
  /** Another key of 32 bytes, for one purpose and one salt; it tells nothing of the hub's own. */
  derive(purpose: string, salt: string): Buffer;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Fewer characters than this are no secret, however they are stretched. */
const SHORTEST_PASSPHRASE = 16;
const KEY_FILE = 'secret.key';

export function secretsOf(key: Buffer): Secrets {
  return {
    seal(purpose, plain) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aadOf(purpose));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return `v1.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`;
    },
    open(purpose, sealed) {
      try {
        return decipher(key, purpose, sealed);
      } catch {
        throw new Fault('secret.unreadable', 'A stored secret can’t be opened with this key.');
      }
    },
    derive: (purpose, salt) =>
      Buffer.from(hkdfSync('sha256', key, salt, aadOf(purpose), KEY_BYTES)),
  };
}

function decipher(key: Buffer, purpose: string, sealed: string): string {
  if (!sealed.startsWith('v1.')) throw new Error('unknown format');
  const bytes = Buffer.from(sealed.slice('v1.'.length), 'base64url');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const body = bytes.subarray(NONCE_BYTES + TAG_BYTES);
  const opener = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  opener.setAAD(aadOf(purpose)).setAuthTag(tag);
  return Buffer.concat([opener.update(body), opener.final()]).toString('utf8');
}

const aadOf = (purpose: string): Buffer => Buffer.from(`rollcall/v1/${purpose}`, 'utf8');

export interface KeySource {
  /** `ROLLCALL_SECRET_KEY`: 32 bytes in hex or base64, or any text of 16 characters or more. */
  readonly secretKey?: string | undefined;
  /** Where the key file lives when there is no `secretKey`. */
  readonly dataFolder?: string | undefined;
}

/**
 * The key, and how to keep it when it was made just now: only a store that holds no secrets yet
 * may get a new one.
 */
export function findKey(source: KeySource, storeIsNew: boolean): Buffer {
  if (source.secretKey !== undefined) return keyFromText(source.secretKey);
  if (source.dataFolder === undefined) {
    throw new Fault('secret.unreadable', 'ROLLCALL_SECRET_KEY is not set.');
  }
  const file = join(source.dataFolder, KEY_FILE);
  if (existsSync(file)) return keyFromFile(file);
  if (!storeIsNew) {
    throw new Fault(
      'secret.unreadable',
      `The key file “${KEY_FILE}” is gone from the data folder.`,
    );
  }
  const key = randomBytes(KEY_BYTES);
  // Of two processes that start together, one makes the key, the other fails here.
  writeKeyFile(source.dataFolder, key);
  return key;
}

/** @throws where there is one already */
export function writeKeyFile(dataFolder: string, key: Buffer): void {
  const file = join(dataFolder, KEY_FILE);
  writeFileSync(file, `${key.toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
}

/** Is there a key, in the environment or in the folder? */
export const hasKey = ({ secretKey, dataFolder }: KeySource): boolean =>
  secretKey !== undefined || (dataFolder !== undefined && existsSync(join(dataFolder, KEY_FILE)));

function keyFromFile(file: string): Buffer {
  chmodSync(file, 0o600);
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length === KEY_BYTES) return key;
  throw new Fault('secret.unreadable', `The key file “${KEY_FILE}” does not hold 32 bytes.`);
}

function keyFromText(text: string): Buffer {
  if (/^[0-9a-f]{64}$/iu.test(text)) return Buffer.from(text, 'hex');
  const decoded = /^[A-Za-z0-9+/_-]{43}=?$/u.test(text) ? Buffer.from(text, 'base64') : null;
  if (decoded?.length === KEY_BYTES) return decoded;
  if (text.length < SHORTEST_PASSPHRASE) {
    throw new Fault(
      'secret.unreadable',
      `ROLLCALL_SECRET_KEY is shorter than ${SHORTEST_PASSPHRASE} characters.`,
    );
  }
  // One key per store: a fixed salt is as good as one that lies beside what it protects.
  return scryptSync(text, 'rollcall/secret-key/v1', KEY_BYTES);
}
