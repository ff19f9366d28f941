/** Versions of the connector, `1.2.3`. Pure. */

/** By its numbers; what follows a hyphen is not compared. */
export function isOlder(version: string, than: string): boolean {
  const [mine, others] = [numbersOf(version), numbersOf(than)];
  for (let at = 0; at < Math.max(mine.length, others.length); at += 1) {
    const difference = (mine[at] ?? 0) - (others[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

const numbersOf = (version: string): number[] =>
  (version.split('-')[0] ?? '').split('.').map((part) => Number.parseInt(part, 10) || 0);
