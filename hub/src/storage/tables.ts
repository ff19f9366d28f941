/**
 * The store's tables as Kysely sees them. What a column means stands in the migrations; both
 * drivers return bigint as number and jsonb parsed (see `open-database.ts`).
 */

import type { ColumnType, Generated } from 'kysely';
import type { Mark } from '#contract/messages.ts';
import type { ErasureState } from '../model/erasure.ts';
import type { Field, KnownKey } from '../model/field.ts';
import type { GroupException, Way } from '../model/group.ts';
import type { Birth, Delivery, Lane } from '../model/identity.ts';
import type {
  DeliveryId,
  GroupId,
  IdentityUid,
  InstallationId,
  RouteId,
  SiteKey,
  WordPressId,
} from '../model/ids.ts';
import type { Standing } from '../model/leaving.ts';
import type { LogAction, LogStatus } from '../model/log-entry.ts';
import type {
  NetworkCounts,
  NetworkDriver,
  NetworkOrder,
  NetworkRunRecord,
  NetworkRunState,
  PreviewedSite,
} from '../model/network-run.ts';
import type { Path } from '../model/path.ts';
import type { Power } from '../model/power.ts';
import type { ProofKind } from '../model/proof.ts';
import type {
  Counted,
  DriftRow,
  Every,
  ReconcileRecord,
  ReconcileState,
} from '../model/reconcile.ts';
import type { Route, RouteRules, Site, SiteRules } from '../model/route.ts';
import type { Stamp } from '../model/stamp.ts';
import type {
  PlannedWhat,
  RunState,
  StepState,
  SyncRunRecord,
  SyncStep,
} from '../model/sync-run.ts';
import type { Installation, InstallationNews, SiteRecord } from '../sync/ports.ts';

/** Read parsed, written as JSON text. */
type Json<Read> = ColumnType<Read, string, string>;

export interface StoredMarks {
  readonly confirmed: Mark | null;
  readonly sent: readonly Mark[];
}

export interface StoredField {
  /** The value as JSON text. */
  readonly v?: string;
  /** The same, sealed. */
  readonly z?: string;
  readonly s: Stamp;
  readonly p: Path;
  readonly held?: string;
  /** The value was dropped after the retention. */
  readonly x?: true;
  /** The role of the route's source that was lost. */
  readonly l?: string;
  /** An address that its person has not confirmed. */
  readonly u?: true;
}

export interface Tables {
  hub_meta: {
    one: Generated<boolean>;
    hub_id: string;
    term: number;
    key_check: string;
    started_host: string | null;
    started_url: string | null;
    started_folder: string | null;
    log_days: Generated<number>;
    created_at_ms: Generated<number>;
    last_backup_ms: Generated<number | null>;
  };
  tokens: {
    name: string;
    role: string;
    secret_hash: string;
    created_at_ms: Generated<number>;
  };
  installations: {
    id: InstallationId;
    store: string;
    home: string;
    multisite: boolean;
    rest_url: string;
    public_only: Generated<boolean>;
    contract: number;
    state: Installation['state'];
    trouble: Json<Installation['trouble']> | null;
    failures: Generated<number>;
    retry_at_ms: Generated<number>;
    epoch: string | null;
    head: number;
    offset_ms: number;
    last_signal_ms: number | null;
    last_pulled_ms: number | null;
    credential: string | null;
    signal_secret: string | null;
    marks: Json<StoredMarks> | null;
    news: Json<Partial<InstallationNews>> | null;
    connector: string | null;
    wordpress: string | null;
  };
  sites: {
    key: SiteKey;
    installation: InstallationId;
    blog: number;
    name: string;
    url: string;
    rest_url: string;
    status: Site['status'];
    create_missing: boolean;
    /** What is not named in it is as usual. */
    rules: ColumnType<Partial<SiteRules>, string | undefined, string>;
    roles: Json<SiteRecord['roles']>;
    default_role: string;
    network: number | null;
    closed: NonNullable<Site['closed']> | null;
    /** Since when it counts as ended, or did so last. */
    ended_at_ms: Generated<number | null>;
    /** Privileged roles that it lets come. */
    consents: ColumnType<readonly string[], string | undefined, string>;
    removed: Generated<boolean>;
    log_on: Generated<boolean>;
    log_days: Generated<number | null>;
  };
  routes: {
    id: Generated<RouteId>;
    source: SiteKey;
    target: SiteKey;
    status: Route['status'];
    rules: Json<RouteRules>;
    group_id: ColumnType<GroupId | null, GroupId | undefined, GroupId | null>;
  };
  groups: {
    id: GroupId;
    name: string;
    status: Route['status'];
    rules: Json<Partial<RouteRules>>;
  };
  /** One row: another revision after every change of sites, routes and groups. */
  arranged: { one: Generated<boolean>; revision: Generated<string> };
  group_members: { group_id: GroupId; site: SiteKey; way: Way };
  group_exceptions: {
    group_id: GroupId;
    source: SiteKey;
    target: SiteKey;
    status: GroupException['status'];
    rules: Json<Partial<RouteRules>>;
  };
  identities: {
    uid: IdentityUid;
    alias_of: IdentityUid | null;
    created_at_ms: Generated<number>;
  };
  accounts: {
    uid: IdentityUid;
    installation: InstallationId;
    wp_id: WordPressId;
    login: string;
    login_key: string;
    email: string;
    email_key: string;
    registered: string;
    privileged: boolean;
    /** Null: nobody knows, or nothing does. */
    privileged_by: Json<Power> | null;
    outgoing_stopped: boolean;
    incoming_rejected: boolean;
    labelled: boolean;
    was_uid: IdentityUid | null;
    known: Json<Readonly<Record<KnownKey, Stamp>>>;
    /** Site key → roles there. */
    roles: ColumnType<Readonly<Record<string, readonly string[]>>, string | undefined, string>;
    /** What its routes ask for; null: never told. */
    standing: Json<Standing> | null;
    gone: Json<Stamp> | null;
    alarm: string | null;
  };
  links: {
    uid: IdentityUid;
    installation: InstallationId;
    wp_id: WordPressId;
    by: 'email' | 'login';
    at_ms: Generated<number>;
  };
  deliveries: {
    uid: IdentityUid;
    target: SiteKey;
    id: DeliveryId;
    installation: InstallationId;
    lane: Lane;
    fields: Json<Readonly<Record<Field, StoredField>>>;
    birth: Json<Birth> | null;
    gone: Json<NonNullable<Delivery['gone']>> | null;
    held: string | null;
    actor: string | null;
    attempts: number;
    version: number;
    not_before_ms: number;
    queued_at_ms: Generated<number>;
    lease_until_ms: number | null;
    waits_email: string | null;
    waits_login: string | null;
    sendable: ColumnType<boolean, never, never>;
    waiting: ColumnType<boolean, never, never>;
  };
  stopped: {
    uid: IdentityUid;
    target: SiteKey;
    fields: Json<Readonly<Record<Field, Stamp>>>;
  };
  changes: {
    installation: InstallationId;
    row: string;
    rev: number;
    kind: string;
    wp_id: WordPressId | null;
    uid: IdentityUid | null;
    actor: string | null;
    fields: Json<readonly Field[]>;
    at_ms: number;
    captured_at_ms: Generated<number>;
    acknowledged_at_ms: number | null;
  };
  creations: {
    installation: InstallationId;
    at_ms: Generated<number>;
    count: number;
  };
  site_events: {
    id: Generated<number>;
    at_ms: Generated<number>;
    installation: InstallationId;
    code: string;
    message: string;
    actor: string | null;
  };
  approvals: {
    id: string;
    secret_hash: string;
    url: string;
    name: string;
    rest_url: string;
    public_only: boolean;
    operator: string;
    ends_ms: number;
    state: 'open' | 'connecting' | 'connected' | 'rejected' | 'failed';
    fault: Json<{ readonly code: string; readonly message: string }> | null;
  };
  erasures: {
    id: string;
    installation: InstallationId;
    row: string;
    wp_id: WordPressId;
    login: string;
    root: string | null;
    settled: Generated<boolean>;
    at_ms: Generated<number>;
  };
  erasure_steps: {
    id: Generated<number>;
    root: string;
    uid: IdentityUid;
    source: SiteKey;
    target: SiteKey;
    installation: InstallationId;
    state: Generated<ErasureState>;
    reason: string | null;
    released: Generated<boolean>;
    at_ms: Generated<number>;
  };
  proofs: {
    id: string;
    kind: ProofKind;
    pair: string;
    started_by: string;
    at_ms: Generated<number>;
    ends_ms: number;
    salt: string | null;
    ended: string | null;
  };
  proof_halves: {
    half: string;
    proof: string;
    side: number;
    installation: InstallationId;
    site: SiteKey;
    wp_id: WordPressId;
    login: string;
    registered: string;
    asked: Generated<boolean>;
    confirmed_ms: number | null;
    verifier: string | null;
    forgotten: Generated<boolean>;
  };
  refreshes: {
    installation: InstallationId;
    wp_id: WordPressId;
    queued_at_ms: Generated<number>;
    creates: Generated<boolean>;
  };
  restamps: {
    installation: InstallationId;
    wp_id: WordPressId;
    queued_at_ms: Generated<number>;
  };
  sync_runs: {
    id: string;
    state: RunState;
    source: SiteKey;
    request: Json<unknown>;
    started_by: string;
    at_ms: Generated<number>;
    started_ms: number | null;
    paused_ms: number | null;
    paused_for_ms: Generated<number>;
    ended_ms: number | null;
    read_to: number | null;
    accounts: Generated<number>;
    only_there: Generated<number | null>;
    starts: boolean;
    removes_created: Generated<boolean>;
    undone_by: string | null;
    fault: Json<SyncRunRecord['fault']> | null;
  };
  sync_steps: {
    run: string;
    wp_id: WordPressId;
    target: SiteKey;
    uid: IdentityUid;
    login: string;
    what: PlannedWhat;
    other: string | null;
    proven: boolean;
    fields: Json<readonly Field[]>;
    reason: string | null;
    seen: string;
    state: StepState;
    note: string | null;
    at_least_ms: number;
    kept: string | null;
    stamps: Json<Readonly<Record<Field, Stamp>>> | null;
    pair: SyncStep['pair'];
    sides: Json<NonNullable<SyncStep['sides']>> | null;
    decision: Generated<SyncStep['decision']>;
  };
  network_runs: {
    id: string;
    installation: string;
    network: number;
    main: number;
    spec: Json<unknown>;
    state: NetworkRunState;
    starts: Generated<boolean>;
    driver: Generated<NetworkDriver>;
    started_by: string;
    at_ms: Generated<number>;
    started_ms: number | null;
    ended_ms: number | null;
    previewed_to: Generated<number | null>;
    preview: ColumnType<readonly PreviewedSite[], never, never>;
    counts: Json<NetworkCounts>;
    next: number | null;
    worked_ms: Generated<number>;
    worked_pairs: Generated<number>;
    wanted: NetworkOrder | null;
    wanted_by: string | null;
    failures: Generated<number>;
    retry_at_ms: Generated<number>;
    fault: Json<NetworkRunRecord['fault']> | null;
  };
  reconciles: {
    id: string;
    source: SiteKey;
    target: SiteKey;
    state: ReconcileState;
    repair: boolean;
    extra: boolean;
    started_by: string;
    at_ms: Generated<number>;
    ended_ms: number | null;
    read_to: Generated<number>;
    accounts: Generated<number>;
    total: number | null;
    counts: ColumnType<readonly Counted[], never, string>;
    fault: Json<ReconcileRecord['fault']> | null;
  };
  reconcile_rows: {
    reconcile: string;
    side: DriftRow['side'];
    wp_id: WordPressId;
    reason: string;
    what: DriftRow['what'];
    uid: IdentityUid | null;
    login: string;
    fields: Json<readonly Field[]>;
    state: DriftRow['state'];
  };
  reconcile_schedules: {
    route: RouteId;
    every: Every;
    repair: boolean;
    next_ms: Generated<number>;
  };
  sync_log: {
    id: Generated<number>;
    at_ms: Generated<number>;
    uid: IdentityUid;
    login: string;
    login_key: string;
    source: SiteKey | null;
    target: SiteKey;
    action: LogAction;
    status: LogStatus;
    reason: string | null;
    fields: Json<readonly Field[]>;
    path: Json<Path>;
    actor: string | null;
    delivery: DeliveryId | null;
    attempts: number;
    duration_ms: number | null;
    unconfirmed: Generated<boolean>;
  };
}
