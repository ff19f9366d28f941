/**
 * Keeps the lab's native programs (MariaDB, PHP-FPM, nginx), so that they end when the lab ends.
 *
 * Does: start a program in the foreground as its child, end one, end all.
 * Always true: when the parent is gone, however it went, the IPC channel closes, every program is ended and the
 *   folder of their data removed.
 * Plain JavaScript: it starts at once and has nothing to go wrong.
 */
import { spawn } from 'node:child_process';
import { openSync, rmSync } from 'node:fs';

/** A program that ignores SIGTERM this long is killed. */
const GRACE_MS = 5_000;

const folder = process.argv[2];
/** @type {Map<string, import('node:child_process').ChildProcess>} */
const programs = new Map();

// A terminal's Ctrl-C goes to the whole process group: the parent decides when we end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

process.on('disconnect', () => {
  void Promise.all([...programs.keys()].map(end)).then(() => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });
});

process.on('message', ({ id, start, stop }) => {
  if (start) begin(start);
  void Promise.resolve(stop ? end(stop) : undefined).then(() => {
    if (process.connected) process.send({ id });
  });
});

function begin({ name, program, args, log, env }) {
  const output = openSync(log, 'a');
  const child = spawn(program, args, {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
  });
  programs.set(name, child);
  child.once('error', () => programs.delete(name));
  child.once('exit', () => programs.delete(name));
}

function end(name) {
  const child = programs.get(name);
  if (child === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const late = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    child.once('exit', () => {
      clearTimeout(late);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
