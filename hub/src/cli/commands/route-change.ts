/** `rollcall route change` and `rollcall route show`: the rules of one route, or of both ways. */
import type { Command } from 'commander';
import { type RouteView, RouteViewSchema } from '../../api/schemas/route.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { usage } from '../failure.ts';
import { visible } from '../visible.ts';
import { findRoutes, namesRoutes } from './find-routes.ts';
import { conditionShown } from './leave-when.ts';
import { type RuleOptions, rulesOf, takesPreset, takesRules } from './route-rules.ts';
import {
  describeSchedule,
  type ScheduleOptions,
  scheduleOf,
  takesSchedule,
} from './route-schedule.ts';

interface ChangeOptions extends HubOptions, RuleOptions, ScheduleOptions {
  readonly both?: boolean;
}

export function addRouteChange(parent: Command, context: CommandContext): void {
  takesSchedule(
    takesRules(
      takesPreset(
        namesRoutes(
          asksHub(parent.command('change')).description('change rules; what is not named stays'),
        ),
      ),
    ),
  ).action(async (source: string, target: string | undefined, options: ChangeOptions) => {
    const rules = rulesOf(options);
    const change = {
      ...(options.preset === undefined ? {} : { preset: options.preset }),
      ...(Object.keys(rules).length === 0 ? {} : { rules }),
      ...scheduleOf(options),
    };
    if (Object.keys(change).length === 0) throw usage('Nothing to change is named.');
    const hub = hubOf(context, options);
    const routes: RouteView[] = [];
    for (const { id } of await findRoutes(hub, source, target, options.both === true)) {
      routes.push(await hub.send('PATCH', `/routes/${id}`, change, RouteViewSchema));
    }
    show(context, options, { routes }, () => routes.map(describe).join('\n'));
  });
}

export function addRouteShow(parent: Command, context: CommandContext): void {
  namesRoutes(asksHub(parent.command('show')).description('everything that a route says')).action(
    async (source: string, target: string | undefined, options: ChangeOptions) => {
      const hub = hubOf(context, options);
      const routes = await findRoutes(hub, source, target, options.both === true);
      show(context, options, { routes }, () => routes.map(describe).join('\n'));
    },
  );
}

/** What it takes before the target lets come what the route names. */
export const consentMissing = ({ target, notConsented }: RouteView): string =>
  notConsented
    .map((role) => {
      const step = `wp rollcall privileged allow ${visible(role)}`;
      return `“${visible(role)}” waits for consent on ${visible(target)}, in wp-admin under User Sync or there: ${step}\n`;
    })
    .join('');

function describe(route: RouteView): string {
  const { id, source, target, status, group, rules, reconcile } = route;
  const list = (items: readonly string[]): string => items.map(visible).join(', ') || 'none';
  const rows = [
    ['Fields', list(rules.fields)],
    ['Meta', list(rules.meta)],
    ['Roles', list(rules.roles)],
    ['Privileged roles', list(rules.privilegedRoles)],
    ['Creates', rules.creates ? 'yes' : 'no'],
    ['Updates', rules.updates ? 'yes' : 'no'],
    ['Deletes', rules.onDelete],
    ['Leaves', rules.leaveWhen.map(conditionShown).join(' and ') || 'everybody'],
    ['Taken', rules.loginTaken === 'suffix' ? 'login-2' : 'held'],
    ['Mails', rules.passwordMail ? 'link to set a password' : 'nothing'],
    ['Confirms addresses', rules.confirmsAddresses ? 'yes' : 'no'],
    ['Unconfirmed e-mails', rules.unconfirmedEmails],
    ['Inherits', rules.reassignTo === null ? 'nobody' : visible(rules.reassignTo)],
    ['Compared', describeSchedule(reconcile)],
  ];
  const lines = rows.map(([name = '', value = '']) => `  ${name.padEnd(19)} ${value}\n`);
  return `Route ${id}: ${visible(source)} → ${visible(target)} (${status}${group === null ? '' : `, of the group “${visible(group)}”`})\n${lines.join('')}${consentMissing(route)}`;
}
