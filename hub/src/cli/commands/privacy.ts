/** `rollcall privacy`: what the hub keeps of a person, and erasures on their way from site to site. */
import type { Command } from 'commander';
import {
  DecidedErasuresSchema,
  ErasedPersonSchema,
  ErasureListSchema,
  type ErasureView,
  PersonRecordsSchema,
} from '../../api/schemas/privacy.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { usage } from '../failure.ts';
import { table } from '../table.ts';
import { visible, visibleJson } from '../visible.ts';

interface Decide extends HubOptions {
  readonly all?: true;
}

export function addPrivacy(root: Command, context: CommandContext): void {
  const privacy = root.command('privacy').description('what the hub keeps of people, and erasures');
  asksHub(privacy.command('export'))
    .description('all that the hub keeps of a person, as JSON')
    .argument('<site>', 'name of a site')
    .argument('<login>', 'login of the person there')
    .action(async (site: string, login: string, options: HubOptions) => {
      const query = new URLSearchParams({ site, login }).toString();
      const records = await hubOf(context, options).get(
        `/privacy/records?${query}`,
        PersonRecordsSchema,
      );
      show(context, options, records, () => `${visibleJson(records)}\n`);
    });
  asksHub(privacy.command('erase'))
    .description('take a person’s names out of the hub’s own records')
    .argument('<site>', 'name of a site')
    .argument('<login>', 'login of the person there')
    .action(async (site: string, login: string, options: HubOptions) => {
      const hub = hubOf(context, options);
      const erased = await hub.send('POST', '/privacy/erase', { site, login }, ErasedPersonSchema);
      const { logRows, runSteps, uid } = erased;
      show(
        context,
        options,
        erased,
        () =>
          `Names are gone from ${logRows} rows of the Sync Log and ${runSteps} of runs, of person ${visible(uid)}.\n`,
      );
    });
  asksHub(privacy.command('list'))
    .description('erasures on their way, the newest first')
    .action(async (options: HubOptions) => {
      const list = await hubOf(context, options).get('/privacy/erasures', ErasureListSchema);
      show(context, options, list, () => shown(list.erasures));
    });
  for (const decision of ['release', 'reject'] as const) {
    asksHub(privacy.command(decision))
      .description(`${decision} erasures that are held`)
      .argument('[ids...]', 'numbers of erasures')
      .option('--all', 'all that are held')
      .action(async (ids: string[], options: Decide) => {
        const body = { ...named(ids, options), decision };
        const hub = hubOf(context, options);
        const path = '/privacy/erasures/decide';
        const decided = await hub.send('POST', path, body, DecidedErasuresSchema);
        show(context, options, decided, () => `${decided.decided} decided.\n`);
      });
  }
}

function named(ids: readonly string[], { all }: Decide): { erasures: number[] } | { all: true } {
  if (ids.length > 0 === (all === true)) {
    throw usage('It is not said which erasures are meant.', 'Name their numbers, or --all.');
  }
  if (all === true) return { all };
  const erasures = ids.map(Number);
  if (erasures.some((id) => !Number.isSafeInteger(id) || id < 1)) {
    throw usage('An erasure is named by its number.', 'See “rollcall privacy list”.');
  }
  return { erasures };
}

const shown = (erasures: readonly ErasureView[]): string =>
  erasures.length === 0
    ? 'No erasure is on its way.\n'
    : table(
        ['#', 'when', 'person', 'from', 'to', 'state', 'why'],
        erasures.map(({ id, at, uid, source, target, state, message }) =>
          [String(id), at, uid, source, target, state, message ?? ''].map((cell) => visible(cell)),
        ),
      );
