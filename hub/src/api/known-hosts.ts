/**
 * Under which names the API answers.
 *
 * A page in a browser on the hub's machine can reach the hub's port by a name of its own that leads
 * to 127.0.0.1 (DNS rebinding), and then counts as the same origin. It always brings its own name:
 * so a hub that listens on this machine alone answers to the names that are really its own.
 */
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { Fault } from '../errors.ts';

/**
 * @param hosts names besides addresses and localhost, without port; null: any, as where the hub
 * listens to the network under names that it can't know
 * @throws Fault `request.wrong_host`
 */
export const onlyKnownHosts = (hosts: readonly string[] | null) => {
  const known = new Set(hosts?.map((host) => host.toLowerCase()));
  return async ({ headers }: FastifyRequest): Promise<void> => {
    if (hosts === null) return;
    const name = nameIn(headers.host ?? '');
    const ours = isIP(name) !== 0 || name === 'localhost' || known.has(name);
    if (!ours) throw new Fault('request.wrong_host', 'The hub does not answer to this host name.');
  };
};

/** `shop.test:4700` → `shop.test`, `[::1]:4700` → `::1`. */
const nameIn = (host: string): string =>
  host
    .toLowerCase()
    .replace(/:\d*$/u, '')
    .replace(/^\[(.*)\]$/u, '$1')
    .replace(/\.$/u, '');
