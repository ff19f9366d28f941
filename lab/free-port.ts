/**
 * A TCP port on 127.0.0.1 that nobody listens on.
 *
 * Always true: five digits, and outside the range that the system hands to outgoing connections (32768 and up on
 *   Linux), so that a paused site finds its port free when it comes back. Five digits keep every site's host:port
 *   the same length, which is what lets a copied database be re-addressed inside serialised values. A port that was
 *   given is nobody else's while the process lives that asked for it: a site that is paused listens on nothing.
 * On failure: throws after a hundred tries.
 */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LOWEST_PORT = 20_000;
const HIGHEST_PORT = 31_999;
/** One file for each port that was given: it names the process. */
const GIVEN = join(tmpdir(), 'rollcall-lab-ports');

export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT + 1));
    if ((await reserve(port)) && (await canListen(port))) return port;
  }
  throw new Error(`no free port between ${LOWEST_PORT} and ${HIGHEST_PORT} in a hundred tries`);
}

async function reserve(port: number): Promise<boolean> {
  const note = join(GIVEN, String(port));
  await mkdir(GIVEN, { recursive: true });
  try {
    const file = await open(note, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch {
    // Another port is as good; this one is for the next who asks, once its process is gone.
    if (!isAlive(Number(await readFile(note, 'utf8').catch(() => ''))))
      await rm(note, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  // Not yet written: it is just being given.
  if (pid === 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
