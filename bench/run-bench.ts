/** `npm run bench -- NAME`: how fast something is, measured beside what it is compared with, in one run. */
import { benchNetwork } from './network/bench-network.ts';

const BENCHES: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  network: benchNetwork,
};

const [name = '', ...args] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench === undefined) {
  process.stderr.write(
    `npm run bench -- NAME, where NAME is: ${Object.keys(BENCHES).join(', ')}\n`,
  );
  process.exitCode = 2;
} else await bench(args);
