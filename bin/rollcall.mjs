#!/usr/bin/env node
// TypeScript runs as it is written: one road from source to process, nothing to go stale.
// Plain JavaScript up to the first import, so that an old Node gets a sentence, not a syntax error.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Rollcall needs Node 20.19 or newer; this is ${process.versions.node}.`);
  console.error('  Install a newer Node from https://nodejs.org, then run the command again.');
  process.exit(3);
}
const { register } = await import('tsx/esm/api');
register();
await import('../hub/src/cli/command-line.ts');
