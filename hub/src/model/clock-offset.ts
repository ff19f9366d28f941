/**
 * How far a site's clock is from the hub's.
 *
 * Does: judge one reading of a site's clock by the hub's own, read before it was asked and after it answered.
 * Does not: read a clock.
 * Always true: a difference that the waiting alone explains is none. A busy machine, or a database that answers late
 * what time it is, must not move a clock: what a site has stamped by then would seem to be from another moment.
 */

/** Below this the difference is the network's, not the clock's. */
const CLOCK_TOLERANCE_MS = 250;

interface Reading {
  /** The site's clock, read somewhere between the two moments. */
  readonly clock: number;
  /** What the site adds to it now. */
  readonly offset_ms: number;
}

/** Site clock + offset = hub clock. Null: it is right as it is. */
export function newOffset(reading: Reading, fromMs: number, untilMs: number): number | null {
  const halfMs = Math.max(0, untilMs - fromMs) / 2;
  const offsetMs = Math.round(fromMs + halfMs) - reading.clock;
  const tolerance = Math.max(CLOCK_TOLERANCE_MS, halfMs);
  return Math.abs(offsetMs - reading.offset_ms) > tolerance ? offsetMs : null;
}
