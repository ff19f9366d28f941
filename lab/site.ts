/**
 * What a site of the lab is, for those who use one. Both kinds (WebAssembly, native) keep this contract.
 */
import type { Host } from './host.ts';
import type { CommandResult } from './run-command.ts';
import type { PhpVersion } from './wasm-protocol.ts';

export type WordPressVersion = '7.1' | '6.8' | '6.1';
export type SiteKind = 'wasm' | 'native';

export interface SiteOptions {
  /** Lower-case letters, digits and hyphens. Becomes the site's title and its administrator's mail domain. */
  readonly name: string;
  /** Default '7.1', which 'latest' means too. WebAssembly sites have 7.1 only. */
  readonly version?: WordPressVersion | 'latest';
  /** A network of sites in sub-directories. */
  readonly multisite?: boolean;
  /**
   * 'wasm' needs nothing but npm packages. 'native' is PHP-FPM, nginx and MariaDB of this machine, a hundred times
   * faster. Default: what ROLLCALL_LAB_ENGINE says, else 'wasm'.
   */
  readonly engine?: SiteKind;
  /** WebAssembly only; native sites run the machine's PHP. */
  readonly php?: PhpVersion;
  /** A folder that appears as wp-content/plugins/rollcall-connector, live, not activated. */
  readonly connector?: string;
  /** Default 'pretty'. */
  readonly permalinks?: 'pretty' | 'plain';
  /** Must-use plugins by file name (`probe.php`), each a whole PHP file. */
  readonly muPlugins?: Readonly<Record<string, string>>;
  /** Native sites only. Default: a host that stands in nobody's way. */
  readonly host?: Host;
}

/** A copy of a site that ran before: its database, files, salts and people, at an address of its own. */
export interface CloneOptions
  extends Pick<SiteOptions, 'name' | 'connector' | 'muPlugins' | 'host'> {
  readonly from: Snapshot;
}

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly message: string;
}

export interface Site {
  readonly name: string;
  /** Without a slash at the end. */
  readonly url: string;
  readonly engine: SiteKind;
  readonly version: WordPressVersion;
  readonly multisite: boolean;
  readonly adminLogin: string;
  readonly adminPassword: string;
  readonly adminEmail: string;
  /** The site's own WordPress tree on disk. */
  readonly dir: string;
  /** Real WP-CLI; resolves to stdout without the line break at its end. Throws when the exit code is not 0. */
  wp(...args: string[]): Promise<string>;
  wpTry(...args: string[]): Promise<CommandResult>;
  /** Evaluates PHP (no opening tag) in loaded WordPress, nobody signed in, not WP-CLI; resolves to what it printed. */
  php(code: string): Promise<string>;
  /** `path` begins with a slash. Redirects are not followed unless `init` says so. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Every mail that WordPress meant to send, oldest first. */
  mails(): Promise<Mail[]>;
  forgetMails(): Promise<void>;
  /** The text of wp-content/debug.log; empty when nothing was written. */
  debugLog(): Promise<string>;
  /** Ends it and removes its files. Safe to repeat. */
  stop(): Promise<void>;
  /** Connections are refused from here on. Nothing is lost: requests under way are given time to end. */
  pause(): Promise<void>;
  /** Comes back at the same address with the same data. */
  resume(): Promise<void>;
  /** Taken while the site runs. Removed when this process ends. */
  snapshot(): Promise<Snapshot>;
}

export interface Snapshot {
  readonly engine: SiteKind;
  readonly version: WordPressVersion;
  readonly multisite: boolean;
  readonly php: PhpVersion;
  readonly name: string;
  readonly hostAndPort: string;
  readonly adminEmail: string;
  /** Holds `tree`, and for native sites `database.sql`. */
  readonly folder: string;
}

export const ADMIN_LOGIN = 'admin';
export const ADMIN_PASSWORD = 'lab-admin-password';
