/** Many sites from a file: all of it is right, or nothing is connected. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Fault } from '../errors.ts';
import { parseCsv } from './csv.ts';
import { readSitesFile } from './sites-file.ts';
import { fakeHub, PASSWORD } from './test/fake-hub.ts';

const hub = fakeHub();
const from = (text: string, ...more: string[]) => {
  writeFileSync(join(hub.folder, 'sites.csv'), text);
  return hub.rollcall('site', 'add', '--from', 'sites.csv', ...more);
};
const HEAD = 'url,name,user,password,way';
const TYPED = 'what, "Ann" types';
const GOOD = [
  HEAD,
  `shop.test,Shop,admin,${PASSWORD},`,
  `blog.test,Blog,admin,"${TYPED.replaceAll('"', '""')}",install`,
  '',
].join('\r\n');
const said = () => hub.terminal.written.out + hub.terminal.written.err;
const called = (name: string) => hub.operations.calls.filter(([called]) => called === name);

describe('the file', () => {
  it.each([
    [
      'a,b\n1,2',
      [
        [1, ['a', 'b']],
        [2, ['1', '2']],
      ],
    ],
    [
      '\uFEFFa;b\r\n"x;""y""";z\r\n',
      [
        [1, ['a', 'b']],
        [2, ['x;"y"', 'z']],
      ],
    ],
    [
      'a\n\n"two\nlines"\nlast',
      [
        [1, ['a']],
        [3, ['two\nlines']],
        [5, ['last']],
      ],
    ],
    [
      'a,\n,b',
      [
        [1, ['a', '']],
        [2, ['', 'b']],
      ],
    ],
  ])('%j is read', (text, lines) => {
    expect(parseCsv(text)?.map(({ line, cells }) => [line, cells])).toEqual(lines);
  });

  it.each([
    ['', 1, 'empty'],
    ['url,user\n', 1, 'no column name'],
    ['url,name,note\na,b,c', 1, 'nothing else'],
    ['url,name,url\na,b,c', 1, 'twice'],
    [HEAD, 1, 'no site'],
    [`${HEAD}\n"a`, 1, 'never closed'],
    [`${HEAD}\na.test,A,admin,x,magic`, 2, 'way'],
    [`${HEAD}\na.test,A,admin,,`, 2, '“password”'],
    [`${HEAD}\na.test,A,,secret-1,`, 2, '“user”'],
    [`${HEAD}\na.test,A,admin,,approve`, 2, 'must be empty'],
    [`${HEAD}\na.test,=cmd(),admin,x,`, 2, '“name”'],
    [`${HEAD}\na.test,A,admin,x,,,`, 2, 'more cells'],
    [`${HEAD}\na.test,A,u,x,\n\nb.test,a,u,x,`, 4, 'name of line 2'],
  ])('%j is refused with its line', (text, line, word) => {
    const { problems } = readSitesFile(text);
    expect(problems[0]?.line).toBe(line);
    expect(problems[0]?.message).toContain(word);
    expect(problems.map(({ message }) => message).join()).not.toContain('secret-1');
  });
});

describe('rollcall site add --from', () => {
  it('looks at every site first, then connects them', async () => {
    expect(await from(GOOD)).toBe(0);
    const shop = { url: 'shop.test', name: 'Shop', user: 'admin', appPassword: PASSWORD };
    const blog = { url: 'blog.test', name: 'Blog', user: 'admin', password: TYPED, install: true };
    expect(hub.operations.calls).toEqual([
      ['checkSite', shop],
      ['checkSite', blog],
      ['addSite', shop],
      ['addSite', blog],
    ]);
    expect(hub.terminal.written.out).toBe(
      'line 2: Shop is connected.\nline 3: Blog is connected.\n',
    );
  });

  it('says all that is wrong with the file, and asks nobody', async () => {
    expect(await from(`${GOOD},Nameless,u,p,\nx.test,,admin,secret-1,`)).toBe(2);
    expect(hub.operations.calls).toEqual([]);
    expect(said()).toContain('line 4');
    expect(said()).toContain('line 5');
    expect(said()).not.toContain('secret-1');
    expect(said()).not.toContain(PASSWORD);
  });

  it('connects nothing when one site would not work', async () => {
    hub.operations.on({
      checkSite: async ({ name }) => {
        if (name === 'Blog') throw new Fault('site.sign_in_failed', 'Wrong.');
        return { home: 'shop.test', renews: false, installs: false };
      },
    });
    expect(await from(GOOD, '--json')).toBe(1);
    expect(called('addSite')).toEqual([]);
    const told: unknown = JSON.parse(hub.terminal.written.out);
    expect(told).toMatchObject({ added: [], failed: [{ line: 3, code: 'site.sign_in_failed' }] });
    expect(said()).not.toContain(TYPED);
  });

  it('names the line that failed at the last moment, and those that are connected', async () => {
    hub.operations.on({
      addSite: async ({ name }) => {
        if (name === 'Shop') throw new Fault('site.timeout', 'It took too long.');
        return { sites: [], renewed: true, warnings: [] };
      },
    });
    expect(await from(GOOD)).toBe(1);
    expect(said()).toContain('line 2: Shop is not connected: It took too long. (site.timeout)');
    expect(said()).toContain('line 3: Blog has a new credential.');
  });

  it.each([
    ['a file that is not there', ['--from', 'none.csv']],
    ['an address besides', ['shop.test', '--from', 'sites.csv']],
    ['neither file nor address', ['--name', 'Shop', '--user', 'a', '--app-password', 'b']],
  ])('takes no %s', async (_, more) => {
    expect(await hub.rollcall('site', 'add', ...more)).toBe(2);
    expect(hub.operations.calls).toEqual([]);
  });
});

describe('rollcall site rotate', () => {
  it('takes one site, or all of them but each installation once', async () => {
    expect(await hub.rollcall('site', 'rotate', 'Shop')).toBe(0);
    expect(await hub.rollcall('site', 'rotate', '--all')).toBe(0);
    expect(called('rotateSite')).toEqual([
      ['rotateSite', 'Shop', 'owner'],
      ['rotateSite', 'Shop', 'owner'],
    ]);
    expect(await hub.rollcall('site', 'rotate')).toBe(2);
  });

  it('goes on after a site that does not answer, and says so in the end', async () => {
    hub.operations.on({
      rotateSite: async () => {
        throw new Fault('site.unreachable', 'Away.');
      },
    });
    expect(await hub.rollcall('site', 'rotate', '--all')).toBe(1);
    expect(said()).toContain('keeps its credential: Away. (site.unreachable)');
  });
});
