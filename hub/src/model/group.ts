/** Groups: sites that are all in step under one rule set. Their routes are stored like any others. */
import type { GroupId, SiteKey } from './ids.ts';
import type { Route, RouteRules } from './route.ts';

/** `gives`: only a source of the others; `takes`: only a target. */
export type Way = 'both' | 'gives' | 'takes';

export interface GroupMember {
  readonly site: SiteKey;
  readonly way: Way;
}

/** What one pair of members has that is not the group's. */
export interface GroupException {
  readonly source: SiteKey;
  readonly target: SiteKey;
  /** `none`: there is no such route in the group. */
  readonly status: Route['status'] | 'none';
  /** What is not named is the group's. */
  readonly rules: Partial<RouteRules>;
}

export interface Group {
  readonly id: GroupId;
  readonly name: string;
  /** Paused: so is every route of it. */
  readonly status: Route['status'];
  /** What is not named is what a new route between those two sites would have. */
  readonly rules: Partial<RouteRules>;
  readonly members: readonly GroupMember[];
  readonly exceptions: readonly GroupException[];
}

export const gives = ({ way }: GroupMember): boolean => way !== 'takes';
export const takes = ({ way }: GroupMember): boolean => way !== 'gives';

export const isBetween = (
  { source, target }: { readonly source: SiteKey; readonly target: SiteKey },
  from: SiteKey,
  to: SiteKey,
): boolean => source === from && target === to;
