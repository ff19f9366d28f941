/**
 * What the HTTP API needs the hub to do. `operate/` implements it; `main.ts` wires.
 *
 * Sites are named by their names, routes by their ids. Inputs are parsed and within limits when
 * they get here; whether what they name exists is the operation's to say. Every method throws
 * `Fault`, and nothing has changed then unless its comment says otherwise.
 */
import type { Signal } from '#contract/messages.ts';
import type { NetworkOperations } from './network-operations.ts';
import type { AccountQuery, AccountView, SwitchAccount } from './schemas/account.ts';
import type {
  AppliedConfig,
  ApplyConfig,
  ConfigDiff,
  ConfigView,
  DiffConfig,
} from './schemas/config.ts';
import type { Diagnosis } from './schemas/doctor.ts';
import type { Explanation } from './schemas/explain.ts';
import type { AddGroup, AddMembers, ChangeGroup, Except, GroupView } from './schemas/group.ts';
import type { GuardQuery, GuardView, TightenGuard } from './schemas/guard.ts';
import type {
  DecidedHeld,
  DecideHeld,
  HeldList,
  HeldQuery,
  HeldRow,
  ProveLink,
  ProvenLink,
  Resolution,
  ResolvedHeld,
} from './schemas/held.ts';
import type {
  ChangeLogSettings,
  ChangeSiteLog,
  LogFilter,
  LogPage,
  LogQuery,
  LogRow,
  LogSettings,
  Retried,
  Retry,
} from './schemas/log.ts';
import type {
  DecidedErasures,
  DecideErasures,
  ErasedPerson,
  ErasureList,
  PersonQuery,
  PersonRecords,
} from './schemas/privacy.ts';
import type { AskedProof, AskForProof } from './schemas/proof.ts';
import type {
  DriftQuery,
  DriftRows,
  ReconcileList,
  ReconcileListQuery,
  ReconcileRequest,
  ReconcileView,
} from './schemas/reconcile.ts';
import type {
  AlarmList,
  AlarmListQuery,
  AnswerAlarms,
  AnsweredAlarms,
  Rebuilt,
  Recovery,
  RereadSite,
  Rewritten,
  RewrittenSite,
} from './schemas/recovery.ts';
import type { AddRoute, ChangeRoute, RouteView } from './schemas/route.ts';
import type {
  AddedSite,
  AddSite,
  ApprovalView,
  ChangedSite,
  ChangeSite,
  CheckedSite,
  CopiedSite,
  MovedSite,
  MoveSite,
  RemovedSite,
  RemoveSite,
  RotatedSite,
  SiteTest,
  SiteView,
  StartApproval,
  StartedApproval,
} from './schemas/site.ts';
import type { SiteEvent, SiteEventQuery } from './schemas/site-event.ts';
import type { HubStatus, RunReport } from './schemas/status.ts';
import type {
  DecideSync,
  OnlyThere,
  OnlyThereQuery,
  StartSync,
  SyncList,
  SyncListQuery,
  SyncRequest,
  SyncRun,
  SyncSteps,
  SyncStepsQuery,
  UndoSync,
} from './schemas/sync.ts';

export interface Operations extends NetworkOperations {
  /** Discovers, connects and stores. Repeating it with the same address and name renews the credential. */
  addSite(site: AddSite): Promise<AddedSite>;
  sites(): Promise<readonly SiteView[]>;
  /** All that `addSite` does before it changes anything. What would be in its way is the fault. */
  checkSite(site: AddSite): Promise<CheckedSite>;
  /** An administrator is asked on WordPress's own page. @param by who may look what became of it */
  startApproval(wanted: StartApproval, by: string): Promise<StartedApproval>;
  approval(id: string, by: string): Promise<ApprovalView>;
  /** A browser came back with an approval. False: nobody waits for it (any longer). */
  approvalCame(secret: string, approved: { user: string; password: string }): Promise<boolean>;
  approvalRejected(secret: string): Promise<boolean>;
  /** What is wrong is the answer, not a fault; only an unknown name is. */
  testSite(name: string): Promise<SiteTest>;
  changeSite(name: string, change: ChangeSite): Promise<ChangedSite>;
  /** Replaces the hub's credential on the site; the one before ends once the new one was used. */
  rotateSite(name: string, by: string): Promise<RotatedSite>;
  /**
   * A person says that the site moved: it is looked for at `url`, or where it redirects to, and spoken
   * to there when it is the very same installation. `site.another`, `site.moved` when it isn't, or
   * when its own administrator has not said so yet.
   */
  siteMoved(name: string, move: MoveSite, by: string): Promise<MovedSite>;
  /** What woke up elsewhere is a copy; it is not asked. `site.no_copy`: none has been heard of. */
  siteCopied(name: string, by: string): Promise<CopiedSite>;
  /** What the site lets the hub do, asked of the site itself. */
  guard(name: string, query: GuardQuery): Promise<GuardView>;
  /** Tightens, all that is named or nothing. `site.guard_refused` for what would loosen it. Safe to repeat. */
  tightenGuard(name: string, change: TightenGuard, by: string): Promise<GuardView>;
  /** Asked of the site itself. */
  account(query: AccountQuery): Promise<AccountView>;
  /** `site.guard_refused` for switching “reject incoming” off. Safe to repeat. */
  switchAccount(change: SwitchAccount, by: string): Promise<AccountView>;
  /** Its users stay. `site.not_told` when the site can't be told; with `force` it is not asked. */
  removeSite(name: string, options: RemoveSite, by: string): Promise<RemovedSite>;
  personRecords(query: PersonQuery): Promise<PersonRecords>;
  erasePerson(query: PersonQuery, by: string): Promise<ErasedPerson>;
  erasures(): Promise<ErasureList>;
  decideErasures(decision: DecideErasures, by: string): Promise<DecidedErasures>;

  /** It was restored from a backup: it is read anew, and goes on from there. Safe to repeat. */
  siteRestored(name: string, by: string): Promise<RereadSite>;
  /** Values were written past WordPress: what becomes of them. Safe to repeat. */
  siteRewritten(name: string, rewritten: Rewritten, by: string): Promise<RewrittenSite>;
  /** The hub was restored from a backup: which sites know more than it. */
  planRecovery(): Promise<Recovery>;
  /** It learns from these again. Safe to repeat. */
  recoverHub(by: string): Promise<Recovery>;
  /** The store was lost: persons are made of labels again. @param by null: looks only. Safe to repeat. */
  rebuildFromLabels(by: string | null): Promise<Rebuilt>;
  /** What happened to sites, the newest first. */
  siteEvents(query: SiteEventQuery): Promise<readonly SiteEvent[]>;
  alarms(query: AlarmListQuery): Promise<AlarmList>;
  /** How many are answered now. @param by who answered */
  answerAlarms(answer: AnswerAlarms, by: string): Promise<AnsweredAlarms>;

  /** One route, or two with `both`. With `both`, a way that is there already is `route.exists`. */
  addRoute(route: AddRoute): Promise<readonly RouteView[]>;
  routes(): Promise<readonly RouteView[]>;
  changeRoute(id: number, change: ChangeRoute): Promise<RouteView>;
  /** `route.of_group`: it is changed by its group alone. */
  removeRoute(id: number): Promise<void>;

  /** Routes that were between its members before become exceptions with the rules they had. */
  addGroup(group: AddGroup): Promise<GroupView>;
  groups(): Promise<readonly GroupView[]>;
  group(name: string): Promise<GroupView>;
  changeGroup(name: string, change: ChangeGroup): Promise<GroupView>;
  /** Its routes go with it. */
  removeGroup(name: string): Promise<void>;
  addMembers(name: string, members: AddMembers): Promise<GroupView>;
  removeMember(name: string, site: string): Promise<GroupView>;
  exceptRoute(name: string, except: Except): Promise<GroupView>;

  /** All that operators have set, as one document without secrets. */
  config(): Promise<ConfigView>;
  /** What is wrong with it is part of the answer. */
  diffConfig(wanted: DiffConfig): Promise<ConfigDiff>;
  /** All of it or nothing: `config.refused`, `config.changed`. Repeating it changes nothing. */
  applyConfig(wanted: ApplyConfig, by: string): Promise<AppliedConfig>;

  /** Returns as soon as the plan is being made; on the sites nothing is written. Unknown sites and roles are faults. */
  planSync(request: SyncRequest, by: string): Promise<SyncRun>;
  /** Plans and carries out in one go; returns as soon as it is under way. */
  startSync(request: SyncRequest, by: string): Promise<SyncRun>;
  sync(id: string): Promise<SyncRun>;
  syncs(query: SyncListQuery): Promise<SyncList>;
  /** What would happen, or has happened, to whom and why. */
  syncSteps(id: string, query: SyncStepsQuery): Promise<SyncSteps>;
  /** Of a planned adopt run; all of it or nothing, `decisions.refused`. Safe to repeat. */
  decideSync(id: string, decided: DecideSync): Promise<SyncRun>;
  /** Of an adopt run: accounts of the target that stand against nobody of the source. */
  onlyThere(id: string, query: OnlyThereQuery): Promise<OnlyThere>;
  /** `sync.wrong_state`: it is in none from which that is possible. */
  startPlanned(id: string, start: StartSync): Promise<SyncRun>;
  /** What is on its way goes on. */
  pauseSync(id: string): Promise<SyncRun>;
  /** Goes on after a pause; once it is done, with what was planned again. */
  resumeSync(id: string): Promise<SyncRun>;
  /** What was done until then stands. */
  cancelSync(id: string): Promise<SyncRun>;
  /** Puts back what it changed and nobody has touched since. */
  undoSync(id: string, undo: UndoSync, by: string): Promise<SyncRun>;

  /** Returns as soon as it is under way. No route between the two is a fault. */
  startReconcile(request: ReconcileRequest, by: string): Promise<ReconcileView>;
  reconcile(id: string): Promise<ReconcileView>;
  reconciles(query: ReconcileListQuery): Promise<ReconcileList>;
  driftRows(id: string, query: DriftQuery): Promise<DriftRows>;
  /** What was raised until then goes its way. */
  cancelReconcile(id: string): Promise<ReconcileView>;

  log(query: LogQuery): Promise<LogPage>;
  /** Oldest first, a page at a time; the pages are read as they are asked for. */
  exportLog(filter: LogFilter): Promise<AsyncIterable<readonly LogRow[]>>;
  /** Goes out at once; repeating it finds nothing to do. The Sync Log says by whom. */
  retry(wanted: Retry, by: string): Promise<Retried>;
  logSettings(): Promise<LogSettings>;
  changeLogSettings(change: ChangeLogSettings): Promise<LogSettings>;
  /** The site's history says by whom its log was switched. */
  changeSiteLog(site: string, change: ChangeSiteLog, by: string): Promise<LogSettings>;
  /** `look`: ask every reachable site first whether it has something new. */
  status(options: { readonly look: boolean }): Promise<HubStatus>;
  explain(site: string, login: string): Promise<Explanation>;
  doctor(): Promise<Diagnosis>;

  /** The oldest so many; all of them, or those held for one reason. */
  held(query: HeldQuery): Promise<HeldList>;
  /** How many were still held and are decided now. The Sync Log says by whom. */
  decideHeld(decision: DecideHeld, by: string): Promise<DecidedHeld>;
  /** With the names of the accounts, where their sites can be asked. @throws `held.unknown` */
  showHeld(delivery: string): Promise<HeldRow>;
  /** Not repeated: what was resolved is held no longer. @throws `held.unknown`, `held.not_resolvable` */
  resolveHeld(delivery: string, as: Resolution, by: string): Promise<ResolvedHeld>;
  proveLink(link: ProveLink, by: string): Promise<ProvenLink>;
  /** Asks the person at both accounts. Repeating it asks only where it was not asked yet. */
  askForProof(wanted: AskForProof, by: string): Promise<AskedProof>;
  /** Open ones and those of the last 30 days, the newest first. */
  askedProofs(): Promise<readonly AskedProof[]>;
  /** What is confirmed later counts for nothing. One that has ended stays as it is. */
  withdrawProof(id: string, by: string): Promise<AskedProof>;

  /** The store as it is at one moment, sealed; `content` is read once. */
  backUp(): Promise<{ readonly bytes: number; readonly content: AsyncIterable<Uint8Array> }>;

  /** Pulls and delivers until nothing more can be done now, or `waitMs` is over. Safe to repeat. */
  runUntilIdle(options: { readonly waitMs: number }): Promise<RunReport>;

  /** The secret that an installation signs its signals with; null: no such installation. */
  signalSecret(installation: string): Promise<string | null>;
  /** A verified signal: a hint to pull, so a repeated or old one does no harm. */
  acceptSignal(installation: string, signal: Signal): Promise<void>;

  /** Who a bearer token belongs to; null: nobody. Compares in constant time. */
  verifyToken(token: string): Promise<Caller | null>;
  /** The store answers and the workers run. */
  ready(): Promise<boolean>;
}

/** Each may do what the ones before it may: viewer reads, operator acts, owner connects and removes sites. */
export const ACCESS = ['viewer', 'operator', 'owner'] as const;
export type Access = (typeof ACCESS)[number];

export interface Caller {
  readonly name: string;
  readonly role: Access;
}
