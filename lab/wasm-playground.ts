/**
 * The part of @wp-playground/cli that the lab uses, with types.
 *
 * Does: declare it here, because the package's own declarations import without file extensions, which strict ESM
 *   resolution can't follow.
 * Always true: written from the declarations of 3.1.54; the lab's tests run through every member.
 */

import type { Server } from 'node:http';
import type { ReadableStream } from 'node:stream/web';
import * as playgroundCli from '@wp-playground/cli';

export interface PlaygroundServer extends AsyncDisposable {
  readonly playground: Playground;
  readonly server: Server;
}

export interface Playground {
  /** Handles one HTTP request in a free worker; waits while all are busy. */
  requestStreamed(request: PhpRequest): Promise<PhpStreams>;
  /** Evaluates code that starts with an opening tag. */
  runStream(request: { readonly code: string }): Promise<PhpStreams>;
  readFileAsText(path: string): Promise<string>;
  writeFile(path: string, text: string): Promise<void>;
}

export interface PhpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface PhpStreams {
  readonly headers: Promise<Readonly<Record<string, readonly string[]>>>;
  readonly httpStatusCode: Promise<number>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stdoutText: Promise<string>;
  readonly stderrText: Promise<string>;
  readonly exitCode: Promise<number>;
}

export interface PlaygroundOptions {
  readonly command: 'server';
  readonly port: number;
  readonly 'site-url': string;
  readonly php: string;
  readonly workers: number;
  readonly wordpressInstallMode: 'do-not-attempt-installing';
  readonly skipSqliteSetup: true;
  readonly verbosity: 'quiet';
  /** Appears once the server has booted. */
  readonly mount: { readonly hostPath: string; readonly vfsPath: string }[];
}

interface PlaygroundModule {
  runCLI(options: PlaygroundOptions): Promise<PlaygroundServer>;
}

export function runPlayground(options: PlaygroundOptions): Promise<PlaygroundServer> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see the header
  return (playgroundCli as unknown as PlaygroundModule).runCLI(options);
}
