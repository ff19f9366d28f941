/**
 * PHP looks a method up when it is called. Here every one that the connector, or the PHP of a test, names is looked
 * up at once.
 */
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { filesIn } from './source-files.ts';

const MEMBER = /\bfunction (\w+)\s*\(|\bconst (\w+)\s*=|\bstatic (\$\w+)/gu;

interface PhpClass {
  readonly path: string;
  readonly text: string;
  readonly members: ReadonlySet<string>;
}

const php = filesIn(['connector'], '.php');
const classes = new Map(
  php.flatMap(({ path, text }): [string, PhpClass][] => {
    const name = /^(?:final |abstract )?class (\w+)/mu.exec(text)?.[1];
    const members = [...text.matchAll(MEMBER)].map(
      ([, method, constant, property]) => method ?? constant ?? property ?? '',
    );
    return name === undefined ? [] : [[name, { path, text, members: new Set(members) }]];
  }),
);

const CALL = /\b(Rollcall_\w+|self)::(\$?\w+)/gu;
const CALLABLE = /array\( (?:'(Rollcall_\w+)'|__CLASS__), '(\w+)' \)/gu;

/** What a text names and no class has. */
function unknownIn(path: string, text: string, own: PhpClass | undefined): string[] {
  return [...text.matchAll(CALL), ...text.matchAll(CALLABLE)].flatMap(([, named, member = '']) => {
    const known = named === undefined || named === 'self' ? own : classes.get(named);
    // A class that a test brings along.
    if (named === 'self' && own === undefined) return [];
    return known?.members.has(member) === true ? [] : [`${basename(path)}: ${named}::${member}`];
  });
}

test('a class lies in the file that its name says', () => {
  expect(classes.size).toBeGreaterThan(150);
  for (const [name, { path }] of classes)
    expect(basename(path)).toBe(`class-${name.toLowerCase().replaceAll('_', '-')}.php`);
});

test('every method, constant and property of the connector’s classes that is named, is there', () => {
  const ofClass = new Map([...classes.values()].map((one) => [one.path, one]));
  const tests = filesIn(['connector', 'e2e', 'bench', 'lab', 'hub'], '.ts');
  const unknown = [...php, ...tests].flatMap(({ path, text }) =>
    unknownIn(path, text, ofClass.get(path)),
  );
  expect(unknown).toEqual([]);
  expect(unknownIn('x', 'Rollcall_Home::nowhere(', undefined)).toEqual([
    'x: Rollcall_Home::nowhere',
  ]);
});
