/**
 * Runs one command line to its exit code.
 *
 * Always true: it resolves, never throws; what went wrong is on stderr as one sentence and the
 * next step (or as JSON with --json).
 */
import { Command, CommanderError } from 'commander';
import type { CommandContext } from './command-context.ts';
import { addAccount } from './commands/account.ts';
import { addAdopt } from './commands/adopt.ts';
import { addAlarm } from './commands/alarm.ts';
import { addBackup } from './commands/backup.ts';
import { addConfig } from './commands/config.ts';
import { addConnectorBuild } from './commands/connector-build.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExplain } from './commands/explain.ts';
import { addGroup } from './commands/group.ts';
import { addHeld } from './commands/held.ts';
import { addLink } from './commands/link.ts';
import { addLogSettings } from './commands/log-settings.ts';
import { addLogs } from './commands/logs.ts';
import { addNetwork } from './commands/network.ts';
import { addPrivacy } from './commands/privacy.ts';
import { addProof } from './commands/proof.ts';
import { addReconcile } from './commands/reconcile.ts';
import { addRecover } from './commands/recover.ts';
import { addRetry } from './commands/retry.ts';
import { addRouteAdd } from './commands/route-add.ts';
import { addRouteChange, addRouteShow } from './commands/route-change.ts';
import { addRouteList } from './commands/route-list.ts';
import { addRouteStates } from './commands/route-state.ts';
import { addRun } from './commands/run.ts';
import { addRuns } from './commands/runs.ts';
import { addServe } from './commands/serve.ts';
import { addSiteAdd } from './commands/site-add.ts';
import { addSiteChanges } from './commands/site-change.ts';
import { addSiteCopy } from './commands/site-copy.ts';
import { addSiteGuard } from './commands/site-guard.ts';
import { addSiteHistory } from './commands/site-history.ts';
import { addSiteList } from './commands/site-list.ts';
import { addSiteMoved } from './commands/site-moved.ts';
import { addSiteRecovery } from './commands/site-recovery.ts';
import { addSiteRemove } from './commands/site-remove.ts';
import { addSiteRotate } from './commands/site-rotate.ts';
import { addSiteSet, addSiteShow } from './commands/site-set.ts';
import { addSiteTest } from './commands/site-test.ts';
import { addStatus } from './commands/status.ts';
import { addSync } from './commands/sync.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { asFailure, type Failure, usage } from './failure.ts';
import { visible, visibleJson } from './visible.ts';

export async function runCommandLine(
  args: readonly string[],
  given: Pick<CommandContext, 'terminal' | 'loadStartHub'>,
): Promise<ExitCode> {
  let exit: ExitCode = EXIT.ok;
  const finish = (code: ExitCode): void => {
    exit = code;
  };
  try {
    await program({ ...given, finish }).parseAsync([...args], { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const failure = error instanceof CommanderError ? misread(error) : asFailure(error);
    tell(failure, args.includes('--json'), given.terminal);
    return failure.exit;
  }
}

function program(context: CommandContext): Command {
  const root = new Command('rollcall')
    // “adopt” and its subcommands have the same ones: what stands behind a subcommand is its own.
    .enablePositionalOptions()
    .description('Keeps the users of many WordPress sites in step.')
    // An option after “reconcile list” is that command’s, although “reconcile” has the same one.
    .enablePositionalOptions()
    .addHelpText('after', EXIT_CODES);
  addServe(root, context);
  addRun(root, context);
  const site = root.command('site').description('connected WordPress sites');
  for (const add of [
    addSiteAdd,
    addSiteList,
    addSiteShow,
    addSiteSet,
    addSiteTest,
    addSiteRotate,
    addSiteChanges,
    addSiteGuard,
    addSiteHistory,
    addSiteMoved,
    addSiteCopy,
    addSiteRecovery,
    addSiteRemove,
  ]) {
    add(site, context);
  }
  const route = root.command('route').description('which site’s changes go where');
  for (const add of [addRouteAdd, addRouteList, addRouteShow, addRouteChange, addRouteStates]) {
    add(route, context);
  }
  const rest = [
    addGroup,
    addConfig,
    addSync,
    addAdopt,
    addRuns,
    addReconcile,
    addNetwork,
    addLogs,
    addLogSettings,
    addRetry,
    addStatus,
    addExplain,
    addAccount,
    addPrivacy,
    addHeld,
    addAlarm,
    addRecover,
    addLink,
    addProof,
    addDoctor,
    addBackup,
  ];
  for (const add of rest) add(root, context);
  addConnectorBuild(root.command('connector').description('the plugin for the sites'), context);
  prepare(root, context);
  return root;
}

const EXIT_CODES = `
Exit codes: ${EXIT.ok} done · ${EXIT.failed} refused, failed or does not hold · ${EXIT.usage} command not understood
            ${EXIT.hub} no hub · ${EXIT.forbidden} token may not · ${EXIT.fault} fault in Rollcall itself`;

/** Commander passes settings on to new commands only while they are made; we make them first. */
function prepare(command: Command, context: CommandContext): void {
  command
    .exitOverride()
    .showHelpAfterError(false)
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => context.terminal.out(text),
      // What commander would say goes through `tell`.
      writeErr: (text) => {
        if (!text.startsWith('error:')) context.terminal.err(text);
      },
    });
  for (const child of command.commands) prepare(child, context);
}

function misread(error: CommanderError): Failure {
  if (error.code === 'commander.help')
    return usage('A command is missing.', 'Choose one from the list above.');
  const sentence = error.message.replace(/^error: /u, '').replaceAll(/\s*\n\s*/gu, ' ');
  const [first = '', ...rest] = sentence;
  const ended = /[.?)]$/u.test(sentence) ? '' : '.';
  return usage(`${first.toUpperCase()}${rest.join('')}${ended}`);
}

function tell(failure: Failure, json: boolean, terminal: CommandContext['terminal']): void {
  const { code, message, next, id } = failure;
  if (json) terminal.err(`${visibleJson({ error: { code, message, next, id } })}\n`);
  else {
    terminal.err(`${visible(message)}\n  ${visible(next)}\n`);
    if (id !== null && code === 'internal.fault')
      terminal.err(`  Its id there is ${visible(id)}.\n`);
  }
  if (terminal.env['ROLLCALL_DEBUG'] === '1') {
    const cause = failure.cause instanceof Error ? failure.cause : failure;
    terminal.err(`${cause.stack ?? ''}\n`);
  }
}
