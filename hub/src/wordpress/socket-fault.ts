/**
 * Names what went wrong below HTTP, by the error's code.
 *
 * Does not: keep the error itself as a cause; what undici attaches to it is not ours to log.
 */
import { Fault, type FaultCode } from '../errors.ts';

const DNS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME', 'EAI_FAIL']);
const TIME = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);
/** X.509 codes of OpenSSL as Node names them, and TLS protocol errors. */
const TLS =
  /^(CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH_|CRL_|EPROTO$)/u;

/** More than an answer may hold, or nothing that HTTP knows. */
const NONSENSE = new Set([
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
  'UND_ERR_HEADERS_OVERFLOW',
  'HTTPParserError',
]);

/** When the error came: before or after the answer's first line. */
export type Moment = 'asking' | 'reading';

export function socketFault(error: unknown, host: string, moment: Moment): Fault {
  const errno = codeOf(error);
  const code = faultCode(errno, moment);
  return new Fault(code, sentence(code, host), { detail: { host, errno } });
}

/** `ECONNRESET` and the like; connection attempts to several addresses are one AggregateError. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return 'ETIMEDOUT';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (error.cause !== undefined) return codeOf(error.cause);
  return error.name;
}

/** The other end closed a connection that was kept alive: nobody's fault, worth one more try. */
export const isClosedSocket = (fault: Fault): boolean =>
  fault.code === 'site.unreachable' && brokeOff(fault);

/** The connection ended before the answer did. */
export const brokeOff = (fault: Fault): boolean =>
  ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(String(fault.detail['errno']));

function faultCode(errno: string, moment: Moment): FaultCode {
  if (DNS.has(errno)) return 'site.dns';
  if (TIME.has(errno)) return 'site.timeout';
  if (TLS.test(errno)) return 'site.tls';
  if (NONSENSE.has(errno) || errno.startsWith('HPE_')) return 'site.bad_answer';
  return moment === 'reading' ? 'site.bad_answer' : 'site.unreachable';
}

function sentence(code: FaultCode, host: string): string {
  switch (code) {
    case 'site.dns':
      return `There is no such host: ${host}.`;
    case 'site.timeout':
      return `${host} did not answer in time.`;
    case 'site.tls':
      return `No secure connection to ${host}: its certificate or its TLS is not in order.`;
    case 'site.bad_answer':
      return `The answer of ${host} broke off or was not understood.`;
    default:
      return `${host} can’t be reached.`;
  }
}
