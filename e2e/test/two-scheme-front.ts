/**
 * What stands before a site on a real host: one port that speaks http and https, and sends visitors to
 * the one address that the site has chosen.
 *
 * Does: tell TLS by its first byte; pass requests on with their own `Host` and `X-Forwarded-Proto`.
 * Always true: what comes to any other address than the chosen one is redirected and passed on to nobody.
 */
import {
  createServer as createHttp,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect, createServer as createSocket, type Server, type Socket } from 'node:net';
import type { Site } from '#lab/start-site.ts';

const TLS_HELLO = 22;

export interface Front {
  readonly port: number;
  /** The only address from now on. */
  choose(origin: string): void;
  close(): Promise<void>;
}

export async function frontBefore(
  site: Site,
  certificate: { readonly key: string; readonly cert: string },
): Promise<Front> {
  const { hostname, port: behind } = new URL(site.url);
  const sockets = new Set<Socket>();
  let chosen = '';
  const handle = (scheme: string) => (asked: IncomingMessage, answer: ServerResponse) => {
    const { method, url: path, headers } = asked;
    if (chosen !== '' && `${scheme}://${headers.host}` !== chosen) {
      answer.writeHead(301, { location: `${chosen}${path}` }).end();
      return;
    }
    const forwarded = { ...headers, 'x-forwarded-proto': scheme };
    const passed = request(
      { hostname, port: behind, method, path, headers: forwarded },
      (answered) => {
        answer.writeHead(answered.statusCode ?? 500, answered.headers);
        answered.pipe(answer);
      },
    );
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  };
  const plain = createHttp(handle('http'));
  const secure = createHttps(certificate, handle('https'));
  const [plainPort, securePort] = [await listen(plain), await listen(secure)];
  const door = createSocket((socket) => {
    socket.once('data', (first) => {
      const inner = connect(first[0] === TLS_HELLO ? securePort : plainPort, '127.0.0.1');
      for (const [one, other] of [
        [socket, inner],
        [inner, socket],
      ] as const) {
        sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => sockets.delete(one));
      }
      inner.write(first);
      socket.pipe(inner).pipe(socket);
    });
    socket.on('error', () => socket.destroy());
  });
  const port = await listen(door);
  return {
    port,
    choose: (origin) => {
      chosen = origin;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(
        [door, plain, secure].map((server) => new Promise((resolve) => server.close(resolve))),
      );
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
