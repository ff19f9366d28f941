/** `rollcall explain`: why an account is in step, or is not. */
import type { Command } from 'commander';
import { type Explanation, ExplanationSchema } from '../../api/schemas/explain.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { visible } from '../visible.ts';
import { halvesOf, stateOf } from './proof.ts';

export function addExplain(parent: Command, context: CommandContext): void {
  asksHub(parent.command('explain'))
    .description('why an account is, or is not, in step')
    .argument('<site>', 'name of the site')
    .argument('<login>', 'login of the account there')
    .action(async (site: string, login: string, options: HubOptions) => {
      const query = new URLSearchParams({ site, login }).toString();
      const answer = await hubOf(context, options).get(`/explain?${query}`, ExplanationSchema);
      show(context, options, answer, () => describe(answer));
    });
}

const VERDICTS = {
  in_step: 'in step',
  pending: 'on its way',
  held: 'held',
  skipped: 'not synced',
  stopped: 'stopped there',
} as const;

function describe(answer: Explanation): string {
  const lines = [`${answer.login} on ${answer.site} is person ${answer.uid}.`];
  for (const account of answer.accounts) lines.push(`  ${describeAccount(account)}`);
  for (const link of answer.unproven) {
    lines.push(`  Perhaps also ${link.login} on ${link.site} (same ${link.by}); not proven.`);
    lines.push(`    ${link.next}`);
  }
  for (const proof of answer.proofs) {
    lines.push(`  Asked by ${proof.kind}: ${halvesOf(proof).join('; ')}. ${stateOf(proof)}`);
    if (proof.ended === null) {
      lines.push(`    Wait for the person, or “rollcall proof withdraw ${proof.id}”.`);
    }
  }
  for (const target of answer.targets) {
    lines.push('', `To ${target.site}${target.route === null ? ' (no route)' : ''}:`);
    for (const { verdict, fields, reason, message } of target.why) {
      const code = reason === null ? '' : ` (${reason})`;
      const which = fields.length === 0 ? '' : `${fields.join(', ')}: `;
      lines.push(`  ${which}${VERDICTS[verdict]}. ${message}${code}`);
    }
  }
  if (answer.log.length > 0) lines.push('', 'Last in the Sync Log:');
  for (const row of answer.log) {
    const fields = row.fields.join(',');
    lines.push(
      `  ${row.at}  ${row.action} → ${row.target}  ${row.status}  ${row.reason ?? fields}`,
    );
  }
  return lines.map((line) => `${visible(line)}\n`).join('');
}

function describeAccount(account: Explanation['accounts'][number]): string {
  const marks = [
    account.goneAt === null ? null : `deleted ${account.goneAt}`,
    account.privileged ? 'privileged' : null,
    account.outgoingStopped ? 'outgoing stopped' : null,
    account.incomingRejected ? 'incoming rejected' : null,
    account.alarm,
  ].filter((mark) => mark !== null);
  const about = marks.length === 0 ? '' : ` (${marks.join(', ')})`;
  return `${account.site}: ${account.login}, WordPress id ${account.wpId}${about}`;
}
