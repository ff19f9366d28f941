/** What an account must have before it leaves, as options of `route add` and `route change`. */
import { type Command, Option } from 'commander';
import { LEAVE_PRESETS, type Rules, type SomeRules } from '../../api/schemas/route.ts';
import { usage } from '../failure.ts';
import { visible } from '../visible.ts';

export interface LeaveOptions {
  /** false: no condition any more. */
  readonly leaveWhen?: readonly string[] | false;
  readonly leavePreset?: keyof typeof LEAVE_PRESETS;
}

type Condition = Rules['leaveWhen'][number];

export const takesConditions = (command: Command): Command =>
  command
    .option(
      '--leave-when <condition...>',
      'only accounts leave that have all of these: role:NAME, meta:KEY=VALUE[,VALUE] or signed-in',
    )
    .option('--no-leave-when', 'every account leaves')
    .addOption(
      new Option(
        '--leave-preset <plugin>',
        'only accounts leave that this plugin has approved',
      ).choices(Object.keys(LEAVE_PRESETS)),
    );

/** What is not named is left as it is; what is named takes the place of all conditions before. */
export function conditionsOf({
  leaveWhen,
  leavePreset,
}: LeaveOptions): Pick<SomeRules, 'leaveWhen'> {
  if (leaveWhen === undefined && leavePreset === undefined) return {};
  const named = leaveWhen === undefined || leaveWhen === false ? [] : leaveWhen.map(conditionIn);
  if (leavePreset === undefined) return { leaveWhen: named };
  const { key, values, kind } = LEAVE_PRESETS[leavePreset];
  return { leaveWhen: [...named, { kind, key, values: [...values] }] };
}

function conditionIn(text: string): Condition {
  if (text === 'signed-in') return { kind: 'signed_in' };
  const [, role] = /^role:(.+)$/su.exec(text) ?? [];
  if (role !== undefined) return { kind: 'role', role: role.trim() };
  const [, key, values] = /^meta:([^=]+)=(.*)$/su.exec(text) ?? [];
  if (key !== undefined && values !== undefined) {
    return { kind: 'meta', key: key.trim(), values: values.split(',').map((one) => one.trim()) };
  }
  throw usage(`“${text}” is none of role:NAME, meta:KEY=VALUE[,VALUE] and signed-in.`);
}

/** As it is typed. */
export function conditionShown(condition: Condition): string {
  if (condition.kind === 'signed_in') return 'signed-in';
  if (condition.kind === 'role') return `role:${visible(condition.role)}`;
  return `meta:${visible(condition.key)}=${condition.values.map(visible).join(',')}`;
}
