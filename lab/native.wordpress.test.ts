import { describe, expect, it } from 'vitest';
import { nativeMissing } from './native-programs.ts';
import { signIn } from './sign-in.ts';
import { describeSites } from './site-suite.ts';
import { startSite } from './start-site.ts';

const missing = nativeMissing();
if (missing !== null) console.warn(`Native sites are skipped; to run them: ${missing}`);

// Skipped when PHP-FPM, nginx or MariaDB is not installed: the line above says how to install them.
describe.skipIf(missing !== null)('native sites', () => {
  describeSites('native');

  it.each(['6.1', '6.8', '7.1'] as const)('run WordPress %s', async (version) => {
    const site = await startSite({ name: 'versions', engine: 'native', version });
    try {
      expect(await site.wp('core', 'version')).toMatch(
        new RegExp(`^${version.replace('.', '\\.')}\\b`),
      );
      expect((await signIn(site, site.adminLogin, site.adminPassword)).ok).toBe(true);
      expect((await site.request('/wp-json/')).status).toBe(200);
    } finally {
      await site.stop();
    }
  });

  it.each(['6.1', '6.8'] as const)('run a network on WordPress %s', async (version) => {
    const site = await startSite({ name: 'brands', engine: 'native', version, multisite: true });
    try {
      await site.wp('site', 'create', '--slug=north');
      const index = await site.request('/north/wp-json/');
      expect(await index.json()).toMatchObject({ home: `${site.url}/north` });
      const north = await signIn(site, site.adminLogin, site.adminPassword, '/north');
      expect((await north.visitor.request('/north/wp-admin/users.php')).status).toBe(200);
    } finally {
      await site.stop();
    }
  });

  it('have fastcgi_finish_request', async () => {
    const probe =
      "<?php if ( isset( $_GET['probe'] ) ) { echo function_exists( 'fastcgi_finish_request' ) ? 'yes' : 'no'; exit; }";
    const site = await startSite({
      name: 'finish',
      engine: 'native',
      muPlugins: { 'probe.php': probe },
    });
    try {
      expect(await (await site.request('/?probe=1')).text()).toBe('yes');
    } finally {
      await site.stop();
    }
  });
});
