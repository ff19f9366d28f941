/**
 * What was done, where and when; and from that, what must be found in the end.
 *
 * Always true: of two edits of one field the later one wins. Two that overlap in time may win
 * either way, but everywhere the same way. Who was there before the hub, and was not touched since,
 * is there as before, and nowhere else.
 */
import { type Deed, emailOf, SCALARS, type Scalar, type Seen } from './deed.ts';
import { type Edge, reachOf, targetsOf } from './graph.ts';

export interface Done {
  readonly site: string;
  readonly deed: Deed;
  readonly fromMs: number;
  /** By when it was certainly stamped. */
  readonly untilMs: number;
}

/** A row of the Sync Log, as far as it is asked here. */
export interface LoggedRow {
  readonly login: string;
  readonly target: string;
  readonly action: string;
  readonly status: string;
  readonly fields: readonly string[];
  readonly atMs: number;
}

type People = Readonly<Record<string, Seen>>;

export class DeedsDone {
  readonly edges: readonly Edge[];
  readonly all: Done[] = [];
  private readonly before = new Map<string, People>();

  constructor(edges: readonly Edge[]) {
    this.edges = edges;
  }

  /** These are on the site before the hub hears of it. */
  wereThere(site: string, people: People): void {
    this.before.set(site, people);
  }

  /** Where the account was registered; undefined: never, or it was removed. */
  homeOf(login: string): string | undefined {
    const of = this.all.filter(({ deed }) => deed.login === login);
    if (of.some(({ deed }) => deed.kind === 'remove')) return undefined;
    return of.find(({ deed }) => deed.kind === 'register')?.site;
  }

  logins(): string[] {
    return this.all.flatMap(({ deed }) => (deed.kind === 'register' ? deed.login : []));
  }

  /** Everything in which the sites are not as they must be, in sentences. */
  wrongIn(found: ReadonlyMap<string, People>): string[] {
    return [...found].flatMap(([site, people]) => [
      ...this.wrongPeople(site, people),
      ...this.logins().flatMap((login) => this.wrongFields(site, login, people[login])),
      ...this.unlikeNeighbours(site, found),
    ]);
  }

  /** Edits that should have crossed and of which the log knows nothing. */
  unaccounted(log: readonly LoggedRow[]): string[] {
    const rows = byLogin(log, (row) => row.login);
    return this.all.flatMap((done) =>
      targetsOf(this.edges, done.site)
        .filter((target) => {
          const of = rows.get(done.deed.login) ?? [];
          return !of.some((row) => this.accountsFor(row, done, target));
        })
        .map((target) => `the log does not tell what became on ${target} of ${say(done)}`),
    );
  }

  private accountsFor(row: LoggedRow, { site, deed, fromMs }: Done, target: string): boolean {
    if (row.login !== deed.login) return false;
    // It came to nothing at home: overwritten, or the account ended, before the hub had heard of it.
    const atHome = row.target === site && (row.status === 'superseded' || row.action === 'delete');
    if (row.target !== target && !atHome) return false;
    if (row.action === 'delete') return true;
    if (row.atMs < fromMs - CLOCK_SLACK_MS) return false;
    // Unchanged: the answer to the create was lost, and it was asked for again.
    if (deed.kind === 'register')
      return row.action === 'create' || row.status === 'skipped' || row.status === 'unchanged';
    if (deed.kind === 'remove') return false;
    return row.fields.some((field) => field === fieldOf(deed) || isRoleOf(deed, field));
  }

  private wrongPeople(site: string, people: People): string[] {
    const expected = this.logins().filter((login) => {
      const home = this.homeOf(login);
      return home !== undefined && reachOf(this.edges, home).has(site);
    });
    const before = this.before.get(site) ?? {};
    const missing = expected.filter((login) => people[login] === undefined);
    const extra = Object.keys(people).filter(
      (login) => !expected.includes(login) && before[login] === undefined,
    );
    const touched = Object.keys(before).filter((login) => !isSame(before[login], people[login]));
    return [
      ...missing.map((login) => `${login} is missing on ${site}`),
      ...extra.map((login) => `${login} should not be on ${site}`),
      ...touched.map(
        (login) => `${login} on ${site} was ${show(before[login])}, and is ${show(people[login])}`,
      ),
    ];
  }

  private wrongFields(site: string, login: string, seen: Seen | undefined): string[] {
    if (seen === undefined) return [];
    return SCALARS.flatMap((field) => {
      const possible = this.lastValues(site, login, field);
      const is = seen.fields[field];
      if (possible.length === 0 || possible.includes(is)) return [];
      return [`${field} of ${login} on ${site} is “${is}”, not ${possible.join(' or ')}`];
    });
  }

  /** Values of edits that reach the site and are certainly older than none of the others. */
  private lastValues(site: string, login: string, field: Scalar): string[] {
    const edits = this.all.flatMap((done) => {
      const value = done.deed.login === login ? valueOf(done.deed, field) : undefined;
      const reaches = reachOf(this.edges, done.site).has(site);
      return value !== undefined && reaches ? [{ ...done, value }] : [];
    });
    return edits
      .filter((edit) => !edits.some((other) => other.fromMs > edit.untilMs))
      .map((edit) => edit.value);
  }

  /** Sites that hear of each other hold the same, passwords and roles included. */
  private unlikeNeighbours(site: string, found: ReadonlyMap<string, People>): string[] {
    return [...reachOf(this.edges, site)].flatMap((other) => {
      if (other <= site || !reachOf(this.edges, other).has(site)) return [];
      const [here, there] = [found.get(site) ?? {}, found.get(other) ?? {}];
      return this.logins()
        .filter((login) => !isSame(here[login], there[login]))
        .map(
          (login) =>
            `${login} differs: ${show(here[login])} on ${site}, ${show(there[login])} on ${other}`,
        );
    });
  }
}

/** The hub's clock and this one are the same machine's, asked at different moments. */
const CLOCK_SLACK_MS = 1_000;

function valueOf(deed: Deed, field: Scalar): string | undefined {
  if (deed.kind === 'edit' && deed.field === field) return deed.value;
  return deed.kind === 'register' && field === 'email' ? emailOf(deed.login) : undefined;
}

function fieldOf(deed: Deed): string | null {
  if (deed.kind === 'edit') return deed.field;
  return deed.kind === 'password' ? 'password' : null;
}

/** A long run has thousands of each. */
function byLogin<Item>(
  items: readonly Item[],
  loginOf: (item: Item) => string,
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(loginOf(item));
    if (group === undefined) groups.set(loginOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

const isSame = (one: Seen | undefined, other: Seen | undefined): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

const isRoleOf = (deed: Deed, field: string): boolean =>
  deed.kind === 'role' && field.startsWith('role:');

/** Never the hash itself: what differs is said, not what it is. */
const show = (seen: Seen | undefined): string =>
  seen === undefined
    ? 'nobody'
    : JSON.stringify({ ...seen.fields, roles: seen.roles, hash: `…${seen.hash.slice(-4)}` });

/** What the Sync Log knows of those with whom something is wrong. */
export function rowsOf(wrong: readonly string[], log: readonly LoggedRow[]): LoggedRow[] {
  const words = new Set(wrong.flatMap((sentence) => sentence.split(' ')));
  return log.filter((row) => words.has(row.login));
}

export const say = ({ site, deed }: Done): string =>
  `${deed.kind} ${deed.kind === 'edit' ? `${deed.field} ` : ''}of ${deed.login} on ${site}`;
