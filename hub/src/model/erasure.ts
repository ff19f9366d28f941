/** Erasures of persons: what sites told of, and what is asked of others for it. */
import type { IdentityUid, InstallationId, SiteKey, WordPressId } from './ids.ts';

/** A site says that the erasure of one of its people was completed there. */
export interface ToldErasure {
  readonly row: string;
  readonly wpId: WordPressId;
  readonly login: string;
  /** The erasure that it was asked for by this hub; null: the person asked for it there. */
  readonly of: string | null;
}
export interface UnsettledErasure extends ToldErasure {
  readonly id: string;
}

/** `opened`: a confirmed request stands there; whoever administers that site carries it out. */
export type ErasureState = 'waiting' | 'held' | 'opened' | 'refused' | 'rejected';

/** One erasure on its way to one installation. */
export interface ErasureStep {
  readonly id: number;
  readonly erasure: string;
  readonly uid: IdentityUid;
  readonly source: SiteKey;
  readonly target: SiteKey;
  readonly state: ErasureState;
  readonly reason: string | null;
  readonly atMs: number;
}
export type NewErasureStep = Pick<ErasureStep, 'source' | 'target'> & {
  readonly installation: InstallationId;
};

/** What was taken out of the hub's own records. */
export interface ErasedRecords {
  readonly logRows: number;
  readonly runSteps: number;
}

/** Each call is a transaction of its own, safe to repeat. */
export interface Erasures {
  /** Once per row. */
  note(installation: InstallationId, told: readonly ToldErasure[]): Promise<void>;
  unsettled(installation: InstallationId): Promise<readonly UnsettledErasure[]>;
  /**
   * Each installation is asked once for one erasure, and none that completed it. With a uid the hub's own records of
   * that person are erased in the same transaction. Installations that have something to do come back.
   */
  settle(
    id: string,
    uid: IdentityUid | null,
    steps: readonly NewErasureStep[],
  ): Promise<readonly InstallationId[]>;
  /** Holds all that wait there, when they are more than may be opened in 24 hours. */
  holdBeyond(installation: InstallationId, allowed: number): Promise<readonly ErasureStep[]>;
  waiting(installation: InstallationId, limit: number): Promise<readonly ErasureStep[]>;
  end(id: number, state: ErasureState, reason: string | null): Promise<void>;
  /** The newest first. */
  list(limit: number): Promise<readonly ErasureStep[]>;
  /** Of those that are held; null: all of them. */
  decide(
    ids: readonly number[] | null,
    decision: 'release' | 'reject',
  ): Promise<readonly InstallationId[]>;
  /** Takes names out of what the hub keeps of a person, and drops values that it keeps. */
  eraseRecords(uid: IdentityUid): Promise<ErasedRecords>;
}
