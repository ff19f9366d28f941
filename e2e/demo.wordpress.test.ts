/** The demo, as a newcomer runs it: the proof that the whole road works on WebAssembly, from npm packages alone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { STEPS } from '#lab/demo/steps/all-steps.ts';

const DEMO = new URL('../bin/demo.mjs', import.meta.url).pathname;
/** Three sites share two cores with whatever else runs. */
const LIMIT_MS = 300_000;
/** Asked to end at the limit, it ends its sites first. */
const ENDING_MS = 30_000;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function runDemo(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [DEMO, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  await once(child, 'close');
  // Under CI the colours stay on without a terminal; what is told is the words.
  return {
    code: child.exitCode,
    out: stripVTControlCharacters(out),
    err: stripVTControlCharacters(err),
  };
}

test(
  'the demo plays all its steps on three WebAssembly sites, prints the log, and ends with 0',
  async () => {
    const { code, out, err } = await runDemo('--once');
    expect({ code, out, err }).toMatchObject({ code: 0 });
    const printed = STEPS.map(({ title }, index) => `${index + 1}  ${title}`);
    expect(out.split('\n').map((line) => line.trim())).toEqual(expect.arrayContaining(printed));
    expect(out).toContain(`All ${STEPS.length} steps held`);
    expect(out.slice(out.indexOf('The Sync Log'))).toMatch(/create +anna +Shop → Blog/);
  },
  LIMIT_MS + ENDING_MS,
);

test('a flag that the demo does not know gets one sentence and the next step, and ends with 2', async () => {
  const { code, out, err } = await runDemo('--onec');
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toBe('The demo does not know “--onec”.\n  It takes --once, --data DIR and --help.\n');
});
