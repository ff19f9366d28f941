/**
 * WP-CLI and PHP on a native site's tree.
 *
 * On failure: a program that fails is a result with its exit code, not an error.
 */
import { join } from 'node:path';
import { fetchWordPress } from './fetch-wordpress.ts';
import { keepCompiled } from './native-opcache.ts';
import { nativePrograms } from './native-programs.ts';
import { type CommandResult, tryCommand } from './run-command.ts';

const SETTINGS = ['-d', 'memory_limit=1G', '-d', 'display_errors=stderr'];

export async function nativeWpCli(tree: string, args: readonly string[]): Promise<CommandResult> {
  const { wpCli } = await fetchWordPress();
  const always = [`--path=${tree}`, '--allow-root', '--no-color'];
  const settings = [...SETTINGS, ...(await keepCompiled())];
  const phar = join(wpCli, 'wp-cli.phar');
  return tryCommand(nativePrograms().php, [...settings, phar, ...always, ...args], {
    // So that a command which starts WP-CLI again finds this one, with these settings.
    env: {
      WP_CLI_PHP_ARGS: settings.join(' '),
      WP_CLI_CACHE_DIR: join(tree, '..', 'wp-cli-cache'),
    },
  });
}

export async function nativePhp(
  tree: string,
  hostAndPort: string,
  code: string,
): Promise<CommandResult> {
  const load = `$_SERVER['HTTP_HOST'] = '${hostAndPort}'; require '${tree}/wp-load.php';`;
  return tryCommand(nativePrograms().php, [...SETTINGS, ...(await keepCompiled())], {
    stdin: `<?php ${load}\n${code}`,
  });
}
