/**
 * The HTTP server in front of a WebAssembly site.
 *
 * Does: pass each request to PHP and its answer back, headers and body as they are.
 * Does not: listen on anything but 127.0.0.1; follow, add or change anything.
 * On failure: a PHP worker that dies answers 500, as a web server would.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Playground } from './wasm-playground.ts';

export interface Front {
  close(): Promise<void>;
}

export function openFront(playground: Playground, port: number): Promise<Front> {
  const server = createServer((request, response) => {
    pass(playground, request, response).catch((error: unknown) => {
      console.error(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end('The PHP process of this lab site failed.');
    });
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve({ close }));
  });
}

async function pass(
  playground: Playground,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await playground.requestStreamed({
    url: request.url ?? '/',
    method: request.method ?? 'GET',
    headers: singleHeaders(request),
    body: new Uint8Array(await buffer(request)),
  });
  const [headers, status] = await Promise.all([answer.headers, answer.httpStatusCode]);
  response.statusCode = status;
  for (const [name, values] of Object.entries(headers)) response.setHeader(name, [...values]);
  await pipeline(Readable.fromWeb(answer.stdout), response);
}

function singleHeaders(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
