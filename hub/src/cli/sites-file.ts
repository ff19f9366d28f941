/**
 * The file of `rollcall site add --from`: one site a line.
 *
 * Does: read its lines into what the API takes; say all that is wrong with them at once, by line.
 * Always true: no cell of the file is repeated in what is said: a password may stand in the wrong column.
 */
import { type AddSite, AddSiteSchema, StartApprovalSchema } from '../api/schemas/site.ts';
import { type CsvLine, parseCsv } from './csv.ts';

export type PlannedSite =
  | { readonly line: number; readonly way: 'login'; readonly site: AddSite }
  | {
      readonly line: number;
      readonly way: 'approve';
      readonly site: { readonly url: string; readonly name: string };
    };

export interface Problem {
  readonly line: number;
  readonly message: string;
}

const COLUMNS = ['url', 'name', 'user', 'password', 'way'] as const;
type Column = (typeof COLUMNS)[number];
/** More is a mistake, or work for several files. */
const MOST_SITES = 1000;

const WAYS = ['app-password', 'password', 'install', 'approve'];

export function readSitesFile(text: string): {
  readonly sites: readonly PlannedSite[];
  readonly problems: readonly Problem[];
} {
  const lines = parseCsv(text);
  if (lines === null) return failed(1, 'a quote is opened and never closed');
  const [head, ...rest] = lines;
  if (head === undefined) return failed(1, 'the file is empty');
  const columns = head.cells.map((cell) => cell.trim().toLowerCase());
  const wrong = wrongHead(columns);
  if (wrong !== null) return failed(head.line, wrong);
  if (rest.length === 0) return failed(head.line, 'there is no site below the head');
  if (rest.length > MOST_SITES) return failed(head.line, `there are more than ${MOST_SITES} sites`);
  const read = rest.map((line) => readLine(line, columns));
  const sites = read.flatMap(({ site }) => (site === null ? [] : [site]));
  return { sites, problems: [...read.flatMap(({ problems }) => problems), ...twice(sites)] };
}

const failed = (line: number, message: string) => ({ sites: [], problems: [{ line, message }] });

function wrongHead(columns: readonly string[]): string | null {
  const missing = ['url', 'name'].filter((column) => !columns.includes(column));
  if (missing.length > 0) return `the head has no column ${missing.join(', ')}`;
  const isColumn = (column: string): boolean => COLUMNS.some((known) => known === column);
  if (!columns.every(isColumn)) return `the head may have ${COLUMNS.join(', ')} and nothing else`;
  if (new Set(columns).size < columns.length) return 'the head names a column twice';
  return null;
}

interface Read {
  readonly site: PlannedSite | null;
  readonly problems: readonly Problem[];
}

function readLine({ line, cells }: CsvLine, columns: readonly string[]): Read {
  const wrong = (message: string): Read => ({ site: null, problems: [{ line, message }] });
  if (cells.length > columns.length) return wrong('it has more cells than the head');
  const raw = (column: Column): string => cells[columns.indexOf(column)] ?? '';
  const cell = (column: Column): string => raw(column).trim();
  const hasLogin = cell('user') !== '' || cell('password') !== '';
  const way = cell('way').toLowerCase() || (hasLogin ? 'app-password' : 'approve');
  if (!WAYS.includes(way)) return wrong(`“way” must be one of ${WAYS.join(', ')}`);
  const base = { url: cell('url'), name: cell('name') };
  if (way === 'approve') {
    if (hasLogin) return wrong('“user” and “password” must be empty where “way” is approve');
    const parsed = StartApprovalSchema.safeParse(base);
    if (!parsed.success) return { site: null, problems: problemsOf(line, parsed.error.issues) };
    return { site: { line, way, site: parsed.data }, problems: [] };
  }
  const secret =
    way === 'app-password' ? { appPassword: cell('password') } : { password: raw('password') };
  const install = way === 'install' ? { install: true } : {};
  const parsed = AddSiteSchema.safeParse({ ...base, user: cell('user'), ...secret, ...install });
  if (!parsed.success) return { site: null, problems: problemsOf(line, parsed.error.issues) };
  return { site: { line, way: 'login', site: parsed.data }, problems: [] };
}

const problemsOf = (
  line: number,
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): Problem[] =>
  issues.map(({ path, message }) => {
    const column = String(path[0] ?? '').replace('appPassword', 'password');
    return { line, message: column === '' ? message : `“${column}” ${message}` };
  });

/** The second of one name would renew the first. */
function* twice(sites: readonly PlannedSite[]): Generator<Problem> {
  const names = new Map<string, number>();
  for (const { line, site } of sites) {
    const name = site.name.toLowerCase();
    const first = names.get(name);
    if (first === undefined) names.set(name, line);
    else yield { line, message: `it has the name of line ${first}` };
  }
}
