/** `rollcall config`: the file, and what is asked before it is applied. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as samples from '../api/test/samples.ts';
import { asYaml, readConfig } from './config-file.ts';
import { EXIT } from './exit-codes.ts';
import { fakeHub } from './test/fake-hub.ts';

const hub = fakeHub();
const file = (text: string): string => {
  writeFileSync(join(hub.folder, 'rollcall.yaml'), text);
  return 'rollcall.yaml';
};
const GOOD = asYaml(samples.config.config);

test('a file holds what was exported, whatever sites are called', async () => {
  const config = {
    ...samples.config.config,
    sites: ['no', '1e3', '学校', 'Café - ２', 'null', 'a_b.c'].map((name) => ({
      name,
      url: 'https://x.test/#"\'\n: &a *b',
      roleMap: { 'a: b': ['- c'] },
    })),
  };
  expect(readConfig(asYaml(config), 'f')).toEqual(config);
  expect(readConfig(JSON.stringify(config), 'f')).toEqual(config);
  expect(await hub.rollcall('config', 'export', '--out', 'out.yaml')).toBe(EXIT.ok);
  const written = readFileSync(join(hub.folder, 'out.yaml'), 'utf8');
  expect(readConfig(written, 'f')).toEqual(samples.config.config);
});

test('the differences are shown, and applied with the revision that was shown', async () => {
  expect(await hub.rollcall('config', 'apply', file(GOOD), '--yes')).toBe(EXIT.ok);
  expect(hub.terminal.written.out).toBe(
    `~ site Shop: changed
    syncRoles: none → customer
- route Shop → Blog: removed
Routes: 0 more, 0 changed, 1 fewer.
To be connected: “rollcall site add https://museum.test --name "Museum"”; then apply the file again.
Not in the file, and left alone: Blog.
Done: 2 differences are made.
`,
  );
  const { config, revision } = samples.config;
  expect(hub.operations.calls).toEqual([
    ['diffConfig', { config, remove: false }],
    ['applyConfig', { config, remove: false, revision }, 'owner'],
  ]);
});

test.each([
  ['a dry run', ['--dry-run'], EXIT.ok],
  ['nobody to ask', [], EXIT.usage],
  ['a script that did not say so', ['--json'], EXIT.usage],
])('%s changes nothing', async (_, options, exit) => {
  expect(await hub.rollcall('config', 'apply', file(GOOD), '--remove', ...options)).toBe(exit);
  expect(hub.operations.calls.map(([name]) => name)).toEqual(['diffConfig']);
});

test('a file of which something is wrong is not applied, and what is wrong is said', async () => {
  const problems = [{ path: 'routes[0]', message: 'It is \u001B[31mwrong.', next: 'Correct it.' }];
  hub.operations.on({ diffConfig: async () => ({ ...samples.configDiff, problems }) });
  expect(await hub.rollcall('config', 'apply', file(GOOD), '--yes')).toBe(EXIT.failed);
  expect(hub.terminal.written.out).toContain('! routes[0]: It is');
  expect(hub.terminal.written.out).not.toContain('\u001B');
  expect(hub.operations.calls.map(([name]) => name)).toEqual(['diffConfig']);
});

test.each([
  ['no YAML', 'rollcall: [1', 'line 1: can’t be read as YAML'],
  ['a name twice', 'rollcall: 1\nsites: []\nsites: []', 'line 3: a name is there twice'],
  ['another version', 'rollcall: 2', 'rollcall: Invalid input'],
  ['an empty file', '', 'the file: Invalid input'],
  ['a value of another kind', 'rollcall: 1\nhub: { logDays: soon }', 'hub.logDays: Invalid input'],
  [
    'aliases without end',
    `rollcall: 1\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(9)}]\nc: &c [${'*b,'.repeat(9)}]\nsites: [${'*c,'.repeat(9)}]`,
    'too many aliases',
  ],
])('%s is refused before anybody is asked', async (_, text, sentence) => {
  expect(await hub.rollcall('config', 'apply', file(text), '--yes')).toBe(EXIT.usage);
  expect(hub.terminal.written.err).toContain(sentence);
  expect(hub.operations.calls).toEqual([]);
});

test('T188: a credential in a configuration file is refused by its place, and nowhere repeated', async () => {
  const secret = 'abcd EFGH 1234 ijkl';
  const site = `{ name: Shop, url: shop.test, appPassword: ${secret} }`;
  expect(await hub.rollcall('config', 'apply', file(`rollcall: 1\nsites: [${site}]`))).toBe(
    EXIT.usage,
  );
  const { err, out } = hub.terminal.written;
  expect(err).toContain('sites[0]: holds a name that is not known');
  expect(err + out).not.toContain('abcd');
  expect(hub.operations.calls).toEqual([]);
});
