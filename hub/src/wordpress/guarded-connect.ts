/**
 * Opens sockets to sites, and looks where they lead at the moment they are opened: what a name
 * resolved to a second earlier says nothing.
 *
 * Does: refuse forbidden addresses always, private ones where a site is known to be public; connect
 * to those addresses alone that were judged.
 * Always true: a name that has a public address is never reached at a private one.
 * On failure: `site.forbidden_address`, before a byte is sent.
 */
import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { Fault } from '../errors.ts';
import { rangeOf } from './address-range.ts';

/** Where a socket led: a site at a public address may never lead on to a private one. */
export type Reach = 'public' | 'private';

export type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface ConnectOptions {
  readonly timeoutMs: number;
  /** Only public addresses. */
  readonly publicOnly: boolean;
  /** Told for every socket that was opened. */
  readonly reached?: (origin: string, reach: Reach) => void;
  /** Certificates to trust besides the usual ones (PEM). */
  readonly ca?: string | undefined;
  /** Instead of the system's own; for tests. */
  readonly resolve?: Resolve | undefined;
}

export function guardedConnect(options: ConnectOptions): buildConnector.connector {
  const { timeoutMs, publicOnly, ca, resolve = systemLookup } = options;
  const connect = buildConnector({
    timeout: timeoutMs,
    lookup: guardedLookup(resolve, publicOnly),
    ...(ca === undefined ? {} : { ca }),
  });
  return (target, done) => {
    const host = target.hostname.replace(/^\[(.*)\]$/u, '$1');
    // Node does not look up what is an address already.
    if (isIP(host) !== 0 && !isOpen(host, publicOnly)) return done(forbiddenAddress(host), null);
    connect(target, (...[error, socket]) => {
      if (error !== null) return done(error, null);
      const address = socket.remoteAddress ?? '';
      if (!isOpen(address, publicOnly)) {
        socket.destroy();
        return done(forbiddenAddress(host), null);
      }
      const reach = rangeOf(address) === 'public' ? 'public' : 'private';
      options.reached?.(`${target.protocol}//${target.host ?? host}`, reach);
      done(null, socket);
    });
  };
}

function guardedLookup(resolve: Resolve, publicOnly: boolean): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, '');
      const open = openAmong(addresses, publicOnly);
      const [first] = open;
      if (first === undefined) return done(forbiddenAddress(hostname), '');
      if (options.all === true) done(null, open);
      else done(null, first.address, first.family);
    });
  };
}

function openAmong(addresses: readonly LookupAddress[], publicOnly: boolean): LookupAddress[] {
  const open = addresses.filter(({ address }) => isOpen(address, publicOnly));
  const isPublic = open.filter(({ address }) => rangeOf(address) === 'public');
  return isPublic.length > 0 ? isPublic : open;
}

function isOpen(address: string, publicOnly: boolean): boolean {
  const range = rangeOf(address);
  return range === 'public' || (range === 'private' && !publicOnly);
}

const forbiddenAddress = (host: string): Fault =>
  new Fault('site.forbidden_address', `${host} leads to an address where this site may not be.`, {
    detail: { host },
  });
