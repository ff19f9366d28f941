/**
 * A TCP port on 127.0.0.1 that nobody listens on.
 *
 * Always true: five digits, and outside the range that the system hands to outgoing connections (32768 and up on
 *   Linux), so that a paused site finds its port free when it comes back. Five digits keep every site's host:port
 *   the same length, which is what lets a copied database be re-addressed inside serialised values.
 * On failure: throws after a hundred tries.
 */
import { createServer } from 'node:net';

const LOWEST_PORT = 20_000;
const HIGHEST_PORT = 31_999;
const given = new Set<number>();

export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT + 1));
    if (!given.has(port) && (await canListen(port))) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`no free port between ${LOWEST_PORT} and ${HIGHEST_PORT} in a hundred tries`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
