/**
 * How long a site that failed is left alone.
 *
 * Always true: a hub that hammers at a closed door gets banned, so a site that refuses it again and again
 * is asked once an hour; one that was only down, or refused once (a firewall's mood), is asked soon.
 */
import type { FaultCode } from '../../errors.ts';
import type { Installation } from '../ports.ts';
import { backOffMs } from './back-off.ts';

const CLOSED_DOOR: ReadonlySet<string> = new Set<FaultCode>([
  'site.credential_rejected',
  'site.refused',
  'site.whitelisted_out',
]);
const CLOSED_DOOR_TRIES = 3;
const CLOSED_DOOR_MS = 3_600_000;

/** Hub and connector speak no version in common: nothing is learned or sent until one of them is another. */
const MISFITS: ReadonlySet<string> = new Set<FaultCode>([
  'site.connector_too_old',
  'site.connector_too_new',
]);
/** It takes a person, but nobody has to tell the hub: a plugin updates itself at night. */
const MISFIT_MS = 600_000;
export const isMisfit = (code: FaultCode): boolean => MISFITS.has(code);

/** @param before as stored before this failure */
export function waitMsAfter(
  code: FaultCode,
  before: Pick<Installation, 'failures' | 'trouble'>,
): number {
  if (isMisfit(code)) return MISFIT_MS;
  const failures = before.failures + 1;
  const wasClosed = CLOSED_DOOR.has(before.trouble?.code ?? '');
  const isClosed = CLOSED_DOOR.has(code) && wasClosed && failures >= CLOSED_DOOR_TRIES;
  return isClosed ? CLOSED_DOOR_MS : backOffMs(failures);
}
