/**
 * An installed WordPress that every native site of its version is a copy of.
 *
 * Does: run the real installer through WP-CLI, once per (version, network), and keep tree and database in the cache.
 * On failure: throws with WP-CLI's output; nothing half-made stays.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache-folder.ts';
import { dressTree } from './dress-tree.ts';
import { fetchDebianWordPress } from './fetch-debian-wordpress.ts';
import { fetchWordPress } from './fetch-wordpress.ts';
import { freePort } from './free-port.ts';
import { nativePhp, nativeWpCli } from './native-php.ts';
import { nativeServer } from './native-server.ts';
import { CommandFailed, type CommandResult } from './run-command.ts';
import type { Snapshot, WordPressVersion } from './site.ts';
import { copyTree } from './site-folder.ts';
import { installCommand, PRETTY_PERMALINKS, templateSnapshot } from './template.ts';
import { wpConfig } from './wp-config.ts';

/** Raise it when what the template is made from changes. */
const REVISION = 1;

export async function nativeTemplate(
  version: WordPressVersion,
  multisite: boolean,
): Promise<Snapshot> {
  const name = `native-${version}-${multisite ? 'network' : 'single'}-${REVISION}`;
  const folder = await cached(name, (folder) => install(folder, version, multisite));
  const hostAndPort = await readFile(join(folder, 'host-and-port'), 'utf8');
  return templateSnapshot({ engine: 'native', version, multisite, hostAndPort, folder });
}

async function install(
  folder: string,
  version: WordPressVersion,
  multisite: boolean,
): Promise<void> {
  const core =
    version === '7.1' ? (await fetchWordPress()).core : await fetchDebianWordPress(version);
  const tree = join(folder, 'tree');
  const hostAndPort = `127.0.0.1:${await freePort()}`;
  await copyTree(core, tree);
  await dressTree(tree, { sqlite: false });
  const server = await nativeServer();
  const name = `template_${process.pid}_${version.replace('.', '_')}_${multisite}`;
  await server.sql('', `CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  const database = server.access(name);
  await writeFile(
    join(tree, 'wp-config.php'),
    wpConfig({ hostAndPort, multisite: false, database }),
  );
  try {
    checked(await nativeWpCli(tree, installCommand(hostAndPort, multisite)));
    if (!multisite) checked(await nativePhp(tree, hostAndPort, PRETTY_PERMALINKS));
    await writeFile(join(folder, 'database.sql'), await server.dump(name));
  } finally {
    await server.sql('', `DROP DATABASE ${name}`);
  }
  await writeFile(join(folder, 'host-and-port'), hostAndPort);
}

function checked(result: CommandResult): void {
  if (result.exitCode !== 0) throw new CommandFailed(['install WordPress'], result);
}
