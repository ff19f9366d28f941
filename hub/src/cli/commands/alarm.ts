/** `rollcall alarm list` and `answer`: accounts that a person must look at first. */
import { type Command, Option } from 'commander';
import {
  ALARM_ANSWERS,
  AlarmListSchema,
  AnsweredAlarmsSchema,
} from '../../api/schemas/recovery.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { usage } from '../failure.ts';
import { table } from '../table.ts';

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
  asksHub(alarm.command('list'))
    .description('all of them, with the answers that each can get')
    .action(async (options: HubOptions) => {
      const list = await hubOf(context, options).get('/alarms', AlarmListSchema);
      show(context, options, list, () =>
        list.alarms.length === 0
          ? 'No account is under an alarm.\n'
          : table(
              ['SITE', 'ACCOUNT', 'ANSWERS', 'WHY'],
              list.alarms.map((row) => [
                row.site,
                row.login,
                row.answers.join(', '),
                `${row.reason.message} (${row.reason.code})`,
              ]),
            ),
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
      const result = await hub.send('POST', '/alarms/answer', body, AnsweredAlarmsSchema);
      show(context, options, result, () => `${result.answered} answered.\n`);
      context.finish(result.answered > 0 ? EXIT.ok : EXIT.failed);
    });
}
