/** One of each thing that the API shows. */
import type { AccountView } from '../schemas/account.ts';
import type { ConfigDiff, ConfigView } from '../schemas/config.ts';
import type { Check } from '../schemas/doctor.ts';
import type { Explanation } from '../schemas/explain.ts';
import type { GroupView } from '../schemas/group.ts';
import type { GuardView } from '../schemas/guard.ts';
import type { HeldParty, HeldRow } from '../schemas/held.ts';
import type { LogRow, LogSettings } from '../schemas/log.ts';
import type { NetworkRows, NetworkRunView, NetworkView } from '../schemas/network.ts';
import type { ErasureView, PersonRecords } from '../schemas/privacy.ts';
import type { AskedProof } from '../schemas/proof.ts';
import type { DriftRows, ReconcileView } from '../schemas/reconcile.ts';
import type { Alarm, Recovery, RereadSite } from '../schemas/recovery.ts';
import type { RouteView } from '../schemas/route.ts';
import type { SiteTest, SiteView } from '../schemas/site.ts';
import type { SiteEvent } from '../schemas/site-event.ts';
import type { HubStatus, RunReport, SiteStatus } from '../schemas/status.ts';
import type { OnlyThere, SyncRun, SyncSteps } from '../schemas/sync.ts';

export const MOMENT = '2026-11-21T09:30:00.000Z';
export const UID = '33333333-3333-4333-8333-333333333333';

export const site: SiteView = {
  key: 1,
  name: 'Shop',
  url: 'https://shop.test',
  status: 'active',
  createMissing: false,
  automatic: true,
  syncRoles: [],
  newAccountsADay: null,
  onRoleLost: 'stop',
  roleMap: {},
  installation: '11111111-1111-4111-8111-111111111111',
  blog: 1,
  multisite: false,
  network: null,
  closed: null,
  consents: [],
  state: 'active',
  trouble: null,
  connector: '0.1.0',
  wordpress: '7.1.1',
  updateDue: false,
  lacks: [],
  lastPulledAt: MOMENT,
};

export const siteTest: SiteTest = {
  site: 'Shop',
  ok: true,
  roundTripMs: 12.4,
  connector: '0.1.0',
  wordpress: '7.1.1',
  php: '8.3.1',
  accounts: 3,
  fault: null,
  warnings: [],
};

export const guard: GuardView = {
  site: 'Shop',
  readOnly: true,
  grantable: ['subscriber'],
  consents: [],
  whitelist: {
    on: true,
    entries: [{ name: 'Our hub', url: '', ip: '203.0.113.9', active: true }],
    proxies: [],
  },
  caller: { address: '203.0.113.9', entry: 'Our hub' },
  sources: [{ site: 'Blog', url: 'https://blog.test', entry: null }],
  check: null,
};

export const account: AccountView = {
  site: 'Shop',
  login: 'anna',
  wpId: 7,
  email: 'anna@people.test',
  uid: UID,
  privileged: false,
  stopOutgoing: true,
  stopMade: false,
  rejectIncoming: true,
  elsewhere: [{ site: 'Blog', login: 'anna', wpId: 12 }],
};

export const route: RouteView = {
  id: 1,
  source: 'Shop',
  target: 'Blog',
  group: null,
  status: 'active',
  rules: {
    fields: ['email', 'password'],
    meta: ['phone'],
    roles: ['subscriber'],
    creates: true,
    updates: true,
    onDelete: 'delete',
    reassignTo: null,
    leaveWhen: [],
    loginTaken: 'hold',
    passwordMail: false,
    unconfirmedEmails: 'send',
    confirmsAddresses: false,
    privilegedRoles: [],
  },
  notConsented: [],
  reconcile: null,
};
export const config: ConfigView = {
  revision: 'r-1',
  config: {
    rollcall: 1,
    hub: { logDays: 30 },
    sites: [{ name: 'Shop', url: 'https://shop.test', automatic: true }],
    groups: [],
    routes: [{ source: 'Shop', target: 'Blog' }],
  },
};
export const configDiff: ConfigDiff = {
  revision: 'r-1',
  changes: [
    {
      act: 'changed',
      what: 'site',
      name: 'Shop',
      details: [{ field: 'syncRoles', from: [], to: ['customer'] }],
    },
    { act: 'removed', what: 'route', name: 'Shop → Blog', details: [] },
  ],
  routes: { added: 0, changed: 0, removed: 1 },
  problems: [],
  toConnect: [{ name: 'Museum', url: 'https://museum.test' }],
  notInFile: ['Blog'],
};
export const group: GroupView = {
  name: 'Brands',
  status: 'active',
  rules: { meta: ['billing_*'] },
  members: [
    { site: 'Shop', way: 'both' },
    { site: 'Blog', way: 'both' },
    { site: 'Archive', way: 'takes' },
  ],
  exceptions: [{ source: 'Blog', target: 'Archive', status: 'none', rules: {} }],
  routes: 3,
  sharing: [],
};

export const comparison: ReconcileView = {
  id: 'rec-1',
  state: 'done',
  source: 'Shop',
  target: 'Blog',
  repair: false,
  extra: true,
  by: 'operator',
  accounts: 12,
  total: 12,
  drift: 1,
  raised: 0,
  inStep: 10,
  found: [
    {
      what: 'different',
      reason: 'drift.behind',
      message: 'The target holds an older value, and nothing newer is on its way to it.',
      count: 1,
      raised: 0,
    },
    {
      what: 'by_rule',
      reason: 'account.privileged',
      message: 'The account can administer its site.',
      count: 1,
      raised: 0,
    },
  ],
  askedAt: MOMENT,
  endedAt: MOMENT,
  fault: null,
};

export const drift: DriftRows = {
  accounts: [
    {
      login: 'anna',
      site: 'Shop',
      wpId: 7,
      uid: UID,
      what: 'different',
      fields: ['first_name'],
      reason: 'drift.behind',
      message: 'The target holds an older value, and nothing newer is on its way to it.',
      next: 'The repair sends it.',
      raised: false,
    },
  ],
  next: null,
};

export const wayBack: RouteView = { ...route, id: 2, source: 'Blog', target: 'Shop' };

export const run: SyncRun = {
  id: 'run-1',
  state: 'delivering',
  mode: 'like_source',
  adopt: null,
  by: 'olga',
  from: 'Shop',
  to: ['Blog'],
  accounts: 2,
  targets: [{ site: 'Blog', create: 1, update: 0, link: 0, unchanged: 0, skip: 1, hold: 0 }],
  total: 2,
  done: 1,
  perMinute: 30,
  secondsLeft: 2,
  pending: 1,
  delivered: 1,
  skipped: 0,
  held: 0,
  failed: 0,
  changed: 0,
  cancelled: 0,
  undone: 0,
  stays: 0,
  askedAt: MOMENT,
  startedAt: MOMENT,
  endedAt: null,
  fault: null,
};

export const plan: SyncRun = { ...run, state: 'planned', done: 0, delivered: 0, pending: 0 };

export const steps: SyncSteps = {
  accounts: [
    {
      login: 'anna',
      target: 'Blog',
      what: 'create',
      other: null,
      fields: ['email'],
      reason: null,
      message: null,
      state: 'planned',
      note: null,
      pair: null,
      decision: null,
      id: 7,
      email: null,
      others: [],
    },
  ],
  next: null,
};

export const onlyThere: OnlyThere = {
  accounts: [{ id: 12, login: 'bert', email: 'bert@people.test', privileged: false }],
  next: null,
};

export const logRow: LogRow = {
  id: 7,
  at: MOMENT,
  uid: UID,
  login: 'anna',
  source: 'Shop',
  target: 'Blog',
  action: 'update',
  status: 'delivered',
  reason: null,
  message: null,
  fields: ['first_name'],
  path: ['Shop', 'Blog'],
  actor: 'anna',
  attempts: 1,
  durationMs: 40,
  unconfirmedEmail: false,
};

export async function* logPages(): AsyncGenerator<readonly LogRow[]> {
  yield [logRow];
}

export const logSettings: LogSettings = {
  days: 30,
  sites: [{ site: 'Shop', on: true, days: null }],
};

export const siteStatus: SiteStatus = {
  name: 'Shop',
  url: 'https://shop.test',
  status: 'active',
  state: 'active',
  trouble: null,
  connector: '0.1.0',
  wordpress: '7.1.1',
  updateDue: false,
  lacks: [],
  warnings: [],
  retryAt: null,
  cursor: { epoch: 'e1', head: 4 },
  lastPulledAt: MOMENT,
  signals: true,
  outbox: 0,
  pending: 0,
  held: 0,
  oldestPendingAt: null,
};

export const status: HubStatus = {
  version: '0.1.0',
  now: MOMENT,
  idle: true,
  delivered: true,
  unasked: [],
  pending: 0,
  held: 0,
  routes: 1,
  reconciles: [],
  sites: [siteStatus],
};

export const explanation: Explanation = {
  site: 'Shop',
  login: 'anna',
  uid: UID,
  accounts: [
    {
      site: 'Shop',
      wpId: 5,
      login: 'anna',
      privileged: false,
      outgoingStopped: false,
      incomingRejected: false,
      goneAt: null,
      alarm: null,
    },
  ],
  unproven: [{ site: 'Blog', login: 'anna2', by: 'email', next: 'Ask her.' }],
  proofs: [],
  targets: [
    {
      site: 'Blog',
      route: 1,
      why: [
        {
          verdict: 'held',
          fields: ['email'],
          reason: 'link.unproven',
          message: 'An older account on the target has the same e-mail.',
        },
      ],
    },
  ],
  log: [logRow],
};

export const check: Check = {
  subject: 'hub',
  what: 'store',
  level: 'ok',
  code: null,
  message: 'The store answers.',
  next: null,
};

const heldParty: HeldParty = {
  site: 'Blog',
  wpId: 7,
  login: 'anna',
  email: 'anna@people.test',
  name: 'Anna',
  registered: '2026-01-01 00:00:00',
  roles: ['subscriber'],
  privileged: false,
  deleted: false,
};

export const held: HeldRow = {
  delivery: 'd-1',
  at: MOMENT,
  uid: UID,
  login: 'anna',
  source: 'Shop',
  target: 'Blog',
  reason: 'identity.email_taken',
  message: 'Another account on the target has this e-mail address.',
  fields: ['email'],
  here: { ...heldParty, site: 'Shop' },
  there: null,
  inTheWay: heldParty,
  choices: ['release', 'reject', 'separate', 'link', 'overwrite'],
};

export const proof: AskedProof = {
  id: '33333333-3333-4333-8333-333333333333',
  kind: 'mail',
  by: 'local',
  at: MOMENT,
  ends: MOMENT,
  ended: null,
  message: null,
  halves: [
    { site: 'Shop', login: 'anna', asked: true, confirmedAt: MOMENT },
    { site: 'Blog', login: 'anna2', asked: true, confirmedAt: null },
  ],
};

export const runReport: RunReport = {
  finished: true,
  pulled: 2,
  delivered: 3,
  pending: 0,
  held: 0,
  unreachable: [],
};

export const reread: RereadSite = {
  site: 'Shop',
  accounts: 12,
  wentBack: 3,
  vanished: 2,
  reappeared: 1,
  mismatched: 0,
};

/** No hub could open it; it only goes from here to there. */
export const BACKUP_BYTES = Buffer.from('rollcall backup 1\n{}\n-\nnot a real one');
export const backup = () => ({
  bytes: BACKUP_BYTES.length,
  content: (async function* () {
    yield BACKUP_BYTES;
  })(),
});

export const recovery: Recovery = {
  sites: [
    {
      site: 'Shop',
      stands: 'ahead',
      fault: null,
      found: { accounts: 12, takenOver: 2, vanished: 1, mismatched: 0 },
    },
  ],
};

export const alarm: Alarm = {
  uid: UID,
  site: 'Shop',
  login: 'anna',
  wpId: 5,
  reason: { code: 'account.vanished', message: 'The account is no longer on the site.' },
  answers: ['recreate', 'forget'],
};

export const siteEvent: SiteEvent = {
  at: MOMENT,
  site: 'Shop',
  code: 'source.rewound',
  message: 'The site’s database is not where this hub left it.',
  by: null,
  next: 'Say what happened.',
};

export const erasure: ErasureView = {
  id: 1,
  at: MOMENT,
  uid: '22222222-2222-4222-8222-222222222222',
  source: 'Shop',
  target: 'Blog',
  state: 'held',
  reason: 'erasure.over_limit',
  message: 'More people would be erased there than go without a person’s consent.',
};

export const personRecords: PersonRecords = {
  uid: '22222222-2222-4222-8222-222222222222',
  accounts: [
    {
      sites: ['Shop'],
      wpId: 7,
      login: 'anna',
      email: 'anna@example.com',
      registered: '2020-01-02 03:04:05',
      privileged: false,
      stopOutgoing: false,
      rejectIncoming: false,
      ended: null,
      fields: { email: MOMENT, first_name: null },
    },
  ],
  pending: [{ target: 'Blog', fields: ['email'] }],
  log: [],
};

export const network: NetworkView = {
  name: 'Brands',
  title: 'All brands',
  accounts: 3_000,
  settings: {
    newAccount: true,
    newSite: false,
    roleChange: false,
    roleSites: 'existing',
    privilegedRoles: [],
    excluded: ['Brands Press'],
    siteAdmins: false,
  },
  sites: [
    {
      blog: 1,
      name: 'Brands',
      url: 'https://brands.test',
      defaultRole: 'subscriber',
      members: 12,
      isMain: true,
      closed: null,
    },
    {
      blog: 3,
      name: 'Brands Press',
      url: 'https://brands.test/press',
      defaultRole: 'author',
      members: 0,
      isMain: false,
      closed: { why: 'excluded', message: 'Nothing is written to this site.' },
    },
  ],
};

export const networkRun: NetworkRunView = {
  id: 'run-1',
  network: 'Brands',
  state: 'done',
  action: 'fill',
  from: null,
  sites: null,
  people: null,
  memberships: null,
  addBack: false,
  driver: 'hub',
  by: 'ann',
  preview: {
    add: 5,
    change: 0,
    unchanged: 1,
    skipped: [
      { reason: 'network.super_admin', message: 'Nobody touches a super admin.', count: 1 },
    ],
    sites: [{ site: 'Brands', add: 5, change: 0, unchanged: 1, skipped: 1 }],
  },
  total: 7,
  done: 7,
  added: 5,
  changed: 0,
  unchanged: 1,
  skipped: [{ reason: 'network.super_admin', message: 'Nobody touches a super admin.', count: 1 }],
  removed: 0,
  kept: 0,
  left: [],
  at: null,
  perSecond: 12_000,
  secondsLeft: null,
  wanted: null,
  askedAt: MOMENT,
  startedAt: MOMENT,
  endedAt: MOMENT,
  fault: null,
};

export const networkRows: NetworkRows = {
  rows: [{ id: 7, login: 'anna', site: 'Brands', was: null, now: ['subscriber'], touched: false }],
  next: null,
};
