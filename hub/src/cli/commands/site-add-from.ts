/**
 * `rollcall site add --from sites.csv`: many sites at once.
 *
 * Always true: nothing is connected unless every line can be read and every site with a login was looked at; a line is
 * connected wholly or not at all. What stands in the file is not repeated, but for names.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AddedSiteSchema, CheckedSiteSchema } from '../../api/schemas/site.ts';
import type { ApiClient } from '../api-client.ts';
import { type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { asFailure, usage } from '../failure.ts';
import { type PlannedSite, readSitesFile } from '../sites-file.ts';
import { visible } from '../visible.ts';
import { waitForApproval } from './site-approve.ts';

interface Added {
  readonly line: number;
  readonly name: string;
  readonly renewed: boolean;
}
interface NotAdded {
  readonly line: number;
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly next: string;
}

export async function addFromFile(
  file: string,
  options: HubOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const { sites, problems } = readSitesFile(read(resolve(terminal.folder, file)));
  if (problems.length > 0) {
    const said = problems.map(({ line, message }) => `line ${line}: ${message}`).join('; ');
    throw usage(`${visible(file)}: ${said}.`, 'Nothing was connected. Correct the file.');
  }
  const hub = hubOf(context, options);
  const failed = await each(sites, context, (site) => check(hub, site));
  const added: Added[] = [];
  if (failed.length === 0) {
    const connect = async (planned: PlannedSite): Promise<void> => {
      const renewed = await add(hub, planned, context);
      added.push({ line: planned.line, name: planned.site.name, renewed });
    };
    failed.push(...(await each(sites, context, connect)));
  }
  show(context, options, { added, failed }, () => describe(added, failed));
  context.finish(failed.length === 0 ? EXIT.ok : EXIT.failed);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw usage(`${visible(file)} can’t be read.`, 'Give the name of a CSV file.');
  }
}

/** One after the other: a host may have many of them. */
async function each(
  sites: readonly PlannedSite[],
  { terminal }: CommandContext,
  work: (site: PlannedSite) => Promise<void>,
): Promise<NotAdded[]> {
  const failed: NotAdded[] = [];
  for (const planned of sites) {
    const { line, site } = planned;
    terminal.progress(`Line ${line}: ${visible(site.name)} …`);
    try {
      await work(planned);
    } catch (error) {
      const failure = asFailure(error);
      // Without hub or rights the next one would not go better.
      if (failure.exit !== EXIT.failed && failure.exit !== EXIT.usage) throw error;
      const { code, message, next } = failure;
      failed.push({ line, name: site.name, code, message, next });
    }
  }
  terminal.progress('');
  return failed;
}

async function check(hub: ApiClient, planned: PlannedSite): Promise<void> {
  if (planned.way === 'approve') return;
  await hub.send('POST', '/site-checks', planned.site, CheckedSiteSchema);
}

/** True: it was there before. */
async function add(
  hub: ApiClient,
  planned: PlannedSite,
  context: CommandContext,
): Promise<boolean> {
  if (planned.way === 'login') {
    return (await hub.send('POST', '/sites', planned.site, AddedSiteSchema)).renewed;
  }
  await waitForApproval(planned.site, hub, context.terminal);
  return false;
}

function describe(added: readonly Added[], failed: readonly NotAdded[]): string {
  const done = added.map(
    ({ line, name, renewed }) =>
      `line ${line}: ${visible(name)} ${renewed ? 'has a new credential' : 'is connected'}.\n`,
  );
  const not = failed.map(
    ({ line, name, code, message, next }) =>
      `line ${line}: ${visible(name)} is not connected: ${visible(message)} (${visible(code)})\n  ${visible(next)}\n`,
  );
  const nothing = added.length === 0 && failed.length > 0 ? ['Nothing was connected.\n'] : [];
  return [...done, ...not, ...nothing].join('');
}
