/** `rollcall held show` and `resolve`: both sides of what is held, and a word about them. */
import { type Command, Option } from 'commander';
import {
  type HeldParty,
  type HeldRow,
  HeldRowSchema,
  RESOLUTIONS,
  type Resolution,
  ResolvedHeldSchema,
} from '../../api/schemas/held.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { visible } from '../visible.ts';

export function addHeldShow(held: Command, context: CommandContext): void {
  asksHub(held.command('show'))
    .description('both sides of what is held, and what may be said of them')
    .argument('<id>', 'id as “held list” shows it')
    .action(async (id: string, options: HubOptions) => {
      const row = await hubOf(context, options).get(pathOf(id), HeldRowSchema);
      show(context, options, row, () => described(row));
    });
}

const pathOf = (id: string): string => `/held/${encodeURIComponent(id)}`;

export function addHeldResolve(held: Command, context: CommandContext): void {
  asksHub(held.command('resolve'))
    .description('say what becomes of it')
    .argument('<id>', 'id as “held list” shows it')
    .addOption(
      new Option(
        '--as <word>',
        'link: one person · overwrite: and the source, or the delete, wins · separate: two persons',
      )
        .choices([...RESOLUTIONS])
        .makeOptionMandatory(),
    )
    .action(async (id: string, options: HubOptions & { as: Resolution }) => {
      const hub = hubOf(context, options);
      const path = `${pathOf(id)}/resolve`;
      const done = await hub.send('POST', path, { as: options.as }, ResolvedHeldSchema);
      show(context, options, done, () => `${DONE[done.as]}\n`);
    });
}

const DONE: Readonly<Record<Resolution, string>> = {
  release: 'It goes on.',
  reject: 'It does not happen.',
  separate: 'They are two persons, and stay apart.',
  link: 'They are one person.',
  overwrite: 'What was sent wins.',
};

function described(row: HeldRow): string {
  const from = row.source ?? 'somewhere';
  const lines = [
    `${row.login}: ${row.fields.join(', ') || 'the account'}, from ${from} to ${row.target}, held since ${row.at}.`,
    `  ${row.message} (${row.reason})`,
    ...sideOf('It comes from', row.here),
    ...sideOf('The same person there', row.there),
    ...sideOf('In the way there', row.inTheWay),
    `May be resolved as: ${row.choices.join(', ')}.`,
  ];
  return lines.map((line) => `${visible(line)}\n`).join('');
}

function sideOf(what: string, party: HeldParty | null): string[] {
  if (party === null) return [];
  const facts = [
    `login ${party.login}`,
    `e-mail ${party.email}`,
    ...(party.name === null ? [] : [`name ${party.name}`]),
    `registered ${party.registered}`,
    `roles ${party.roles.join(', ') || 'none known'}`,
    ...(party.privileged ? ['may administer its site'] : []),
    ...(party.deleted ? ['deleted'] : []),
  ];
  return [
    `${what}: ${party.site}, WordPress id ${party.wpId}`,
    ...facts.map((fact) => `  ${fact}`),
  ];
}
