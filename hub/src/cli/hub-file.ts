/**
 * `hub.json` in the data folder: how commands on the same machine find the running hub.
 *
 * Does: write, read and remove it. It holds a token, so only its owner can read it (0600).
 * Always true: a reader sees a whole file or none (it is renamed into place).
 * On failure: a file that can't be read or is no such file counts as absent; writing throws.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const HubFileSchema = z.object({
  url: z.url(),
  token: z.string().min(1),
  /** Process that serves. */
  pid: z.int().positive(),
});
export type HubFile = z.infer<typeof HubFileSchema>;

const fileIn = (dataFolder: string): string => join(dataFolder, 'hub.json');

export function readHubFile(dataFolder: string): HubFile | null {
  try {
    return HubFileSchema.parse(JSON.parse(readFileSync(fileIn(dataFolder), 'utf8')));
  } catch {
    return null;
  }
}

export function writeHubFile(dataFolder: string, hub: HubFile): void {
  const file = fileIn(dataFolder);
  const fresh = `${file}.${process.pid}`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, `${JSON.stringify(hub)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(fresh, file);
}

/** Removes it unless another process has put its own there. */
export function removeHubFile(dataFolder: string, pid: number): void {
  if (readHubFile(dataFolder)?.pid === pid) rmSync(fileIn(dataFolder), { force: true });
}
