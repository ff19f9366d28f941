/** `rollcall recover`: the hub was restored from a backup, and learns from its sites again. */
import type { Command } from 'commander';
import {
  type Rebuilt,
  RebuiltSchema,
  type Recovery,
  RecoverySchema,
} from '../../api/schemas/recovery.ts';
import type { ApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { table } from '../table.ts';

const MEANING = `
Sites, routes, links and decisions that were set since the backup are not in it: set them again first.
Then no site is written to before all of them were read. Nobody is deleted, and nobody is created twice;
who is not clear gets an alarm (“rollcall alarm list”). Another copy of this hub is refused from then on.`;

interface RecoverOptions extends HubOptions {
  readonly yes?: boolean;
  readonly fromLabels?: boolean;
}

export function addRecover(parent: Command, context: CommandContext): void {
  asksHub(parent.command('recover'))
    .description('the hub was restored from a backup: learn from the sites what it has lost')
    .option('--yes', 'do it; without this it is only said what would be done')
    .option(
      '--from-labels',
      'its store is lost: know people again by the labels that it left on the sites',
    )
    .addHelpText('after', MEANING)
    .action(async (options: RecoverOptions) => {
      const hub = hubOf(context, options);
      const done = options.yes === true;
      if (options.fromLabels === true) return rebuild(context, options, hub, done);
      const recovery = done
        ? await hub.send('POST', '/recovery', {}, RecoverySchema)
        : await hub.get('/recovery', RecoverySchema);
      show(context, options, recovery, () => described(recovery, done));
      const failed = done && recovery.sites.some(({ fault }) => fault !== null);
      context.finish(failed ? EXIT.failed : EXIT.ok);
    });
}

async function rebuild(
  context: CommandContext,
  options: RecoverOptions,
  hub: ApiClient,
  done: boolean,
): Promise<void> {
  const path = '/recovery/labels';
  const rebuilt = done
    ? await hub.send('POST', path, {}, RebuiltSchema)
    : await hub.get(path, RebuiltSchema);
  show(context, options, rebuilt, () => describedLabels(rebuilt));
}

function describedLabels({ done, persons, accounts, unclear }: Rebuilt): string {
  const who = `${persons} persons with ${accounts} accounts`;
  const lines = [
    done
      ? `Known again: ${who}.`
      : `${who} would be known again: label, login and e-mail agree on all their sites. “rollcall recover --from-labels --yes” does it.`,
  ];
  if (unclear > 0) {
    lines.push(
      `${unclear} accounts wait for you: only one site knows them, or sites do not agree. “rollcall alarm list” shows them.`,
    );
  }
  return `${lines.join('\n')}\n`;
}

const STANDS = {
  ahead: 'knows more than this hub',
  in_step: 'in step',
  unknown: 'can’t be looked at',
} as const;

function described({ sites }: Recovery, done: boolean): string {
  const rows = sites.map(({ site, stands, fault, found }) => [
    site,
    STANDS[stands],
    found === null
      ? (fault?.message ?? '')
      : `${found.accounts} accounts, ${found.takenOver} known again by their label, ${found.vanished} no longer there, ${found.mismatched} unclear`,
  ]);
  const shown = rows.length === 0 ? '' : table(['SITE', 'STANDS', done ? 'FOUND' : ''], rows);
  return `${shown}${nextOf(sites, done)}\n`;
}

function nextOf(sites: Recovery['sites'], done: boolean): string {
  const ahead = sites.some(({ stands }) => stands === 'ahead');
  if (!ahead) return 'No site knows more than this hub: there is nothing to recover.';
  if (!done) return `${MEANING.trim()}\n“rollcall recover --yes” does it.`;
  const waits = sites.some(({ found }) => found !== null && found.vanished + found.mismatched > 0);
  return waits
    ? 'Nothing is done about those no longer there or unclear until you say so: “rollcall alarm list”.'
    : 'Nobody waits for you.';
}
