/**
 * What the stages are handed instead of each other: learned facts go in, identities with their
 * new deliveries come out, stored and logged in the caller's transaction.
 */
import type { Holding, Identity } from '../model/identity.ts';
import type { LogEntry } from '../model/log-entry.ts';
import type { Topology } from '../model/route.ts';
import type { Transaction } from './ports.ts';

export interface Learned {
  readonly identity: Identity;
  readonly holding: Holding | null;
  readonly actor: string | null;
}

export type SpreadBatch = (
  tx: Transaction,
  context: {
    readonly topology: Topology;
    readonly nowMs: number;
    /** An operator offers these accounts. */
    readonly asNew?: boolean;
  },
  learned: readonly Learned[],
  alsoLog: readonly LogEntry[],
) => Promise<void>;
