/**
 * The process of one WebAssembly site. Started by wasm-process.ts, spoken to over IPC (wasm-protocol.ts).
 *
 * Does: run WordPress in @wp-playground/cli, serve it on 127.0.0.1 at the given port, run WP-CLI and PHP in it.
 * Does not: prepare files, or queue: the site sends one command at a time. WP-CLI commands that start another WP-CLI
 *   (`rewrite structure`) fail with WP-CLI's own words about proc_open.
 * Always true: it ends when its parent ends, however that happened, because the IPC channel closes then.
 * On failure: a command that fails is answered with its error; a failed start ends the process.
 *
 * Two PHP workers: with one, a site that calls itself (loopback) waits for itself. Each costs some 250 MB.
 */
import { z } from 'zod';
import type { CommandResult } from './run-command.ts';
import { type Front, openFront } from './wasm-front.ts';
import { type PhpStreams, type PlaygroundServer, runPlayground } from './wasm-playground.ts';
import type { RunnerAnswer, RunnerCommand, RunnerOptions, RunnerRequest } from './wasm-protocol.ts';
import { readdress } from './wasm-readdress.ts';

const WORKERS = 2;
/** To remove the server's temporary files once the parent is gone. */
const CLEAN_UP_MS = 2_000;
const TREE = '/wordpress';
const WP_CLI = '/wp-cli';
const SQLITE = '/sqlite-database-integration';

const constants = z.record(z.string(), z.unknown());

let site: PlaygroundServer | undefined;
let front: Front | undefined;
let port = 0;

process.on('disconnect', () => {
  setTimeout(() => process.exit(0), CLEAN_UP_MS);
  void stop().finally(() => process.exit(0));
});
process.on('message', (request: RunnerRequest) => {
  void answer(request);
});

async function answer({ id, command }: RunnerRequest): Promise<void> {
  try {
    send({ id, result: await run(command) });
  } catch (error) {
    send({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

function send(answer: RunnerAnswer): void {
  if (process.connected) process.send?.(answer);
}

async function run(command: RunnerCommand): Promise<CommandResult> {
  switch (command.kind) {
    case 'wp':
      return wp(command.args);
    case 'php':
      return php(command.code);
    case 'start':
      await start(command.options);
      break;
    case 'stop':
      await stop();
  }
  return { exitCode: 0, stdout: '', stderr: '' };
}

async function stop(): Promise<void> {
  await front?.close();
  await site?.[Symbol.asyncDispose]();
}

async function start(options: RunnerOptions): Promise<void> {
  port = options.port;
  site = await runPlayground({
    command: 'server',
    port: options.port,
    'site-url': `http://127.0.0.1:${options.port}`,
    php: options.php,
    workers: WORKERS,
    wordpressInstallMode: 'do-not-attempt-installing',
    skipSqliteSetup: true,
    verbosity: 'quiet',
    'mount-before-install': mounts(options),
  });
  // Its own server listens on every network interface and redirects the first request; ours does neither.
  const opened = site.server;
  await new Promise((resolve) => {
    opened.close(resolve);
    opened.closeAllConnections();
  });
  await switchOpcacheOff(site);
  await forgetFixedAddress(site);
  await serveSubSites(site);
  await readdress(site.playground, `${TREE}/wp-content/database/.ht.sqlite`, options.replacements);
  front = await openFront(site.playground, options.port);
}

function mounts(options: RunnerOptions): { hostPath: string; vfsPath: string }[] {
  const connector = `${TREE}/wp-content/plugins/rollcall-connector`;
  return [
    { hostPath: options.tree, vfsPath: TREE },
    { hostPath: options.wpCli, vfsPath: WP_CLI },
    { hostPath: options.sqliteIntegration, vfsPath: SQLITE },
    ...(options.connector === null ? [] : [{ hostPath: options.connector, vfsPath: connector }]),
  ];
}

/**
 * There is no shared memory here, so the opcache that the server switches on reads every script's compiled form from
 * a file in every request: twice the processor time of compiling it (0.9 s to 0.45 s for a REST request).
 */
async function switchOpcacheOff({ playground }: PlaygroundServer): Promise<void> {
  const file = '/internal/shared/php.ini';
  const settings = await playground.readFileAsText(file);
  await playground.writeFile(file, `${settings}\nopcache.enable = 0\nopcache.enable_cli = 0\n`);
}

/** Without the WP_HOME and WP_SITEURL that the server defines, the address comes from the database, as on real sites. */
async function forgetFixedAddress({ playground }: PlaygroundServer): Promise<void> {
  const file = '/internal/shared/consts.json';
  const text: unknown = JSON.parse(await playground.readFileAsText(file));
  const { WP_HOME: _home, WP_SITEURL: _siteurl, ...rest } = constants.parse(text);
  await playground.writeFile(file, JSON.stringify(rest));
}

/**
 * The rewrite rule of a network that the server lacks: `/sub/wp-login.php` is the root's wp-login.php, for that site.
 * Preloaded files run in the global scope, before the requested script.
 */
async function serveSubSites({ playground }: PlaygroundServer): Promise<void> {
  await playground.writeFile(
    '/internal/shared/preload/rollcall-lab-network.php',
    `<?php
if ( isset( $_SERVER['REQUEST_URI'] ) && preg_match( '~^/[_0-9a-zA-Z-]+(/[_0-9a-zA-Z-]+\\.php)(?:\\?|$)~', $_SERVER['REQUEST_URI'], $rollcall_lab )
	&& ! is_file( '${TREE}' . strtok( $_SERVER['REQUEST_URI'], '?' ) ) && is_file( '${TREE}' . $rollcall_lab[1] ) ) {
	$_SERVER['SCRIPT_NAME'] = $rollcall_lab[1];
	$_SERVER['PHP_SELF'] = strtok( $_SERVER['REQUEST_URI'], '?' );
	$_SERVER['SCRIPT_FILENAME'] = '${TREE}' . $rollcall_lab[1];
	chdir( '${TREE}' );
	require $_SERVER['SCRIPT_FILENAME'];
	exit;
}
`,
  );
}

function started(): PlaygroundServer {
  if (site === undefined) throw new Error('the site is not started');
  return site;
}

async function wp(args: readonly string[]): Promise<CommandResult> {
  const phar = `${WP_CLI}/wp-cli.phar`;
  // A PHP process started from PHP waits for ever for the database's lock here: let WP-CLI say so at once instead.
  const settings = ['-d', 'memory_limit=512M', '-d', 'disable_functions=proc_open'];
  const always = [`--path=${TREE}`, '--allow-root', '--no-color'];
  return collect(await started().playground.cli(['php', ...settings, phar, ...always, ...args]));
}

async function php(code: string): Promise<CommandResult> {
  const loadWordPress = `$_SERVER['HTTP_HOST'] = '127.0.0.1:${port}'; require '${TREE}/wp-load.php';`;
  return collect(await started().playground.runStream({ code: `<?php ${loadWordPress}\n${code}` }));
}

async function collect(streams: PhpStreams): Promise<CommandResult> {
  const [exitCode, stdout, stderr] = await Promise.all([
    streams.exitCode,
    streams.stdoutText,
    streams.stderrText,
  ]);
  return { exitCode, stdout, stderr };
}
