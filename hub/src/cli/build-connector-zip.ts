/**
 * The connector as WordPress installs it: one zip with one folder, `rollcall-connector/`.
 *
 * Always true: the same sources make the same bytes, on any machine and at any time.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Zippable, zipSync } from 'fflate';

/** The sources that come with the hub. */
export const CONNECTOR = fileURLToPath(new URL('../../../connector', import.meta.url));

const TOP = 'rollcall-connector';

/** What a running plugin needs; anything else in the folder is for its makers. */
const WANTED = /\.(php|txt|css|js|svg|png|json|pot|po|mo)$/u;
const NOT_WANTED =
  /^(\.|tests?$|node_modules$|vendor$|composer\.|package(-lock)?\.json$|phpcs|phpunit)/u;

/** The first moment that a zip can hold, in local time, which is what the format keeps. */
const noTime = (): Date => new Date(1980, 0, 1);
const UNIX = 3;
const READABLE_FILE = 0o100644 << 16;

export interface ConnectorZip {
  readonly bytes: Uint8Array;
  readonly version: string;
  readonly files: number;
  readonly sha256: string;
}

export function buildConnectorZip(folder: string): ConnectorZip {
  const paths = filesIn(folder, '').sort();
  const tree: Zippable = {};
  const settings = { mtime: noTime(), os: UNIX, attrs: READABLE_FILE, level: 9 } as const;
  for (const path of paths) {
    tree[`${TOP}/${path}`] = [readFileSync(join(folder, path)), settings];
  }
  const bytes = zipSync(tree);
  return {
    bytes,
    version: connectorVersion(folder),
    files: paths.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

function filesIn(folder: string, below: string): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .filter(({ name }) => !NOT_WANTED.test(name))
    .flatMap((entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) return filesIn(folder, path);
      return entry.isFile() && (WANTED.test(entry.name) || entry.name === 'LICENSE') ? [path] : [];
    });
}

/** Of the connector whose sources are there. */
export const connectorVersion = (folder = CONNECTOR): string =>
  versionOf(readFileSync(join(folder, `${TOP}.php`), 'utf8'));

const versionOf = (header: string): string => /^ \* Version:\s*(\S+)/mu.exec(header)?.[1] ?? '0';
