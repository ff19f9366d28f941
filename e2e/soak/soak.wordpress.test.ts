/** A short one, so that the soak itself can't rot; the real one is `npm run soak`. */
import { expect, test } from 'vitest';
import { nativeMissing } from '#lab/native-programs.ts';
import { soak } from './soak.ts';

const missing = nativeMissing();
if (missing !== null) process.stderr.write(`${missing}\n`);

test.skipIf(missing !== null)(
  'T208: a few rounds of everything at once come together',
  async () => {
    const said: string[] = [];
    const options = {
      seed: 5,
      minutes: 0.1,
      sites: 2,
      say: (line: string) => void said.push(line),
    };
    const { deeds, kills, ...result } = await soak(options);
    const wrong = [...result.wrong, ...result.untold];
    expect({ wrong, said: wrong.length > 0 ? said : [] }).toEqual({ wrong: [], said: [] });
    expect(deeds).toBeGreaterThan(10);
    expect(kills).toBeGreaterThan(0);
  },
  300_000,
);
