/**
 * Binding an installation to this hub with an administrator's Application Password.
 *
 * Does: read `/status` as that administrator; ask `/connect` for the hub's own credential.
 * Does not: keep the administrator's password, or store anything.
 * Always true: asking again renews the credential; an installation bound to another hub is left alone.
 * On failure: throws `Fault`, telling a wrong password from a stripped header, from Application
 * Passwords that are off, and from an account with too few rights.
 */
import type { z } from 'zod';
import {
  ConnectAnswerSchema,
  type ConnectRequestSchema,
  type StatusAnswer,
  StatusAnswerSchema,
} from '#contract/messages.ts';
import { SUPPORTED_CONTRACTS } from '#contract/version.ts';
import { Fault, type FaultCode } from '../errors.ts';
import type { Credential } from '../sync/ports.ts';
import { callConnector, contractFault } from './connector-call.ts';
import { PLAIN_WAY } from './way.ts';
import type { Wire } from './wire.ts';

export interface Door {
  readonly restUrl: string;
  /** It was found at a public address. */
  readonly publicOnly: boolean;
  /** An administrator's login and Application Password; used for this call and not kept. */
  readonly administrator: Credential;
}

export async function readStatus(wire: Wire, door: Door): Promise<StatusAnswer> {
  const status = await asAdministrator(wire, door, 'status', {}, StatusAnswerSchema);
  if (!SUPPORTED_CONTRACTS.includes(status.contract)) {
    throw contractFault(status.contract, new URL(door.restUrl).host);
  }
  return status;
}

export type ConnectRequest = z.input<typeof ConnectRequestSchema>;

export interface Connected {
  readonly credential: Credential;
  readonly status: StatusAnswer;
}

export const connectSite = (wire: Wire, door: Door, request: ConnectRequest): Promise<Connected> =>
  asAdministrator(wire, door, 'connect', request, ConnectAnswerSchema);

async function asAdministrator<Schema extends z.ZodType>(
  wire: Wire,
  { restUrl, publicOnly, administrator }: Door,
  route: string,
  body: Readonly<Record<string, unknown>>,
  schema: Schema,
): Promise<z.output<Schema>> {
  const call = {
    restUrl,
    publicOnly,
    route,
    credential: administrator,
    body: () => body,
    schema,
    way: PLAIN_WAY,
  };
  try {
    return (await callConnector(wire, call)).value;
  } catch (error) {
    throw error instanceof Fault ? named(error, new URL(restUrl).host) : error;
  }
}

/** Codes of core's `wp_authenticate_application_password` and of the connector's guard. */
const WRONG = new Set(['incorrect_password', 'invalid_username', 'invalid_email']);
const OFF = new Set(['application_passwords_disabled', 'application_passwords_disabled_for_user']);

/** Of the hub's own credential: a wrong one stays what it is, since nobody typed it. */
export function whyRefused(fault: Fault): Fault {
  const host = fault.detail['host'];
  const finer = named(fault, typeof host === 'string' ? host : 'The site');
  return ['site.header_stripped', 'site.app_passwords_off'].includes(finer.code) ? finer : fault;
}

function named(fault: Fault, host: string): Fault {
  if (fault.code !== 'site.credential_rejected') return fault;
  const [code, sentence] = verdict(fault);
  return new Fault(code, `${host}: ${sentence}`, { detail: fault.detail });
}

function verdict({ detail }: Fault): readonly [FaultCode, string] {
  const siteCode = typeof detail['siteCode'] === 'string' ? detail['siteCode'] : '';
  if (WRONG.has(siteCode)) {
    return ['site.wrong_password', 'login or Application Password is wrong.'];
  }
  if (OFF.has(siteCode)) {
    return ['site.app_passwords_off', 'Application Passwords are off for this account.'];
  }
  if (detail['status'] === 403 && detail['reason'] !== undefined) {
    return ['site.not_administrator', 'this account may not connect the site.'];
  }
  if (siteCode === '' || detail['status'] === 403) {
    return ['site.refused', 'something in front of the connector refuses this login.'];
  }
  if (detail['reason'] === undefined) {
    // A plugin that closes REST to strangers took us for one, before the connector could look.
    return ['site.wrong_password', 'login or Application Password is not known there.'];
  }
  // The connector saw no login at all, although it was sent in two headers.
  return ['site.header_stripped', 'the login that was sent did not arrive at WordPress.'];
}
