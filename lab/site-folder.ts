/**
 * The folders where running sites live: inside the cache, so that WordPress's own files can be hard links.
 *
 * Does: give each site (and snapshot) a folder; copy a WordPress tree into it in a fraction of a second.
 * Does not: copy what no site ever writes to (wp-admin, wp-includes, themes, plugins): that is linked.
 * Always true: folders of processes that are gone are removed by the next process that starts a site.
 * On failure: throws; linking falls back to copying where the file system has no hard links.
 */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.ts';

const SITES = 'sites';
/** Two test workers may be threads of one process: each has its own. */
const OWN = `${process.pid}-${randomUUID().slice(0, 8)}`;
const SHARED =
  /^(wp-admin|wp-includes|wp-content\/(themes|plugins))(\/|$)|^(?!wp-config)[\w-]+\.(php|txt|html)$/;
/** None of their files finds WordPress by its own place, nor is asked for by a browser as PHP. */
const CODE = new Set(['wp-includes', 'wp-admin/includes']);

let swept: Promise<void> | undefined;

/** All of them are in it. */
export function sitesFolder(): string {
  return join(cacheFolder(), SITES);
}

/** A new empty folder of this process. */
export async function newFolder(name: string): Promise<string> {
  swept ??= sweep();
  await swept;
  const folder = join(sitesFolder(), OWN, `${name}-${randomUUID().slice(0, 8)}`);
  await mkdir(folder, { recursive: true });
  return folder;
}

export function copyTree(from: string, to: string): Promise<void> {
  return copyInner(from, to, '', () => false);
}

/** The same, but WordPress's own code stays where it is: for PHP all such sites have the same files, compiled once. */
export function copyTreeAroundCode(from: string, to: string): Promise<void> {
  return copyInner(from, to, '', (path) => CODE.has(path));
}

async function copyInner(
  from: string,
  to: string,
  path: string,
  stays: (path: string) => boolean,
): Promise<void> {
  await mkdir(join(to, path), { recursive: true });
  const entries = await readdir(join(from, path), { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const inner = path === '' ? entry.name : `${path}/${entry.name}`;
      if (stays(inner)) return symlink(await realpath(join(from, inner)), join(to, inner));
      if (entry.isDirectory()) return copyInner(from, to, inner, stays);
      // A linked connector is linked anew by whoever starts the copy.
      if (!entry.isFile()) return;
      await (SHARED.test(inner) ? linkOrCopy : copyFile)(join(from, inner), join(to, inner));
    }),
  );
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}

async function sweep(): Promise<void> {
  const sites = sitesFolder();
  process.once('exit', () => rmSync(join(sites, OWN), { recursive: true, force: true }));
  for (const name of await readdir(sites).catch(() => [])) {
    if (!isAlive(Number.parseInt(name, 10))) {
      // Another run may be sweeping up the same folder.
      await rm(join(sites, name), { recursive: true, force: true }).catch(() => {});
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
