/** `rollcall connector build`: the installable zip of the WordPress plugin. */
import { renameSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FAULTS } from '../../errors.ts';
import { buildConnectorZip, CONNECTOR } from '../build-connector-zip.ts';
import { type CommandContext, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure, usage } from '../failure.ts';

interface BuildOptions {
  readonly out: string;
  readonly json?: boolean;
}

export function addConnectorBuild(parent: Command, context: CommandContext): void {
  parent
    .command('build')
    .description('make the zip to upload in wp-admin under Plugins → Add New')
    .requiredOption('--out <file>', 'where to write it, ending in .zip')
    .option('--json', 'machine-readable output')
    .action((options: BuildOptions) => {
      const file = resolve(context.terminal.folder, options.out);
      if (!file.toLowerCase().endsWith('.zip')) {
        throw usage(`--out “${options.out}” does not end in .zip.`);
      }
      const { bytes, ...about } = buildConnectorZip(CONNECTOR);
      write(file, bytes);
      show(
        context,
        options,
        { file, bytes: bytes.length, ...about },
        () => `${file}: connector ${about.version}, ${about.files} files, ${bytes.length} bytes.\n`,
      );
    });
}

/** Whole or not at all. */
function write(file: string, bytes: Uint8Array): void {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
      throw new Error('a folder');
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, bytes);
    renameSync(fresh, file);
  } catch (cause) {
    throw new Failure({
      code: 'file.not_writable',
      message: `${file} can’t be written.`,
      next: FAULTS['file.not_writable'].next,
      exit: EXIT.failed,
      cause,
    });
  }
}
