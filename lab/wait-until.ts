/**
 * Waits for a condition, with a limit.
 *
 * On failure: throws once the limit is reached; an error of the condition itself passes through at once.
 */
import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 20;

export async function waitUntil(
  holds: () => Promise<boolean>,
  limitMs: number,
  pauseMs = PAUSE_MS,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end)
      throw new Error(`still not so after ${limitMs} ms: ${holds.toString()}`);
    await delay(pauseMs);
  }
}
