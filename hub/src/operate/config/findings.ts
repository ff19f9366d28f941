/** All that is wrong with a document, each with its place in it. */
import type { ConfigDiff } from '../../api/schemas/config.ts';
import { FAULTS, Fault } from '../../errors.ts';
import type { ArrangedSite } from '../../model/arrangement.ts';

/** A site; `later` when it is to be connected first; null when that was said to be wrong. */
export type SiteNamed = (path: string, name: string) => ArrangedSite | 'later' | null;

export class Findings {
  readonly problems: ConfigDiff['problems'] = [];

  say(path: string, message: string, next: string): void {
    this.problems.push({ path, message, next });
  }

  /** What is refused elsewhere in the hub is a problem at this place. */
  attempt<Result>(path: string, work: () => Result): Result | null {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.say(path, error.message, error.next);
      return null;
    }
  }

  /** The place of the second one of a name is said. */
  twice(items: readonly { readonly path: string; readonly name: string }[]): void {
    const seen = new Set<string>();
    for (const { path, name } of items) {
      const key = name.toLowerCase();
      if (seen.has(key)) this.say(path, `“${name}” is in the list twice.`, 'Take one of them out.');
      seen.add(key);
    }
  }

  sitesNamed(
    sites: readonly ArrangedSite[],
    toConnect: readonly { readonly name: string }[],
  ): SiteNamed {
    const connected = new Map(sites.map((site) => [site.name.toLowerCase(), site]));
    const later = new Set(toConnect.map(({ name }) => name.toLowerCase()));
    return (path, name) => {
      const found = connected.get(name.toLowerCase());
      if (found !== undefined) return found;
      if (later.has(name.toLowerCase())) return 'later';
      const { next } = FAULTS['site.unknown'];
      this.say(path, `There is no site “${name}”, neither here nor in the list of sites.`, next);
      return null;
    };
  }
}
