/**
 * An installed WordPress that every WebAssembly site is a copy of.
 *
 * Does: run the real installer through WP-CLI, once per kind, and keep the result in the cache.
 * On failure: throws with WP-CLI's output; nothing half-made stays.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache-folder.ts';
import { dressTree } from './dress-tree.ts';
import { fetchWordPress } from './fetch-wordpress.ts';
import { freePort } from './free-port.ts';
import { CommandFailed } from './run-command.ts';
import type { Snapshot } from './site.ts';
import { copyTree } from './site-folder.ts';
import { installCommand, PRETTY_PERMALINKS, templateSnapshot } from './template.ts';
import { WasmProcess } from './wasm-process.ts';
import type { RunnerCommand } from './wasm-protocol.ts';
import { wpConfig } from './wp-config.ts';

/** Raise it when what the template is made from changes. */
const REVISION = 2;

export async function wasmTemplate(multisite: boolean): Promise<Snapshot> {
  const name = `wasm-7.1-${multisite ? 'network' : 'single'}-${REVISION}`;
  const folder = await cached(name, (folder) => install(folder, multisite));
  const hostAndPort = await readFile(join(folder, 'host-and-port'), 'utf8');
  return templateSnapshot({ engine: 'wasm', version: '7.1', multisite, hostAndPort, folder });
}

async function install(folder: string, multisite: boolean): Promise<void> {
  const { core, sqliteIntegration, wpCli } = await fetchWordPress();
  const tree = join(folder, 'tree');
  const port = await freePort();
  const hostAndPort = `127.0.0.1:${port}`;
  await copyTree(core, tree);
  await mkdir(join(tree, 'wp-content', 'database'), { recursive: true });
  await dressTree(tree, { sqlite: true });
  await writeFile(join(tree, 'wp-config.php'), wpConfig({ hostAndPort, multisite: false }));
  const running = new WasmProcess(join(folder, 'install.log'));
  try {
    const where = { port, tree, sqliteIntegration, wpCli };
    await running.send({
      kind: 'start',
      options: { ...where, connector: null, php: '8.3', replacements: [] },
    });
    await checked(running, { kind: 'wp', args: installCommand(hostAndPort, multisite) });
    if (!multisite) await checked(running, { kind: 'php', code: PRETTY_PERMALINKS });
  } finally {
    await running.end();
  }
  await writeFile(join(folder, 'host-and-port'), hostAndPort);
}

async function checked(running: WasmProcess, command: RunnerCommand): Promise<void> {
  const result = await running.send(command);
  if (result.exitCode !== 0) throw new CommandFailed([JSON.stringify(command)], result);
}
