/** What manual syncs and adopt runs need from the store. */
import type { InstallationId, WordPressId } from '../model/ids.ts';
import type {
  Pair,
  PlannedStep,
  PlannedWhat,
  RunState,
  StepChange,
  StepKey,
  StepState,
  SyncRunRecord,
  SyncStep,
} from '../model/sync-run.ts';

/** Manual syncs. Each call is a transaction of its own. */
export interface Runs {
  add(
    run: Pick<SyncRunRecord, 'id' | 'source' | 'request' | 'startedBy' | 'starts'>,
  ): Promise<void>;
  find(id: string): Promise<SyncRunRecord | null>;
  /** The newest first; `after`: what is older. */
  list(query: {
    readonly after?: Pick<SyncRunRecord, 'atMs' | 'id'>;
    readonly limit: number;
  }): Promise<readonly SyncRunRecord[]>;
  /** Those that a worker has to see to. */
  atWork(): Promise<readonly string[]>;
  /** False: it was in none of these states, and nothing was changed. */
  change(
    id: string,
    from: readonly RunState[],
    change: Partial<
      Pick<
        SyncRunRecord,
        | 'state'
        | 'startedMs'
        | 'pausedMs'
        | 'pausedForMs'
        | 'endedMs'
        | 'starts'
        | 'removesCreated'
        | 'undoneBy'
        | 'fault'
        | 'onlyThere'
      >
    >,
  ): Promise<boolean>;
  /** Stores a page of the plan, once: another process may have read the same one. */
  plan(
    id: string,
    page: {
      readonly readFrom: number;
      readonly readTo: number | null;
      readonly accounts: number;
      readonly steps: readonly PlannedStep[];
    },
  ): Promise<void>;
  /** By account, then by target. */
  steps(
    id: string,
    query: {
      readonly states?: readonly StepState[];
      readonly what?: PlannedWhat;
      readonly pair?: Pair;
      readonly after?: StepKey;
      readonly limit: number;
    },
  ): Promise<readonly SyncStep[]>;
  save(id: string, changes: readonly StepChange[]): Promise<void>;
  /** How many there were. */
  moveAll(
    id: string,
    from: readonly StepState[],
    to: StepState,
    note?: string | null,
  ): Promise<number>;
  counts(id: string): Promise<
    readonly (Pick<SyncStep, 'target' | 'what' | 'state' | 'pair' | 'decision'> & {
      readonly count: number;
    })[]
  >;
  /** Of a plan: who stands against the same account as somebody else is a clash with this reason. */
  clashTwice(id: string, reason: string): Promise<void>;
  /** Living accounts of an installation that nobody on the other one has, and that no step names. */
  onlyThere(
    id: string,
    query: { readonly on: InstallationId; readonly not: InstallationId } & {
      readonly after?: WordPressId;
      readonly limit: number;
    },
  ): Promise<readonly OnlyThere[]>;
  countOnlyThere(
    id: string,
    query: { readonly on: InstallationId; readonly not: InstallationId },
  ): Promise<number>;
  /** The steps of these accounts of the source. */
  stepsOf(id: string, accounts: readonly WordPressId[]): Promise<readonly SyncStep[]>;
  /** All of them or none; false: it waits no more to be started. */
  decide(id: string, changes: readonly StepChange[]): Promise<boolean>;
}

export interface OnlyThere {
  readonly wpId: WordPressId;
  readonly login: string;
  readonly email: string;
  readonly privileged: boolean;
}
