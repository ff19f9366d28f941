/**
 * The folder outside the tree where the lab keeps what is slow to make: WordPress itself, installed templates.
 *
 * Does: names the cache (`ROLLCALL_CACHE`, else `~/.cache/rollcall`) and fills an entry exactly once.
 * Does not: expire anything. An entry's name must change when what it is made from changes.
 * Always true: an entry that exists is complete. It is made under another name and renamed into place.
 * On failure: the half-made folder is removed and the error is the caller's; the next call tries again.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export function cacheFolder(): string {
  return process.env['ROLLCALL_CACHE'] ?? join(homedir(), '.cache', 'rollcall');
}

const running = new Map<string, Promise<string>>();

/** The path of the entry, made by `fill` if it is not there yet. Safe to call from many processes at once. */
export async function cached(
  name: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const entry = join(cacheFolder(), name);
  if (existsSync(entry)) return entry;
  const making = running.get(entry) ?? make(entry, fill).finally(() => running.delete(entry));
  running.set(entry, making);
  return making;
}

async function make(entry: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const unfinished = `${entry}.${randomUUID()}.unfinished`;
  await mkdir(unfinished, { recursive: true });
  try {
    await fill(unfinished);
    await mkdir(dirname(entry), { recursive: true });
    await rename(unfinished, entry);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process was faster: its entry is as good as ours.
    if (!existsSync(entry)) throw error;
  }
  return entry;
}
