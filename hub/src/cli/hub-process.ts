/**
 * What `serve` and `run` need of `main.ts`, the only file that builds a whole hub.
 *
 * `startHub` throws `Fault`: `data.in_use`, `data.broken`, `data.not_writable`, `data.newer`,
 * `data.elsewhere`, `secret.unreadable`, `database.unreachable`, `port.in_use`. Nothing it
 * opened stays open then.
 */
import type { RunReport } from '../api/schemas/status.ts';

export interface HubOptions {
  readonly dataFolder: string;
  /** PostgreSQL; without it the store embedded in the data folder. */
  readonly databaseUrl?: string;
  /** False: no HTTP server, `url` is empty (`rollcall run`). Default true. */
  readonly listen?: boolean;
  readonly host?: string;
  /** 0: any free port; `url` tells which. */
  readonly port?: number;
  /** Where sites reach the hub with their signals, when not at host and port. */
  readonly publicUrl?: string;
  readonly pollSeconds?: number;
  readonly settleDeletesSeconds?: number;
  /** New accounts of one site within ten minutes that go without a person's consent; ten times as many a day. */
  readonly newAccounts?: number;
  /** How long a site may take for one answer. */
  readonly siteTimeoutSeconds?: number;
  /** False: serves the API and works only when `runUntilIdle` is called. Default true. */
  readonly workers?: boolean;
  /** Raises the term: this is where the hub lives from now on. */
  readonly takeOver?: boolean;
}

export interface RunningHub {
  /** Of the API, without a slash at the end. */
  readonly url: string;
  /** An owner's token for whoever may read the data folder. */
  readonly token: string;
  /** Pulls and delivers until nothing more can be done now, or `waitMs` is over. */
  runUntilIdle(options: { readonly waitMs: number }): Promise<RunReport>;
  /** What `rollcall backup` writes, also without a server. */
  backUp(): Promise<{ readonly bytes: number; readonly content: AsyncIterable<Uint8Array> }>;
  /** Ends after the work under way; safe to repeat. */
  stop(): Promise<void>;
}

export type StartHub = (options: HubOptions) => Promise<RunningHub>;
