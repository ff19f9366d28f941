/**
 * Which hub a command speaks to: --url and --token, ROLLCALL_URL and ROLLCALL_TOKEN, or the
 * `hub.json` that `serve` left in the data folder.
 *
 * Always true: the data folder's token is never sent to another address than its own.
 */
import { resolve } from 'node:path';
import { FAULTS } from '../errors.ts';
import type { HubAddress } from './api-client.ts';
import { EXIT } from './exit-codes.ts';
import { Failure, usage } from './failure.ts';
import { readHubFile } from './hub-file.ts';
import type { Terminal } from './terminal.ts';

export interface HubChoice {
  readonly url?: string;
  readonly token?: string;
  readonly data?: string;
}

export const dataFolderOf = (choice: HubChoice, terminal: Terminal): string =>
  resolve(terminal.folder, choice.data ?? (terminal.env['ROLLCALL_DATA'] || '.rollcall'));

export function findHub(choice: HubChoice, terminal: Terminal): HubAddress {
  // --data names a hub, too: an address in the environment must not win over it.
  const env = choice.data === undefined ? terminal.env : {};
  const url = choice.url ?? (env['ROLLCALL_URL'] || undefined);
  const token = choice.token ?? (env['ROLLCALL_TOKEN'] || undefined);
  const own = readHubFile(dataFolderOf(choice, terminal));
  if (url === undefined) {
    if (own === null) throw noHub(dataFolderOf(choice, terminal));
    return { url: own.url, token: token ?? own.token };
  }
  if (!URL.canParse(url) || !/^https?:/u.test(url)) {
    throw usage(`The hub’s address “${url}” is no web address.`);
  }
  if (token !== undefined) return { url, token };
  if (own !== null && new URL(own.url).origin === new URL(url).origin) return own;
  throw new Failure({
    code: 'auth.required',
    message: `A token is needed for the hub at ${url}.`,
    next: FAULTS['auth.required'].next,
    exit: EXIT.forbidden,
  });
}

const noHub = (folder: string): Failure =>
  new Failure({
    code: 'hub.unreachable',
    message: `No hub is running on the data folder ${folder}.`,
    next: FAULTS['hub.unreachable'].next,
    exit: EXIT.hub,
  });
