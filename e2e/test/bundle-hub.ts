/**
 * The hub to kill as one file: loaded in a third of a second instead of one and a half, which is
 * most of what two hundred of them cost.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

const ENTRY = fileURLToPath(new URL('./hub-to-kill.ts', import.meta.url));
/** It reads files beside its own, so it stays where it is. */
const PGLITE = '@electric-sql/pglite';

/** @param file where it is written; its name ends with .mjs */
export async function bundleHub(file: string): Promise<void> {
  const pglite = fileURLToPath(import.meta.resolve(PGLITE));
  await build({
    entryPoints: [ENTRY],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    // What was written for CommonJS asks for `require`.
    banner: {
      js: `import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);`,
    },
    alias: { [PGLITE]: pglite },
    external: [pglite, 'pg-native'],
    plugins: [beside],
  });
}

/** What the hub reads beside its own files, such as the connector, lies there still. */
const beside: Plugin = {
  name: 'beside',
  setup: (bundle) => {
    // The flag that others have here esbuild doesn't know.
    bundle.onLoad({ filter: /\/hub\/src\/.*\.ts$/ }, async ({ path }) => {
      const at = JSON.stringify(pathToFileURL(path).href);
      const text = await readFile(path, 'utf8');
      return { contents: text.replaceAll('import.meta.url', at), loader: 'ts' };
    });
  },
};
