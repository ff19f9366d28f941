import { expect, test } from 'vitest';
import { type Asked, type CookieFacts, signOnProblems } from './sign-on-checks.ts';

/** As WordPress sets them where wp-config.php says nothing. */
const usual: CookieFacts = {
  subdomains: true,
  network: 'brand.test',
  domain: '.brand.test',
  path: '/',
  site_path: '/',
  admin_path: '/wp-admin',
  home: '/',
  admin: '/wp-admin/',
  name: 'a'.repeat(32),
};
const at = (url: string, change: Partial<CookieFacts> = {}): Asked => ({
  name: url,
  url: `https://${url}`,
  cookies: { ...usual, ...change },
});
const inFolders: Partial<CookieFacts> = { subdomains: false, domain: null, admin_path: '/' };
const shopFolder = { ...inFolders, home: '/shop/', admin: '/shop/wp-admin/' };
const found = (...asked: Asked[]) =>
  signOnProblems(asked).map(({ subject, level, code }) => [subject, level, code]);

test.each<[string, Asked[]]>([
  ['domains below the network’s', [at('brand.test'), at('shop.brand.test')]],
  ['a wider domain', [at('brand.test', { domain: 'brand.test' }), at('a.brand.test')]],
  [
    'www before the main site',
    [at('www.brand.test', { network: 'www.brand.test' }), at('a.brand.test')],
  ],
  ['folders', [at('brand.test', inFolders), at('brand.test/shop', shopFolder)]],
  [
    'empty paths below domains',
    [at('brand.test'), at('a.brand.test', { path: '', site_path: '' })],
  ],
  ['one site alone', [at('brand.test', { domain: '.else.test' })]],
])('nothing is wrong with %s', (_, asked) => {
  expect(found(...asked)).toEqual([]);
});

test.each<[string, Asked, [string, string]]>([
  ['no domain', at('shop.brand.test', { domain: null }), ['warning', 'installation.cookie_domain']],
  [
    'the domain of one site alone',
    at('shop.brand.test', { domain: 'shop.brand.test' }),
    ['warning', 'installation.cookie_domain'],
  ],
  [
    'another domain',
    at('shop.brand.test', { domain: '.other.test' }),
    ['problem', 'installation.cookie_rejected'],
  ],
  [
    'a mapped domain under the network’s cookies',
    at('mapped.test'),
    ['problem', 'installation.cookie_rejected'],
  ],
  [
    'a mapped domain with cookies of its own',
    at('mapped.test', { domain: null, name: 'b'.repeat(32) }),
    ['ok', 'installation.mapped_domain'],
  ],
  [
    'another name',
    at('shop.brand.test', { name: 'b'.repeat(32) }),
    ['warning', 'installation.cookie_name'],
  ],
  [
    'a path beside the site',
    at('shop.brand.test', { path: '/blog/' }),
    ['warning', 'installation.cookie_path'],
  ],
])('%s is told', (_, site, [level, code]) => {
  expect(found(at('brand.test'), site)).toEqual([[site.name, level, code]]);
});

test('in folders a path that is right for one site leaves out the others', () => {
  const main = at('brand.test', inFolders);
  const admin = at('brand.test/shop', { ...shopFolder, admin_path: '/wp-admin' });
  expect(found(main, admin)).toEqual([[admin.name, 'warning', 'installation.cookie_path']]);
  const empty = at('brand.test/shop', { ...shopFolder, path: '' });
  expect(found(main, empty)).toEqual([[empty.name, 'warning', 'installation.cookie_path']]);
});

test('what is told names the line for wp-config.php', () => {
  const [check] = signOnProblems([at('brand.test'), at('shop.brand.test', { domain: null })]);
  expect(check?.message).toBe(
    'COOKIE_DOMAIN is empty at shop.brand.test. A sign-in on this site does not count for the other sites of its network.',
  );
  expect(check?.next).toContain("define( 'COOKIE_DOMAIN', '.brand.test' );");
});
