/**
 * Do a site's signals arrive? Polling stretches only where they do: many a host can't answer a
 * visitor first and signal after, and many a hub can't be reached from its sites.
 */
import type { Installation } from './ports.ts';

type Told = Pick<Installation, 'lastSignalMs'>;

export const signalsArrive = ({ lastSignalMs }: Told): boolean => lastSignalMs !== null;

/**
 * There was something new, and no signal had come since the pull before: it is polled again like
 * a site without signals until the next one arrives. A pull that a signal woke was told, and so
 * was one during which a signal came.
 */
export function wasUntold(
  before: Pick<Installation, 'lastSignalMs' | 'lastPulledMs'>,
  after: Told,
): boolean {
  const since = before.lastPulledMs ?? 0;
  return signalsArrive(after) && (after.lastSignalMs ?? 0) < since;
}
