import { expect, test } from 'vitest';
import { backupCheck } from './backup-check.ts';

const DAY_MS = 86_400_000;
const NOW = 1_800_000_000_000;
const checked = (at: number | null) =>
  backupCheck({ hub: { lastBackupMs: async () => at }, store: { nowMs: async () => NOW } });

test.each([
  [null, 'warning', 'No backup of the hub has been made yet.'],
  [NOW - 60_000, 'ok', 'The last backup of the hub is less than a day old.'],
  [NOW - 7 * DAY_MS + 1, 'ok', 'The last backup of the hub is 6 days old.'],
  [NOW - 7 * DAY_MS, 'warning', 'The last backup of the hub is 7 days old.'],
])('a backup made at %j is told as %s', async (at, level, message) => {
  const check = await checked(at);
  expect(check).toMatchObject({ subject: 'hub', what: 'backup', level, message });
  expect(check.next === null).toBe(level === 'ok');
});
