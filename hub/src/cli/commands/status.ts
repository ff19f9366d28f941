/** `rollcall status`: where everything stands; with --wait-idle, until all is delivered. */
import type { Command } from 'commander';
import { type HubStatus, HubStatusSchema, type SiteStatus } from '../../api/schemas/status.ts';
import { FAULTS } from '../../errors.ts';
import type { ApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { ago, parseSeconds } from '../duration.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { visible } from '../visible.ts';
import { connectorOf } from './site-list.ts';

interface StatusOptions extends HubOptions {
  readonly waitIdle?: string;
}

export function addStatus(parent: Command, context: CommandContext): void {
  asksHub(parent.command('status'))
    .description('sites, cursors, backlog, oldest pending')
    .option(
      '--wait-idle <seconds>',
      'wait until all is delivered and every site was asked; exit 1 when it is not then',
    )
    .action(async (options: StatusOptions) => {
      const hub = hubOf(context, options);
      if (options.waitIdle === undefined) {
        const status = await hub.get('/status', HubStatusSchema);
        return show(context, options, status, () => describe(status));
      }
      const waitMs = parseSeconds(options.waitIdle, '--wait-idle') * 1000;
      const status = await waitIdle(hub, waitMs, context.terminal);
      show(context, options, status, () => describe(status));
      if (!status.idle) throw notIdle(status);
      return context.finish(EXIT.ok);
    });
}

const LOOK_MS = 300;

/** The sites are asked, too: a change that no pull has seen yet is not idle. */
async function waitIdle(hub: ApiClient, waitMs: number, terminal: Terminal): Promise<HubStatus> {
  const end = terminal.nowMs() + waitMs;
  for (;;) {
    const status = await hub.get('/status?look=true', HubStatusSchema);
    terminal.progress(status.idle ? '' : `${status.pending} pending …`);
    if (status.idle || terminal.nowMs() + LOOK_MS > end || terminal.isInterrupted) {
      terminal.progress('');
      return status;
    }
    await terminal.pause(LOOK_MS);
  }
}

function notIdle({ sites, unasked, pending }: HubStatus): Failure {
  const waits = (site: SiteStatus) => site.pending > 0 || (site.outbox ?? 0) > 0;
  const busy = sites.filter(waits).map(({ name }) => name);
  const where = busy.length === 0 ? '' : ` (${busy.join(', ')})`;
  const silent = unasked.length === 0 ? '' : ` Not asked: ${unasked.join(', ')}.`;
  return new Failure({
    code: 'hub.not_idle',
    message: `${pending} still pending${where}.${silent}`,
    next: FAULTS['hub.not_idle'].next,
    exit: EXIT.failed,
  });
}

function describe(status: HubStatus): string {
  const now = Date.parse(status.now);
  const sites = table(
    [
      'SITE',
      'STATE',
      'PULLED',
      'CURSOR',
      'OUTBOX',
      'PENDING',
      'OLDEST',
      'HELD',
      'WP',
      'CONNECTOR',
      'TROUBLE',
    ],
    status.sites.map((site) => [
      site.name,
      site.status === 'paused' ? 'paused' : site.state,
      site.lastPulledAt === null ? 'never' : `${ago(site.lastPulledAt, now)} ago`,
      site.cursor === null ? null : site.cursor.head,
      site.outbox,
      site.pending,
      site.oldestPendingAt === null ? null : ago(site.oldestPendingAt, now),
      site.held,
      site.wordpress,
      connectorOf(site),
      troubleOf(site),
    ]),
  );
  const sum = `${stateOf(status)}: ${status.pending} pending, ${status.held} held, ${status.routes} routes.\n`;
  return status.sites.length === 0 ? sum : `${sum}\n${sites}${driftOf(status)}`;
}

/** Routes whose last comparison left something to look at. */
function driftOf({ reconciles }: HubStatus): string {
  const open = reconciles.filter(
    ({ state, drift, raised }) => state === 'failed' || drift > raised,
  );
  return open
    .map(({ id, source, target, state, drift, raised }) => {
      const what = state === 'failed' ? 'could not be compared' : `${drift - raised} drift`;
      return `\n${visible(source)} → ${visible(target)}: ${what} (“rollcall reconcile show ${visible(id)}”).\n`;
    })
    .join('');
}

const troubleOf = ({ trouble, warnings }: SiteStatus): string | null =>
  trouble?.message ?? (warnings.map(({ message }) => message).join(' ') || null);

/** What is delivered is not all there is while a site can't be asked. */
function stateOf({ idle, delivered, unasked }: HubStatus): string {
  if (idle) return 'Idle';
  return delivered ? `Delivered, but not all sites answer (${unasked.join(', ')})` : 'Busy';
}
