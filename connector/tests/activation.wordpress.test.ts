/** The plugin as people get it: built into a zip, installed from it, on every version that it names. */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Site, type SiteOptions, startSite } from '#lab/start-site.ts';
import {
  connect,
  connectedSite,
  fields,
  forgetDebugLog,
  HUB,
  past,
  write,
} from './connected-site.ts';
import { EVERY_VERSION, SQLITE } from './engines.ts';

const COMMAND = fileURLToPath(new URL('../../bin/rollcall.mjs', import.meta.url));
const OLDEST_PHP: { name: string; options: Omit<SiteOptions, 'name'> } = {
  name: 'SQLite, WordPress 7.1, PHP 7.4',
  options: { ...SQLITE.options, php: '7.4' },
};

let folder: string;
let zip: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-zip-'));
  zip = join(folder, 'rollcall-connector.zip');
  await promisify(execFile)(process.execPath, [COMMAND, 'connector', 'build', '--out', zip]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function install(site: Site): Promise<void> {
  await copyFile(zip, join(site.dir, 'rollcall-connector.zip'));
  const there = await site.php("echo ABSPATH, 'rollcall-connector.zip';");
  await site.wp('plugin', 'install', there, '--activate');
}

it.each([...EVERY_VERSION, OLDEST_PHP])(
  'is installed, works and is switched off on $name',
  async ({ options }) => {
    const site = await startSite({ ...options, name: 'activation' });
    try {
      await forgetDebugLog(site);
      await install(site);
      const { credential, status } = await connect(site);
      expect(status.verifies).toEqual({ phpass: true, wp_bcrypt: true, bcrypt: true });
      const hub = connectedSite(site, credential);
      // One by one, and as a set.
      expect((await hub.one(write({ login: 'first' }))).result).toBe('created');
      const many = Array.from({ length: 26 }, (_, i) =>
        write({
          login: `many${i}`,
          fields: fields(
            { email: `many${i}@people.test`, 'meta:tags': [`${i}`], 'role:author': true },
            past(9),
          ),
        }),
      );
      const { receipts } = await hub.apply(many);
      expect(new Set(receipts.map(({ result }) => result))).toEqual(new Set(['created']));
      await site.php(
        `wp_update_user( array( 'ID' => ${receipts[3]?.id}, 'last_name' => 'Edited' ) );`,
      );
      const { rows } = await hub.changes();
      expect(rows.map(({ account }) => account?.login)).toEqual(['many3']);
      expect((await site.request('/')).status).toBe(200);

      await site.wp('plugin', 'deactivate', 'rollcall-connector');
      await site.wp('plugin', 'activate', 'rollcall-connector');
      expect((await hub.post('status', { hub: HUB })).status).toBe(401);
      // Installing makes WordPress ask WordPress.org for updates, which the lab does not let it reach.
      const lines = (await site.debugLog()).split('\n').filter((line) => line !== '');
      expect(lines.filter((line) => !line.includes('WordPress.org'))).toEqual([]);
    } finally {
      await site.stop();
    }
  },
);
