/** When a route is compared by itself, as options of `route change`. */
import { type Command, Option } from 'commander';
import type { ChangeRoute, RouteView } from '../../api/schemas/route.ts';

export interface ScheduleOptions {
  readonly reconcile?: 'daily' | 'weekly' | 'off';
  readonly reconcileRepair?: 'on' | 'off';
}

export const takesSchedule = (command: Command): Command =>
  command
    .addOption(
      new Option('--reconcile <when>', 'compare both sites by itself, at once and then').choices([
        'daily',
        'weekly',
        'off',
      ]),
    )
    .addOption(
      new Option('--reconcile-repair <state>', 'repair what such a comparison finds').choices([
        'on',
        'off',
      ]),
    );

/** What is not named is left as it is. */
export function scheduleOf({
  reconcile: every,
  reconcileRepair,
}: ScheduleOptions): Pick<ChangeRoute, 'reconcile'> {
  if (every === undefined && reconcileRepair === undefined) return {};
  return {
    reconcile: {
      ...(every === undefined ? {} : { every }),
      ...(reconcileRepair === undefined ? {} : { repair: reconcileRepair === 'on' }),
    },
  };
}

export const describeSchedule = (schedule: RouteView['reconcile']): string =>
  schedule === null ? 'never' : `${schedule.every}${schedule.repair ? ', repaired' : ''}`;
