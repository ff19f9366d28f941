/**
 * What goes into a spread and what comes out. The stages that learn facts (capture, deliver) and
 * the one that decides never see each other; this is what they share.
 */

import type { Candidate, Holding, Identity } from './identity.ts';
import type { DeliveryId, InstallationId } from './ids.ts';
import type { LogEntry } from './log-entry.ts';
import type { Topology } from './route.ts';

export interface SpreadInput {
  readonly identity: Identity;
  readonly holding: Holding;
  readonly topology: Topology;
  readonly candidates: (installation: InstallationId) => readonly Candidate[];
  readonly nowMs: number;
  /** The source has brought as many new accounts as go without a person’s consent. */
  readonly creationsUsedUp?: boolean;
  /** How long a delete waits so that many can be judged together. */
  readonly settleDeletesMs: number;
  readonly actor: string | null;
  readonly newDeliveryId: () => DeliveryId;
}

export interface FoundLink {
  readonly installation: InstallationId;
  readonly candidate: Candidate;
}

export interface Spread {
  readonly identity: Identity;
  readonly log: readonly LogEntry[];
  /** Older accounts with the same e-mail: to be proven by a person. */
  readonly links: readonly FoundLink[];
  /** The source's whole state must be read before a create can go out. */
  readonly needsRefresh: boolean;
}
