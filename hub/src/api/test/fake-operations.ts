/**
 * Operations without a hub behind them: they remember how they were called and give samples.
 * For tests of transport and of the CLI's own parsing and printing only.
 */
import { Fault } from '../../errors.ts';
import type { Access, Operations } from '../operations.ts';
import * as samples from './samples.ts';

export interface FakeOperations extends Operations {
  /** Name of the operation and what it was given, in order; reads of tokens left out. */
  readonly calls: ReadonlyArray<readonly [string, ...unknown[]]>;
  /** Replaces operations. */
  on(operations: Partial<Operations>): void;
}

export const TOKENS: Readonly<Record<Access, string>> = {
  owner: 'owner-token-0000000000000000',
  operator: 'operator-token-0000000000000',
  viewer: 'viewer-token-000000000000000',
};
export const INSTALLATION = '11111111-1111-4111-8111-111111111111';
export const APPROVAL_SECRET = 'approval-secret-of-thirty-two-chars-or-more';
export const SIGNAL_SECRET = 'signal-secret-of-thirty-two-chars-or-more';

const answers: Operations = {
  addSite: async () => ({ sites: [samples.site], renewed: false, warnings: [] }),
  checkSite: async () => ({ home: 'shop.test', renews: false, installs: false }),
  startApproval: async () => ({
    id: 'a-1',
    approveUrl: 'https://shop.test/wp-admin/authorize-application.php?app_name=Rollcall',
    endsAt: samples.MOMENT,
  }),
  approval: async () => ({
    id: 'a-1',
    name: 'Shop',
    state: 'connected',
    endsAt: samples.MOMENT,
    fault: null,
  }),
  approvalCame: async (secret) => secret === APPROVAL_SECRET,
  approvalRejected: async (secret) => secret === APPROVAL_SECRET,
  sites: async () => [samples.site],
  testSite: async () => samples.siteTest,
  changeSite: async () => ({ ...samples.site, privileged: [] }),
  rotateSite: async (name) => ({ sites: [name], ended: true }),
  siteMoved: async () => ({
    sites: [samples.site],
    from: 'https://old.test/wp-json/',
    to: 'https://shop.test/wp-json/',
  }),
  siteCopied: async (site) => ({ site, copy: 'staging.shop.test' }),
  removeSite: async (name) => {
    if (name !== 'Shop') throw new Fault('site.unknown', `There is no site “${name}”.`);
    return { removed: ['Shop'], released: true };
  },
  guard: async () => samples.guard,
  tightenGuard: async () => samples.guard,
  account: async () => samples.account,
  switchAccount: async () => samples.account,
  erasures: async () => ({ erasures: [samples.erasure] }),
  decideErasures: async () => ({ decided: 1 }),
  personRecords: async () => samples.personRecords,
  erasePerson: async () => ({ uid: samples.personRecords.uid, logRows: 4, runSteps: 1 }),
  siteRestored: async () => samples.reread,
  siteRewritten: async () => ({ ...samples.reread, changed: 2 }),
  planRecovery: async () => samples.recovery,
  recoverHub: async () => samples.recovery,
  rebuildFromLabels: async (by) => ({ done: by !== null, persons: 3, accounts: 7, unclear: 1 }),
  backUp: async () => samples.backup(),
  siteEvents: async () => [samples.siteEvent],
  alarms: async () => ({ alarms: [samples.alarm], next: null }),
  answerAlarms: async () => ({ answered: 1, next: null }),
  addRoute: async () => [samples.route],
  routes: async () => [samples.route, samples.wayBack],
  changeRoute: async () => samples.route,
  removeRoute: async () => {},
  addGroup: async () => samples.group,
  groups: async () => [samples.group],
  group: async () => samples.group,
  changeGroup: async () => samples.group,
  removeGroup: async () => {},
  addMembers: async () => samples.group,
  removeMember: async () => samples.group,
  exceptRoute: async () => samples.group,
  config: async () => samples.config,
  diffConfig: async () => samples.configDiff,
  applyConfig: async () => {
    const { problems: _, ...applied } = samples.configDiff;
    return { ...applied, notRemoved: [] };
  },
  planSync: async () => samples.plan,
  startSync: async () => samples.run,
  sync: async () => ({ ...samples.run, state: 'done', endedAt: samples.MOMENT, pending: 0 }),
  syncs: async () => ({ syncs: [samples.run], next: null }),
  syncSteps: async () => samples.steps,
  decideSync: async () => samples.plan,
  onlyThere: async () => samples.onlyThere,
  startPlanned: async () => samples.run,
  pauseSync: async () => ({ ...samples.run, state: 'paused' }),
  resumeSync: async () => samples.run,
  cancelSync: async () => ({ ...samples.run, state: 'cancelled', cancelled: 1 }),
  undoSync: async () => ({ ...samples.run, state: 'undone', endedAt: samples.MOMENT, undone: 2 }),
  networks: async () => ({
    networks: [
      {
        name: samples.network.name,
        url: 'https://brands.test',
        sites: samples.network.sites.length,
        accounts: samples.network.accounts,
        settings: samples.network.settings,
        fault: null,
      },
    ],
  }),
  network: async () => samples.network,
  changeNetwork: async () => samples.network,
  planNetworkRun: async () => ({ ...samples.networkRun, state: 'previewing', endedAt: null }),
  runNetwork: async () => ({ ...samples.networkRun, state: 'previewing', endedAt: null }),
  networkRuns: async () => ({ runs: [samples.networkRun], next: null, fault: null }),
  networkRun: async () => samples.networkRun,
  networkRows: async () => samples.networkRows,
  startNetworkRun: async () => ({ ...samples.networkRun, state: 'running', endedAt: null }),
  steerNetworkRun: async () => samples.networkRun,
  startReconcile: async () => ({ ...samples.comparison, state: 'comparing', endedAt: null }),
  reconcile: async () => samples.comparison,
  reconciles: async () => ({ reconciles: [samples.comparison], next: null }),
  driftRows: async () => samples.drift,
  cancelReconcile: async () => ({ ...samples.comparison, state: 'cancelled' }),
  log: async () => ({ rows: [samples.logRow] }),
  exportLog: async () => samples.logPages(),
  retry: async () => ({ retried: 1, unreachable: [], next: null }),
  logSettings: async () => samples.logSettings,
  changeLogSettings: async () => samples.logSettings,
  changeSiteLog: async () => samples.logSettings,
  status: async () => samples.status,
  explain: async () => samples.explanation,
  doctor: async () => ({ ok: true, checks: [samples.check] }),
  held: async () => ({ held: [samples.held], next: null }),
  decideHeld: async () => ({ decided: 1, next: null }),
  showHeld: async () => samples.held,
  resolveHeld: async (delivery, as) => ({ delivery, as }),
  proveLink: async () => ({ uid: samples.UID, already: false }),
  askForProof: async () => samples.proof,
  askedProofs: async () => [samples.proof],
  withdrawProof: async () => ({ ...samples.proof, ended: 'proof.withdrawn' }),
  runUntilIdle: async () => samples.runReport,
  signalSecret: async (installation) => (installation === INSTALLATION ? SIGNAL_SECRET : null),
  acceptSignal: async () => {},
  verifyToken: async (token) => {
    for (const role of ['owner', 'operator', 'viewer'] as const) {
      if (TOKENS[role] === token) return { name: role, role };
    }
    return null;
  },
  ready: async () => true,
};

export function fakeOperations(): FakeOperations {
  const calls: Array<[string, ...unknown[]]> = [];
  let current: Operations = answers;
  const on = (changed: Partial<Operations>): void => {
    current = { ...current, ...changed };
  };
  const extras: Pick<FakeOperations, 'calls' | 'on'> = { calls, on };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the proxy below answers for all of them
  return new Proxy(extras as FakeOperations, {
    get(_, name) {
      if (name === 'calls' || name === 'on') return extras[name];
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every other name is an operation
      const operation = current[name as keyof Operations] as (...given: unknown[]) => unknown;
      return (...given: unknown[]) => {
        if (name !== 'verifyToken') calls.push([String(name), ...given]);
        return operation(...given);
      };
    },
  });
}
