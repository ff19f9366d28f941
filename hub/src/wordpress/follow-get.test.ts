import { expect, it } from 'vitest';
import { Fault } from '../errors.ts';
import { followGet } from './follow-get.ts';
import type { Wire } from './wire.ts';

/** Answers with redirects as listed, else 200; remembers what was asked. */
function wireThat(redirects: Readonly<Record<string, string>>): Wire & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    close: async () => {},
    send: async ({ url, headers }) => {
      asked.push(url);
      expect(Object.keys(headers ?? {})).toEqual(['accept']);
      const location = redirects[url] ?? null;
      const status = location === null ? 200 : 301;
      const header = (name: string) => (name === 'location' ? location : null);
      return { url, status, header, text: '', reach: 'public' };
    },
  };
}

const follow = async (redirects: Readonly<Record<string, string>>, start = 'http://shop.test/') => {
  const answer = await followGet(wireThat(redirects), new URL(start)).catch((error: unknown) => {
    if (error instanceof Fault) return { url: error.code };
    throw error;
  });
  return answer.url;
};

it.each([
  ['to https', { 'http://shop.test/': 'https://shop.test/' }, 'https://shop.test/'],
  ['to www', { 'http://shop.test/': 'http://www.shop.test/' }, 'http://www.shop.test/'],
  ['to a path', { 'http://shop.test/': '/en/' }, 'http://shop.test/en/'],
  [
    'three times',
    {
      'http://shop.test/': 'https://shop.test/',
      'https://shop.test/': 'https://www.shop.test/',
      'https://www.shop.test/': '/en/',
    },
    'https://www.shop.test/en/',
  ],
])('is followed %s', async (_, redirects, end) => {
  expect(await follow(redirects)).toBe(end);
});

it.each([
  ['to another host', { 'http://shop.test/': 'http://evil.test/' }],
  ['to a host that only ends alike', { 'http://shop.test/': 'http://www.shop.test.evil.test/' }],
  ['to another port', { 'http://shop.test/': 'http://shop.test:8080/' }],
  ['to another scheme', { 'http://shop.test/': 'ftp://shop.test/' }],
  ['in a circle', { 'http://shop.test/': 'http://shop.test/' }],
])('is not followed %s', async (_, redirects) => {
  expect(await follow(redirects)).toBe('site.redirected');
});

it('is never followed from https to http', async () => {
  const back = { 'https://shop.test/': 'http://shop.test/' };
  expect(await follow(back, 'https://shop.test/')).toBe('site.redirected');
});
