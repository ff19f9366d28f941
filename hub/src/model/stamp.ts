/**
 * When and where a field was last changed: `[ms of hub time, site key]`.
 *
 * Always true: stamps are totally ordered, by time and then by site key, so any two sites
 * that hold the same stamps agree on every winner. `ms` 0 means "from before Rollcall"; see `isFromBefore`.
 */
import type { SiteKey } from './ids.ts';

export type Stamp = readonly [ms: number, site: SiteKey];

/** How far ahead of hub time a stamp may lie: clock error after the offset is known. */
export const FUTURE_TOLERANCE_MS = 60_000;

/** Negative: a is older; 0: the same; positive: a is newer. */
export const compareStamps = (a: Stamp, b: Stamp): number => a[0] - b[0] || a[1] - b[1];

export const isNewer = (a: Stamp, b: Stamp | undefined): boolean =>
  b === undefined || compareStamps(a, b) > 0;

export const newerOf = (a: Stamp, b: Stamp | undefined): Stamp =>
  b !== undefined && compareStamps(b, a) > 0 ? b : a;

/**
 * The value was there before Rollcall: it fills new accounts and wins over nothing. So is one that an
 * adopt run filled in: its stamp is a few ms later, so that it takes the empty place, and travels no further.
 */
export const isFromBefore = (stamp: Stamp): boolean => stamp[0] < FIRST_EDIT_MS;

/** No edit was stamped in the first moments of 1970. Each filling and each taking back takes one of these. */
const FIRST_EDIT_MS = 10;

/** The stamp under which an empty field is filled; null: an edit stands there, or it was filled too often. */
export function fillingStamp(held: Stamp | undefined, source: SiteKey): Stamp | null {
  const stamp: Stamp = [(held?.[0] ?? 0) + 1, source];
  // The taking back needs a place, too.
  return stamp[0] + 1 < FIRST_EDIT_MS ? stamp : null;
}

export const isFromFuture = (stamp: Stamp, nowMs: number): boolean =>
  stamp[0] > nowMs + FUTURE_TOLERANCE_MS;

/** The stamp of an edit made now on an account whose newest stamp is `greatestMs`. */
export const nextStamp = (nowMs: number, greatestMs: number, site: SiteKey): Stamp => [
  Math.max(nowMs, greatestMs + 1),
  site,
];
