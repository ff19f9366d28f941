/**
 * An HTTP or HTTPS server of the test's own that answers whatever the test says: sites misbehave
 * in ways that no real WordPress can be made to.
 */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Heard {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Behaviour = (heard: Heard, answer: ServerResponse) => void;

export interface StrangeServer {
  /** Without a slash at the end. */
  readonly url: string;
  readonly heard: readonly Heard[];
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

const nothingThere: Behaviour = (_, answer) => {
  answer.writeHead(404).end();
};

export async function strangeServer(tls?: { key: string; cert: string }): Promise<StrangeServer> {
  const heard: Heard[] = [];
  let behaviour = nothingThere;
  const listener: RequestListener = (request, answer) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const one: Heard = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(parts).toString('utf8'),
      };
      heard.push(one);
      behaviour(one, answer);
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on TCP has one
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    heard,
    behave(next) {
      behaviour = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function json(
  answer: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  answer.writeHead(status, { 'content-type': 'application/json', ...headers });
  answer.end(JSON.stringify(value));
}

/** As the connector marks every answer. */
export const OURS = { 'x-rollcall-contract': '2' };

export const restFault = (code: string, status: number, reason?: string) => ({
  code,
  message: 'A sentence.',
  data: { status, ...(reason === undefined ? {} : { reason }) },
});
