import { describe, expect, it } from 'vitest';
import { nativeMissing, type SiteOptions } from '#lab/start-site.ts';
import {
  type WordPressUnderTest,
  wordPressSiteUnderTest,
} from './conformance/wordpress-site-under-test.ts';
import { describeConformance } from './conformance.ts';

type Kind = Pick<SiteOptions, 'engine' | 'version'>;

/** SQLite always; MariaDB, and the oldest WordPress that we support, where the machine has them. */
const KINDS: [name: string, kind: Kind][] = [
  ['the connector on SQLite, WordPress 7.1', { engine: 'wasm', version: '7.1' }],
];
const missing = nativeMissing();
if (missing === null) {
  KINDS.push(['the connector on MariaDB, WordPress 7.1', { engine: 'native', version: '7.1' }]);
  KINDS.push(['the connector on MariaDB, WordPress 6.1', { engine: 'native', version: '6.1' }]);
} else {
  console.warn(`Native sites are skipped; to run them: ${missing}`);
}

describe.each(KINDS)('%s', (_, kind) => {
  let under: WordPressUnderTest;
  describeConformance(async () => {
    under = await wordPressSiteUnderTest(kind);
    return under;
  });

  it('gives its hub a credential that opens nothing but rollcall/v1', async () => {
    const { user, password } = under.connection.credential;
    const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    const headers = { authorization: basic, 'x-rollcall-authorization': basic };
    for (const [method, path] of [
      ['GET', '/wp-json/wp/v2/users/me'],
      ['GET', '/wp-json/wp/v2/settings'],
      ['POST', '/wp-json/wp/v2/users?username=x&email=x@x.test&password=x'],
      ['DELETE', '/wp-json/wp/v2/users/1?force=true&reassign=0'],
    ] as const) {
      expect((await under.site.request(path, { method, headers })).status).toBe(401);
    }
  });

  it('leaves no notice of PHP behind', async () => {
    // An old WordPress has notices of its own on a new PHP.
    const log = (await under.site.debugLog()).split('\n');
    expect(log.filter((line) => /rollcall/iu.test(line.replace(/ in \S+\/tree\//u, ' ')))).toEqual(
      [],
    );
  });
});
