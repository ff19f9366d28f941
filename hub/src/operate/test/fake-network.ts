/**
 * A network in memory, as its connector answers: sites, who is on them, runs that go on page by page.
 *
 * Does: fills and copies by the rules of the connector, as far as the hub's own tests need them.
 * Does not: triggers, removal memory, WordPress.
 */
import type {
  Network,
  NetworkRow,
  NetworkRun,
  NetworkSettings,
  NetworkSpec,
  SitePreview,
} from '#contract/network-messages.ts';
import { Fault } from '../../errors.ts';
import type { NetworkPort } from '../../sync/network-port.ts';
import type { Connection } from '../../sync/ports.ts';

const STATES = {
  pause: [['running'], 'paused'],
  resume: [['paused', 'failed'], 'running'],
  cancel: [['running', 'paused', 'failed'], 'cancelled'],
  undo: [['paused', 'cancelled', 'done', 'failed', 'undone'], 'undoing'],
} as const;

const FIRST_SETTINGS: NetworkSettings = {
  new_account: false,
  new_site: false,
  role_change: false,
  role_sites: 'existing',
  privileged_roles: [],
  excluded: [],
  site_admins: false,
};

export interface FakeBlog {
  readonly blog: number;
  readonly name: string;
  readonly closed?: Network['sites'][number]['closed'];
}

interface Row {
  readonly run: string;
  readonly row: NetworkRow;
}
type Kept = NetworkRun & { readonly todo: readonly number[]; place: number; after: number };
type Changing<T> = { -readonly [Key in keyof T]: T[Key] };

export class FakeNetwork {
  /** Account → roles, by site. */
  readonly members = new Map<number, Map<number, string[]>>();
  readonly superAdmins = new Set<number>();
  settings: NetworkSettings = { ...FIRST_SETTINGS };
  /** Accounts that one page gets through. */
  pageSize = Number.MAX_SAFE_INTEGER;
  /** False: an older connector, which takes a page for each site. */
  passesBy = true;
  /** What was asked, and at which address. */
  readonly asked: { readonly what: string; readonly restUrl: string }[] = [];
  /** Thrown at the next call of this name, once; `done`: after it was carried out. */
  readonly faults: { readonly at: string; readonly fault: Fault; readonly done?: true }[] = [];
  private readonly runs = new Map<string, Changing<Kept>>();
  private readonly rows: Row[] = [];
  private readonly blogs: readonly FakeBlog[];
  readonly accounts: () => readonly { readonly id: number; readonly login: string }[];
  private readonly host: string;

  constructor(
    host: string,
    blogs: readonly FakeBlog[],
    accounts: () => readonly { readonly id: number; readonly login: string }[],
  ) {
    this.host = host;
    this.blogs = blogs;
    this.accounts = accounts;
    for (const { blog } of blogs) this.members.set(blog, new Map());
  }

  /** Nobody is on any site, but for these; settings are as at first. */
  reset(members: readonly (readonly [blog: number, id: number, role: string])[]): void {
    for (const site of this.members.values()) site.clear();
    this.settings = { ...FIRST_SETTINGS };
    for (const [blog, id, role] of members) this.on(blog).set(id, [role]);
  }

  on(blog: number): Map<number, string[]> {
    const found = this.members.get(blog);
    if (found === undefined) throw new Error(`no site ${blog}`);
    return found;
  }

  /** Somebody on the network itself begins one. */
  begunThere(id: string, spec: NetworkSpec, driver: 'cron' | 'cli'): NetworkRun {
    return this.begin(id, spec, 'trigger', driver);
  }

  readonly port: Changing<NetworkPort> = {
    show: async (connection, network) => {
      this.heard('show', connection);
      if (network !== null && network !== 1) throw new Fault('network.unknown', 'No such network.');
      return [this.view()];
    },
    settings: async (connection, { network, revoke, exclude, ...part }) => {
      this.heard('settings', connection);
      if (network !== 1) throw new Fault('network.unknown', 'No such network.');
      if (part.site_admins === true && !this.settings.site_admins)
        throw new Fault('site.guard_refused', 'The guard is kept.');
      const { privileged_roles: roles, excluded } = this.settings;
      this.settings = {
        ...this.settings,
        ...part,
        privileged_roles: roles.filter((role) => revoke?.includes(role) !== true),
        excluded: [...new Set([...excluded, ...(exclude ?? [])])],
      };
      return this.settings;
    },
    preview: async (connection, { spec, after }) => {
      this.heard('preview', connection);
      this.refuseForeign(spec);
      const [blog, ...rest] = this.todo(spec).filter((one) => one > after);
      if (blog === undefined) return { sites: [], after: null };
      return { sites: [this.previewOf(spec, blog)], after: rest.length === 0 ? null : blog };
    },
    begin: async (connection, { id, spec, by }) => {
      this.heard('begin', connection);
      this.begin(id, spec, by, 'hub');
      const run = this.called(id);
      this.passBy(run);
      this.fail('begin', true);
      return shown(run);
    },
    page: async (connection, id, blog) => {
      this.heard('page', connection);
      const run = this.turn(this.called(id), blog);
      this.fail('page', true);
      return run;
    },
    control: async (connection, id, order) => {
      this.heard(order, connection);
      const run = this.called(id);
      const [from, to] = STATES[order];
      if (run.state === to) return shown(run);
      if (!from.some((state) => state === run.state))
        throw new Fault('network.wrong_state', 'The run is in no such state.');
      if (run.state === 'undone' && Object.keys(run.counts.left).length === 0)
        throw new Fault('network.nothing_to_undo', 'Nothing of this run is left.');
      run.state = to;
      run.ended_ms = to === 'cancelled' ? Date.now() : null;
      if (order === 'undo') {
        Object.assign(run, { place: 0, after: 0 });
        run.counts = { ...run.counts, kept: 0, left: {} };
      }
      if (run.driver === 'cli' && (order === 'undo' || order === 'resume')) run.driver = 'hub';
      return shown(run);
    },
    runs: async (connection, { limit }) => {
      this.heard('runs', connection);
      return [...this.runs.values()].toReversed().slice(0, limit).map(shown);
    },
    rows: async (connection, { run, after = '0', limit }) => {
      this.heard('rows', connection);
      const from = Number(after);
      const mine = this.rows.filter((row) => row.run === this.called(run).id);
      const page = mine.slice(from, from + limit).map((row) => row.row);
      return { rows: page, after: from + limit < mine.length ? String(from + limit) : null };
    },
  };

  private heard(what: string, { restUrl }: Connection): void {
    this.asked.push({ what, restUrl });
    this.fail(what, false);
  }

  private fail(what: string, done: boolean): void {
    const place = this.faults.findIndex((one) => one.at === what && (one.done ?? false) === done);
    const [found] = place === -1 ? [] : this.faults.splice(place, 1);
    if (found !== undefined) throw found.fault;
  }

  private view(): Network {
    return {
      id: 1,
      name: 'Brands',
      main: 1,
      settings: this.settings,
      accounts: this.accounts().length,
      sites: this.blogs.map(({ blog, name, closed = null }) => ({
        blog,
        name,
        url: `https://${this.host}/${blog}`,
        rest_url: `https://${this.host}/${blog}/wp-json/`,
        default_role: 'subscriber',
        members: this.on(blog).size,
        closed: closed ?? (this.isClosed(blog) ? 'excluded' : null),
      })),
    };
  }

  private isClosed(blog: number): boolean {
    const flag = this.blogs.find((one) => one.blog === blog)?.closed ?? null;
    return flag !== null || this.settings.excluded.includes(blog);
  }

  private todo({ sites, from }: NetworkSpec): readonly number[] {
    const all = this.blogs.map(({ blog }) => blog);
    return (sites === 'all' ? all : sites).filter((blog) => blog !== from);
  }

  private refuseForeign({ sites }: NetworkSpec): void {
    const mine = this.blogs.map(({ blog }) => blog);
    if (sites === 'all' || sites.every((blog) => mine.includes(blog))) return;
    throw new Fault('network.refused', 'Sites are “all”, or ids of sites of this network.');
  }

  private people({ people }: NetworkSpec): readonly number[] {
    const ids = this.accounts().map(({ id }) => id);
    return people === 'all' ? ids : ids.filter((id) => people.includes(id));
  }

  /** The roles that an account is to have on a site; or why it is left. */
  private decide(spec: NetworkSpec, id: number, blog: number): string[] | string {
    if (this.isClosed(blog)) return 'network.site_closed';
    if (this.superAdmins.has(id)) return 'network.super_admin';
    const now = this.on(blog).get(id);
    if (spec.action === 'fill') return now === undefined ? ['subscriber'] : '';
    const wanted = this.on(spec.from ?? 0).get(id);
    if (wanted === undefined) return 'network.no_role';
    if (now === undefined && spec.memberships !== 'all') return 'network.not_a_member';
    return now?.join() === wanted.join() ? '' : wanted;
  }

  private previewOf(spec: NetworkSpec, blog: number): SitePreview {
    const found = { blog, add: 0, change: 0, unchanged: 0, skipped: {} as Record<string, number> };
    for (const id of this.people(spec)) {
      const decided = this.decide(spec, id, blog);
      if (Array.isArray(decided)) found[this.on(blog).has(id) ? 'change' : 'add'] += 1;
      else if (decided === '') found.unchanged += 1;
      else found.skipped[decided] = (found.skipped[decided] ?? 0) + 1;
    }
    return found;
  }

  private begin(id: string, spec: NetworkSpec, by: string, driver: NetworkRun['driver']) {
    const before = this.runs.get(id);
    if (before !== undefined) return shown(before);
    this.refuseForeign(spec);
    const todo = this.todo(spec);
    const run: Kept = {
      id,
      network: 1,
      spec,
      state: 'running',
      driver,
      by,
      began_ms: Date.now(),
      ended_ms: null,
      counts: { ...NO_COUNTS, total: todo.length * this.people(spec).length },
      next: null,
      todo,
      place: 0,
      after: 0,
    };
    this.runs.set(id, run);
    return shown(run);
  }

  private called(id: string): Changing<Kept> {
    const run = this.runs.get(id);
    if (run === undefined) throw new Fault('network.run_unknown', 'The site knows of no such run.');
    return run;
  }

  private turn(run: Changing<Kept>, blog: number): NetworkRun {
    const works = run.state === 'running' || run.state === 'undoing';
    if (!works || run.todo[run.place] !== blog) return shown(run);
    const left = this.people(run.spec).filter((id) => id > run.after);
    const some = left.slice(0, this.pageSize);
    for (const id of some) {
      if (run.state === 'undoing') this.takeBack(run, id, blog);
      else this.write(run, id, blog);
      run.after = id;
    }
    if (some.length === left.length) {
      this.nextSite(run);
      this.passBy(run);
    }
    return shown(run);
  }

  /** Goes over the next sites, as long as nothing is to be written on them. */
  private passBy(run: Changing<Kept>): void {
    while (this.passesBy && run.after === 0) {
      const blog = run.todo[run.place];
      if (blog === undefined || !this.isThrough(run, blog)) return;
      if (run.state === 'running')
        for (const id of this.people(run.spec)) this.write(run, id, blog);
      this.nextSite(run);
    }
  }

  private isThrough(run: Kept, blog: number): boolean {
    if (run.state === 'undoing')
      return !this.rows.some((one) => one.run === run.id && one.row.blog === blog);
    if (run.state !== 'running') return false;
    return this.people(run.spec).every((id) => !Array.isArray(this.decide(run.spec, id, blog)));
  }

  private nextSite(run: Changing<Kept>): void {
    run.place += 1;
    run.after = 0;
    if (run.place < run.todo.length) return;
    run.state = run.state === 'undoing' ? 'undone' : 'done';
    run.ended_ms = Date.now();
  }

  private write(run: Changing<Kept>, id: number, blog: number): void {
    const counts: Changing<NetworkRun['counts']> = { ...run.counts, done: run.counts.done + 1 };
    const decided = this.decide(run.spec, id, blog);
    const was = this.on(blog).get(id) ?? null;
    if (Array.isArray(decided)) {
      this.on(blog).set(id, decided);
      const login = this.accounts().find((one) => one.id === id)?.login ?? null;
      const row = { id, login, blog, was, now: decided, touched: false };
      this.rows.push({ run: run.id, row });
      counts[was === null ? 'added' : 'changed'] += 1;
    } else if (decided === '') counts.unchanged += 1;
    else counts.skipped = { ...counts.skipped, [decided]: (counts.skipped[decided] ?? 0) + 1 };
    run.counts = counts;
  }

  private takeBack(run: Changing<Kept>, id: number, blog: number): void {
    const place = this.rows.findIndex(
      (one) => one.run === run.id && one.row.id === id && one.row.blog === blog,
    );
    const row = this.rows[place]?.row;
    if (row === undefined) return;
    const { removed, kept, left } = run.counts;
    const isTouched = this.on(blog).get(id)?.join() !== row.now.join();
    if (isTouched || this.isClosed(blog)) {
      const why = 'network.site_closed';
      const more = isTouched ? {} : { [why]: (left[why] ?? 0) + 1 };
      run.counts = { ...run.counts, kept: kept + 1, left: { ...left, ...more } };
      return;
    }
    if (row.was === null) this.on(blog).delete(id);
    else this.on(blog).set(id, row.was);
    this.rows.splice(place, 1);
    run.counts = { ...run.counts, removed: removed + 1 };
  }
}

const NO_COUNTS = {
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

function shown(run: Kept): NetworkRun {
  const { id, network, spec, state, driver, by, began_ms, ended_ms, counts, todo, place } = run;
  const works = ['running', 'paused', 'failed', 'undoing'].includes(state);
  const next = works ? (todo[place] ?? null) : null;
  return { id, network, spec, state, driver, by, began_ms, ended_ms, counts, next };
}
