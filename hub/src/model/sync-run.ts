/** A manual sync: what was asked for, the plan account by account, and how far it is. */
import type { Reason } from '../reasons.ts';
import type { Field, Value } from './field.ts';
import type { IdentityUid, SiteKey, WordPressId } from './ids.ts';
import type { Stamp } from './stamp.ts';

/**
 * `planning` → `planned` → `running` ⇄ `paused` → `delivering` → `done`. `cancelled` and `failed` end it
 * before; what was done until then stands. `undoing` → `undone` after any end.
 */
export const RUN_STATES = [
  'planning',
  'planned',
  'running',
  'paused',
  'delivering',
  'done',
  'cancelled',
  'failed',
  'undoing',
  'undone',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** What a worker has to see to. */
export const RUNS_AT_WORK: readonly RunState[] = ['planning', 'running', 'delivering', 'undoing'];

/** What would happen to an account. */
export const PLANNED = ['create', 'update', 'link', 'unchanged', 'skip', 'hold'] as const;
export type PlannedWhat = (typeof PLANNED)[number];

/**
 * `left`: nothing is to be done. `doing`: what was there is kept, nothing was asked for for certain.
 * `sent`: it travels. Then `arrived`, `held` or `failed`. `changed`: something moved since the preview, and
 * it was planned again. After an undo `undone`, or `stays`.
 */
export const STEP_STATES = [
  'left',
  'planned',
  'doing',
  'sent',
  'arrived',
  'held',
  'failed',
  'changed',
  'cancelled',
  'undone',
  'stays',
] as const;
export type StepState = (typeof STEP_STATES)[number];

/** Of an adopt run: what an account of the source has on the target. */
export const PAIRS = ['same', 'clash', 'only_here'] as const;
export type Pair = (typeof PAIRS)[number];

/** What a person says about a pair. */
export const DECISIONS = ['link', 'separate', 'skip'] as const;
export type Decision = (typeof DECISIONS)[number];

/** An account on the target that may be the same person, or is in the way. */
export interface OtherSide {
  readonly id: WordPressId;
  readonly uid: IdentityUid;
  readonly login: string;
  readonly email: string;
  readonly by: 'email' | 'login';
  /** Reason code why not even a person's word links the two; null: it would. */
  readonly why: Reason | null;
}
/** Both sides as the plan saw them. */
export interface Sides {
  readonly email: string;
  /** At most so many as are shown; the decision of a person names one of them. */
  readonly others: readonly OtherSide[];
}

export interface SyncRunRecord {
  readonly id: string;
  readonly state: RunState;
  readonly source: SiteKey;
  /** As it was asked for; whoever reads it parses it. */
  readonly request: unknown;
  readonly startedBy: string;
  readonly atMs: number;
  readonly startedMs: number | null;
  readonly pausedMs: number | null;
  /** Of all pauses that are over. */
  readonly pausedForMs: number;
  readonly endedMs: number | null;
  /** The last account that the plan has read; null: all of them. */
  readonly readTo: number | null;
  readonly accounts: number;
  /** Of an adopt run: accounts of the target that nobody on the source has; null: not counted. */
  readonly onlyThere: number | null;
  /** Goes on from the plan by itself. */
  readonly starts: boolean;
  /** The undo removes accounts that the run created, where they hold nothing of their own. */
  readonly removesCreated: boolean;
  readonly undoneBy: string | null;
  readonly fault: {
    readonly code: string;
    readonly message: string;
    readonly next: string;
  } | null;
}

/** Values of one field on the target; null: it was not there. */
export interface KeptField {
  readonly before: { readonly v: Value; readonly s: Stamp } | null;
  readonly after: Value;
}
export type Kept = Readonly<Record<Field, KeptField>>;

export interface PlannedStep {
  readonly wpId: WordPressId;
  readonly target: SiteKey;
  readonly uid: IdentityUid;
  readonly login: string;
  readonly what: PlannedWhat;
  /** For `link`: the older account on the target. */
  readonly other: string | null;
  /** For `link`: the operator named it. */
  readonly proven: boolean;
  readonly fields: readonly Field[];
  readonly reason: string | null;
  /** The stamps that the plan was made from. */
  readonly seen: string;
  readonly state: StepState;
  /** The source is asked to stamp no lower than this. */
  readonly atLeastMs: number;
  /** Null: it is no adopt run. */
  readonly pair: Pair | null;
  readonly sides: Sides | null;
}

export interface SyncStep extends PlannedStep {
  readonly decision: Decision | null;
  /** Why it is in this state. */
  readonly note: string | null;
  /** What an undo needs; null: nothing was changed, or it is no longer kept. */
  readonly kept: Kept | null;
  /** What the source was stamped with. */
  readonly stamps: Readonly<Record<Field, Stamp>> | null;
}

export type StepKey = Pick<SyncStep, 'wpId' | 'target'>;
export type StepChange = StepKey & Partial<Omit<SyncStep, 'wpId' | 'target' | 'login'>>;
