/** A site that answers with a redirect, and lies about where it is. */
import { expect, it } from 'vitest';
import { installationId } from '../model/ids.ts';
import type { Connection } from '../sync/ports.ts';
import { statusAnswer } from '../wordpress/test/status-answer.ts';
import { followSite } from './relocate-site.ts';

const ID = installationId('11111111-1111-4111-8111-111111111111');
const [SITE] = statusAnswer.sites;
if (SITE === undefined) throw new Error('the sample has no site');

/** What the hub did when the site, found at a public address, redirected. */
async function follow(
  said: { readonly url: string; readonly restUrl?: string },
  sites = [SITE],
  multisite = false,
) {
  const looked: unknown[] = [];
  const asked: Connection[] = [];
  const places: unknown[] = [];
  const restUrl = said.restUrl ?? 'https://shop.test/wp-json/';
  const known = { id: ID, restUrl, publicOnly: true, store: 's', home: 'shop.test', trouble: null };
  const ports = {
    registry: {
      installation: async () => known,
      sites: async () => [{ installation: ID, url: said.url }],
      connection: async () => ({ installation: ID, restUrl, publicOnly: true }),
      relocate: async (_: unknown, place: unknown) => void places.push(place),
      updateInstallation: async () => {},
      noteNews: async () => {},
      noteEvent: async () => {},
    },
    introductions: {
      discover: async (...address: unknown[]) => {
        looked.push(address);
        return { restUrl: 'https://www.shop.test/wp-json/', publicOnly: true };
      },
    },
    site: {
      status: async (connection: Connection) => {
        asked.push(connection);
        const bound = { hub: 'h', term: 1, home_matches: true };
        return { ...statusAnswer, store: 's', home: 'shop.test', bound, sites, multisite };
      },
    },
    store: { nowMs: async () => 1 },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is asked for, and nothing else
  const followed = await followSite(ports as unknown as Parameters<typeof followSite>[0], ID);
  return { followed, looked, asked, places };
}

it.each([
  'http://10.0.0.1/',
  'http://169.254.169.254/latest/',
  'https://evil.test/',
  'file:///etc/passwd',
  'no address',
  '',
])('T716: it is looked for on its own host, never at “%s” as it says', async (url) => {
  const { looked, asked } = await follow({ url });
  expect(looked).toEqual([['https://shop.test/', true]]);
  expect(asked.map(({ publicOnly }) => publicOnly)).toEqual([true]);
});

it('T716: a folder of its own host is believed', async () => {
  const { looked } = await follow({ url: 'http://www.shop.test:8080/blog' });
  expect(looked).toEqual([['https://shop.test/blog', true]]);
  const restUrl = 'https://shop.test/one/wp-json/';
  expect((await follow({ url: 'https://evil.test/', restUrl })).looked).toEqual([
    ['https://shop.test/one/', true],
  ]);
});

it('T716: nothing is sent to roots that it names for itself on that way', async () => {
  const other = { ...SITE, blog: 2 };
  const liar = { ...SITE, rest_url: 'http://10.0.0.1/wp-json/' };
  const own = 'https://www.shop.test/wp-json/';
  const rootsOf = async (multisite: boolean) =>
    (await follow({ url: '' }, [other, liar], multisite)).places;
  for (const multisite of [false, true]) {
    expect(await rootsOf(multisite)).toMatchObject([
      { restUrl: own, publicOnly: true, sites: [{ restUrl: own }, { blog: 1, restUrl: own }] },
    ]);
  }
});
