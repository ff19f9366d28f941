/**
 * An entry of a list of meta keys: a key in full, or the beginning of keys and a `*`.
 *
 * Always true: class-rollcall-meta-patterns.php reads entries the same way; what is never synced is so
 * whatever a pattern covers.
 */
import { isNeverSynced } from './never-synced.ts';

/** So many characters at least: a shorter one would hardly be a list any more. */
export const SHORTEST_BEGINNING = 3;

export const isPattern = (entry: string): boolean => entry.endsWith('*');
export const beginningOf = (pattern: string): string => pattern.slice(0, -1);

export const covers = (entry: string, key: string): boolean =>
  isPattern(entry) ? key.startsWith(beginningOf(entry)) : entry === key;

/** What is wrong with an entry, as a sentence; null: it can be meant. */
export function whyNoEntry(entry: string): string | null {
  const key = isPattern(entry) ? beginningOf(entry) : entry;
  if (key.includes('*')) return `“${entry}” holds a “*” that is not its end.`;
  if (isPattern(entry) && key.length < SHORTEST_BEGINNING) {
    return `“${entry}” covers too much: name at least ${SHORTEST_BEGINNING} characters before the “*”.`;
  }
  return isNeverSynced(key.trimEnd())
    ? `The meta key “${entry}” is never synced: it holds capabilities, sessions, secrets or totals.`
    : null;
}
