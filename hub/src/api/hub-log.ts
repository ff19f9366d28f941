/**
 * The hub's log: JSON lines, one event each.
 *
 * Does: hide secrets by the names of their fields, and what looks like a credential in any text;
 * write control characters as JSON escapes, since logs are read in terminals.
 * Always true: nothing is written unfiltered; the filter works on the finished line.
 */
import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import { Fault } from '../errors.ts';

const SECRET_NAMES = [
  'password',
  'appPassword',
  'app_password',
  'user_pass',
  'token',
  'secret',
  'signalSecret',
  'credential',
  'credentials',
  'authorization',
  '["x-rollcall-authorization"]',
  '["x-rollcall-signature"]',
  'cookie',
];

/** pino's `*` stands for one level. */
const at = (depth: number, name: string): string => {
  const stars = Array.from({ length: depth }, () => '*').join('.');
  if (depth === 0) return name;
  return name.startsWith('[') ? `${stars}${name}` : `${stars}.${name}`;
};
const REDACTED_PATHS = [0, 1, 2, 3].flatMap((depth) => SECRET_NAMES.map((name) => at(depth, name)));

/** HTTP credentials, password hashes of WordPress, and Application Passwords as WordPress shows them. */
const LOOKS_SECRET: ReadonlyArray<readonly [RegExp, string]> = [
  [/\b(Basic|Bearer) +[A-Za-z0-9+/=._~-]{6,}/gu, '$1 [hidden]'],
  [/\$(?:P|H)\$[./0-9A-Za-z]{31}/gu, '[hidden]'],
  [/\$(?:wp\$)?2[aby]\$\d\d\$[./0-9A-Za-z]{53}/gu, '[hidden]'],
  [/\$argon2id?\$[^\s"]+/gu, '[hidden]'],
  [/\b(?:[A-Za-z0-9]{4} ){5}[A-Za-z0-9]{4}\b/gu, '[hidden]'],
  // What WordPress's approve page puts behind the hub's address.
  [/([?&](?:password|state)=)[^&\s"]+/gu, '$1[hidden]'],
  // The hub's own tokens.
  [/\brollcall_[A-Za-z0-9_-]{43}/gu, '[hidden]'],
];

export const hideSecrets = (line: string): string =>
  LOOKS_SECRET.reduce((text, [pattern, instead]) => text.replace(pattern, instead), line);

/** JSON escapes C0 alone. C1, line separators and marks that turn the direction of writing are left. */
const LEFT_BY_JSON =
  /[\u007F-\u009F\u2028\u2029\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]/gu;

/** The line stays the same JSON. */
const asPlainText = (line: string): string =>
  hideSecrets(line).replace(
    LEFT_BY_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

export function createHubLog(options: { level?: string; stream?: DestinationStream } = {}): Logger {
  const settings = {
    level: options.level ?? 'info',
    redact: { paths: REDACTED_PATHS, censor: '[hidden]' },
    serializers: { err: describeError },
    hooks: { streamWrite: asPlainText },
    base: null,
  };
  // stdout belongs to what a command prints.
  return pino(settings, options.stream ?? pino.destination({ dest: 2, sync: true }));
}

/** The store being away or full is one sentence, said again this often; it is no bug with a stack. */
const SAY_AGAIN_MS = 60_000;
const OF_THE_STORE: ReadonlySet<string> = new Set(['database.unreachable', 'data.full']);

/** What workers run into. */
export function reportErrors(log: Logger): (error: unknown) => void {
  const said = new Map<string, number>();
  return (error) => {
    if (!(error instanceof Fault) || !OF_THE_STORE.has(error.code)) {
      log.error({ err: error }, 'worker');
      return;
    }
    const before = said.get(error.code);
    if (before !== undefined && performance.now() - before < SAY_AGAIN_MS) return;
    said.set(error.code, performance.now());
    log.error({ code: error.code, next: error.next }, error.message);
  };
}

function describeError(error: Error): unknown {
  if (!(error instanceof Fault)) return stdSerializers.err(error);
  const { code, message, detail, stack } = error;
  return { type: 'Fault', code, message, detail, stack };
}
