/** The rules of a route as options of a command; `route add` and `route change` take the same ones. */
import { type Command, Option } from 'commander';
import { PRESETS, type SomeRules } from '../../api/schemas/route.ts';
import { commaList } from '../command-context.ts';
import { conditionsOf, type LeaveOptions, takesConditions } from './leave-when.ts';

export interface RuleOptions extends LeaveOptions {
  readonly fields?: string;
  readonly meta?: string;
  readonly roles?: string;
  readonly privilegedRoles?: string;
  readonly creates?: boolean;
  readonly updates?: boolean;
  readonly onDelete?: 'delete' | 'strip' | 'ignore';
  readonly unconfirmedEmails?: 'send' | 'hold';
  readonly confirmsAddresses?: 'on' | 'off';
  /** false: nobody. */
  readonly reassignTo?: string | false;
  readonly loginTaken?: 'hold' | 'suffix';
  readonly passwordMail?: 'on' | 'off';
  readonly preset?: (typeof PRESETS)[number];
}

/** Neither `--creates` nor `--no-creates`: as it is. */
export const takesRules = (command: Command): Command =>
  takesConditions(command)
    .option(
      '--fields <list>',
      'fields that travel: email,first_name,…,password,ext:NAME of another plugin; "" for none',
    )
    .option('--meta <list>', 'meta keys that travel, billing_* for all that begin so; "" for none')
    .option('--roles <list>', 'roles that travel; "" for none')
    .option(
      '--privileged-roles <list>',
      'privileged roles, as the target gives them, that may come where it consents; "" for none',
    )
    .option('--creates', 'create accounts')
    .option('--no-creates', 'create no accounts')
    .option('--updates', 'change accounts')
    .option('--no-updates', 'change no accounts')
    .addOption(
      new Option('--on-delete <what>', 'what a delete does on the target').choices([
        'delete',
        'strip',
        'ignore',
      ]),
    )
    .addOption(
      new Option(
        '--confirms-addresses <switch>',
        'the source confirms addresses, which proves links; needs --leave-when',
      ).choices(['on', 'off']),
    )
    .addOption(
      new Option(
        '--unconfirmed-emails <what>',
        'a new address that its person has not confirmed',
      ).choices(['send', 'hold']),
    )
    .option('--reassign-to <login>', 'account on the target that inherits content of deleted ones')
    .option('--no-reassign-to', 'nobody inherits; an account that owns content is not deleted')
    .addOption(
      new Option(
        '--login-taken <what>',
        'when another person has the login there: wait, or create login-2',
      ).choices(['hold', 'suffix']),
    )
    .addOption(
      new Option(
        '--password-mail <on|off>',
        'mail who has a password that the target can’t verify a link to set one there',
      ).choices(['on', 'off']),
    );

/** Of one route; a group has its rules alone, and would not know what a preset was. */
export const takesPreset = (command: Command): Command =>
  command.addOption(
    new Option('--preset <name>', 'rules that belong together, written out into the route').choices(
      [...PRESETS],
    ),
  );

/** What is not named is left as it is. */
export function rulesOf(options: RuleOptions): SomeRules {
  const { fields, meta, roles, creates, updates, onDelete, reassignTo } = options;
  const { loginTaken, passwordMail, unconfirmedEmails } = options;
  return {
    ...(fields === undefined ? {} : { fields: commaList(fields) }),
    ...(meta === undefined ? {} : { meta: commaList(meta) }),
    ...(roles === undefined ? {} : { roles: commaList(roles) }),
    ...(options.privilegedRoles === undefined
      ? {}
      : { privilegedRoles: commaList(options.privilegedRoles) }),
    ...(creates === undefined ? {} : { creates }),
    ...(updates === undefined ? {} : { updates }),
    ...(onDelete === undefined ? {} : { onDelete }),
    ...(options.confirmsAddresses === undefined
      ? {}
      : { confirmsAddresses: options.confirmsAddresses === 'on' }),
    ...(unconfirmedEmails === undefined ? {} : { unconfirmedEmails }),
    ...conditionsOf(options),
    ...(loginTaken === undefined ? {} : { loginTaken }),
    ...(passwordMail === undefined ? {} : { passwordMail: passwordMail === 'on' }),
    ...(reassignTo === undefined ? {} : { reassignTo: reassignTo === false ? null : reassignTo }),
  };
}
