/**
 * The form of a backup: two readable lines, the line of the key, and sealed frames.
 *
 * Does: seal a stream of bytes with a key that only this file has, made from the hub's; open it again.
 * Does not: know what is in it.
 * Always true: what the first two lines say is bound to every frame; each frame is bound to its place, and the
 * last one says that it is the last. So nothing can be changed, left out, moved or cut off unseen.
 * On failure: `backup.not_one`, `backup.wrong_key`, `backup.damaged`.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { Fault } from '../../errors.ts';
import type { Secrets } from '../secrets.ts';

export const MAGIC = 'rollcall backup 1';
/** In the place of a key that is not in the file. */
export const NO_KEY = '-';
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const FRAME_BYTES = 64 * 1024;
/** Whether it is the last, and how long it is. */
const FRAME_HEAD_BYTES = 5;
/** Far more than the three lines are. What has no line break by then is something else. */
const MOST_HEAD_BYTES = 16 * 1024;
const SALT_BYTES = 32;

export const BackupHeadSchema = z.object({
  made: z.iso.datetime(),
  /** Version of the store, by its newest migration. */
  store: z.int().positive(),
  salt: z.string().min(1).max(100),
  /** Tells the key, and nothing about it. */
  check: z.string().min(1).max(100),
});
export type BackupHead = z.infer<typeof BackupHeadSchema>;

/** Only of hub keys is this made; `Secrets` never gives the key itself away. */
export type Keys = Pick<Secrets, 'derive'>;

export async function* sealed(
  keys: Keys,
  about: Pick<BackupHead, 'made' | 'store'>,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  const salt = randomBytes(SALT_BYTES).toString('base64url');
  const head: BackupHead = { ...about, salt, check: checkOf(keys, salt) };
  const lines = `${MAGIC}\n${JSON.stringify(head)}\n`;
  yield Buffer.from(`${lines}${NO_KEY}\n`);
  const seal = sealerOf(keys, salt, lines);
  let rest = Buffer.alloc(0);
  for await (const part of bytes) {
    rest = Buffer.concat([rest, part]);
    // One frame at least is kept for the end.
    for (; rest.length > FRAME_BYTES; rest = rest.subarray(FRAME_BYTES)) {
      yield seal(rest.subarray(0, FRAME_BYTES), false);
    }
  }
  yield seal(rest, true);
}

export interface OpenedHead {
  readonly head: BackupHead;
  /** The key under a passphrase, as it stands in the file; null: it is not in it. */
  readonly key: string | null;
  /** What the frames are bound to. */
  readonly lines: string;
  /** The frames. */
  readonly body: AsyncIterable<Buffer>;
}

/** Reads the three lines; nothing is trusted of them until the frames open. @throws Fault `backup.not_one` */
export async function readHead(bytes: AsyncIterable<Uint8Array>): Promise<OpenedHead> {
  const parts = bytes[Symbol.asyncIterator]();
  let read = Buffer.alloc(0);
  while (lineEnds(read).length < 3) {
    const { done, value } = await parts.next();
    if (done === true || read.length > MOST_HEAD_BYTES) throw notOne();
    read = Buffer.concat([read, value]);
  }
  const [magicEnd = 0, headEnd = 0, keyEnd = 0] = lineEnds(read);
  if (read.subarray(0, magicEnd).toString() !== MAGIC) throw notOne();
  const key = read.subarray(headEnd + 1, keyEnd).toString();
  return {
    head: parseHead(read.subarray(magicEnd + 1, headEnd).toString()),
    key: key === NO_KEY ? null : key,
    lines: read.subarray(0, headEnd + 1).toString(),
    body: following(read.subarray(keyEnd + 1), parts),
  };
}

async function* following(first: Buffer, parts: AsyncIterator<Uint8Array>): AsyncGenerator<Buffer> {
  yield first;
  for (;;) {
    const { done, value } = await parts.next();
    if (done === true) return;
    yield Buffer.from(value);
  }
}

function lineEnds(bytes: Buffer): number[] {
  const ends: number[] = [];
  for (let at = bytes.indexOf(10); at >= 0 && ends.length < 3; at = bytes.indexOf(10, at + 1)) {
    ends.push(at);
  }
  return ends;
}

function parseHead(text: string): BackupHead {
  try {
    return BackupHeadSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Fault('backup.damaged', 'The head of the backup can’t be read.', { cause });
  }
}

/** @throws Fault `backup.wrong_key`, `backup.damaged`; what was given out until then is genuine, but not all. */
export async function* opened(keys: Keys, { head, lines, body }: OpenedHead) {
  refuseWrongKey(keys, head);
  const open = openerOf(keys, head.salt, lines);
  let rest = Buffer.alloc(0);
  let ended = false;
  for await (const part of body) {
    rest = Buffer.concat([rest, part]);
    for (let frame = frameIn(rest); frame !== null; frame = frameIn(rest)) {
      if (ended) throw damaged('something follows its end');
      yield open(frame.sealed, frame.last);
      ended = frame.last;
      rest = rest.subarray(FRAME_HEAD_BYTES + frame.sealed.length);
    }
  }
  if (!ended) throw damaged('its end is missing');
  if (rest.length > 0) throw damaged('something follows its end');
}

export function refuseWrongKey(keys: Keys, { salt, check }: BackupHead): void {
  if (checkOf(keys, salt) === check) return;
  throw new Fault('backup.wrong_key', 'The backup was made by a hub with another key.');
}

function frameIn(bytes: Buffer): { last: boolean; sealed: Buffer } | null {
  if (bytes.length < FRAME_HEAD_BYTES) return null;
  const length = bytes.readUInt32BE(1);
  if (length < TAG_BYTES || length > FRAME_BYTES + TAG_BYTES) throw damaged('it was altered');
  const end = FRAME_HEAD_BYTES + length;
  if (bytes.length < end) return null;
  return { last: bytes[0] === 1, sealed: bytes.subarray(FRAME_HEAD_BYTES, end) };
}

function sealerOf(
  keys: Keys,
  salt: string,
  lines: string,
): (plain: Buffer, last: boolean) => Buffer {
  const key = keys.derive('backup.frames', salt);
  const about = digestOf(lines);
  let count = 0;
  return (plain, last) => {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(count, last)).setAAD(about);
    const body = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    count += 1;
    return Buffer.concat([frameHead(body.length, last), body]);
  };
}

function openerOf(
  keys: Keys,
  salt: string,
  lines: string,
): (sealed: Buffer, last: boolean) => Buffer {
  const key = keys.derive('backup.frames', salt);
  const about = digestOf(lines);
  let count = 0;
  return (body, last) => {
    const options = { authTagLength: TAG_BYTES };
    const opener = createDecipheriv('aes-256-gcm', key, nonceOf(count, last), options);
    opener.setAAD(about).setAuthTag(body.subarray(-TAG_BYTES));
    count += 1;
    try {
      return Buffer.concat([opener.update(body.subarray(0, -TAG_BYTES)), opener.final()]);
    } catch (cause) {
      throw damaged('it was altered', cause);
    }
  };
}

/** The key is this file's alone, so a count is as good as chance. */
function nonceOf(count: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce[0] = last ? 1 : 0;
  nonce.writeBigUInt64BE(BigInt(count), NONCE_BYTES - 8);
  return nonce;
}

function frameHead(length: number, last: boolean): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head[0] = last ? 1 : 0;
  head.writeUInt32BE(length, 1);
  return head;
}

const digestOf = (lines: string): Buffer => createHash('sha256').update(lines).digest();

const checkOf = (keys: Keys, salt: string): string =>
  keys.derive('backup.check', salt).subarray(0, 16).toString('base64url');

const damaged = (what: string, cause?: unknown): Fault =>
  new Fault('backup.damaged', `The backup can’t be used: ${what}.`, { cause });

const notOne = (): Fault =>
  new Fault('backup.not_one', 'This file is no backup of a Rollcall hub.');
