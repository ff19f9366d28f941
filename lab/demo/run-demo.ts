/**
 * `npm run demo`: starts three WordPress sites and a hub, shows the job being done, stays up until Ctrl-C.
 *
 * Always true: whatever it started is ended with it: after the steps, on Ctrl-C at any moment, on failure.
 * On failure: exit 1 with the step that did not hold, or the sentence of what could not start; 2 for a wrong flag;
 *   130 when Ctrl-C came before the steps had ended.
 */
import { asFailure, Failure } from '#hub/cli/failure.ts';
import { realTerminal, type Terminal } from '#hub/cli/terminal.ts';
import { visible } from '#hub/cli/visible.ts';
import { connectSites } from './connect-sites.ts';
import { createEndings, type Endings } from './endings.ts';
import { playSteps } from './play-steps.ts';
import { type Flags, HELP, readFlags } from './read-flags.ts';
import { createScreen, type Screen } from './screen.ts';
import { Stage } from './stage.ts';
import { startDemoHub } from './start-hub.ts';
import { startSites } from './start-sites.ts';
import { STEPS } from './steps/all-steps.ts';
import { printSyncLog } from './sync-log.ts';
import { printWayOn } from './way-on.ts';

const INTERRUPTED = Symbol('Ctrl-C');
const EXIT = { held: 0, failed: 1, usage: 2, interrupted: 130 } as const;

process.exitCode = await main(realTerminal());

async function main(terminal: Terminal): Promise<number> {
  const flags = readOrRefuse(terminal);
  if (typeof flags === 'number') return flags;
  // Asked for before anything starts: Ctrl-C during the start ends it in order, too.
  const interrupted = terminal.interrupted().then(() => INTERRUPTED);
  const screen = createScreen(terminal);
  const endings = createEndings();
  endWithTheWindow(screen);
  try {
    const outcome = await Promise.race([play(flags, screen, endings), interrupted]);
    if (outcome === INTERRUPTED) return EXIT.interrupted;
    if (outcome === 'held' && !flags.once) await interrupted;
    return outcome === 'held' ? EXIT.held : EXIT.failed;
  } catch (error) {
    if (terminal.isInterrupted) return EXIT.interrupted;
    tell(error, screen, terminal);
    return EXIT.failed;
  } finally {
    await end(endings, screen, terminal);
  }
}

/** A closed window is a Ctrl-C that can't be answered. The signal may come after the first write that fails. */
function endWithTheWindow(screen: Screen): void {
  const { stdout, stderr } = process;
  let gone = false;
  const end = (): void => {
    if (gone) return;
    gone = true;
    screen.close();
    stdout.write = () => true;
    stderr.write = () => true;
    process.kill(process.pid, 'SIGTERM');
  };
  process.on('SIGHUP', end);
  stderr.on('error', end);
}

function readOrRefuse(terminal: Terminal): Flags | number {
  try {
    const flags = readFlags(process.argv.slice(2), terminal.folder);
    if (!flags.help) return flags;
    terminal.out(HELP);
    return EXIT.held;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    terminal.err(`${visible(error.message)}\n  ${visible(error.next)}\n`);
    return EXIT.usage;
  }
}

async function play(flags: Flags, screen: Screen, endings: Endings): Promise<'held' | 'failed'> {
  screen.line();
  screen.line(`${screen.colours.bold('Rollcall')}: real WordPress sites, kept in step`);
  screen.line();
  const [sites, hub] = await Promise.all([
    startSites(screen, endings),
    startDemoHub(flags.data, screen, endings),
  ]);
  await connectSites(hub, sites, screen);
  const stage = new Stage({ screen, hub, sites });
  const held = await playSteps(STEPS, stage);
  printSyncLog(await stage.log(), screen);
  if (held && !flags.once) printWayOn(sites, hub, screen);
  return held ? 'held' : 'failed';
}

function tell(error: unknown, screen: Screen, terminal: Terminal): void {
  screen.close();
  const { message, next } = asFailure(error);
  const cause = error instanceof Error ? error.message : String(error);
  terminal.err(`${visible(error instanceof Failure ? message : cause)}\n  ${visible(next)}\n`);
  if (terminal.env['ROLLCALL_DEBUG'] === '1' && error instanceof Error) {
    terminal.err(`${error.stack ?? ''}\n`);
  }
}

async function end(endings: Endings, screen: Screen, terminal: Terminal): Promise<void> {
  screen.close();
  terminal.out('\nStopping the hub and the sites … (Ctrl-C once more: at once)\n');
  try {
    await endings.run();
    terminal.out('Stopped.\n');
  } catch (error) {
    tell(error, screen, terminal);
  }
}
