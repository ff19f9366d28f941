/** Two people edit one account on two sites before either site has heard of the other. */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { createAccount, person, REST_MS, type Stage, startStage } from './stage.ts';

let stage: Stage;
let shop: Site;
let blog: Site;
let academy: Site;

/** While this folder is there, a save on the site does not come to its end. */
const holdOf = (site: Site) => `${site.dir}/wp-content/hold`;
const SLOW_SAVE = `<?php
add_action( 'profile_update', function () {
	$hold = WP_CONTENT_DIR . '/hold';
	for ( $i = 0; is_dir( $hold ) && $i < 600; $i++ ) {
		touch( $hold . '/reached' );
		usleep( 50000 );
		clearstatcache();
	}
} );`;

beforeAll(async () => {
  stage = await startStage({
    sites: ['shop', 'blog', { name: 'academy', muPlugins: { 'slow-save.php': SLOW_SAVE } }],
    routes: ['shop=blog', 'shop=academy', 'blog=academy'],
    rules: { meta: ['phone'] },
  });
  [shop, blog, academy] = [stage.site('shop'), stage.site('blog'), stage.site('academy')];
});
afterAll(() => stage?.end());

const setMeta = (site: Site, login: string, key: string, value: string) =>
  site.php(`update_user_meta( get_user_by( 'login', '${login}' )->ID, '${key}', '${value}' );`);
const meta = (site: Site, login: string, key: string) =>
  site.php(`echo get_user_meta( get_user_by( 'login', '${login}' )->ID, '${key}', true );`);
/** So long an account that is being saved is left alone. */
const OPEN_ROW_MS = 30_000;
const everywhere = (login: string, key: string) =>
  Promise.all([shop, blog, academy].map((site) => meta(site, login, key)));

test('different fields: both survive everywhere', async () => {
  await createAccount(shop, 'dora');
  await stage.hub.rest();
  await Promise.all([
    setMeta(shop, 'dora', 'first_name', 'Dora'),
    setMeta(blog, 'dora', 'phone', '123'),
  ]);
  await stage.hub.rest();
  expect(await everywhere('dora', 'first_name')).toEqual(['Dora', 'Dora', 'Dora']);
  expect(await everywhere('dora', 'phone')).toEqual(['123', '123', '123']);
});

test('different fields, both waiting for a third site that is down: both arrive when it returns', async () => {
  await createAccount(shop, 'emil');
  await stage.hub.rest();
  await academy.pause();
  await Promise.all([
    setMeta(shop, 'emil', 'last_name', 'Erster'),
    setMeta(blog, 'emil', 'phone', '456'),
  ]);
  await stage.hub.settled(['shop', 'blog']);
  await academy.resume();
  await stage.hub.rest();
  expect(await everywhere('emil', 'last_name')).toEqual(['Erster', 'Erster', 'Erster']);
  expect(await everywhere('emil', 'phone')).toEqual(['456', '456', '456']);
});

test('different fields, while somebody is saving the account on the third site: all three survive', async () => {
  await createAccount(shop, 'ida');
  await stage.hub.rest();
  await mkdir(holdOf(academy));
  const saving = academy.php(
    `wp_update_user( array( 'ID' => get_user_by( 'login', 'ida' )->ID, 'description' => 'saved slowly' ) );`,
  );
  await waitUntil(async () => existsSync(`${holdOf(academy)}/reached`), REST_MS);
  const sinceMs = performance.now();
  await Promise.all([
    setMeta(shop, 'ida', 'last_name', 'Weit'),
    setMeta(blog, 'ida', 'phone', '789'),
  ]);
  await stage.hub.settled(['shop', 'blog']);
  const meanwhile = await meta(academy, 'ida', 'last_name');
  // Who saves for longer is waited for no more.
  if (performance.now() - sinceMs < OPEN_ROW_MS) expect(meanwhile).toBe('');
  await rm(holdOf(academy), { recursive: true });
  await saving;
  await stage.hub.rest();
  expect(await everywhere('ida', 'last_name')).toEqual(['Weit', 'Weit', 'Weit']);
  expect(await everywhere('ida', 'phone')).toEqual(['789', '789', '789']);
  expect(await everywhere('ida', 'description')).toEqual(Array(3).fill('saved slowly'));
});

test('the same field: the later wins on every site, and the loser is in the log', async () => {
  await createAccount(shop, 'olaf');
  await stage.hub.rest();
  // Both sites are down for the hub while people edit, so neither edit can overtake the other.
  await stage.hub.call('PATCH', '/sites/shop', { status: 'paused' });
  await stage.hub.call('PATCH', '/sites/blog', { status: 'paused' });
  await setMeta(shop, 'olaf', 'first_name', 'Earlier');
  await setMeta(blog, 'olaf', 'first_name', 'Later');
  await stage.hub.call('PATCH', '/sites/shop', { status: 'active' });
  await stage.hub.call('PATCH', '/sites/blog', { status: 'active' });
  await stage.hub.rest();
  expect(await everywhere('olaf', 'first_name')).toEqual(['Later', 'Later', 'Later']);
  const lost = (await stage.hub.log('&account=olaf&status=superseded'))[0];
  expect(lost).toMatchObject({ reason: 'conflict.superseded', fields: ['first_name'] });
  expect((await person(academy, 'olaf'))?.firstName).toBe('Later');
});
