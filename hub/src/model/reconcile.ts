/** Two sites compared along a route: what was found, how far it is, and when it is done again by itself. */
import type { Field } from './field.ts';
import type { IdentityUid, RouteId, SiteKey, WordPressId } from './ids.ts';

/** `comparing` the source's accounts with their twins, `looking` for accounts that are on the target alone. */
export const RECONCILE_STATES = ['comparing', 'looking', 'done', 'cancelled', 'failed'] as const;
export type ReconcileState = (typeof RECONCILE_STATES)[number];
export const RECONCILES_AT_WORK: readonly ReconcileState[] = ['comparing', 'looking'];

/** Drift: nothing on its way explains it. */
export const DRIFTS = ['missing', 'different', 'extra'] as const;
export type Drift = (typeof DRIFTS)[number];
/** `held` waits for a person; `by_rule`: a rule says that it stays so. */
export const FOUND = [...DRIFTS, 'held', 'on_its_way', 'by_rule', 'in_step'] as const;
export type Found = (typeof FOUND)[number];

/** What is told account by account; of everything else there is only a number. */
export const LISTED = [...DRIFTS, 'held'] as const;
export type Listed = (typeof LISTED)[number];

export const isListed = (found: Found): found is Listed => LISTED.some((one) => one === found);
export const isDrift = (found: Found): found is Drift => DRIFTS.some((one) => one === found);

/** Of which site the account's id is. */
export type Side = 'source' | 'target';

/** `raised`: the repair has sent it on the road of every change. */
export type RowState = 'found' | 'raised';

export interface DriftRow {
  readonly side: Side;
  readonly wpId: WordPressId;
  readonly what: Listed;
  readonly reason: string;
  readonly uid: IdentityUid | null;
  readonly login: string;
  readonly fields: readonly Field[];
  readonly state: RowState;
}
export type DriftKey = Pick<DriftRow, 'side' | 'wpId' | 'reason'>;

/** How many accounts were found so, by reason. Of an account some fields may be so, and others not. */
export interface Counted {
  readonly what: Found;
  /** Null: in step. */
  readonly reason: string | null;
  readonly count: number;
}

export interface ReconcileRecord {
  readonly id: string;
  readonly source: SiteKey;
  readonly target: SiteKey;
  readonly state: ReconcileState;
  readonly repair: boolean;
  /** Also looks for accounts that are on the target alone. */
  readonly extra: boolean;
  readonly startedBy: string;
  readonly atMs: number;
  readonly endedMs: number | null;
  /** The last account that was read in this state. */
  readonly readTo: number;
  readonly accounts: number;
  /** Accounts there are to look at, as the sites said; null: not asked yet. */
  readonly total: number | null;
  readonly counts: readonly Counted[];
  readonly fault: {
    readonly code: string;
    readonly message: string;
    readonly next: string;
  } | null;
}

export const EVERY = ['daily', 'weekly'] as const;
export type Every = (typeof EVERY)[number];

export interface Schedule {
  readonly route: RouteId;
  readonly every: Every;
  readonly repair: boolean;
}

/** Comparisons as they are stored. Each call is a transaction of its own. */
export interface Reconciles {
  /** Of those that ended between these sites some are kept, the newest. */
  add(
    reconcile: Pick<ReconcileRecord, 'id' | 'source' | 'target' | 'repair' | 'extra' | 'startedBy'>,
  ): Promise<void>;
  find(id: string): Promise<ReconcileRecord | null>;
  /** The newest first; `after`: what is older. */
  list(query: {
    readonly source?: SiteKey;
    readonly target?: SiteKey;
    readonly after?: Pick<ReconcileRecord, 'atMs' | 'id'>;
    readonly limit: number;
  }): Promise<readonly ReconcileRecord[]>;
  /** Of each two sites the one that was done last. */
  latest(): Promise<readonly ReconcileRecord[]>;
  atWork(): Promise<readonly string[]>;
  /** False: it was in none of these states, and nothing was changed. */
  change(
    id: string,
    from: readonly ReconcileState[],
    change: Partial<Pick<ReconcileRecord, 'state' | 'endedMs' | 'readTo' | 'total' | 'fault'>>,
  ): Promise<boolean>;
  /** Rows of a page, before anything is raised for them; what was kept of it stays as it is. */
  keep(id: string, rows: readonly Omit<DriftRow, 'state'>[]): Promise<void>;
  /**
   * The page is done, once: another process may have read the same one.
   *
   * @param page `counts`: what is not told account by account. `raised`: rows of the page with these reasons.
   */
  pageDone(
    id: string,
    page: {
      readonly state: ReconcileState;
      readonly side: Side;
      readonly readFrom: number;
      readonly readTo: number;
      readonly accounts: number;
      readonly counts: readonly Counted[];
      readonly raised: readonly string[];
    },
  ): Promise<void>;
  rows(
    id: string,
    query: { readonly what?: Listed; readonly after?: DriftKey; readonly limit: number },
  ): Promise<readonly DriftRow[]>;
  /** How many rows there are of each kind. */
  rowCounts(
    id: string,
  ): Promise<readonly (Pick<DriftRow, 'what' | 'reason' | 'state'> & { readonly count: number })[]>;
  schedules(): Promise<readonly Schedule[]>;
  /** The first one is due at once. Null: no more. */
  schedule(route: RouteId, to: Pick<Schedule, 'every' | 'repair'> | null): Promise<void>;
  /** Begins those that are due now, each in one process alone; which began. */
  startDue(newId: () => string): Promise<readonly string[]>;
}
