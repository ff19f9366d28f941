/**
 * What a faulty door can do with one request.
 *
 * Always true: `passOn` says whether the site has got the request, and done what it asks, before the deed.
 */
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Passed } from './faulty-door.ts';

export type Deed =
  /** The connection stays open and nothing comes, until the door behaves or the caller hangs up. */
  | { readonly kind: 'hang'; readonly passOn: boolean }
  /** The connection ends without an answer. */
  | { readonly kind: 'drop'; readonly passOn: boolean }
  /** Something of the door's own: a maintenance page, a firewall, a fault. */
  | {
      readonly kind: 'answer';
      readonly passOn?: boolean;
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The site's answer breaks off in the middle. */
  | { readonly kind: 'cut' }
  /** The site's answer, changed. */
  | { readonly kind: 'change'; readonly body: (text: string) => string }
  /** The site's answer, so many bytes at a time. */
  | { readonly kind: 'trickle'; readonly bytes: number; readonly everyMs: number }
  /** An answer without an end, up to so many bytes, or until the caller hangs up. */
  | { readonly kind: 'flood'; readonly bytes: number };

export interface Scene {
  readonly response: ServerResponse;
  readonly pass: () => Promise<Passed>;
  /** The door behaves again. */
  readonly ended: AbortSignal;
}

export async function misdo(deed: Deed, scene: Scene): Promise<void> {
  const { response, pass } = scene;
  switch (deed.kind) {
    case 'hang':
      if (deed.passOn) await pass();
      await hang(scene);
      return;
    case 'drop':
      if (deed.passOn) await pass();
      response.destroy();
      return;
    case 'answer':
      if (deed.passOn === true) await pass();
      response.writeHead(deed.status, { ...deed.headers });
      response.end(deed.body ?? '');
      return;
    case 'cut':
      await cut(response, await pass());
      return;
    case 'change': {
      const passed = await pass();
      response.writeHead(passed.status, passed.headers.flat());
      response.end(deed.body(passed.body.toString('utf8')));
      return;
    }
    case 'trickle':
      await trickle(deed, scene, await pass());
      return;
    case 'flood':
      await flood(deed.bytes, scene);
  }
}

function hang({ response, ended }: Scene): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      response.destroy();
      resolve();
    };
    ended.addEventListener('abort', end, { once: true });
    response.once('close', end);
  });
}

async function cut(response: ServerResponse, passed: Passed): Promise<void> {
  response.writeHead(passed.status, [
    ...passed.headers.flat(),
    'content-length',
    String(passed.body.length),
  ]);
  const half = passed.body.subarray(0, Math.floor(passed.body.length / 2));
  await new Promise<void>((resolve) => response.write(half, () => resolve()));
  response.destroy();
}

async function trickle(
  { bytes, everyMs }: { readonly bytes: number; readonly everyMs: number },
  { response, ended }: Scene,
  passed: Passed,
): Promise<void> {
  response.writeHead(passed.status, passed.headers.flat());
  for (let at = 0; at < passed.body.length && !isOver(response, ended); at += bytes) {
    response.write(passed.body.subarray(at, at + bytes));
    await delay(everyMs);
  }
  response.end();
}

const FLOOD_PIECE = Buffer.alloc(1024 * 1024, ' ');

async function flood(bytes: number, { response, ended }: Scene): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' });
  for (let sent = 0; sent < bytes && !isOver(response, ended); sent += FLOOD_PIECE.length) {
    if (!response.write(FLOOD_PIECE)) await drained(response);
  }
  response.end();
}

const isOver = (response: ServerResponse, ended: AbortSignal): boolean =>
  response.destroyed || ended.aborted;

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      response.off('drain', end).off('close', end);
      resolve();
    };
    response.on('drain', end).on('close', end);
  });
