/**
 * PHP's compiled files, kept from one command to the next: compiling WordPress is most of what a command costs.
 *
 * Always true: a file that has changed is compiled anew; what a site alone has is not kept, so that the folder does
 *   not grow with every site.
 */
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache-folder.ts';
import { sitesFolder } from './site-folder.ts';

/** Raise it when what is kept, or is not, changes. */
const REVISION = 1;

let settings: Promise<readonly string[]> | undefined;

/** PHP's arguments for a command. */
export function keepCompiled(): Promise<readonly string[]> {
  settings ??= prepare();
  return settings;
}

async function prepare(): Promise<readonly string[]> {
  const folder = await cached(`opcache-${REVISION}`, async (folder) => {
    await mkdir(join(folder, 'files'));
    await mkdir(sitesFolder(), { recursive: true });
    await writeFile(join(folder, 'not-kept'), `${await realpath(sitesFolder())}/\n`);
  });
  return Object.entries({
    enable: '1',
    enable_cli: '1',
    file_cache: join(folder, 'files'),
    file_cache_only: '1',
    blacklist_filename: join(folder, 'not-kept'),
  }).flatMap(([name, value]) => ['-d', `opcache.${name}=${value}`]);
}
