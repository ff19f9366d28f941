/**
 * How requests get through to a site, and what is tried when something in front of it is in the way.
 *
 * Does: pure decisions. Always true: every other way is tried once at most, so that asking ends.
 */
import type { Fault } from '../errors.ts';
import { isFromConnector } from './answer-fault.ts';
import { brokeOff } from './socket-fault.ts';
import type { Answered } from './wire.ts';

export interface Way {
  /** In the envelope: a firewall reads requests, or answers. */
  readonly packed: boolean;
  /** At an address that was never asked before: a cache answers by address alone. */
  readonly fresh: boolean;
}

export const PLAIN_WAY: Way = { packed: false, fresh: false };

export type Reaction =
  | { readonly kind: 'fault'; readonly fault: Fault }
  | {
      readonly kind: 'answer';
      readonly answer: Answered;
      /** The JSON in it, out of its envelope; undefined when there is none. */
      readonly content: unknown;
      /** It answers another request. */
      readonly stale: boolean;
      /** It is the connector's own word, and for this request. */
      readonly meant: boolean;
    };

/** null: there is nothing else to try, or no need. */
export function otherWay(way: Way, reaction: Reaction): Way | null {
  if (reaction.kind === 'answer' && reaction.stale) {
    return way.fresh ? null : { ...way, fresh: true };
  }
  return !way.packed && looksLikeFirewall(reaction) ? { ...way, packed: true } : null;
}

/** What web application firewalls answer with (ModSecurity, Wordfence, hosts' own). */
const FIREWALL_STATUSES = new Set([400, 403, 405, 406, 413, 501]);

function looksLikeFirewall(reaction: Reaction): boolean {
  // A firewall that reads answers ends the connection: the first line was on its way already.
  if (reaction.kind === 'fault') return brokeOff(reaction.fault);
  return FIREWALL_STATUSES.has(reaction.answer.status) && !isFromConnector(reaction.answer);
}
