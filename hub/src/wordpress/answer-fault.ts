/**
 * Names what a site answered when it was not what was asked for: by status, headers and the
 * JSON's `code` and `data.reason`, never by the text of a message.
 *
 * `detail` holds: host, status, and where known reason, siteCode, said (one sentence of the
 * connector's own, for people), mark (what the site holds), retryAfterMs, redirectsTo (a host).
 */
import { type Mark, RestErrorSchema } from '#contract/messages.ts';
import { Fault, type FaultCode } from '../errors.ts';
import { parseUrl } from './rest-url.ts';
import { parseJson } from './stray-output.ts';
import type { Answered } from './wire.ts';

export const CONTRACT_HEADER = 'x-rollcall-contract';

/** Did the connector itself answer, and not something in front of it or beside it? */
export const isFromConnector = (answer: Answered): boolean =>
  answer.header(CONTRACT_HEADER) !== null || restError(answer)?.reason !== undefined;

export interface RestError {
  readonly code: string;
  readonly reason?: string;
  readonly mark?: Mark | null;
  readonly message: string;
}

/** An error is a sentence or two. What is longer is looked at once, as an answer. */
const LONGEST_ERROR = 200_000;

/** A WordPress REST error, or null. */
export function restError(answer: Answered): RestError | null {
  if (answer.text.length > LONGEST_ERROR) return null;
  const parsed = RestErrorSchema.safeParse(parseJson(answer.text));
  if (!parsed.success) return null;
  const { code, message, data } = parsed.data;
  const { reason, mark } = data ?? {};
  return {
    code,
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(mark === undefined ? {} : { mark }),
  };
}

/** @param secrets whatever must not appear in the fault, should the site echo it */
export function answerFault(answer: Answered, secrets: readonly string[]): Fault {
  const code = faultCode(answer);
  const { host } = new URL(answer.url);
  const detail = { host, status: answer.status, ...facts(answer, secrets) };
  return new Fault(code, sentence(code, host, answer, detail), { detail });
}

const BY_REASON: Readonly<Record<string, FaultCode>> = {
  'hub.bound_beside': 'site.already_added',
  'hub.not_mine': 'site.not_mine',
  'hub.released': 'site.released',
  'hub.superseded': 'site.superseded',
  'installation.moved': 'site.moved',
  'route.missing': 'site.connector_too_old',
  'mark.mismatch': 'site.mark_mismatch',
  'site.database': 'site.database',
  'whitelist.address': 'site.whitelisted_out',
  'target.guard_kept': 'site.guard_refused',
  'whitelist.would_refuse': 'site.guard_refused',
  'role.unknown': 'role.unknown',
  'network.missing': 'network.unknown',
  'network.run_missing': 'network.run_unknown',
  'network.run_state': 'network.wrong_state',
  'run.undo_expired': 'network.wrong_state',
  'network.nothing_to_undo': 'network.nothing_to_undo',
};

function faultCode(answer: Answered): FaultCode {
  const { status } = answer;
  const error = restError(answer);
  const byReason = BY_REASON[error?.reason ?? ''];
  if (byReason !== undefined) return byReason;
  if (status === 429) return 'site.rate_limited';
  if (status >= 500) return 'site.server_error';
  if (status >= 300 && status < 400) return 'site.redirected';
  if (status === 401) return 'site.credential_rejected';
  // A 403 that WordPress did not write is a firewall's: the credential may well be good.
  if (status === 403) return error === null ? 'site.refused' : 'site.credential_rejected';
  if (status === 404)
    return error?.code === 'rest_no_route' ? 'site.no_connector' : 'site.bad_answer';
  if (status >= 400) return 'site.refused';
  return 'site.bad_answer';
}

function facts(answer: Answered, secrets: readonly string[]) {
  const error = restError(answer);
  const retryAfterMs = retryAfter(answer.header('retry-after'));
  const redirectsTo = redirectHost(answer);
  const said = isFromConnector(answer) ? safeSentence(error?.message, secrets) : undefined;
  return {
    ...(error === null ? {} : { siteCode: safeWord(error.code, secrets) }),
    ...(error?.reason === undefined ? {} : { reason: safeWord(error.reason, secrets) }),
    ...(said === undefined ? {} : { said }),
    ...(error?.mark === undefined ? {} : { mark: error.mark }),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
    ...(redirectsTo === null ? {} : { redirectsTo }),
  };
}

/** Longer than any code of WordPress's or ours. */
const LONGEST_WORD = 80;
const LONGEST_SENTENCE = 300;

/** Text from a site, made fit for a fault: nothing that could be ours to hide, no control characters. */
export function safeWord(word: string, secrets: readonly string[]): string {
  return hides(word, secrets) ? '' : word.replaceAll(/[^\w.:-]/gu, '').slice(0, LONGEST_WORD);
}

function safeSentence(text: string | undefined, secrets: readonly string[]): string | undefined {
  if (text === undefined || text === '' || hides(text, secrets)) return undefined;
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, LONGEST_SENTENCE);
}

const hides = (text: string, secrets: readonly string[]): boolean =>
  secrets.some((secret) => text.includes(secret));

/** A clock that is years ahead must not put a site to sleep for years. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

/** Seconds or an HTTP date (RFC 9110 §10.2.3). */
function retryAfter(value: string | null): number | null {
  if (value === null) return null;
  const seconds = /^\d{1,9}$/u.test(value);
  const waitMs = seconds ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(0, waitMs), LONGEST_WAIT_MS);
}

/** Where a redirect points: its host only, the rest may hold a token. */
export function redirectHost(answer: Answered): string | null {
  const location = answer.header('location');
  if (answer.status < 300 || answer.status >= 400 || location === null) return null;
  const url = parseUrl(location, answer.url);
  return url === null ? null : `${url.protocol}//${url.host}`;
}

function sentence(
  code: FaultCode,
  host: string,
  answer: Answered,
  { redirectsTo, said }: { readonly redirectsTo?: string; readonly said?: string },
): string {
  switch (code) {
    case 'site.redirected':
      return `${host} redirects to ${redirectsTo ?? 'somewhere else'} instead of answering.`;
    case 'site.not_mine':
      return said === undefined ? `${host} is connected to another hub.` : `${host}: ${said}`;
    case 'site.released':
      return `${host} was released from this hub in its wp-admin.`;
    case 'site.superseded':
      return `${host} has been spoken to by a later instance of this hub.`;
    case 'site.moved':
      return `${host} runs at another address than the one it was connected at.`;
    case 'site.mark_mismatch':
      return `${host} is not where this hub left it.`;
    case 'site.no_connector':
      return `The Rollcall Connector is not active on ${host}.`;
    case 'site.connector_too_old':
      return `The connector on ${host} does not know this request.`;
    case 'site.credential_rejected':
      return `${host} does not accept the hub’s credential (status ${answer.status}).`;
    case 'site.already_added':
    case 'site.whitelisted_out':
    case 'site.guard_refused':
    case 'role.unknown':
    case 'network.unknown':
    case 'network.run_unknown':
    case 'network.wrong_state':
    case 'network.nothing_to_undo':
      return `${host}: ${said ?? `it refused the request (status ${answer.status}).`}`;
    case 'site.rate_limited':
      return `${host} asks for fewer requests.`;
    case 'site.database':
      return `The database of ${host} failed at the request.`;
    case 'site.server_error':
      return `${host} failed (status ${answer.status}).`;
    case 'site.refused':
      return `${host} refused the request (status ${answer.status}).`;
    default:
      return `${host} answered something else than Rollcall’s JSON (status ${answer.status}).`;
  }
}
