/** All that operators have set about sites, routes and groups, as one value that can be compared and replaced. */
import type { Group } from './group.ts';
import type { GroupId, RouteId, SiteKey } from './ids.ts';
import type { Route, Site } from './route.ts';

export interface ArrangedSite extends Omit<Site, 'blog'> {
  /** What its connector speaks. */
  readonly contract: number;
  readonly roles: Readonly<Record<string, { readonly name: string; readonly privileged: boolean }>>;
  /** `days` null: as the hub keeps its log. */
  readonly log: { readonly on: boolean; readonly days: number | null };
}

export interface ArrangedRoute extends Omit<Route, 'id'> {
  /** Null: it is of no group. */
  readonly group: GroupId | null;
}

export interface Arrangement {
  /** Days that the Sync Log is kept. */
  readonly logDays: number;
  readonly sites: readonly ArrangedSite[];
  readonly routes: readonly ArrangedRoute[];
  readonly groups: readonly Group[];
}

export interface Rearranged {
  readonly before: Arrangement;
  readonly after: Arrangement;
  /** Ends of routes that were added, changed or removed. */
  readonly touched: readonly SiteKey[];
}

/** Each call is one transaction. */
export interface Arrangements {
  /** `revision` is another one whenever anybody has changed any of it. */
  read(): Promise<{ readonly revision: string; readonly now: Arrangement }>;
  /**
   * Reads it, asks `plan` what it shall be, and makes it so, while nobody else changes any of it. A
   * group or a route that `plan` leaves out is removed; sites are neither added nor removed. `plan` may be asked more
   * than once; when it throws, nothing has changed. Safe to repeat.
   */
  change(plan: (now: Arrangement, revision: string) => Arrangement): Promise<Rearranged>;
  /** Routes that are of a group, with its name. */
  groupNames(): Promise<ReadonlyMap<RouteId, string>>;
}
