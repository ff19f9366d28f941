import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readFlags } from './read-flags.ts';

const folder = mkdtempSync(join(tmpdir(), 'rollcall-flags-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('without flags it stays up and keeps nothing', () => {
  expect(readFlags([], folder)).toEqual({ help: false, once: false, data: null });
});

test('a data folder may be new or empty, and is taken from where one stands', () => {
  mkdirSync(join(folder, 'empty'));
  for (const name of ['new', 'empty']) {
    const data = join(folder, name);
    expect(readFlags(['--once', '--data', name], folder)).toMatchObject({ once: true, data });
    expect(readFlags([`--data=${name}`], folder)).toMatchObject({ once: false, data });
  }
});

test.each([
  [['--twice'], 'does not know “--twice”'],
  [['--once=yes'], 'does not know “--once=yes”'],
  [['shop'], 'does not know “shop”'],
  [['--data'], '--data needs a folder'],
  [['--data', '--once'], '--data needs a folder'],
  [['--data', 'full'], 'is not empty'],
  [['--data', 'full/file'], 'is no folder'],
])('%j is refused', (args, sentence) => {
  mkdirSync(join(folder, 'full'), { recursive: true });
  writeFileSync(join(folder, 'full', 'file'), '');
  expect(() => readFlags(args, folder)).toThrow(sentence);
});
