/** How long something that failed waits: 1 s doubling to 10 min, for ever. */
const FIRST_MS = 1_000;
const LONGEST_MS = 600_000;
/** Somebody is saving the account: a matter of seconds, and after 30 s the row counts as ready. */
const BUSY_LONGEST_MS = 4_000;

/** @param failures how often in a row it failed, 1 or more */
export const backOffMs = (failures: number): number =>
  Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(20, Math.max(0, failures - 1)));

/** @param tries how often in a row somebody was found saving the account, 1 or more */
export const busyBackOffMs = (tries: number): number => Math.min(BUSY_LONGEST_MS, backOffMs(tries));

/** Each try keeps the site busy for about a minute; it must have more time for everything else. */
const LATE_FIRST_MS = 60_000;

/**
 * The first time it may have been an answer that was lost on the way, so it is asked again soon.
 *
 * @param failures how often in a row the site did not come to an end with it, 1 or more
 */
export const lateBackOffMs = (failures: number): number =>
  failures <= 1 ? FIRST_MS : Math.min(LONGEST_MS, LATE_FIRST_MS * 2 ** Math.min(20, failures - 2));
