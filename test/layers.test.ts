/** Who may import whom, and what no file may be called. The folders are those of ARCHITECTURE.md. */
import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { filesIn, type SourceFile } from './source-files.ts';

/** A part of the code → the other parts that it may import. A part without a row may not exist. */
const MAY_IMPORT: Readonly<Record<string, string>> = {
  contract: '',
  'hub/reasons': '',
  'hub/errors': '',
  'hub/model': 'hub/reasons',
  'sync/ports': 'contract hub/model sync/kept-sites sync/run-ports',
  'sync/kept-sites': '',
  'sync/run-ports': 'hub/model',
  'sync/network-port': 'contract sync/ports',
  'sync/account-pages': 'contract hub/errors sync/ports',
  'sync/spread-batch': 'hub/model sync/ports',
  'sync/decide': 'hub/model hub/reasons',
  'sync/capture':
    'contract hub/model hub/reasons hub/errors sync/account-pages sync/ports sync/spread-batch',
  'sync/deliver': 'contract hub/model hub/reasons hub/errors sync/ports sync/spread-batch',
  'sync/other-sync': 'hub/model hub/reasons sync/ports',
  'sync/reconcile': 'contract hub/model hub/reasons',
  'sync/hear-roles': 'contract hub/model sync/ports',
  'sync/site-settings': 'contract hub/model sync/ports sync/other-sync sync/hear-roles',
  'sync/signals': 'sync/ports',
  'sync/with-marks': 'contract hub/model hub/reasons hub/errors sync/ports',
  'sync/with-proofs': 'contract sync/ports',
  'sync/with-erasures': 'hub/model sync/ports',
  'sync/creation-limit': 'hub/model sync/ports',
  'sync/spread-learned': 'hub/model sync/ports sync/spread-batch sync/creation-limit sync/decide',
  'sync/rewritten-outside': 'hub/model hub/reasons sync/ports',
  'sync/pipeline':
    'contract hub/model hub/reasons hub/errors sync/ports sync/spread-batch sync/spread-learned sync/site-settings sync/rewritten-outside sync/signals sync/capture sync/decide sync/deliver',
  'hub/storage': 'contract hub/model hub/reasons hub/errors sync/ports',
  'hub/wordpress': 'contract hub/model hub/reasons hub/errors sync/ports sync/network-port',
  'hub/api': 'contract hub/reasons hub/errors',
  'hub/operate':
    'contract hub/model hub/reasons hub/errors hub/api sync/account-pages sync/network-port sync/ports sync/decide sync/pipeline sync/other-sync sync/hear-roles sync/reconcile sync/rewritten-outside sync/signals',
  'hub/cli': 'contract hub/reasons hub/errors hub/api hub/main',
  'hub/main':
    'contract hub/model hub/reasons hub/errors hub/api hub/cli hub/operate hub/storage hub/wordpress sync/ports sync/with-erasures sync/with-marks sync/with-proofs sync/creation-limit sync/deliver sync/pipeline sync/signals',
  lab: '',
  'lab/demo': 'contract hub/errors hub/reasons hub/api hub/cli hub/main lab',
  bench: 'hub/api hub/main lab',
  e2e: 'contract hub/errors hub/reasons hub/api hub/cli hub/main lab',
};
/** Loaded by the CLI when a hub is to run in its process, and wires the CLI's own interface: the one knot. */
const WIRES_EVERYTHING = 'hub/main';
const NAMES_THAT_SAY_NOTHING =
  /^(engine|manager|core|services?|utils?|helpers?|common|types|lib)$/u;

function partOf(path: string): string {
  const [first = '', second = '', third = '', fourth = ''] = path.replace(/\.ts$/u, '').split('/');
  if (first === 'hub') return third === 'sync' ? `sync/${fourth}` : `hub/${third}`;
  return path.startsWith('lab/demo/') ? 'lab/demo' : second === '' ? path : first;
}

const isTest = (path: string): boolean => /\.test\.ts$|\/tests?\//u.test(path);
/** Part of a suite that several stores must pass; imported by tests alone. */
const isSuite = (path: string): boolean => /(^|\/)(conformance|site-suite)(\.ts$|\/)/u.test(path);

function* importsOf({ path, text }: SourceFile): Generator<string> {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gmu, '');
  for (const [, name = ''] of code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/gu)) {
    if (name.startsWith('.')) yield posix.join(posix.dirname(path), name);
    else if (name.startsWith('#hub/')) yield name.replace('#hub/', 'hub/src/');
    else if (name.startsWith('#')) yield name.slice(1);
  }
}

export function wrongImports(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !isTest(path) && !isSuite(path))
    .flatMap((file) => {
      const part = partOf(file.path);
      const allowed = MAY_IMPORT[part];
      if (allowed === undefined) return [`${file.path}: “${part}” has no row in MAY_IMPORT`];
      return [...importsOf(file)]
        .filter(
          (target) => isTest(target) || ![part, ...allowed.split(' ')].includes(partOf(target)),
        )
        .map((target) => `${file.path} imports ${target}`);
    });
}

/** Parts that can be reached from themselves. */
export function circles(table: Readonly<Record<string, string>>): string[] {
  return Object.keys(table).filter((start) => {
    const seen = new Set<string>((table[start] ?? '').split(' '));
    for (const part of seen) {
      if (part === WIRES_EVERYTHING) continue;
      for (const next of (table[part] ?? '').split(' ')) seen.add(next);
    }
    return start !== WIRES_EVERYTHING && seen.has(start);
  });
}

export const badNames = (paths: readonly string[]): string[] =>
  paths.filter((path) =>
    NAMES_THAT_SAY_NOTHING.test(posix.basename(path).replace(/(\.[a-z]+)*\.(ts|php)$/u, '')),
  );

const sources = filesIn(['hub', 'contract', 'lab', 'e2e', 'bench'], '.ts');

test('every import is allowed by the table', () => {
  expect(sources.length).toBeGreaterThan(100);
  expect(wrongImports(sources)).toEqual([]);
});

test('no part can be reached from itself', () => {
  expect(circles(MAY_IMPORT)).toEqual([]);
  expect(circles({ a: 'b', b: 'c', c: 'a', d: 'a' })).toEqual(['a', 'b', 'c']);
});

test('no file has a name that says nothing', () => {
  const all = [...sources, ...filesIn(['test', 'connector'], '.ts')].map(({ path }) => path);
  expect(badNames(all)).toEqual([]);
  expect(badNames(['hub/src/sync/engine.ts', 'lab/utils.test.ts', 'hub/src/sync/send.ts'])).toEqual(
    ['hub/src/sync/engine.ts', 'lab/utils.test.ts'],
  );
});

test.each([
  ['hub/src/model/path.ts', `import { send } from '../sync/deliver/send.ts';`],
  ['hub/src/sync/capture/pull.ts', `import type { Decision } from '../decide/decide.ts';`],
  ['hub/src/sync/deliver/send.ts', `export { pull } from '../capture/pull.ts';`],
  ['hub/src/sync/site-settings.ts', `import { pull } from './capture/pull.ts';`],
  ['hub/src/sync/decide/decide.ts', `const { Fault } = await import('../../errors.ts');`],
  ['hub/src/storage/store.ts', `import { pull } from '../sync/capture/pull.ts';`],
  ['hub/src/api/server.ts', `import { openStorage } from '../storage/open-storage.ts';`],
  ['hub/src/cli/table.ts', `import { createWire } from '#hub/wordpress/wire.ts';`],
  ['hub/src/operate/doctor.ts', `import { startHub } from '../main.ts';`],
  ['hub/src/operate/doctor.ts', `import { World } from '../sync/test/world.ts';`],
  ['contract/messages.ts', `import { FAULTS } from '#hub/errors.ts';`],
  ['hub/src/queue/jobs.ts', ``],
])('the check sees %s: %s', (path, text) => {
  expect(wrongImports([{ path, text }])).toHaveLength(1);
});
