/** Memberships that are filled or copied within one network: what was asked for, and how far it is. */

/**
 * `previewing` → `planned` → `running` ⇄ `paused` → `done`. `cancelled` and `failed` end it before; what was done until
 * then stands. `undoing` → `undone` after any end; once more, where something is left of it. The first two are known to the hub alone.
 */
export const NETWORK_RUN_STATES = [
  'previewing',
  'planned',
  'running',
  'paused',
  'cancelled',
  'done',
  'undoing',
  'undone',
  'failed',
] as const;
export type NetworkRunState = (typeof NETWORK_RUN_STATES)[number];

/** What a worker has to see to, where this hub drives the run. */
export const NETWORK_RUNS_AT_WORK: readonly NetworkRunState[] = [
  'previewing',
  'running',
  'undoing',
];

export const NETWORK_ORDERS = ['pause', 'resume', 'cancel', 'undo'] as const;
/** What an operator wants of a run that is there. */
export type NetworkOrder = (typeof NETWORK_ORDERS)[number];

/** Reason code → pairs of an account and a site. */
export type Skipped = Readonly<Record<string, number>>;

/** What would happen on one site. */
export interface PreviewedSite {
  readonly blog: number;
  readonly add: number;
  readonly change: number;
  readonly unchanged: number;
  readonly skipped: Skipped;
}

/** Pairs of an account and a site, as the connector counts them. */
export interface NetworkCounts {
  readonly total: number;
  readonly done: number;
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly skipped: Skipped;
  readonly removed: number;
  readonly kept: number;
  /** Those of `kept` that another undo may take back, by what stood in the way. */
  readonly left: Skipped;
}

export const NETWORK_DRIVERS = ['hub', 'cron', 'cli'] as const;
export type NetworkDriver = (typeof NETWORK_DRIVERS)[number];

export interface NetworkRunRecord {
  /** The connector knows the run by it, too. */
  readonly id: string;
  readonly installation: string;
  readonly network: number;
  /** Its main site, which it is named after. */
  readonly main: number;
  /** As the connector takes it; whoever reads it parses it. */
  readonly spec: unknown;
  readonly state: NetworkRunState;
  /** Goes on from the preview by itself. */
  readonly starts: boolean;
  readonly driver: NetworkDriver;
  readonly startedBy: string;
  readonly atMs: number;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  /** The last site that the preview has looked at; null: all of them. */
  readonly previewedTo: number | null;
  readonly preview: readonly PreviewedSite[];
  readonly counts: NetworkCounts;
  readonly next: number | null;
  /** How long pages of it were worked on, and how many pairs that were. */
  readonly workedMs: number;
  readonly workedPairs: number;
  /** What the site was not told of yet, and who wants it. */
  readonly wanted: NetworkOrder | null;
  readonly wantedBy: string | null;
  /** Consecutive failures, and when it is tried again (hub ms). */
  readonly failures: number;
  readonly retryAtMs: number;
  readonly fault: {
    readonly code: string;
    readonly message: string;
    readonly next: string;
  } | null;
}

/** What the site says of a run. */
export type RunFromSite = Pick<
  NetworkRunRecord,
  'id' | 'network' | 'main' | 'spec' | 'state' | 'driver' | 'endedMs' | 'counts' | 'next'
> & { readonly by: string; readonly beganMs: number };

export const NO_COUNTS: NetworkCounts = {
  total: 0,
  done: 0,
  added: 0,
  changed: 0,
  unchanged: 0,
  skipped: {},
  removed: 0,
  kept: 0,
  left: {},
};

/** Runs as they are stored. Each call is a transaction of its own. */
export interface NetworkRuns {
  add(
    run: Pick<
      NetworkRunRecord,
      'id' | 'installation' | 'network' | 'main' | 'spec' | 'starts' | 'startedBy'
    >,
  ): Promise<void>;
  find(id: string): Promise<NetworkRunRecord | null>;
  /** The newest first; `after`: what is older. */
  list(query: {
    readonly installation: string;
    readonly network: number;
    readonly after?: Pick<NetworkRunRecord, 'atMs' | 'id'>;
    readonly limit: number;
  }): Promise<readonly NetworkRunRecord[]>;
  /** Those that a worker can do something about now, the oldest first. */
  atWork(): Promise<readonly string[]>;
  /** False: it was in none of these states, and nothing was changed. */
  change(
    id: string,
    from: readonly NetworkRunState[],
    change: Partial<
      Pick<
        NetworkRunRecord,
        'state' | 'starts' | 'startedMs' | 'endedMs' | 'wanted' | 'wantedBy' | 'fault'
      >
    >,
  ): Promise<boolean>;
  /** A page of the preview, once: another process may have asked for the same one. */
  previewed(
    id: string,
    page: {
      readonly from: number;
      readonly to: number | null;
      readonly sites: readonly PreviewedSite[];
    },
  ): Promise<void>;
  /**
   * What the site said of a run of its own; one that it alone began is remembered. The preview, and what was asked
   * for here, stay. What the site no longer has to be told (`obeyed`) is wanted no more. Without `worked` it was only
   * looked at: what a worker of this hub is at, or failed at, it hears by itself, and that may be newer.
   */
  heard(
    installation: string,
    run: RunFromSite,
    worked?: { readonly ms: number; readonly pairs: number; readonly obeyed?: NetworkOrder },
  ): Promise<void>;
  /** Tried again later, each time later than the last. */
  failed(id: string, fault: NonNullable<NetworkRunRecord['fault']>): Promise<void>;
}
