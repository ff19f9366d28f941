/**
 * Older WordPress, from Debian's packages: 6.1 (bookworm) and 6.8 (trixie).
 *
 * Does: download the package with apt's own lists in a folder of ours, from wherever this machine's Debian sources
 *   point; unpack it; put the lab's theme in (Debian packages themes apart).
 * Does not: install anything, touch the machine's package state, or pin bytes: Debian's point releases replace the
 *   file. apt checks it against Debian's signatures; the file name and sha256 seen are kept in `package.txt`.
 * On failure: throws with apt's output; nothing half-made stays.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache-folder.ts';
import { fetchWordPress, LAB_THEME } from './fetch-wordpress.ts';
import { runCommand } from './run-command.ts';

export type DebianVersion = '6.1' | '6.8';

const SUITES: Readonly<Record<DebianVersion, string>> = { '6.1': 'bookworm', '6.8': 'trixie' };
const SOURCES = '/etc/apt/sources.list.d/debian.sources';

/** A WordPress tree without wp-config.php. Shared: never write into it. */
export async function fetchDebianWordPress(version: DebianVersion): Promise<string> {
  const folder = await cached(`debian-wordpress-${version}-1`, (folder) => fill(folder, version));
  return join(folder, 'wordpress');
}

async function fill(folder: string, version: DebianVersion): Promise<void> {
  const apt = join(folder, 'apt');
  const unpacked = join(folder, 'unpacked');
  const tree = join(folder, 'wordpress');
  const file = await download(apt, SUITES[version]);
  const sha256 = createHash('sha256')
    .update(await readFile(join(apt, file)))
    .digest('hex');
  await writeFile(join(folder, 'package.txt'), `${file} sha256 ${sha256}\n`);
  await runCommand('dpkg', ['-x', join(apt, file), unpacked]);
  await cp(join(unpacked, 'usr/share/wordpress'), tree, {
    recursive: true,
    verbatimSymlinks: true,
  });
  const { core } = await fetchWordPress();
  await replaceLinks(tree, core);
  await rm(join(tree, 'wp-config.php'), { force: true });
  const theme = join('wp-content', 'themes', LAB_THEME);
  await cp(join(core, theme), join(tree, theme), { recursive: true });
  await rm(apt, { recursive: true });
  await rm(unpacked, { recursive: true });
}

async function download(apt: string, suite: string): Promise<string> {
  const parts = join(apt, 'parts');
  for (const name of ['parts', 'lists/partial', 'archives/partial']) {
    await mkdir(join(apt, name), { recursive: true });
  }
  await writeFile(join(parts, 'lab.sources'), await sources(suite));
  const options = [
    ['Dir::Etc::SourceList', '/dev/null'],
    ['Dir::Etc::SourceParts', parts],
    ['Dir::State::Lists', join(apt, 'lists')],
    ['Dir::Cache', apt],
    // apt's own user can't reach a folder under /root.
    ...(process.getuid?.() === 0 ? [['APT::Sandbox::User', 'root']] : []),
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await runCommand('apt-get', [...options, 'update'], { cwd: apt });
  await runCommand('apt-get', [...options, 'download', 'wordpress'], { cwd: apt });
  const file = (await readdir(apt)).find((name) => /^wordpress_.*\.deb$/.test(name));
  if (file === undefined) throw new Error(`apt-get download left no wordpress package of ${suite}`);
  return file;
}

/** This machine's Debian sources, turned to another suite. */
async function sources(suite: string): Promise<string> {
  const text = await readFile(SOURCES, 'utf8').catch(() => {
    throw new Error(
      `WordPress 6.1 and 6.8 come from Debian's packages, and ${SOURCES} is not here`,
    );
  });
  return text
    .split(/\n\s*\n/)
    .filter((entry) => !entry.includes('security'))
    .map((entry) => entry.replace(/^Suites: .*$/m, `Suites: ${suite}`))
    .join('\n\n');
}

/** Debian links to libraries in packages of their own: each dangling link becomes 7.1's file, or goes. */
async function replaceLinks(tree: string, core: string): Promise<void> {
  for (const entry of await readdir(tree, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const replacement = join(core, path.slice(tree.length));
    await rm(path);
    if (await exists(replacement)) await cp(replacement, path, { recursive: true });
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
