import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';

const PRINTED = /^apt-get install -y --no-install-recommends [\w -]+$/u;

/** What the lab says on a machine where only these files are there. */
async function saidWith(there: (file: string) => boolean, engine?: 'wasm') {
  vi.stubEnv('ROLLCALL_LAB_ENGINE', engine);
  vi.resetModules();
  vi.doMock('node:fs', () => ({
    existsSync: there,
    readdirSync: (folder: string) =>
      [
        'php',
        'php-fpm8.2',
        'nginx',
        'mariadbd',
        'mariadb',
        'mariadb-dump',
        'mariadb-install-db',
      ].filter((name) => there(`${folder}/${name}`)),
  }));
  const { nativeMissing, firewallMissing } = await import('./native-programs.ts');
  vi.doUnmock('node:fs');
  const said = { native: nativeMissing(), firewall: firewallMissing() };
  vi.unstubAllEnvs();
  return said;
}

const isFirewall = (file: string) => /modsecurity/u.test(file);

describe('what native sites need', () => {
  test('is named in one line where it is missing, and the firewall’s in one of its own', async () => {
    const bare = await saidWith(() => false);
    expect(bare.native).toMatch(PRINTED);
    expect(bare.firewall).toMatch(/^apt-get install .* && apt-get install .* modsecurity-crs$/u);
    const native = await saidWith((file) => !isFirewall(file));
    expect(native).toEqual({ native: null, firewall: expect.stringMatching(PRINTED) });
    for (const part of [
      'ngx_http_modsecurity_module.so',
      'crs/rules',
      'crs-setup.conf',
      'nginx/modsecurity.conf',
    ]) {
      expect((await saidWith((file) => !file.endsWith(part))).firewall).toBe(native.firewall);
    }
    expect(await saidWith(() => true)).toEqual({ native: null, firewall: null });
  });

  test('is missing, too, where WebAssembly alone is asked for', async () => {
    const asked = await saidWith(() => true, 'wasm');
    expect(asked.native).toBe('unset ROLLCALL_LAB_ENGINE');
    expect(asked.firewall).toBe(asked.native);
    expect((await saidWith(() => false, 'wasm')).native).toMatch(PRINTED);
  });

  test('is installed by .ci/run, package by package', async () => {
    const { firewall } = await saidWith(() => false);
    const script = readFileSync(new URL('../.ci/run', import.meta.url), 'utf8');
    const packages = /^packages="([^"]+)"$/mu.exec(script)?.[1]?.split(/\s+/u) ?? [];
    const wanted = (firewall ?? '')
      .match(/(?<= )[a-z][\w-]+/gu)
      ?.filter((word) => !/^(?:apt-get|install)$/u.test(word));
    expect(wanted).toContain('modsecurity-crs');
    expect(packages).toEqual(expect.arrayContaining(wanted ?? []));
  });
});
