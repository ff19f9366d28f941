/**
 * Runs one program to its end.
 *
 * Does: collect stdout and stderr, feed stdin if asked.
 * Does not: use a shell, or inherit the caller's terminal.
 * On failure: `runCommand` throws with the command, its exit code, stdout and stderr; `tryCommand` returns them.
 */
import { spawn } from 'node:child_process';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Buffer;
}

export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await tryCommand(program, args, options);
  if (result.exitCode !== 0) throw new CommandFailed([program, ...args], result);
  return result.stdout;
}

export function tryCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that does not read its stdin must not take us down with EPIPE.
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({
        exitCode: code ?? -1,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
  });
}

export class CommandFailed extends Error {
  constructor(
    command: readonly string[],
    readonly result: CommandResult,
  ) {
    super(
      `${command.join(' ')}\nexit code ${result.exitCode}\nstdout: ${result.stdout.trim()}\nstderr: ${result.stderr.trim()}`,
    );
    this.name = 'CommandFailed';
  }
}
