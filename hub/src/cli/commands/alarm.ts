/** `rollcall alarm list` and `answer`: accounts that a person must look at first. */
import { type Command, Option } from 'commander';
import {
  ALARM_ANSWERS,
  type AlarmList,
  AlarmListSchema,
  type AnsweredAlarms,
  AnsweredAlarmsSchema,
} from '../../api/schemas/recovery.ts';
import type { ApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { usage } from '../failure.ts';
import { moreAfter, type PageOptions, paged, pageQuery } from '../paged.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

const MEANING = `
Answers:
  recreate  it is no longer there, and is created again from the other sites
  forget    it is no longer there, and stays as it is elsewhere
  delete    it was deleted and is there again: delete it there, too
  new       who is there now is a new person`;

interface AnswerOptions extends HubOptions {
  readonly login?: readonly string[];
  readonly all?: boolean;
}

export function addAlarm(parent: Command, context: CommandContext): void {
  const alarm = parent.command('alarm').description('accounts that are not where or who they were');
  paged(asksHub(alarm.command('list')))
    .description('who they are, by login, with the answers that each can get')
    .option('--site <name>', 'only those of this site')
    .action(async (options: HubOptions & PageOptions & { site?: string }) => {
      const { site } = options;
      const query = pageQuery(options, site === undefined ? {} : { site });
      const list = await hubOf(context, options).get(`/alarms${query}`, AlarmListSchema);
      show(context, options, list, () =>
        list.alarms.length === 0 ? 'No account is under an alarm.\n' : shown(list),
      );
    });
  asksHub(alarm.command('answer'))
    .description('say what becomes of them')
    .argument('<site>', 'name of the site')
    .argument('<answer>', `one of ${ALARM_ANSWERS.join(', ')}`)
    .addOption(new Option('--login <logins...>', 'these accounts'))
    .option('--all', 'every account of the site that this answers')
    .addHelpText('after', MEANING)
    .action(async (site: string, answer: string, options: AnswerOptions) => {
      if ((options.login === undefined) === (options.all !== true)) {
        throw usage('It is not said which accounts are meant.', 'Give --login or --all.');
      }
      const logins = options.login === undefined ? {} : { logins: options.login };
      const body = { site, answer, ...logins };
      const hub = hubOf(context, options);
      const result = await answerAll(body, hub, context.terminal);
      show(context, options, result, () => `${result.answered} answered.\n`);
      context.finish(result.answered > 0 ? EXIT.ok : EXIT.failed);
    });
}

function shown({ alarms, next }: AlarmList): string {
  const rows = alarms.map((row) => [
    row.site,
    row.login,
    row.answers.join(', '),
    `${row.reason.message} (${row.reason.code})`,
  ]);
  const counted = '“rollcall doctor” counts all of them by site.';
  return `${table(['SITE', 'ACCOUNT', 'ANSWERS', 'WHY'], rows)}${moreAfter(next, counted)}`;
}

/** The hub answers after some seconds, also when there are more. */
async function answerAll(
  body: object,
  hub: ApiClient,
  terminal: Terminal,
): Promise<AnsweredAlarms> {
  let answered = 0;
  let after: { after?: string } = {};
  for (;;) {
    const asked = { ...body, ...after };
    const part = await hub.send('POST', '/alarms/answer', asked, AnsweredAlarmsSchema);
    answered += part.answered;
    terminal.progress(part.next === null ? '' : `${answered} answered …`);
    if (part.next === null || terminal.isInterrupted) return { ...part, answered };
    after = { after: part.next };
  }
}
