/**
 * Puts the lab's own files into a WordPress tree: its must-use plugin, a test's, the SQLite drop-in.
 *
 * Always true: repeating it leaves the same files. Removes nothing.
 */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchWordPress } from './fetch-wordpress.ts';

const LAB_PLUGIN = fileURLToPath(new URL('./site-files/rollcall-lab.php', import.meta.url));

export interface Dress {
  readonly sqlite: boolean;
  readonly muPlugins?: Readonly<Record<string, string>>;
}

export async function dressTree(tree: string, dress: Dress): Promise<void> {
  const content = join(tree, 'wp-content');
  const muPlugins = join(content, 'mu-plugins');
  await mkdir(muPlugins, { recursive: true });
  await mkdir(join(content, 'plugins'), { recursive: true });
  await copyFile(LAB_PLUGIN, join(muPlugins, 'rollcall-lab.php'));
  for (const [name, source] of Object.entries(dress.muPlugins ?? {})) {
    await writeFile(join(muPlugins, name), source);
  }
  if (dress.sqlite) await writeFile(join(content, 'db.php'), await sqliteDropIn());
}

async function sqliteDropIn(): Promise<string> {
  const { sqliteIntegration } = await fetchWordPress();
  const text = await readFile(join(sqliteIntegration, 'db.copy'), 'utf8');
  return text
    .replaceAll('{SQLITE_IMPLEMENTATION_FOLDER_PATH}', '/sqlite-database-integration')
    .replaceAll('{SQLITE_PLUGIN}', 'sqlite-database-integration/load.php');
}
