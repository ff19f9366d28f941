/** `rollcall doctor`: checks hub and sites, and says what to do about what is wrong. */
import type { Command } from 'commander';
import { type Check, DiagnosisSchema } from '../../api/schemas/doctor.ts';
import {
  asksHub,
  type CommandContext,
  colours,
  type HubOptions,
  hubOf,
  show,
} from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { visible } from '../visible.ts';

export function addDoctor(parent: Command, context: CommandContext): void {
  asksHub(parent.command('doctor'))
    .description('check the hub and every site')
    .action(async (options: HubOptions) => {
      const { terminal } = context;
      const hub = hubOf(context, options);
      terminal.progress('Checking …');
      const diagnosis = await hub
        .get('/doctor', DiagnosisSchema)
        .finally(() => terminal.progress(''));
      show(context, options, diagnosis, () => describe(diagnosis.checks, context));
      context.finish(diagnosis.ok ? EXIT.ok : EXIT.failed);
    });
}

function describe(checks: readonly Check[], { terminal }: CommandContext): string {
  const paint = colours(terminal);
  const marks = {
    ok: paint.green('ok'),
    warning: paint.yellow('mind'),
    problem: paint.red('wrong'),
  };
  return checks
    .map((check) => {
      const { subject, what, message, next } = check;
      const head = `${marks[check.level]}  ${visible(subject)}, ${visible(what)}: ${visible(message)}\n`;
      return next === null ? head : `${head}    ${visible(next)}\n`;
    })
    .join('');
}
