/**
 * What the engine needs from the world. `storage` and `wordpress` implement it; `main.ts` wires.
 */
import type {
  AccountsAnswer,
  ApplyAnswer,
  ChangesAnswer,
  DigestsAnswer,
  ErasureOrder,
  ErasureResult,
  GuardAnswer,
  Label,
  Mark,
  MarkOffer,
  Notice,
  Operation,
  ProofOrder,
  ProofResult,
  StatusAnswer,
  SwitchOrder,
  SwitchResult,
} from '#contract/messages.ts';
import type { Field } from '../model/field.ts';
import type { Account, Candidate, Delivery, Identity, Lane } from '../model/identity.ts';
import type {
  DeliveryId,
  IdentityUid,
  InstallationId,
  RouteId,
  SiteKey,
  WordPressId,
} from '../model/ids.ts';
import type { LogAction, LogEntry, LogStatus } from '../model/log-entry.ts';
import type { Confirmation, NewProof, Proof } from '../model/proof.ts';
import type { Route, RouteRules, Site, SiteRules, Topology } from '../model/route.ts';

export type { KeptSites } from './kept-sites.ts';
export type { OnlyThere, Runs } from './run-ports.ts';

// ---- a site ---------------------------------------------------------------------------------

export interface HubIdentity {
  readonly id: string;
  readonly term: number;
}

/** A secret in memory; encrypted wherever it rests. */
export interface Credential {
  readonly user: string;
  readonly password: string;
}

/** Where and as whom an installation is spoken to. */
export interface Connection {
  readonly installation: InstallationId;
  /** REST root of the site spoken to, as discovered. */
  readonly restUrl: string;
  /** It was connected at a public address, so it is never looked for at a private one. */
  readonly publicOnly: boolean;
  readonly credential: Credential;
  readonly hub: HubIdentity;
}

export type RowRef = readonly [row: string, rev: number];

/**
 * A connected installation. Every call throws `Fault` (codes `site.*`) when the site can't be
 * spoken to; repeating any call is safe.
 */
export interface SitePort {
  status(connection: Connection): Promise<StatusAnswer & { readonly roundTripMs: number }>;
  changes(
    connection: Connection,
    request: {
      ack: readonly RowRef[];
      limit: number;
      restamp?: readonly WordPressId[];
      mark?: MarkOffer;
    },
  ): Promise<ChangesAnswer>;
  accounts(
    connection: Connection,
    request: {
      after: number;
      limit: number;
      ids?: readonly number[];
      logins?: readonly string[];
      roles?: readonly string[];
      search?: string;
      detail: 'who' | 'state';
    },
  ): Promise<AccountsAnswer>;
  /** Sums over what accounts hold, for comparing two sites. A connector without them has no such route. */
  digests(
    connection: Connection,
    request: {
      blog: number;
      after: number;
      limit: number;
      ids?: readonly number[];
      fields: readonly Field[];
    },
  ): Promise<DigestsAnswer>;
  labels(
    connection: Connection,
    labels: readonly Label[],
  ): Promise<readonly { id: number; result: 'labelled' | 'already' | 'mismatch' | 'missing' }[]>;
  apply(
    connection: Connection,
    request: { operations: readonly Operation[]; dryRun: boolean; mark?: MarkOffer },
  ): Promise<ApplyAnswer>;
  settings(
    connection: Connection,
    settings: {
      keys?: Readonly<Record<string, number>>;
      meta?: readonly string[];
      ext?: readonly string[];
      offsetMs?: number;
      signal?: { url: string; secret: string } | null;
      /** What the site's own administrators are to be told; null: nothing any more. */
      notice?: Notice | null;
      /** A first sign-in to an account is told as a change of it. */
      signIns?: boolean;
    },
  ): Promise<void>;
  /** Stamps the named fields anew on the site, not below `atLeastMs`; they come out as changes. */
  stamp(
    connection: Connection,
    stamps: readonly StampOrder[],
  ): Promise<readonly { id: number; result: 'stamped' | 'busy' | 'missing' | 'mismatch' }[]>;
  /** What becomes of values that were written past WordPress, a page of accounts at a time. */
  outside(
    connection: Connection,
    request: { take: 'edits' | 'others' | 'nothing'; after: number },
  ): Promise<{ readonly changed: number; readonly next: number | null }>;
  /** A site's guard; what is named is tightened first, all of it or nothing. */
  guard(
    connection: Connection,
    request: {
      blog: number;
      readOnly?: boolean;
      revoke?: readonly string[];
      whitelist?: boolean;
      sources?: readonly string[];
      check?: { address: string; url: string };
    },
  ): Promise<GuardAnswer>;
  /** Sets switches of accounts; one answer for each. */
  switches(
    connection: Connection,
    orders: readonly SwitchOrder[],
  ): Promise<readonly SwitchResult[]>;
  /** Has confirmed erasure requests opened; one answer for each. */
  erase(connection: Connection, orders: readonly ErasureOrder[]): Promise<readonly ErasureResult[]>;
  /** Asks for halves of proofs, or takes them back; one answer for each that the site had time for. */
  proofs(connection: Connection, orders: readonly ProofOrder[]): Promise<readonly ProofResult[]>;
  /** One that is to follow the connection's own, which stays good until the new one was used. */
  newCredential(connection: Connection): Promise<Credential>;
  disconnect(connection: Connection): Promise<void>;
}

export interface StampOrder {
  readonly id: number;
  readonly uid: IdentityUid;
  readonly blog: number;
  readonly fields: readonly Field[];
  readonly atLeastMs: number;
}

// ---- installations, sites, routes -------------------------------------------------------------

export type InstallationState = 'active' | 'attention' | 'removed';

export interface Installation {
  readonly id: InstallationId;
  readonly store: string;
  readonly home: string;
  readonly multisite: boolean;
  readonly restUrl: string;
  /** It was connected at a public address, so it is never looked for at a private one. */
  readonly publicOnly: boolean;
  readonly contract: number;
  /** What ran there when it was asked last; null: not asked since this is kept. */
  readonly connector: string | null;
  readonly wordpress: string | null;
  readonly state: InstallationState;
  /** Fault or reason code, with its sentence, while the installation needs attention or backs off. */
  readonly trouble: { readonly code: string; readonly message: string } | null;
  /** Consecutive failures to reach it, and when it is tried again (hub ms). */
  readonly failures: number;
  readonly retryAtMs: number;
  readonly epoch: string | null;
  readonly head: number;
  readonly offsetMs: number;
  /** When the last signal of it arrived (hub ms); null: none yet. */
  readonly lastSignalMs: number | null;
  /** When the site was last read to the end; null: not even who is on it is known for certain. */
  readonly lastPulledMs: number | null;
}

/** What was heard of an installation beside what it is spoken to about. Times are hub ms. */
export interface InstallationNews {
  /** A copy woke up at this home, or the site itself after a move. */
  readonly copy: { readonly home: string; readonly atMs: number } | null;
  /** It was found at another address of its own; until then it was spoken to here. */
  readonly found: { readonly from: string; readonly atMs: number } | null;
  /** It holds values that were written past WordPress, and says so in this sentence. */
  readonly rewritten: { readonly message: string; readonly atMs: number } | null;
  /** Another plugin there syncs users, too, and the site says so in this sentence. */
  readonly others: { readonly message: string; readonly atMs: number } | null;
}

/** What happened to an installation as a whole, or what a person said of it. */
export interface SiteEvent {
  /** Fault or reason code, with its sentence. */
  readonly code: string;
  readonly message: string;
  /** Who said so; null: the hub saw it. */
  readonly actor: string | null;
}
export interface SiteEventRow extends SiteEvent {
  readonly id: number;
  readonly installation: InstallationId;
  readonly atMs: number;
}

export interface SiteRecord extends Site {
  readonly restUrl: string;
  readonly roles: Readonly<Record<string, { name: string; privileged: boolean }>>;
  readonly defaultRole: string;
}

/** Everything about sites and routes. Each call is a transaction of its own. */
export interface Registry {
  topology(): Promise<Topology>;
  installations(): Promise<readonly Installation[]>;
  installation(id: InstallationId): Promise<Installation>;
  /** The installation of this users table, living or removed, with the sites it had; null: never seen. */
  installationOfStore(
    store: string,
  ): Promise<{ readonly installation: Installation; readonly sites: readonly SiteRecord[] } | null>;
  sites(): Promise<readonly SiteRecord[]>;
  /** Reserves keys that are never used again, for blogs about to be connected. */
  reserveSiteKeys(count: number): Promise<readonly SiteKey[]>;
  /** Adds or renews. Throws `site.name_taken`. */
  saveInstallation(
    installation: Omit<Installation, 'failures' | 'retryAtMs' | 'lastPulledMs'>,
    sites: readonly SiteRecord[],
    secrets: { credential: Credential; signalSecret: string },
  ): Promise<void>;
  connection(id: InstallationId): Promise<Connection>;
  signalSecret(id: InstallationId): Promise<string | null>;
  /** Only where `from` is still the one that is kept; false: somebody else renewed it meanwhile. */
  replaceCredential(id: InstallationId, from: Credential, to: Credential): Promise<boolean>;
  updateInstallation(
    id: InstallationId,
    change: Partial<
      Pick<
        Installation,
        | 'state'
        | 'connector'
        | 'wordpress'
        | 'trouble'
        | 'failures'
        | 'retryAtMs'
        | 'epoch'
        | 'head'
        | 'offsetMs'
        | 'lastSignalMs'
        | 'contract'
        | 'restUrl'
        | 'lastPulledMs'
      >
    >,
  ): Promise<void>;
  /** The installation is spoken to elsewhere from now on; its sites are shown there. */
  relocate(
    id: InstallationId,
    place: {
      readonly restUrl: string;
      readonly publicOnly: boolean;
      readonly home: string;
      readonly sites: readonly {
        readonly blog: number;
        readonly url: string;
        readonly restUrl: string;
      }[];
    },
  ): Promise<void>;
  news(id: InstallationId): Promise<InstallationNews>;
  /** What is not named stays. */
  noteNews(id: InstallationId, change: Partial<InstallationNews>): Promise<void>;
  /** Of one kind and installation some ten an hour are kept. */
  noteEvent(id: InstallationId, event: SiteEvent): Promise<void>;
  /** Sites of a network that came or changed, and those that ended. What waits for these goes on waiting. */
  keepSites(
    id: InstallationId,
    change: { readonly sites: readonly SiteRecord[]; readonly ended: readonly SiteKey[] },
  ): Promise<void>;
  updateSite(
    key: SiteKey,
    change: Partial<
      Pick<SiteRecord, 'status' | 'createMissing' | 'name' | 'roles' | 'consents'>
    > & {
      /** What is not named stays. */
      readonly rules?: Partial<SiteRules>;
    },
  ): Promise<void>;
  /** Keeps identities and tombstones, cancels what is pending (`site.removed`), forgets credentials. */
  removeInstallation(id: InstallationId): Promise<void>;
  /** Takes a site out that no longer exists on its network, with its routes and what waits for it; nothing else of its installation. */
  removeEnded(key: SiteKey): Promise<void>;
  addRoute(route: { source: SiteKey; target: SiteKey; rules: RouteRules }): Promise<Route>;
  /** What waits for the route is due again. */
  updateRoute(id: RouteId, change: { status?: Route['status']; rules?: RouteRules }): Promise<void>;
  removeRoute(id: RouteId): Promise<void>;
}

/** Who went back to an earlier state: the site's database, or the hub's own. */
export type Rewound = 'site' | 'hub';

/** Where hub and site stood together last. Each call is a transaction of its own, safe to repeat. */
export interface Marks {
  /** All that the site may hold, and the next one for it: remembered before the site is told. */
  offer(installation: InstallationId): Promise<MarkOffer>;
  /** The request with this offer was answered: `held` is what the site holds now; null: it refused. */
  settle(installation: InstallationId, offered: Mark, held: Mark | null): Promise<void>;
  /** Null: the site may well hold this. */
  judge(installation: InstallationId, held: Mark | null): Promise<Rewound | null>;
  /** From here on: what the site holds, whatever it was before. */
  reset(installation: InstallationId, held: Mark | null): Promise<void>;
}

/** Proofs of links. Each call is a transaction of its own, safe to repeat. */
export interface Proofs {
  /** The open one of this kind for this pair: this one, or the one that was there. */
  open(proof: NewProof): Promise<Proof>;
  find(id: string): Promise<Proof | null>;
  /** Open and ended ones, the newest first. */
  list(): Promise<readonly Proof[]>;
  /** Open ones, and ended ones that this installation was not told of yet, as long as it may know of them. */
  concerning(installation: InstallationId): Promise<readonly Proof[]>;
  noteAsked(half: string): Promise<void>;
  noteForgotten(half: string): Promise<void>;
  /** What this installation says is confirmed; halves that were not made for that account there count for nothing. */
  confirm(installation: InstallationId, confirmations: readonly Confirmation[]): Promise<number>;
}

// ---- people and what travels -------------------------------------------------------------------

export interface CapturedChange {
  readonly row: string;
  readonly rev: number;
  readonly kind: string;
  readonly wpId: number | null;
  readonly uid: IdentityUid | null;
  readonly actor: unknown;
  readonly fields: readonly Field[];
  readonly atMs: number;
}

/** An account that ended. */
export interface Ended {
  readonly uid: IdentityUid;
  readonly login: string;
  readonly registered: string;
}

export interface ClaimedDelivery {
  readonly identity: Identity;
  readonly delivery: Delivery;
}

/** An account to be read again. */
export interface Refresh {
  readonly wpId: WordPressId;
  readonly queuedAtMs: number;
  /** It could not be created somewhere, and may now. Otherwise what is known of its birth is old. */
  readonly creates: boolean;
}

/**
 * One database transaction. Identities handed out are locked until it ends, in uid order, so
 * two transactions never learn of one person at the same time and never wait for each other
 * in a circle.
 */
export interface Transaction {
  /** The database's clock, ms. Hub time is this and nothing else. */
  nowMs(): Promise<number>;
  /** Remembers rows once per (row, rev); returns the indexes of those not seen before. */
  appendChanges(
    installation: InstallationId,
    changes: readonly CapturedChange[],
  ): Promise<readonly number[]>;
  /** Identities by the account on an installation; a missing key: the hub doesn't know the account. */
  lockByAccount(
    installation: InstallationId,
    ids: readonly WordPressId[],
  ): Promise<ReadonlyMap<WordPressId, Identity>>;
  /** By uid; an alias leads to the identity it became. */
  lockByUid(uids: readonly IdentityUid[]): Promise<ReadonlyMap<IdentityUid, Identity>>;
  /** Accounts on these installations with the same e-mail or login, for people who have none there. */
  candidates(
    people: readonly {
      uid: IdentityUid;
      email: string;
      login: string;
      /** Where the person has living accounts; what is stored counts, too. Needed before a first save. */
      on?: readonly InstallationId[];
    }[],
    installations: readonly InstallationId[],
  ): Promise<(uid: IdentityUid, installation: InstallationId) => readonly Candidate[]>;
  /** Stores identities as they are now: accounts, known stamps, deliveries, stopped marks. New ones are inserted. */
  save(identities: readonly Identity[]): Promise<void>;
  /** Older accounts that may be the same person, until proven; once per pair. */
  saveLinks(
    links: readonly {
      uid: IdentityUid;
      installation: InstallationId;
      wpId: WordPressId;
      by: 'email' | 'login';
    }[],
  ): Promise<void>;
  /**
   * These accounts ended or have another address: whoever was taken for one of them may be somebody
   * new. The links are forgotten, and the other persons' accounts are queued to be read again.
   */
  forgetLinksTo(installation: InstallationId, ids: readonly WordPressId[]): Promise<void>;
  /** Two identities are one person from now on; `from` becomes an alias of `into` for ever. Deliveries of `from` are merged. */
  mergeIdentities(into: IdentityUid, from: IdentityUid): Promise<void>;
  /** `ended`: `proven` or a reason. What the sites answered is thrown away. False: it had ended before. */
  endProof(id: string, ended: string): Promise<boolean>;
  appendLog(entries: readonly LogEntry[]): Promise<void>;
  /** Accounts whose whole state must be read from their site (again). */
  queueRefresh(
    installation: InstallationId,
    ids: readonly WordPressId[],
    options?: Pick<Refresh, 'creates'>,
  ): Promise<void>;
  /** These were read. What was queued again since it was listed stays. */
  clearRefreshes(installation: InstallationId, refreshes: readonly Refresh[]): Promise<void>;
  /** Accounts to be asked to stamp again (their stamps lie in the future). */
  queueRestamp(installation: InstallationId, ids: readonly WordPressId[]): Promise<void>;
  /** WordPress ids of the living accounts in a span of ids; `upTo` null: to the end. */
  livingAccounts(
    installation: InstallationId,
    span: { readonly after: number; readonly upTo: number | null },
  ): Promise<readonly WordPressId[]>;
  /** Accounts that ended there and had one of these ids. */
  endedAccounts(
    installation: InstallationId,
    ids: readonly WordPressId[],
  ): Promise<ReadonlyMap<WordPressId, readonly Ended[]>>;
  /** The site's outbox is another one now: rows, acknowledgements and orders of the old one mean nothing. */
  forgetOutbox(installation: InstallationId): Promise<void>;
  /** Held deliveries and fields that waited for one of these addresses or logins are tried again. */
  releaseHeld(
    installation: InstallationId,
    freed: { emails: readonly string[]; logins: readonly string[] },
  ): Promise<number>;
  setCursor(installation: InstallationId, cursor: { epoch: string; head: number }): Promise<void>;
  /**
   * Takes deliveries of one installation and lane that are due, oldest first, for `leaseMs`. Skips
   * what another process holds. Attempts are raised.
   */
  claim(
    installation: InstallationId,
    lane: Lane,
    options: { limit: number; leaseMs: number },
  ): Promise<readonly ClaimedDelivery[]>;
  /**
   * Gives leases back, whatever became of them. Those without an answer don't count as tried, but
   * for the first time: a site that was away is nothing that they did.
   */
  releaseClaims(
    deliveries: readonly DeliveryId[],
    unanswered: readonly DeliveryId[],
  ): Promise<void>;
  /** What backs off there is due at once. What settles or is held is not. */
  retryNow(installation: InstallationId): Promise<void>;
  /** For the creation limit: new accounts that an installation has brought, lately and in 24 hours. */
  creations(
    installation: InstallationId,
    withinMs: number,
  ): Promise<{ recent: number; today: number }>;
  noteCreations(installation: InstallationId, count: number): Promise<void>;
  /** For the deletion limit: how many deletes are settled and waiting, how many accounts there are. */
  deletesDue(
    installation: InstallationId,
  ): Promise<{ due: number; accounts: number; doneToday: number }>;
  holdDeletes(installation: InstallationId, reason: string): Promise<number>;
}

export interface Store {
  /**
   * All or nothing. `work` may run again when two transactions met (both learned of one account,
   * or waited for each other), so its effects are in the transaction alone. Inside it, the store,
   * the registry, the views and the wake refuse to be called.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  nowMs(): Promise<number>;
  /** Rows read and committed, not yet acknowledged to the site. */
  unacknowledged(installation: InstallationId): Promise<readonly RowRef[]>;
  markAcknowledged(installation: InstallationId, rows: readonly RowRef[]): Promise<void>;
  /** Accounts whose label the site hasn't confirmed. */
  unlabelled(installation: InstallationId, limit: number): Promise<readonly Label[]>;
  /** The site has confirmed these labels; one that is no longer the account's stays unconfirmed. */
  markLabelled(
    installation: InstallationId,
    labels: readonly Pick<Label, 'id' | 'uid'>[],
  ): Promise<void>;
  /** Accounts to be read again, oldest first; they stay queued until what was read is learned. */
  refreshes(installation: InstallationId, limit: number): Promise<readonly Refresh[]>;
  restamps(installation: InstallationId): Promise<readonly WordPressId[]>;
  clearRestamps(installation: InstallationId, ids: readonly WordPressId[]): Promise<void>;
  /** Prolongs leases of this length until the function that it returns is called. */
  keepLeased(deliveries: readonly DeliveryId[], leaseMs: number): () => void;
  /**
   * Ends all leases. Only for a process that has the store to itself and is just starting: what
   * it had claimed before it was killed is due again at once.
   */
  forgetLeases(): Promise<void>;
  /** Installations with deliveries due now, by lane; and when the next becomes due. */
  due(): Promise<{
    readonly now: readonly { installation: InstallationId; lane: Lane }[];
    readonly nextMs: number | null;
    /** Installations with accounts to be read again. */
    readonly toRead: readonly InstallationId[];
  }>;
}

// ---- what is shown -----------------------------------------------------------------------------

export interface LogQuery {
  readonly statuses?: readonly LogStatus[];
  readonly actions?: readonly LogAction[];
  readonly reason?: string;
  /** As source or as target. */
  readonly site?: SiteKey;
  readonly login?: string;
  /** Also rows that were written about an identity which has become this one, or the other way round. */
  readonly uid?: string;
  readonly ids?: readonly number[];
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Rows after this id, oldest first (`--follow`); without it the newest first. */
  readonly afterId?: number;
  /** Rows before this id, newest first. */
  readonly beforeId?: number;
  readonly limit: number;
}
export interface LogRow extends LogEntry {
  readonly id: number;
  readonly atMs: number;
}

export interface Backlog {
  readonly installation: InstallationId;
  readonly pending: number;
  readonly held: number;
  /** Of the pending, those that failed again and again. */
  readonly failing: number;
  readonly oldestPendingMs: number | null;
  readonly unacknowledged: number;
  readonly unlabelled: number;
  readonly refreshes: number;
}

export interface HeldDelivery {
  readonly delivery: DeliveryId;
  readonly uid: IdentityUid;
  readonly login: string;
  readonly target: SiteKey;
  readonly reason: string;
  readonly fields: readonly Field[];
  readonly queuedAtMs: number;
}

/** An account that something held is about. */
export interface HeldAccount {
  readonly uid: IdentityUid;
  readonly installation: InstallationId;
  readonly wpId: WordPressId;
  readonly login: string;
  readonly email: string;
  readonly registered: string;
  readonly privileged: boolean;
  readonly gone: boolean;
  /** Site key → roles there. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
}
export interface HeldParties {
  /** Where it comes from last; null: not known any more. */
  readonly source: SiteKey | null;
  readonly here: HeldAccount | null;
  /** The same person's account where it goes. */
  readonly there: HeldAccount | null;
  /** Somebody else's account there that has the address or the login. */
  readonly inTheWay: HeldAccount | null;
}

export interface AlarmedAccount {
  readonly uid: IdentityUid;
  readonly installation: InstallationId;
  readonly wpId: WordPressId;
  readonly login: string;
  readonly alarm: string;
}

export interface HeldQuery {
  readonly deliveries?: readonly string[];
  readonly reason?: string;
  readonly targets?: readonly SiteKey[];
  /** Where it comes from last. */
  readonly source?: SiteKey;
  readonly queuedUntilMs?: number;
  /** Those that follow this one, which need not be held any more. */
  readonly after?: Pick<HeldDelivery, 'queuedAtMs' | 'delivery'>;
  readonly limit: number;
}

export interface AlarmQuery {
  readonly installation?: InstallationId;
  readonly alarms?: readonly string[];
  readonly logins?: readonly string[];
  /** Those that follow this one, which need not be under an alarm any more. */
  readonly after?: Pick<AlarmedAccount, 'login' | 'wpId' | 'installation'>;
  readonly limit: number;
}

/** How long rows are kept, and of which sites. A row is kept by the settings of its target. */
export interface LogSettings {
  readonly days: number;
  readonly sites: readonly SiteLog[];
}
export interface SiteLog {
  readonly site: SiteKey;
  /** Off: nothing is written, but for deletes, which the deletion limit counts. */
  readonly on: boolean;
  /** Null: as the hub says. */
  readonly days: number | null;
}

/** Each call is a transaction of its own. */
export interface LogKeeping {
  settings(): Promise<LogSettings>;
  setDays(days: number): Promise<void>;
  /** What is not named stays. @throws Fault `site.unknown` */
  setSite(site: SiteKey, change: Partial<Pick<SiteLog, 'on' | 'days'>>): Promise<void>;
}

/** An older account that may be the same person. */
export interface UnprovenLink {
  readonly uid: IdentityUid;
  readonly installation: InstallationId;
  readonly wpId: WordPressId;
  /** What the source's routes ask for, of the younger account. */
  readonly told: Pick<Account, 'roles' | 'standing'>;
}

/** Reads for people; never locks. */
export interface Views {
  log(query: LogQuery): Promise<readonly LogRow[]>;
  backlog(): Promise<readonly Backlog[]>;
  /** Oldest first. */
  held(query: HeldQuery): Promise<readonly HeldDelivery[]>;
  heldParties(deliveries: readonly DeliveryId[]): Promise<ReadonlyMap<DeliveryId, HeldParties>>;
  /** What was tried and waits to be tried again, the oldest first. */
  backingOff(query: {
    readonly target?: SiteKey;
    readonly limit: number;
  }): Promise<readonly { readonly uid: IdentityUid; readonly target: SiteKey }[]>;
  heldByReason(): Promise<readonly { readonly reason: string; readonly count: number }[]>;
  /** The identity that has this login on this installation. */
  identityByLogin(installation: InstallationId, login: string): Promise<Identity | null>;
  candidatesOf(
    identity: Identity,
    from: InstallationId,
    installations: readonly InstallationId[],
  ): Promise<(installation: InstallationId) => readonly Candidate[]>;
  links(uid: IdentityUid): Promise<
    readonly {
      installation: InstallationId;
      wpId: WordPressId;
      login: string;
      by: string;
      privileged: boolean;
    }[]
  >;
  /**
   * Links by e-mail of accounts on this installation that came by their address themselves; without those
   * where either account may not be linked, as far as one row says so.
   */
  linksFrom(installation: InstallationId): Promise<readonly UnprovenLink[]>;
  /** How many links wait for proof, of all persons. */
  linkCount(): Promise<number>;
  accountCount(installation: InstallationId): Promise<number>;
  /** Living accounts under an alarm, by login. */
  alarms(query: AlarmQuery): Promise<readonly AlarmedAccount[]>;
  alarmsByKind(): Promise<
    readonly {
      readonly installation: InstallationId;
      readonly alarm: string;
      readonly count: number;
    }[]
  >;
  /** The newest first. */
  siteEvents(query: {
    readonly installation?: InstallationId;
    readonly limit: number;
  }): Promise<readonly SiteEventRow[]>;
}

/**
 * Wakes the workers; a hint, never the truth: the tables say what is to be done. At most one
 * wake per key waits; a wake while the work is running leads to one more run.
 */
export interface Wake {
  pull(installation: InstallationId, when?: { readonly afterMs: number }): Promise<void>;
  deliver(installation: InstallationId, lane: Lane): Promise<void>;
  /** A manual sync has something to do. */
  run(id: string): Promise<void>;
  /** Asks at that time what is due then. The earliest asked for counts. */
  due(when: { readonly afterMs: number }): Promise<void>;
}
