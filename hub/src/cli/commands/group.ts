/** `rollcall group …`: sites that are all in step under one rule set. */
import { type Command, Option } from 'commander';
import { z } from 'zod';
import {
  type AddMembers,
  GroupListSchema,
  type GroupView,
  GroupViewSchema,
} from '../../api/schemas/group.ts';
import {
  asksHub,
  type CommandContext,
  commaList,
  type HubOptions,
  hubOf,
  show,
} from '../command-context.ts';
import { usage } from '../failure.ts';
import { describeGroup, describeGroups } from '../group-shown.ts';
import { visible } from '../visible.ts';
import { type RuleOptions, rulesOf, takesRules } from './route-rules.ts';

interface MemberOptions extends HubOptions {
  readonly members?: string;
  readonly gives?: string;
  readonly takes?: string;
}

const at = (name: string, rest = ''): string => `/groups/${encodeURIComponent(name)}${rest}`;

export function addGroup(root: Command, context: CommandContext): void {
  const group = root.command('group').description('sites that are all in step under one rule set');
  const adds = [addAdd, addList, addShow, addChange, addStates, addMembers, addExcept, addRemove];
  for (const add of adds) add(group, context);
}

const presetOf = ({ preset }: RuleOptions) => (preset === undefined ? {} : { preset });

const namesMembers = (command: Command): Command =>
  command
    .option('--members <list>', 'sites that give and take: shop,blog')
    .option('--gives <list>', 'sites that only give: the others change nothing there')
    .option('--takes <list>', 'sites that only take: what changes there stays there');

function membersOf(options: MemberOptions): AddMembers['members'] {
  const listed = (list: string | undefined, way: 'both' | 'gives' | 'takes') =>
    commaList(list ?? '').map((site) => ({ site, way }));
  const members = [
    ...listed(options.members, 'both'),
    ...listed(options.gives, 'gives'),
    ...listed(options.takes, 'takes'),
  ];
  const names = members.map(({ site }) => site.toLowerCase());
  const twice = members.find(({ site }, index) => names.indexOf(site.toLowerCase()) !== index);
  if (twice !== undefined) throw usage(`“${twice.site}” is named twice.`);
  return members;
}

function addAdd(parent: Command, context: CommandContext): void {
  const command = asksHub(parent.command('add'))
    .description('keep sites in step: a route from every member to every other')
    .argument('<name>', 'what to call the group');
  takesRules(namesMembers(command)).action(
    async (name: string, options: MemberOptions & RuleOptions) => {
      const rules = rulesOf(options);
      const body = { name, members: membersOf(options), ...presetOf(options), rules };
      const group = await hubOf(context, options).send('POST', '/groups', body, GroupViewSchema);
      show(context, options, group, () => describeGroup(group));
    },
  );
}

function addList(parent: Command, context: CommandContext): void {
  asksHub(parent.command('list'))
    .description('all groups')
    .action(async (options: HubOptions) => {
      const list = await hubOf(context, options).get('/groups', GroupListSchema);
      show(context, options, list, () => describeGroups(list.groups));
    });
}

function addShow(parent: Command, context: CommandContext): void {
  asksHub(parent.command('show'))
    .description('members, rules and exceptions of a group')
    .argument('<name>', 'name of the group')
    .action(async (name: string, options: HubOptions) => {
      const group = await hubOf(context, options).get(at(name), GroupViewSchema);
      show(context, options, group, () => describeGroup(group));
    });
}

function addChange(parent: Command, context: CommandContext): void {
  const command = asksHub(parent.command('change'))
    .description('change the rules of all its routes but the exceptions; what is not named stays')
    .argument('<name>', 'name of the group')
    .option('--name <name>', 'call it so from now on');
  takesRules(command).action(
    async (name: string, options: HubOptions & RuleOptions & { readonly name?: string }) => {
      const rules = rulesOf(options);
      const body = {
        ...(options.name === undefined ? {} : { name: options.name }),
        ...presetOf(options),
        ...(Object.keys(rules).length === 0 ? {} : { rules }),
      };
      if (Object.keys(body).length === 0) throw usage('Nothing to change is named.');
      await send(context, options, 'PATCH', at(name), body);
    },
  );
}

function addStates(parent: Command, context: CommandContext): void {
  const states = [
    ['pause', 'let changes wait on all its routes', 'paused'],
    ['resume', 'let its routes catch up; exceptions that are paused stay so', 'active'],
  ] as const;
  for (const [verb, description, status] of states) {
    asksHub(parent.command(verb))
      .description(description)
      .argument('<name>', 'name of the group')
      .action(async (name: string, options: HubOptions) => {
        await send(context, options, 'PATCH', at(name), { status });
      });
  }
}

function addMembers(parent: Command, context: CommandContext): void {
  const command = asksHub(parent.command('add-member'))
    .description('add sites to a group; they get what changes from now on')
    .argument('<name>', 'name of the group')
    .argument('[sites...]', 'names of sites that give and take');
  command
    .option('--gives <list>', 'sites that only give')
    .option('--takes <list>', 'sites that only take')
    .action(async (name: string, sites: string[], options: MemberOptions) => {
      const members = membersOf({ ...options, members: sites.join(',') });
      if (members.length === 0) throw usage('No site is named.');
      await send(context, options, 'POST', at(name, '/members'), { members });
    });
  asksHub(parent.command('remove-member'))
    .description('take a site out of a group, and its routes with it; accounts stay')
    .argument('<name>', 'name of the group')
    .argument('<site>', 'name of the site')
    .action(async (name: string, site: string, options: HubOptions) => {
      await send(context, options, 'DELETE', at(name, `/members/${encodeURIComponent(site)}`));
    });
}

interface ExceptOptions extends HubOptions, RuleOptions {
  readonly both?: boolean;
  readonly paused?: boolean;
  readonly active?: boolean;
  readonly none?: boolean;
  readonly likeGroup?: boolean;
}

/** One of them at a time. */
const STATES = ['paused', 'active', 'none', 'likeGroup'] as const;

function addExcept(parent: Command, context: CommandContext): void {
  const flag = (name: (typeof STATES)[number], flags: string, description: string): Option =>
    new Option(flags, description).conflicts(STATES.filter((other) => other !== name));
  const command = asksHub(parent.command('except'))
    .description('let one route of a group differ, also when the group changes')
    .argument('<name>', 'name of the group')
    .argument('<source>', 'name of the site where changes come from')
    .argument('<target>', 'name of the site where they go')
    .option('--both', 'and the way back')
    .addOption(flag('paused', '--paused', 'changes wait on this route'))
    .addOption(flag('active', '--active', 'they do no longer'))
    .addOption(flag('none', '--none', 'there is no such route'))
    .addOption(flag('likeGroup', '--like-group', 'it is like the others again'));
  takesRules(command).action(
    async (name: string, source: string, target: string, options: ExceptOptions) => {
      const rules = rulesOf(options);
      const status = statusOf(options);
      const preset = presetOf(options);
      const ruled = Object.keys({ ...rules, ...preset }).length > 0;
      if (status === undefined && !ruled) throw usage('Nothing that differs is named.');
      if (status === 'group' && ruled) {
        throw usage('“--like-group” takes back what differs: name no rules with it.');
      }
      const body = {
        source,
        target,
        both: options.both === true,
        ...(status === undefined ? {} : { status }),
        ...preset,
        ...(Object.keys(rules).length > 0 ? { rules } : {}),
      };
      await send(context, options, 'POST', at(name, '/exceptions'), body);
    },
  );
}

function statusOf({ paused, active, none, likeGroup }: ExceptOptions) {
  if (paused === true) return 'paused' as const;
  if (active === true) return 'active' as const;
  if (none === true) return 'none' as const;
  return likeGroup === true ? ('group' as const) : undefined;
}

function addRemove(parent: Command, context: CommandContext): void {
  asksHub(parent.command('remove'))
    .description('end a group and its routes; sites and accounts stay')
    .argument('<name>', 'name of the group')
    .action(async (name: string, options: HubOptions) => {
      const schema = z.object({ removed: z.boolean() });
      const removed = await hubOf(context, options).send('DELETE', at(name), undefined, schema);
      show(context, options, removed, () => `The group “${visible(name)}” is removed.\n`);
    });
}

async function send(
  context: CommandContext,
  options: HubOptions,
  method: 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<void> {
  const group: GroupView = await hubOf(context, options).send(method, path, body, GroupViewSchema);
  show(context, options, group, () => describeGroup(group));
}
