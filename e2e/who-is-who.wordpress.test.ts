/** Nobody is taken for somebody else. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Site } from '#lab/start-site.ts';
import { createAccount, person, type Stage, startStage } from './stage.ts';

interface Held {
  deliveries: {
    delivery: string;
    login: string;
    reason: string;
    target: string;
    fields: string[];
  }[];
}

let stage: Stage;
let shop: Site;
let blog: Site;

beforeAll(async () => {
  stage = await startStage({ sites: ['shop', 'blog'], routes: ['shop=blog'] });
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
});
afterAll(() => stage?.end());

const held = async (login: string) =>
  (await stage.hub.call<{ held: Held['deliveries'] }>('GET', '/held')).held.filter(
    (row) => row.login === login,
  );

test('the same login with another e-mail: held, both accounts untouched, tried again when the login is free', async () => {
  await stage.hub.call('PATCH', '/sites/blog', { status: 'paused' });
  await createAccount(blog, 'smith', { email: 'bob.smith@people.test', firstName: 'Bob' });
  await stage.hub.call('PATCH', '/sites/blog', { status: 'active' });
  await stage.hub.rest();
  const before = await person(blog, 'smith');
  const shopSmith = await person(shop, 'smith');
  // Bob came first and reached the shop; take him out of the way of the real case.
  expect(shopSmith?.email).toBe('bob.smith@people.test');

  await shop.wp('user', 'create', 'jones', 'ann@people.test', '--role=subscriber');
  await stage.hub.call('PATCH', '/sites/shop', { status: 'paused' });
  await createAccount(blog, 'taken', { email: 'one@people.test', firstName: 'One' });
  await createAccount(shop, 'taken', { email: 'two@people.test', firstName: 'Two' });
  await stage.hub.call('PATCH', '/sites/shop', { status: 'active' });
  await stage.hub.rest();
  expect(await person(blog, 'taken')).toMatchObject({ email: 'one@people.test', firstName: 'One' });
  expect(await person(shop, 'taken')).toMatchObject({ email: 'two@people.test', firstName: 'Two' });
  expect((await held('taken')).map((row) => row.reason)).toContain('identity.login_taken');

  await blog.wp('user', 'delete', 'taken', '--yes');
  await stage.hub.rest();
  expect(await person(blog, 'taken')).toMatchObject({ email: 'two@people.test', firstName: 'Two' });
  expect(await person(blog, 'smith')).toEqual(before);
});

test('an e-mail that is somebody else’s on the target: that field is held, the others go on', async () => {
  await createAccount(shop, 'kurt', { email: 'kurt@people.test' });
  await stage.hub.rest();
  // On the blog somebody from outside the hub's reach owns the address that Kurt takes.
  await stage.hub.call('PATCH', '/sites/blog', { status: 'paused' });
  await createAccount(blog, 'owner', { email: 'wanted@people.test' });
  await shop.php(`$id = get_user_by( 'login', 'kurt' )->ID;
    wp_update_user( array( 'ID' => $id, 'user_email' => 'wanted@people.test', 'first_name' => 'Kurt' ) );`);
  await stage.hub.settled(['shop']);
  await stage.hub.call('PATCH', '/sites/blog', { status: 'active' });
  await stage.hub.rest();
  expect(await person(blog, 'kurt')).toMatchObject({
    email: 'kurt@people.test',
    firstName: 'Kurt',
  });
  expect(await person(blog, 'owner')).toMatchObject({ email: 'wanted@people.test' });
  const rows = await held('kurt');
  expect(rows).toMatchObject([
    { reason: 'identity.email_taken', fields: ['email'], target: 'blog' },
  ]);

  await blog.wp('user', 'update', 'owner', '--user_email=other@people.test', '--skip-email');
  await stage.hub.rest();
  expect(await person(blog, 'kurt')).toMatchObject({ email: 'wanted@people.test' });
  expect(await held('kurt')).toEqual([]);
});

test('an older account with the same e-mail: the link is unproven and carries nothing, in either direction', async () => {
  const routes = await stage.hub.call<{ routes: { id: number }[] }>('GET', '/routes');
  for (const { id } of routes.routes) await stage.hub.call('DELETE', `/routes/${id}`);
  await createAccount(blog, 'old-lisa', {
    email: 'lisa@people.test',
    firstName: 'Lisa',
    password: 'lisa on blog',
  });
  await stage.hub.rest();
  await stage.hub.route('shop', 'blog', { both: true });
  const before = await person(blog, 'old-lisa');

  await createAccount(shop, 'lisa', {
    email: 'lisa@people.test',
    firstName: 'Intruder',
    password: 'lisa on shop',
  });
  await stage.hub.rest();
  await shop.php(
    `wp_update_user( array( 'ID' => get_user_by( 'login', 'lisa' )->ID, 'first_name' => 'Second edit', 'user_pass' => 'second' ) );`,
  );
  await stage.hub.rest();
  expect(await person(blog, 'old-lisa')).toEqual(before);
  expect(await person(blog, 'lisa')).toBeNull();

  await blog.wp('user', 'meta', 'update', 'old-lisa', 'first_name', 'Edited on blog');
  await stage.hub.rest();
  expect((await person(shop, 'lisa'))?.firstName).toBe('Second edit');
  const reasons = (await stage.hub.log('&account=lisa')).map((row) => row.reason);
  expect(reasons).toContain('link.unproven');
});

test('the link is proven by an operator: from then on edits go both ways', async () => {
  await stage.hub.call('POST', '/links', {
    site: 'shop',
    login: 'lisa',
    otherSite: 'blog',
    otherLogin: 'old-lisa',
  });
  await stage.hub.rest();
  await shop.wp('user', 'meta', 'update', 'lisa', 'last_name', 'Proven');
  await stage.hub.rest();
  expect((await person(blog, 'old-lisa'))?.lastName).toBe('Proven');
  await blog.wp('user', 'meta', 'update', 'old-lisa', 'description', 'Back again');
  await stage.hub.rest();
  expect((await person(shop, 'lisa'))?.description).toBe('Back again');
});

test('administrators are never linked, changed or created', async () => {
  const before = await person(blog, 'admin');
  await shop.wp(
    'user',
    'update',
    'admin',
    '--first_name=Root',
    '--user_pass=new admin password',
    '--skip-email',
  );
  await stage.hub.rest();
  expect(await person(blog, 'admin')).toEqual(before);
  await createAccount(shop, 'second-admin', { role: 'administrator' });
  await stage.hub.rest();
  expect(await person(blog, 'second-admin')).toBeNull();
});
