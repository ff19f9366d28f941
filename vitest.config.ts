import { defineConfig } from 'vitest/config';
import { nativeMissing } from './lab/native-programs.ts';

// Sites of no named kind are native where that is installed: several times as fast.
// ROLLCALL_LAB_ENGINE=wasm runs them all in WebAssembly, as on a machine without it.
const engine = process.env['ROLLCALL_LAB_ENGINE'] ?? (nativeMissing() === null ? 'native' : 'wasm');

// The file name says what a test needs (see CONTRIBUTING.md).
const needsNothing = ['**/*.test.ts'];
const needsDatabase = ['**/*.db.test.ts'];
const needsWordPress = ['**/*.wordpress.test.ts'];
const never = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    retry: 0,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: needsNothing,
          exclude: [...never, ...needsDatabase, ...needsWordPress],
          // Floods and bombs take a second or two; a busy machine ten times as long.
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'db',
          include: needsDatabase,
          exclude: never,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'wordpress',
          include: needsWordPress,
          exclude: never,
          testTimeout: 180_000,
          hookTimeout: 300_000,
          env: { ROLLCALL_LAB_ENGINE: engine },
          // Stories wait most of the time, those in WebAssembly less. More at once than this, and limits mean little.
          maxWorkers: engine === 'native' ? 3 : 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
