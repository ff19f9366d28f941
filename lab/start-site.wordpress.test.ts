import { describe, expect, it } from 'vitest';
import { describeSites } from './site-suite.ts';
import { startSite } from './start-site.ts';

describe('WebAssembly sites', () => {
  describeSites('wasm');

  it('have one WordPress version, and say where the others are', async () => {
    await expect(startSite({ name: 'old', version: '6.1', engine: 'wasm' })).rejects.toThrow(
      "engine: 'native'",
    );
  });

  it('fail at once where WP-CLI would start another PHP, instead of waiting for ever', async () => {
    const site = await startSite({ name: 'nested', php: '7.4' });
    try {
      expect(await site.php('echo PHP_VERSION;')).toMatch(/^7\.4/);
      const result = await site.wpTry('rewrite', 'structure', '/%postname%/');
      expect(result.stderr).toContain('proc_open');
    } finally {
      await site.stop();
    }
  });
});
