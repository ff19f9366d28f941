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
import type {
  PhpVersion,
  RunnerAnswer,
  RunnerCommand,
  RunnerOptions,
  RunnerRequest,
} from './wasm-protocol.ts';
import { readdress } from './wasm-readdress.ts';

const WORKERS = 2;
/** To remove the server's temporary files once the parent is gone. */
const CLEAN_UP_MS = 2_000;
const TREE = '/wordpress';
const WP_CLI = '/wp-cli';
const SQLITE = '/sqlite-database-integration';

const PHP_SETTINGS = [
  // A PHP process started from PHP waits for ever for the database's lock here: let WP-CLI say so at once instead.
  'disable_functions = proc_open',
];
/**
 * Each worker keeps compiled scripts in its own memory: a REST request takes 50 ms of processor time. It takes 300 ms
 * without, and 600 ms with the files that the server would keep them in.
 */
const KEEP_COMPILED = [
  'opcache.file_cache_only = 0',
  'opcache.file_cache =',
  'opcache.memory_consumption = 64',
  // WordPress, WP-CLI and plugins are some 1,500.
  'opcache.max_accelerated_files = 4000',
  // Tests change files and ask at once.
  'opcache.revalidate_freq = 0',
  // Scripts run ten times or so: optimising them would take longer than it saves.
  'opcache.optimization_level = 0',
];
/** A command line has no request. */
const NO_REQUEST = `foreach ( preg_grep( '~^(?:HTTP|REQUEST|QUERY|REMOTE|SERVER|CONTENT)_|^HTTPS$~', array_keys( $_SERVER ) ) as $name ) {
	unset( $_SERVER[ $name ] );
}
unset( $name );`;
/** This version can't keep them in memory. */
const COMPILE_ALWAYS = ['opcache.enable = 0', 'opcache.enable_cli = 0'];

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
    // Before this, with a wp-config.php there, the server would run PHP, and that reads its settings once.
    mount: mounts(options),
  });
  // Its own server listens on every network interface and redirects the first request; ours does neither.
  const opened = site.server;
  await new Promise((resolve) => {
    opened.close(resolve);
    opened.closeAllConnections();
  });
  await setPhp(site, options.php);
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

/** PHP reads them at its first run, which is after this. */
async function setPhp({ playground }: PlaygroundServer, php: PhpVersion): Promise<void> {
  const file = '/internal/shared/php.ini';
  const own = [...PHP_SETTINGS, ...(php === '7.4' ? COMPILE_ALWAYS : KEEP_COMPILED)];
  const settings = await playground.readFileAsText(file);
  await playground.writeFile(file, `${settings}\n${own.join('\n')}\n`);
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

/** In the same PHP as requests: one of its own, as on a command line, would compile everything anew each time. */
async function wp(args: readonly string[]): Promise<CommandResult> {
  const argv = ['wp', `--path=${TREE}`, '--allow-root', '--no-color', ...args];
  const encoded = Buffer.from(JSON.stringify(argv)).toString('base64');
  const code = `<?php
ini_set( 'memory_limit', '512M' );
${NO_REQUEST}
$argv = json_decode( base64_decode( '${encoded}' ), true );
$argc = count( $argv );
$_SERVER['argv'] = $argv;
$_SERVER['argc'] = $argc;
foreach ( array( 'STDIN' => 'r', 'STDOUT' => 'w', 'STDERR' => 'w' ) as $stream => $mode ) {
	defined( $stream ) || define( $stream, fopen( 'php://' . strtolower( $stream ), $mode ) );
}
unset( $stream, $mode );
Phar::loadPhar( '${WP_CLI}/wp-cli.phar', 'wp-cli.phar' );
require 'phar://wp-cli.phar/php/boot-phar.php';
`;
  return collect(await started().playground.runStream({ code }));
}

async function php(code: string): Promise<CommandResult> {
  const loadWordPress = `${NO_REQUEST}
$_SERVER['HTTP_HOST'] = '127.0.0.1:${port}'; require '${TREE}/wp-load.php';`;
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
