/**
 * What every site of the lab does, whichever kind: one suite, run by both test files.
 *
 * Always true: whatever is started here is stopped after the tests, passed or failed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  confirmEmail,
  editProfile,
  passwordLink,
  register,
  resetPassword,
  restAs,
  signIn,
  usePasswordLink,
} from './sign-in.ts';
import { type CloneOptions, type Site, type SiteOptions, startSite } from './start-site.ts';
import { waitUntil } from './wait-until.ts';

const ENDS_WITHIN_MS = 20_000;
const PASSWORD = 'A long enough Passw0rd';

export function describeSites(engine: NonNullable<SiteOptions['engine']>): void {
  const started: Site[] = [];
  const start = async (options: Omit<SiteOptions, 'engine'> | CloneOptions): Promise<Site> => {
    const site = await startSite('from' in options ? options : { ...options, engine });
    started.push(site);
    return site;
  };
  let shop: Site;
  let connector: string;

  beforeAll(async () => {
    connector = await mkdtemp(join(tmpdir(), 'rollcall-lab-plugin-'));
    await writeFile(
      join(connector, 'rollcall-connector.php'),
      '<?php\n/* Plugin Name: Stand-in */\n',
    );
    const muPlugins = { 'probe.php': "<?php define( 'LAB_PROBE', 'put in' );" };
    shop = await start({ name: 'shop', connector, muPlugins });
    await shop.wp('option', 'update', 'users_can_register', '1');
  });

  afterAll(async () => {
    await Promise.all(started.map((site) => site.stop()));
    await rm(connector, { recursive: true, force: true });
  });

  describe('a site', () => {
    it('has its own address, title and administrator', async () => {
      const blog = await start({ name: 'blog', permalinks: 'plain' });
      expect(blog.url).not.toBe(shop.url);
      for (const site of [shop, blog]) {
        expect(await site.wp('option', 'get', 'home')).toBe(site.url);
        expect(await site.wp('option', 'get', 'blogname')).toBe(site.name);
        expect(await site.wp('user', 'get', 'admin', '--field=user_email')).toBe(site.adminEmail);
      }
      expect((await shop.request('/wp-json/')).status).toBe(200);
      expect((await blog.request('/wp-json/')).headers.get('content-type')).toContain('html');
      expect((await blog.request('/?rest_route=/')).status).toBe(200);
    });

    it('says what went wrong when WP-CLI fails', async () => {
      await expect(shop.wp('user', 'get', 'nobody')).rejects.toThrow(
        /wp user get nobody\nexit code 1\n[\s\S]*Invalid user/,
      );
      expect(await shop.wpTry('user', 'get', 'nobody')).toMatchObject({ exitCode: 1, stdout: '' });
    });

    it('evaluates PHP in loaded WordPress, and throws what PHP throws', async () => {
      expect(await shop.php("echo LAB_PROBE, ' ', get_bloginfo( 'name' );")).toBe('put in shop');
      await expect(shop.php("throw new Exception( 'on purpose' );")).rejects.toThrow('on purpose');
      expect(await shop.debugLog()).toContain('on purpose');
    });

    it('shows the connector folder as a plugin that is not active, live', async () => {
      const status = await shop.wp('plugin', 'get', 'rollcall-connector', '--field=status');
      expect(status).toBe('inactive');
      await writeFile(join(connector, 'added.php'), "<?php return 'live';");
      const path = 'WP_PLUGIN_DIR . "/rollcall-connector/added.php"';
      expect(await shop.php(`echo require ${path};`)).toBe('live');
    });

    it('reaches sites of this machine and no other host', async () => {
      const other = await start({ name: 'other' });
      const get = (url: string): Promise<string> =>
        shop.php(
          `$r = wp_safe_remote_get( '${url}', array( 'timeout' => 60 ) ); echo is_wp_error( $r ) ? $r->get_error_code() : wp_remote_retrieve_response_code( $r );`,
        );
      expect(await get(`${other.url}/wp-json/`)).toBe('200');
      expect(await get(`${shop.url}/wp-json/`)).toBe('200');
      expect(await get('https://example.com/')).toBe('rollcall_lab_blocked');
    });

    it('keeps mails instead of sending them', async () => {
      await shop.forgetMails();
      await shop.php("wp_mail( 'anna@example.test', 'Hello', \"two\\nlines\" );");
      const mail = { to: 'anna@example.test', subject: 'Hello', message: 'two\nlines' };
      expect(await shop.mails()).toEqual([mail]);
    });
  });

  describe('a visitor', () => {
    it('signs in with the right password only', async () => {
      expect(await signIn(shop, shop.adminLogin, shop.adminPassword)).toMatchObject({ ok: true });
      const refused = await signIn(shop, shop.adminLogin, 'wrong');
      expect(refused.ok).toBe(false);
      expect(refused.message).toContain('incorrect');
    });

    it('registers, chooses a password by the mailed link, and signs in', async () => {
      await shop.forgetMails();
      expect(await register(shop, 'anna', 'anna@example.test')).toMatchObject({ ok: true });
      const mail = (await shop.mails()).find(({ to }) => to === 'anna@example.test');
      if (mail === undefined) throw new Error('no mail to anna');
      expect(await usePasswordLink(shop, passwordLink(mail), PASSWORD)).toMatchObject({ ok: true });
      expect(await usePasswordLink(shop, passwordLink(mail), 'again')).toMatchObject({ ok: false });
      expect((await signIn(shop, 'anna', PASSWORD)).ok).toBe(true);
      const again = await register(shop, 'anna', 'anna@example.org');
      expect(again.ok).toBe(false);
      expect(again.message).toContain('already registered');
    });

    it('edits their own profile and password', async () => {
      await shop.wp('user', 'create', 'bo', 'bo@example.test', `--user_pass=${PASSWORD}`);
      const { visitor } = await signIn(shop, 'bo', PASSWORD);
      const changed = {
        first_name: "Bo 'n' Jo",
        pass1: 'Another Passw0rd',
        pass2: 'Another Passw0rd',
      };
      expect(await editProfile(visitor, changed)).toMatchObject({ ok: true });
      expect(await shop.wp('user', 'meta', 'get', 'bo', 'first_name')).toBe("Bo 'n' Jo");
      expect((await signIn(shop, 'bo', 'Another Passw0rd')).ok).toBe(true);
      const refused = await editProfile(visitor, { nickname: '' });
      expect(refused.ok).toBe(false);
      expect(refused.message).toContain('nickname');
    });

    it('changes their own e-mail address once the mailed link is followed', async () => {
      await shop.wp('user', 'create', 'ada', 'ada@example.test', `--user_pass=${PASSWORD}`);
      const { visitor } = await signIn(shop, 'ada', PASSWORD);
      await shop.forgetMails();
      await editProfile(visitor, { email: 'ada@example.org' });
      expect(await shop.wp('user', 'get', 'ada', '--field=user_email')).toBe('ada@example.test');
      const mail = (await shop.mails()).find(({ to }) => to === 'ada@example.org');
      if (mail === undefined) throw new Error('no mail to the new address');
      expect(await confirmEmail(visitor, mail)).toMatchObject({ ok: true });
      expect(await shop.wp('user', 'get', 'ada', '--field=user_email')).toBe('ada@example.org');
    });

    it('resets a forgotten password', async () => {
      await shop.wp('user', 'create', 'cem', 'cem@example.test', `--user_pass=${PASSWORD}`);
      expect(await resetPassword(shop, 'cem@example.test', 'Yet another 1')).toMatchObject({
        ok: true,
      });
      expect((await signIn(shop, 'cem', 'Yet another 1')).ok).toBe(true);
      expect((await signIn(shop, 'cem', PASSWORD)).ok).toBe(false);
      expect((await resetPassword(shop, 'nobody', PASSWORD)).ok).toBe(false);
    });

    it('calls the REST API as the person signed in', async () => {
      const { visitor } = await signIn(shop, shop.adminLogin, shop.adminPassword);
      const rest = await restAs(visitor);
      const me = await rest('/wp/v2/users/me?context=edit');
      expect(await me.json()).toMatchObject({ email: shop.adminEmail });
      const person = { username: 'dora', email: 'dora@example.test', password: PASSWORD };
      const made = await rest('/wp/v2/users', { method: 'POST', body: JSON.stringify(person) });
      expect(made.status).toBe(201);
    });
  });

  describe('a pause', () => {
    it('refuses connections, and a resume brings the same site back at the same address', async () => {
      await shop.wp('option', 'update', 'lab_note', 'kept');
      await shop.pause();
      await expect(shop.request('/')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
      await shop.resume();
      expect((await shop.request('/wp-json/')).status).toBe(200);
      expect(await shop.wp('option', 'get', 'lab_note')).toBe('kept');
    });
  });

  describe('a clone', () => {
    it('has the people and data of its original at an address of its own', async () => {
      const saved = `update_option( 'lab_saved', array( 'url' => home_url( '/x' ), 'after' => 'intact' ) );`;
      await shop.php(saved);
      await shop.wp('user', 'create', 'eve', 'eve@example.test', `--user_pass=${PASSWORD}`);
      const copy = await start({ from: await shop.snapshot(), name: 'copy' });
      const option = JSON.parse(
        await copy.wp('option', 'get', 'lab_saved', '--format=json'),
      ) as unknown;
      expect(option).toEqual({ url: `${copy.url}/x`, after: 'intact' });
      expect((await signIn(copy, 'eve', PASSWORD)).ok).toBe(true);
      await copy.wp('user', 'delete', 'eve', '--yes');
      expect(await shop.wp('user', 'get', 'eve', '--field=user_email')).toBe('eve@example.test');
    });
  });

  describe('a network', () => {
    it('serves the sites that are created in it, and clones with them', async () => {
      const network = await start({ name: 'brands', multisite: true });
      await network.wp('site', 'create', '--slug=north');
      await expectSubSite(network);
      await expectSubSite(await start({ from: await network.snapshot(), name: 'brands-copy' }));
    });
  });

  describe('the end', () => {
    it('leaves neither a process nor files', async () => {
      const short = await startSite({ name: 'short', engine });
      await short.stop();
      await short.stop();
      await expect(short.request('/')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
      expect(existsSync(short.dir)).toBe(false);
    });

    it('comes with the end of the process that started the site, even a kill', async () => {
      const url = await startAndKill(engine);
      const refused = (): Promise<boolean> =>
        fetch(url).then(
          () => false,
          () => true,
        );
      await waitUntil(refused, ENDS_WITHIN_MS);
    });
  });
}

async function expectSubSite(network: Site): Promise<void> {
  const urls = await network.wp('site', 'list', '--field=url');
  expect(urls.split('\n')).toEqual([`${network.url}/`, `${network.url}/north/`]);
  const index = await network.request('/north/wp-json/');
  expect(await index.json()).toMatchObject({ home: `${network.url}/north` });
  const north = await signIn(network, network.adminLogin, network.adminPassword, '/north');
  expect(north.ok).toBe(true);
  expect((await north.visitor.request('/north/wp-admin/users.php')).status).toBe(200);
}

/** A process that starts a site and is killed with no chance to clean up; the address that its site had. */
async function startAndKill(engine: string): Promise<string> {
  const code = `
    const { startSite } = await import('./lab/start-site.ts');
    const site = await startSite({ name: 'orphan', engine: '${engine}' });
    console.log((await fetch(site.url + '/wp-login.php')).status + ' ' + site.url);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim()));
    child.once('exit', (status) =>
      reject(new Error(`ended with ${status} before its site started`)),
    );
  });
  child.kill('SIGKILL');
  expect(line).toMatch(/^200 http/);
  return line.slice(4);
}
