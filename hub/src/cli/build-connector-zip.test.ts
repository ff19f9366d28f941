import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { buildConnectorZip } from './build-connector-zip.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-zip-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(path: string, text = '<?php'): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const names = (bytes: Uint8Array): string[] => Object.keys(unzipSync(bytes));

it('holds what a running plugin needs, in one folder, in order', () => {
  put('rollcall-connector.php', '<?php\n/**\n * Version:           1.2.3\n */');
  put('readme.txt');
  put('includes/class-b.php');
  put('includes/class-a.php');
  put('tests/test-a.php');
  put('.phpcs.xml');
  put('phpcs.xml');
  put('composer.json');
  put('notes.md');
  const zip = buildConnectorZip(folder);
  expect(zip.version).toBe('1.2.3');
  expect(names(zip.bytes)).toEqual([
    'rollcall-connector/includes/class-a.php',
    'rollcall-connector/includes/class-b.php',
    'rollcall-connector/readme.txt',
    'rollcall-connector/rollcall-connector.php',
  ]);
});

it('is the same bytes at any time and in any time zone', () => {
  put('rollcall-connector.php');
  const zone = process.env['TZ'];
  const first = buildConnectorZip(folder).sha256;
  utimesSync(join(folder, 'rollcall-connector.php'), 1, 1);
  process.env['TZ'] = 'Pacific/Kiritimati';
  const second = buildConnectorZip(folder).sha256;
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
  expect(second).toBe(first);
});

it('takes the connector of this repository without its tests', () => {
  const connector = fileURLToPath(new URL('../../../connector', import.meta.url));
  const inside = names(buildConnectorZip(connector).bytes);
  expect(inside).toContain('rollcall-connector/rollcall-connector.php');
  expect(inside.filter((name) => /test|\.md$|\/\./u.test(name))).toEqual([]);
});
