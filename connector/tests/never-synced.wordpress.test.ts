import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Site, startSite } from '#lab/start-site.ts';
import { BEST } from './engines.ts';

/** The hub's own test reads the same samples: hub/src/model/never-synced.test.ts. */
const samples: { never: string[]; may: string[] } = JSON.parse(
  readFileSync(new URL('../../contract/fixtures/never-synced.json', import.meta.url), 'utf8'),
);

let site: Site;
beforeAll(async () => {
  site = await startSite({
    ...BEST.options,
    name: 'never',
    connector: fileURLToPath(new URL('..', import.meta.url)),
  });
});
afterAll(() => site?.stop());

test('the connector never lets through what must not travel, and nothing else', async () => {
  const keys = [...samples.never, ...samples.may];
  const sent = Buffer.from(JSON.stringify(keys)).toString('base64');
  const printed = await site.php(
    `require_once WP_PLUGIN_DIR . '/rollcall-connector/includes/class-rollcall-never-synced.php';
    $keys = json_decode( base64_decode( '${sent}' ), true );
    echo wp_json_encode( array_map( array( 'Rollcall_Never_Synced', 'is_never' ), $keys ) );`,
  );
  const found: boolean[] = JSON.parse(printed);
  const answers = new Map(keys.map((key, index) => [key, found[index]]));
  expect(samples.never.filter((key) => answers.get(key) !== true)).toEqual([]);
  expect(samples.may.filter((key) => answers.get(key) !== false)).toEqual([]);
});
