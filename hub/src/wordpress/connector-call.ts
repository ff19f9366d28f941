/**
 * One request to a connector's route and its parsed answer.
 *
 * Does: credential in both headers, the firewall envelope, the check of the contract's version,
 * parsing by the contract's schema.
 * Always true: the credential goes to the REST root it was given for and nowhere else.
 * On failure: throws `Fault` (`site.*`) without credential and without values of accounts.
 */
import type { z } from 'zod';
import { REST_NAMESPACE, SUPPORTED_CONTRACTS } from '#contract/version.ts';
import { Fault } from '../errors.ts';
import type { Credential } from '../sync/ports.ts';
import {
  answerFault,
  CONTRACT_HEADER,
  isFromConnector,
  parseJson,
  safeWord,
} from './answer-fault.ts';
import { packEnvelope } from './envelope.ts';
import { routeUrl } from './rest-url.ts';
import { isClosedSocket } from './socket-fault.ts';
import type { Answered, Asked, Wire } from './wire.ts';

export interface ConnectorCall<Schema extends z.ZodType> {
  readonly restUrl: string;
  /** Never reached at a private address. */
  readonly publicOnly: boolean;
  /** Below `rollcall/v1`. */
  readonly route: string;
  readonly credential: Credential;
  readonly body: unknown;
  readonly schema: Schema;
  /** Send the envelope at once: plain requests were refused before. */
  readonly packed: boolean;
}

export interface ConnectorAnswer<T> {
  readonly value: T;
  /** The envelope was what got through. */
  readonly packed: boolean;
}

export async function callConnector<Schema extends z.ZodType>(
  wire: Wire,
  call: ConnectorCall<Schema>,
): Promise<ConnectorAnswer<z.output<Schema>>> {
  const json = JSON.stringify(call.body);
  const first = await sendTwice(wire, asked(call, call.packed ? packEnvelope(json) : json));
  if (call.packed || !looksLikeFirewall(first)) {
    return { value: parsed(first, call), packed: call.packed };
  }
  const second = await sendTwice(wire, asked(call, packEnvelope(json)));
  return { value: parsed(second, call), packed: true };
}

/** A connection that was closed while it was idle is worth one more try; all calls may be repeated. */
async function sendTwice(wire: Wire, question: Asked): Promise<Answered> {
  try {
    return await wire.send(question);
  } catch (error) {
    if (error instanceof Fault && isClosedSocket(error)) return wire.send(question);
    throw error;
  }
}

/** Statuses that web application firewalls answer with (ModSecurity, Wordfence, hosts' own). */
const FIREWALL_STATUSES = new Set([400, 403, 406, 413]);

const looksLikeFirewall = (answer: Answered): boolean =>
  FIREWALL_STATUSES.has(answer.status) && !isFromConnector(answer);

function asked(call: ConnectorCall<z.ZodType>, body: string): Asked {
  const basic = basicOf(call.credential);
  return {
    method: 'POST',
    url: routeUrl(call.restUrl, `${REST_NAMESPACE}/${call.route}`),
    publicOnly: call.publicOnly,
    headers: {
      'content-type': 'application/json',
      authorization: basic,
      // For hosts that strip Authorization.
      'x-rollcall-authorization': basic,
    },
    body,
  };
}

const basicOf = ({ user, password }: Credential): string =>
  `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;

function parsed<Schema extends z.ZodType>(
  answer: Answered,
  call: ConnectorCall<Schema>,
): z.output<Schema> {
  if (answer.status !== 200) throw answerFault(answer, secretsOf(call.credential));
  checkContract(answer);
  const result = call.schema.safeParse(parseJson(answer.text));
  if (result.success) return result.data;
  throw misfit(answer, call, result.error);
}

const secretsOf = (credential: Credential): string[] => [
  credential.password,
  credential.password.replaceAll(' ', ''),
  basicOf(credential).slice('Basic '.length),
];

/** Names the place that doesn't fit, never the value there. */
function misfit(answer: Answered, call: ConnectorCall<z.ZodType>, error: z.ZodError): Fault {
  const { host } = new URL(answer.url);
  const { route } = call;
  const message = `${host} answered something else than Rollcall’s JSON to “${route}”.`;
  const place = error.issues[0]?.path.map(String).join('.') ?? '';
  const detail = {
    host,
    status: answer.status,
    route,
    html: answer.text.trimStart().startsWith('<'),
    place: safeWord(place, secretsOf(call.credential)),
  };
  return new Fault('site.bad_answer', message, { detail });
}

/** The header is on every answer of a connector; without it the schema decides. */
function checkContract(answer: Answered): void {
  const named = answer.header(CONTRACT_HEADER);
  if (named === null) return;
  const contract = Number(named);
  if (!Number.isInteger(contract) || SUPPORTED_CONTRACTS.includes(contract)) return;
  throw contractFault(contract, new URL(answer.url).host);
}

export function contractFault(contract: number, host: string): Fault {
  const old = contract < Math.min(...SUPPORTED_CONTRACTS);
  const code = old ? 'site.connector_too_old' : 'site.connector_too_new';
  const message = old
    ? `The connector on ${host} is too old for this hub.`
    : `The connector on ${host} is newer than this hub.`;
  return new Fault(code, message, { detail: { host, contract } });
}
