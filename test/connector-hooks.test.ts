/** docs/reference/connector-hooks.md and the connector name the same hooks and functions. */
import { expect, test } from 'vitest';
import { filesIn, read } from './source-files.ts';

const php = filesIn(['connector'], '.php').map(({ text }) => text);

const found = (texts: readonly string[], pattern: RegExp): string[] =>
  [...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name)))]
    .filter((name) => name.startsWith('rollcall_'))
    .toSorted();

const FILTERS = /apply_filters(?:_ref_array)?['"]?,? ?(?:\(|array\() '(rollcall_\w+)'/gu;
const ACTIONS = /(?:do_action|Rollcall_Callbacks::tell)\( '(rollcall_\w+)'/gu;

const section = (title: string): string =>
  read('docs/reference/connector-hooks.md')
    .split(/^## /mu)
    .find((part) => part.startsWith(title)) ?? '';
const named = (title: string): string[] => found([section(title)], /^\| `(rollcall_\w+)/gmu);

test.each([
  ['Filters', FILTERS],
  ['Actions', ACTIONS],
])('the page names the %s that the connector has, and no others', (title, pattern) => {
  expect(named(title).length).toBeGreaterThan(3);
  expect(named(title)).toEqual(found(php, pattern));
});

test('the page names the functions that the connector has for other plugins', () => {
  const functions = found(
    [read('connector/rollcall-connector.php')],
    /^function (rollcall_\w+)/gmu,
  );
  expect(named('Functions')).toEqual(functions.filter((name) => name !== 'rollcall_connector'));
  expect(functions).toContain('rollcall_mark_changed');
});
