/**
 * One request to a connector's route and its parsed answer.
 *
 * Does: credential in both headers, another way where something in front of the site is in the way (`way.ts`),
 * the check of the contract's version, parsing by the contract's schema.
 * Always true: the credential goes to the REST root it was given for and nowhere else. An answer to another request
 * than this one is never believed.
 * On failure: throws `Fault` (`site.*`) without credential and without values of accounts.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { REST_NAMESPACE, SUPPORTED_CONTRACTS } from '#contract/version.ts';
import { Fault } from '../errors.ts';
import type { Credential } from '../sync/ports.ts';
import { answerFault, CONTRACT_HEADER, restError, safeWord } from './answer-fault.ts';
import { openEnvelope, packEnvelope } from './envelope.ts';
import { fitToSchema } from './fit-to-schema.ts';
import { routeUrl } from './rest-url.ts';
import { isClosedSocket } from './socket-fault.ts';
import { parseJson } from './stray-output.ts';
import { otherWay, type Reaction, type Way } from './way.ts';
import { type Answered, type Asked, WIRE_LIMITS, type Wire } from './wire.ts';

/** What is asked; less of it where it must fit into an envelope. */
export type RequestBody = (packed: boolean) => Readonly<Record<string, unknown>>;

export interface ConnectorCall<Schema extends z.ZodType> {
  readonly restUrl: string;
  /** Never reached at a private address. */
  readonly publicOnly: boolean;
  /** Below `rollcall/v1`. */
  readonly route: string;
  readonly credential: Credential;
  readonly body: RequestBody;
  readonly schema: Schema;
  /** As it got through before. */
  readonly way: Way;
}

export interface ConnectorAnswer<T> {
  readonly value: T;
  /** What got through. */
  readonly way: Way;
}

export async function callConnector<Schema extends z.ZodType>(
  wire: Wire,
  call: ConnectorCall<Schema>,
): Promise<ConnectorAnswer<z.output<Schema>>> {
  let { way } = call;
  for (;;) {
    const ask = randomUUID();
    const reaction = await react(wire, asked(call, way, ask), ask);
    const next = otherWay(way, reaction);
    if (next === null) return { value: parsed(reaction, call), way };
    way = next;
  }
}

async function react(wire: Wire, question: Asked, ask: string): Promise<Reaction> {
  try {
    const answer = await sendTwice(wire, question);
    const content = openEnvelope(parseJson(answer.text), WIRE_LIMITS.answerBytes);
    const echo = echoIn(content);
    return {
      kind: 'answer',
      answer: truly(answer, content),
      content,
      // A cache's, to a request of long ago. What the connector answers always names the request.
      stale: echo !== undefined && echo !== ask,
      // What stands in a page may be anybody's words: they know neither the header nor the name of this request.
      meant: answer.header(CONTRACT_HEADER) !== null || echo === ask,
    };
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return { kind: 'fault', fault };
  }
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

const EchoSchema = z.object({
  ask: z.string().optional(),
  data: z.object({ ask: z.string().optional() }).nullish().catch(null),
});

function echoIn(content: unknown): string | undefined {
  const parsed = EchoSchema.safeParse(content);
  return parsed.success ? (parsed.data.ask ?? parsed.data.data?.ask) : undefined;
}

const ErrorStatusSchema = z.object({ data: z.object({ status: z.int().min(400) }) });

/** Where something was printed before WordPress could send its headers, an error comes as 200. */
function truly(answer: Answered, content: unknown): Answered {
  if (answer.status !== 200 || restError(answer) === null) return answer;
  const parsed = ErrorStatusSchema.safeParse(content);
  return parsed.success ? { ...answer, status: parsed.data.data.status } : answer;
}

function asked(call: ConnectorCall<z.ZodType>, way: Way, ask: string): Asked {
  const basic = basicOf(call.credential);
  const json = JSON.stringify({ ...call.body(way.packed), ask });
  const url = new URL(routeUrl(call.restUrl, `${REST_NAMESPACE}/${call.route}`));
  if (way.fresh) url.search = `${url.search === '' ? '?' : `${url.search}&`}rollcall=${ask}`;
  return {
    method: 'POST',
    url: url.href,
    publicOnly: call.publicOnly,
    headers: {
      'content-type': 'application/json',
      authorization: basic,
      // For hosts that strip Authorization.
      'x-rollcall-authorization': basic,
    },
    body: way.packed ? packEnvelope(json) : json,
  };
}

const basicOf = ({ user, password }: Credential): string =>
  `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;

function parsed<Schema extends z.ZodType>(
  reaction: Reaction,
  call: ConnectorCall<Schema>,
): z.output<Schema> {
  if (reaction.kind === 'fault') throw reaction.fault;
  const { answer, content, stale, meant } = reaction;
  if (stale) throw staleFault(answer, call.route);
  if (answer.status !== 200) throw answerFault(answer, secretsOf(call.credential));
  checkContract(answer);
  const { value, place } = meant ? fitToSchema(call.schema, content) : { place: '' };
  if (value === undefined) throw misfit(answer, call, place);
  return value;
}

function staleFault(answer: Answered, route: string): Fault {
  const { host } = new URL(answer.url);
  const message = `A cache in front of ${host} answers “${route}” with what it answered before.`;
  return new Fault('site.stale_answer', message, { detail: { host, route } });
}

const secretsOf = (credential: Credential): string[] => [
  credential.password,
  credential.password.replaceAll(' ', ''),
  basicOf(credential).slice('Basic '.length),
];

/** Names the place that doesn't fit, never the value there. */
function misfit(answer: Answered, call: ConnectorCall<z.ZodType>, place: string): Fault {
  const { host } = new URL(answer.url);
  const { route } = call;
  const message = `${host} answered something else than Rollcall’s JSON to “${route}”.`;
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
