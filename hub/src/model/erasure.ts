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

/**
 * `opened`: a confirmed request stands there; whoever administers that site carries it out.
 * `erased`: names are gone from the hub's own records.
 */
export type ErasureState = 'waiting' | 'held' | 'opened' | 'erased' | 'refused' | 'rejected';

/** One erasure on its way to one installation; where source and target are one site: to the hub's own records. */
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
/** The hub's own records are to be erased, because this site told of it. */
export interface OwnRecords {
  readonly site: SiteKey;
  /** Somewhere the person can administer a site. */
  readonly privileged: boolean;
}
export interface OwnRecordsStep extends ErasureStep {
  /** An operator said so, or the hub asked that installation for it. */
  readonly released: boolean;
}

/** What was taken out of the hub's own records. */
export interface ErasedRecords {
  readonly logRows: number;
  readonly runSteps: number;
}

/** Each call is a transaction of its own, safe to repeat. */
export interface Erasures {
  /** Once per row. */
  note(installation: InstallationId, told: readonly ToldErasure[]): Promise<void>;
  /** The oldest of them. */
  unsettled(installation: InstallationId): Promise<readonly UnsettledErasure[]>;
  /** Steps that this installation’s telling has made or moved within 24 hours. */
  stepsToday(installation: InstallationId): Promise<number>;
  /**
   * Each installation is asked once for one erasure, and none that completed it. For one person, whoever tells and
   * whoever is asked, one step waits at a time. Installations that have something to do come back.
   */
  settle(
    id: string,
    uid: IdentityUid | null,
    steps: readonly NewErasureStep[],
    own: OwnRecords | null,
  ): Promise<readonly InstallationId[]>;
  /** Holds all that wait there, when they are more than may be opened, or erased here, in 24 hours. */
  holdBeyond(
    installation: InstallationId,
    allowed: number,
    what: 'there' | 'own',
  ): Promise<readonly ErasureStep[]>;
  /** Erasures of the hub's own records that this installation told of: each person once within 24 hours. */
  ownDue(installation: InstallationId): Promise<readonly OwnRecordsStep[]>;
  /** Erases them and ends the step, in one transaction. False: it no longer waited. */
  eraseOwn(id: number): Promise<boolean>;
  /** What is to be asked of it. */
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
