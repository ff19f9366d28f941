/** `rollcall backup` and `rollcall restore`: all that the hub keeps, in one file that only its key opens. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { createApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, show } from '../command-context.ts';
import { Failure, usage } from '../failure.ts';
import { dataFolderOf, findHub } from '../find-hub.ts';
import { readHubFile } from '../hub-file.ts';
import { openOutFile } from '../out-file.ts';
import { readPassphrase } from '../passphrase.ts';
import { visible } from '../visible.ts';

interface BackupOptions extends HubOptions {
  readonly out: string;
  readonly withKey?: boolean;
  readonly passphraseFile?: string;
}

export function addBackup(root: Command, context: CommandContext): void {
  asksHub(root.command('backup'))
    .description('write all that the hub keeps into a file, while it works')
    .requiredOption('--out <file>', 'file to write; only the hub’s key opens it')
    .option('--with-key', 'put the key into it, too, under a passphrase')
    .option('--passphrase-file <file>', 'with --with-key: its first line is the passphrase')
    .action(async (options: BackupOptions) => {
      const bytes = await written(options, context);
      const { out, withKey } = options;
      show(context, options, { file: out, bytes, key: withKey === true }, () => {
        const rest =
          withKey === true
            ? 'Whoever has it and the passphrase has the hub: keep them apart.'
            : 'It does not open without the hub’s key: keep ROLLCALL_SECRET_KEY or the data folder’s secret.key, and keep it apart.';
        return `${visible(out)}: ${bytes} bytes. ${rest}\n`;
      });
    });
  addRestore(root, context);
}

async function written(options: BackupOptions, context: CommandContext): Promise<number> {
  const { terminal } = context;
  if (options.passphraseFile !== undefined && options.withKey !== true) {
    throw usage('--passphrase-file goes with --with-key.');
  }
  const passphrase =
    options.withKey === true
      ? await readPassphrase(terminal, options.passphraseFile, { twice: true })
      : null;
  const out = openOutFile(terminal, options.out);
  try {
    let count = 0;
    for await (const part of partsOf(options, context, passphrase)) {
      out.write(part);
      count += part.length;
    }
    out.end();
    return count;
  } catch (error) {
    out.giveUp();
    throw error;
  }
}

/** Of the hub that is running, or of the store itself where none is. */
async function* partsOf(
  options: BackupOptions,
  context: CommandContext,
  passphrase: string | null,
): AsyncGenerator<Uint8Array> {
  const { terminal } = context;
  const dataFolder = dataFolderOf(options, terminal);
  const named = options.url !== undefined || Boolean(terminal.env['ROLLCALL_URL']);
  const serving =
    named && options.data === undefined ? findHub(options, terminal) : readHubFile(dataFolder);
  const read =
    serving === null ? fromStore(dataFolder, context) : fromHub(serving, dataFolder, context);
  if (passphrase === null) return yield* read;
  // The key itself is never asked of a hub: only who has it already can put it into a file.
  const { withKey } = await import('../../main.ts');
  return yield* withKey(
    read,
    { dataFolder, secretKey: terminal.env['ROLLCALL_SECRET_KEY'] || undefined },
    passphrase,
  );
}

async function* fromHub(
  hub: { readonly url: string; readonly token: string },
  dataFolder: string,
  context: CommandContext,
): AsyncGenerator<Uint8Array> {
  let begun = false;
  try {
    for await (const part of await createApiClient(hub).bytes('POST', '/backups')) {
      begun = true;
      yield part;
    }
  } catch (error) {
    const isDead = error instanceof Failure && error.code === 'hub.unreachable' && !begun;
    // The file of a hub that was killed; the folder is free.
    if (!isDead || readHubFile(dataFolder)?.url !== hub.url) throw error;
    yield* fromStore(dataFolder, context);
  }
}

async function* fromStore(
  dataFolder: string,
  { terminal, loadStartHub }: CommandContext,
): AsyncGenerator<Uint8Array> {
  const databaseUrl = terminal.env['DATABASE_URL'];
  const startHub = await loadStartHub();
  const given = { dataFolder, listen: false, workers: false };
  const hub = await startHub(databaseUrl ? { ...given, databaseUrl } : given);
  try {
    yield* (await hub.backUp()).content;
  } finally {
    await hub.stop();
  }
}

interface RestoreOptions {
  readonly data?: string;
  readonly passphraseFile?: string;
  readonly json?: boolean;
}

function addRestore(root: Command, context: CommandContext): void {
  root
    .command('restore')
    .description(
      'make a hub of a backup again, in an empty data folder or, with DATABASE_URL, an empty database',
    )
    .argument('<file>', 'what “rollcall backup” wrote')
    .option('--data <folder>', 'data folder (or ROLLCALL_DATA; default .rollcall)')
    .option('--passphrase-file <file>', 'its first line opens the key in the backup')
    .option('--json', 'machine-readable output')
    .action(async (file: string, options: RestoreOptions) => {
      const { terminal } = context;
      const dataFolder = dataFolderOf(options, terminal);
      const databaseUrl = terminal.env['DATABASE_URL'];
      const { restoreHub } = await import('../../main.ts');
      const restored = await restoreHub(
        resolve(terminal.folder, file),
        databaseUrl ? { databaseUrl } : { dataFolder },
        { dataFolder, secretKey: terminal.env['ROLLCALL_SECRET_KEY'] || undefined },
        () => readPassphrase(terminal, options.passphraseFile, { twice: false }),
      );
      show(context, options, restored, () => {
        const { made, sites, accounts } = restored;
        const names = sites.length === 0 ? '' : ` (${visible(sites.join(', '))})`;
        const who = `${sites.length} sites${names}, ${accounts} accounts`;
        return `Restored as it was at ${made}: ${who}.\nStart it with “rollcall serve”, on another machine with --take-over; “rollcall recover” says which sites know more than it.\n`;
      });
    });
}
