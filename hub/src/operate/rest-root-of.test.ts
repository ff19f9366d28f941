import { expect, it } from 'vitest';
import { restRootOf } from './rest-root-of.ts';

const found = { restUrl: 'https://shop.test/wp-json/' };
const rootOf = (rest_url: string, { multisite = true, restUrl = found.restUrl } = {}): string =>
  restRootOf({ restUrl }, { multisite }, { rest_url });

it('T705: a single site is spoken to where it was found, whatever it says of itself', () => {
  for (const told of [
    'https://evil.test/wp-json/',
    'http://169.254.169.254/latest/meta-data/',
    'http://shop.test/wp-json/',
    'file:///etc/passwd',
    '',
  ]) {
    expect(rootOf(told, { multisite: false })).toBe(found.restUrl);
  }
});

it('T705: a network may name hosts of its own, never another scheme or a login', () => {
  expect(rootOf('https://sister.test/wp-json/')).toBe('https://sister.test/wp-json/');
  for (const told of [
    'http://sister.test/wp-json/',
    'ftp://sister.test/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://admin:secret@sister.test/wp-json/',
    'no address',
  ]) {
    expect(rootOf(told)).toBe(found.restUrl);
  }
});

it('a site of a network on the same host keeps scheme and port of where it was found', () => {
  expect(rootOf('http://www.shop.test:8080/blog/wp-json/')).toBe(
    'https://www.shop.test/blog/wp-json/',
  );
  expect(
    rootOf('http://lab.test/two/?rest_route=/', { restUrl: 'http://lab.test:4100/wp-json/' }),
  ).toBe('http://lab.test:4100/two/?rest_route=/');
});

it('a network that was found by query is spoken to by query on each of its sites', () => {
  const restUrl = 'https://shop.test/?rest_route=/';
  expect(rootOf('https://shop.test/north/wp-json/', { restUrl })).toBe(
    'https://shop.test/north/?rest_route=/',
  );
  const plain = 'https://shop.test/north/index.php?rest_route=/';
  expect(rootOf(plain, { restUrl })).toBe(plain);
});
