/** Entry of `rollcall`; imported by bin/rollcall.mjs. */
import { runCommandLine } from './run-command-line.ts';
import { realTerminal } from './terminal.ts';

process.exitCode = await runCommandLine(process.argv.slice(2), {
  terminal: realTerminal(),
  loadStartHub: async () => (await import('../main.ts')).startHub,
});
