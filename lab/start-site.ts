/**
 * Starts real WordPress sites on this machine, for tests, the demo and benchmarks.
 *
 * Does: fetch and install once, copy after; every site has its own files, database, port and people.
 * Does not: let a site reach another host, send mail or run cron by itself (see site-files/rollcall-lab.php).
 * Always true: what a site started ends with `stop()`, and with this process, however that ends.
 * On failure: throws what went wrong, with the output of the program that failed; nothing keeps running.
 *
 * Measured on two cores, hardly loaded, WordPress 7.1 (what is installed once takes 15 to 25 s more, the first time):
 *                              WebAssembly                       native
 *   start                      2.9 s of processor                0.5 s; the first starts MariaDB too
 *   REST request               50 ms of processor; 1 s the first 3 to 5 ms
 *                              two times, to compile WordPress
 *   WP-CLI call / php()        0.3 s / 50 ms of processor        0.1 s / 70 ms of processor
 *   snapshot / clone           0.9 s / 3.8 s                     0.2 s / 1.6 s
 *   pause / resume             0.1 s / 2.4 s                     10 ms / 30 ms
 *   memory                     600 to 900 MB a site              11 MB a site, 260 MB for what they share
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dressTree } from './dress-tree.ts';
import { freePort } from './free-port.ts';
import type { Machine, MachineOptions, Replacement } from './machine.ts';
import { nativeDatabase, startNativeMachine } from './native-site.ts';
import { nativeTemplate } from './native-template.ts';
import { RunningSite } from './running-site.ts';
import type { CloneOptions, Site, SiteKind, SiteOptions, Snapshot } from './site.ts';
import { copyTree, copyTreeAroundCode, newFolder } from './site-folder.ts';
import { adminEmail, isTemplate, permalinks } from './template.ts';
import { startWasmMachine } from './wasm-site.ts';
import { wasmTemplate } from './wasm-template.ts';
import { movedWpConfig, type WpConfig, wpConfig } from './wp-config.ts';

export type { Host } from './host.ts';
export { firewallMissing, nativeMissing } from './native-programs.ts';
export type { CommandResult } from './run-command.ts';
export type { CloneOptions, Mail, Site, SiteOptions, Snapshot } from './site.ts';

export async function startSite(options: SiteOptions | CloneOptions): Promise<Site> {
  if (!/^[a-z0-9-]+$/.test(options.name)) {
    throw new Error(
      `a site's name is lower-case letters, digits and hyphens, not "${options.name}"`,
    );
  }
  if ('from' in options) return start(options.from, options);
  const site = await start(await template(options), options);
  if (options.permalinks === 'plain') await site.php(permalinks(''));
  return site;
}

async function template(options: SiteOptions): Promise<Snapshot> {
  const { multisite = false, php } = options;
  const engine = options.engine ?? usualEngine(php);
  const version = options.version === 'latest' ? '7.1' : (options.version ?? '7.1');
  if (engine === 'native') {
    if (php !== undefined) throw new Error("native sites run this machine's PHP; leave out `php`");
    return nativeTemplate(version, multisite);
  }
  if (version !== '7.1') {
    throw new Error(`WebAssembly sites have WordPress 7.1 only; ${version} needs engine: 'native'`);
  }
  return { ...(await wasmTemplate(multisite)), php: php ?? '8.3' };
}

/** One variable runs a whole suite on the other kind; what names a PHP version stays where PHP can be chosen. */
function usualEngine(php: SiteOptions['php']): SiteKind {
  return process.env['ROLLCALL_LAB_ENGINE'] === 'native' && php === undefined ? 'native' : 'wasm';
}

async function start(origin: Snapshot, options: SiteOptions | CloneOptions): Promise<Site> {
  const folder = await newFolder(options.name);
  try {
    return await startIn(folder, origin, options);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(
  folder: string,
  origin: Snapshot,
  { name, connector, muPlugins = {}, host = {} }: SiteOptions | CloneOptions,
): Promise<Site> {
  const tree = join(folder, 'tree');
  const port = await freePort();
  const hostAndPort = `127.0.0.1:${port}`;
  const copy = origin.engine === 'native' ? copyTreeAroundCode : copyTree;
  await copy(join(origin.folder, 'tree'), tree);
  await dressTree(tree, { sqlite: origin.engine === 'wasm', muPlugins });
  const replacements: Replacement[] = [[origin.hostAndPort, hostAndPort]];
  if (isTemplate(origin)) replacements.push([origin.name, name]);
  const common = { name, port, tree, origin, replacements, connector: connector ?? null, host };
  const machine = await startMachine(folder, common);
  const email = isTemplate(origin) ? adminEmail(name) : origin.adminEmail;
  return new RunningSite({ ...origin, name, hostAndPort, adminEmail: email, folder }, machine);
}

async function startMachine(folder: string, options: MachineOptions): Promise<Machine> {
  if (options.origin.engine === 'wasm' && Object.keys(options.host).length > 0) {
    throw new Error("an odd host is nginx's and PHP-FPM's doing: it needs engine: 'native'");
  }
  const hostAndPort = `127.0.0.1:${options.port}`;
  if (options.origin.engine === 'wasm') {
    await configure(options, { hostAndPort });
    return startWasmMachine(options);
  }
  const database = await nativeDatabase(folder);
  await configure(options, { hostAndPort, database });
  return startNativeMachine({ ...options, database });
}

/** A fresh site has salts of its own; a copy keeps the original's wp-config.php, as copies do. */
async function configure(
  { tree, origin }: MachineOptions,
  config: Omit<WpConfig, 'multisite'>,
): Promise<void> {
  const file = join(tree, 'wp-config.php');
  const text = isTemplate(origin)
    ? wpConfig({ ...config, multisite: origin.multisite })
    : movedWpConfig(await readFile(file, 'utf8'), origin.hostAndPort, config);
  await writeFile(file, text);
}
