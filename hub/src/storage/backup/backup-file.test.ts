import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { Fault } from '../../errors.ts';
import { secretsOf } from '../secrets.ts';
import { opened, readHead, sealed } from './backup-file.ts';

const keys = secretsOf(Buffer.alloc(32, 7));
const about = { made: '2026-11-21T12:00:00.000Z', store: 3 };

async function* inParts(bytes: Buffer, size = 1_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function fileOf(content: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of sealed(keys, about, inParts(content))) parts.push(part);
  return Buffer.concat(parts);
}
async function contentOf(file: Buffer, with_ = keys): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of opened(with_, await readHead(inParts(file)))) parts.push(part);
  return Buffer.concat(parts);
}
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'read',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  );

test.each([0, 1, 65_536, 65_537, 200_000])(
  'what is sealed comes out again: %i bytes',
  async (size) => {
    const content = randomBytes(size);
    expect((await contentOf(await fileOf(content))).equals(content)).toBe(true);
  },
);

test('T189: a backup that was altered at any place, or cut off at any, is refused', async () => {
  const file = await fileOf(randomBytes(150_000));
  // The three lines and what follows them; then places all over the file, its end included.
  const near = Array.from({ length: 400 }, (_, at) => at);
  const far = Array.from({ length: 200 }, (_, at) => file.length - 1 - at * 700);
  for (const place of [...near, ...far].filter((at) => at >= 0)) {
    const altered = Buffer.from(file);
    altered[place] = (altered[place] ?? 0) ^ 1;
    // The line of the key is not bound to the frames: it opens by itself or not at all.
    const keyLine = altered.equals(file) || isKeyLine(file, place);
    if (!keyLine) expect([place, await codeOf(contentOf(altered))]).not.toEqual([place, 'read']);
    expect([place, await codeOf(contentOf(file.subarray(0, place)))]).not.toEqual([place, 'read']);
  }
  expect(await codeOf(contentOf(Buffer.concat([file, Buffer.from('x')])))).toBe('backup.damaged');
});

test('a frame that is moved, doubled or left out is noticed', async () => {
  const file = await fileOf(Buffer.alloc(200_000));
  const start = file.indexOf(10, file.indexOf(10, file.indexOf(10) + 1) + 1) + 1;
  const length = 5 + file.readUInt32BE(start + 1);
  const [head, first, second] = [
    file.subarray(0, start),
    file.subarray(start, start + length),
    file.subarray(start + length, start + 2 * length),
  ];
  const rest = file.subarray(start + 2 * length);
  for (const parts of [
    [head, second, first, rest],
    [head, first, first, second, rest],
    [head, second, rest],
    [head, first, second],
  ]) {
    expect(await codeOf(contentOf(Buffer.concat(parts)))).toBe('backup.damaged');
  }
  expect((await contentOf(Buffer.concat([head, first, second, rest]))).length).toBe(200_000);
});

test('another key, and a file of another kind, are said to be just that', async () => {
  const file = await fileOf(Buffer.from('content'));
  expect(await codeOf(contentOf(file, secretsOf(Buffer.alloc(32, 8))))).toBe('backup.wrong_key');
  for (const other of ['', 'hello', 'a\nb\nc\nd', 'x'.repeat(100_000)]) {
    expect(await codeOf(contentOf(Buffer.from(other)))).toBe('backup.not_one');
  }
});

function isKeyLine(file: Buffer, place: number): boolean {
  const head = file.indexOf(10, file.indexOf(10) + 1);
  return place > head && place <= file.indexOf(10, head + 1);
}
