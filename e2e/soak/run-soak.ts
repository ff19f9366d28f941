/** `npm run soak -- --minutes 10 --seed 7`: see CONTRIBUTING.md. Exit code 0: all came together. */
import { parseArgs } from 'node:util';
import { nativeMissing } from '#lab/native-programs.ts';

const missing = nativeMissing();
if (missing !== null) process.stderr.write(`${missing}\n`);
process.env['ROLLCALL_LAB_ENGINE'] ??= missing === null ? 'native' : 'wasm';
const { soak } = await import('./soak.ts');

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    sites: { type: 'string', default: '5' },
  },
});
const [minutes, seed, sites] = [values.minutes, values.seed, values.sites].map(Number);
if (!(Number(minutes) > 0) || !Number.isInteger(seed) || !(Number(sites) >= 2)) {
  process.stderr.write('Usage: npm run soak -- [--minutes 30] [--seed 7] [--sites 5]\n');
  process.exit(2);
}
const say = (line: string): void => {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
};
const again = `npm run soak -- --minutes ${minutes} --seed ${seed} --sites ${sites}`;
say(`to repeat it: ${again}`);
try {
  const result = await soak({
    minutes: Number(minutes),
    seed: Number(seed),
    sites: Number(sites),
    say,
  });
  say(`${result.deeds} deeds, ${result.kills} kills, ${result.faults} faults`);
  const wrong = [...result.wrong, ...result.untold];
  for (const sentence of wrong) say(`WRONG: ${sentence}`);
  say(wrong.length === 0 ? 'all came together' : `failed; to repeat it: ${again}`);
  process.exit(wrong.length === 0 ? 0 : 1);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  say(`failed; to repeat it: ${again}`);
  process.exit(1);
}
