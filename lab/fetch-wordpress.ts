/**
 * WordPress 7.1, the SQLite integration and WP-CLI, from one npm tarball.
 *
 * Does: fetch wp-studio's tarball once with `npm pack` (which honours the machine's npm configuration), check it
 *   against the pinned sha512, keep only the parts the lab uses, in the cache.
 * Does not: install wp-studio (hundreds of MB of dependencies), or follow newer releases by itself.
 * Always true: what is returned exists, is complete, and came from exactly the pinned bytes.
 * On failure: throws; nothing half-made stays.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cached } from './cache-folder.ts';
import { runCommand } from './run-command.ts';

const PACKAGE = 'wp-studio@1.22.0';
const TARBALL_SHA512 =
  'boMtahkhgWDKKyNTBA1uTK5ghnAmxXhDY6KeQCO9FmcI3/o+YOSq8JwYW5ZYnxHCxH14Jf/mD6CJTBvTWl2Ytw==';
/** The smallest of the themes that come along; the others would triple the files of every site. */
export const LAB_THEME = 'twentytwentythree';

export interface WordPressParts {
  /** A WordPress tree without wp-config.php, with one theme. Shared: never write into it. */
  readonly core: string;
  readonly sqliteIntegration: string;
  /** The folder that holds wp-cli.phar. */
  readonly wpCli: string;
}

export async function fetchWordPress(): Promise<WordPressParts> {
  const folder = await cached('wp-studio-1.22.0-parts-1', fill);
  return {
    core: join(folder, 'wordpress'),
    sqliteIntegration: join(folder, 'sqlite-database-integration'),
    wpCli: join(folder, 'wp-cli'),
  };
}

async function fill(folder: string): Promise<void> {
  const work = join(folder, 'work');
  await mkdir(work);
  await runCommand('npm', ['pack', '--silent', '--ignore-scripts', PACKAGE], { cwd: work });
  const tarball = (await readdir(work)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`npm pack ${PACKAGE} left no tarball`);
  await checkIntegrity(join(work, tarball));
  const from = 'package/dist/cli/wp-files';
  const parts = ['latest/wordpress', 'sqlite-database-integration', 'wp-cli'];
  await runCommand('tar', ['xzf', tarball, ...parts.map((part) => `${from}/${part}`)], {
    cwd: work,
  });
  for (const part of parts) {
    await cp(join(work, from, part), join(folder, part.replace('latest/', '')), {
      recursive: true,
    });
  }
  await rm(work, { recursive: true });
  await keepOneTheme(join(folder, 'wordpress'));
}

async function keepOneTheme(core: string): Promise<void> {
  const themes = join(core, 'wp-content', 'themes');
  for (const name of await readdir(themes)) {
    if (name !== LAB_THEME && name !== 'index.php')
      await rm(join(themes, name), { recursive: true });
  }
  // Without it the WebAssembly server can't be tempted to write a wp-config.php of its own.
  await rm(join(core, 'wp-config-sample.php'), { force: true });
}

async function checkIntegrity(file: string): Promise<void> {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  const seen = hash.digest('base64');
  if (seen !== TARBALL_SHA512) {
    throw new Error(`${PACKAGE} has sha512 ${seen}, but ${TARBALL_SHA512} is pinned: not used`);
  }
}
