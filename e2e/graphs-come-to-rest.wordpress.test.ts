/** One edit reaches each site exactly once, whatever the routes look like, and then everything rests. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Site } from '#lab/start-site.ts';
import { createAccount, person, type Stage, startStage } from './stage.ts';

/** Counts, on the site itself, every operation that wrote something. */
const COUNTER = `<?php
add_action( 'rollcall_after_apply', function ( $receipt ) {
	if ( in_array( $receipt['result'], array( 'created', 'updated', 'altered' ), true ) ) {
		update_option( 'counted_applies', (int) get_option( 'counted_applies', 0 ) + 1, false );
	}
} );`;

const applies = async (site: Site): Promise<number> =>
  Number(
    await site.php(
      "wp_cache_delete( 'counted_applies', 'options' ); echo (int) get_option( 'counted_applies', 0 );",
    ),
  );

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.end();
  stage = undefined;
});

const names = (count: number) => Array.from({ length: count }, (_, index) => `site-${index + 1}`);
const mesh = (sites: readonly string[]) =>
  sites.flatMap((a, index) => sites.slice(index + 1).map((b) => `${a}=${b}`));

async function onStage(sites: readonly string[], routes: readonly string[]): Promise<Stage> {
  stage = await startStage({
    sites: sites.map((name) => ({ name, muPlugins: { 'count-applies.php': COUNTER } })),
    routes,
  });
  return stage;
}

async function oneEditEach({ sites, hub }: Stage, reached: readonly number[]): Promise<void> {
  const [first] = sites;
  if (first === undefined) throw new Error('no site');
  await createAccount(first, 'walker');
  await hub.rest();
  expect(await Promise.all(sites.map(applies))).toEqual(
    sites.map((_, index) => (reached.includes(index) ? 1 : 0)),
  );

  await first.wp('user', 'meta', 'update', 'walker', 'first_name', 'Travelled');
  await hub.rest();
  expect(await Promise.all(sites.map(applies))).toEqual(
    sites.map((_, index) => (reached.includes(index) ? 2 : 0)),
  );
  for (const index of reached) {
    const site = sites[index];
    expect(site && (await person(site, 'walker'))?.firstName).toBe('Travelled');
  }
}

describe('one edit reaches each site exactly once', () => {
  test('two sites, both ways', async () => {
    await oneEditEach(await onStage(['a', 'b'], ['a=b']), [1]);
  });

  test('a chain; the log shows the path', async () => {
    const chain = await onStage(['a', 'b', 'c'], ['a>b', 'b>c']);
    await oneEditEach(chain, [1, 2]);
    const rows = await chain.hub.log('&account=walker');
    expect(rows.filter((row) => row.status === 'delivered').map((row) => row.path)).toEqual(
      expect.arrayContaining([
        ['a', 'b'],
        ['a', 'b', 'c'],
      ]),
    );
  });

  test('a ring of three', async () => {
    await oneEditEach(await onStage(['a', 'b', 'c'], ['a>b', 'b>c', 'c>a']), [1, 2]);
  });

  test('a full mesh of four', async () => {
    const sites = names(4);
    await oneEditEach(await onStage(sites, mesh(sites)), [1, 2, 3]);
  });

  test('a full mesh of eight, edited at the far end too', async () => {
    const sites = names(8);
    const eight = await onStage(sites, mesh(sites));
    await oneEditEach(eight, [1, 2, 3, 4, 5, 6, 7]);
    await eight.sites[7]?.wp('user', 'meta', 'update', 'walker', 'last_name', 'Back');
    await eight.hub.rest();
    expect(await Promise.all(eight.sites.map(applies))).toEqual([1, 3, 3, 3, 3, 3, 3, 2]);
  });
});
