/** Manual sync: chosen accounts of a source, some targets; planned, looked at, carried out, undone. */
import { z } from 'zod';
import {
  LoginSchema,
  MomentSchema,
  NextSchema,
  PageQuerySchema,
  RoleNameSchema,
  SiteNameSchema,
  TroubleSchema,
} from './words.ts';

export const ChosenSchema = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('all') }),
  z.strictObject({ by: z.literal('roles'), roles: z.array(RoleNameSchema).min(1).max(100) }),
  z.strictObject({ by: z.literal('accounts'), logins: z.array(LoginSchema).min(1).max(1000) }),
  /** A part of the login, the e-mail address or the display name. */
  z.strictObject({ by: z.literal('search'), search: z.string().trim().min(1).max(200) }),
]);

/** Links that a plan named: an account of the source, a target, and the older account there. */
const LinksSchema = z
  .array(z.strictObject({ login: LoginSchema, target: SiteNameSchema, other: LoginSchema }))
  .max(1000);

export const SYNC_MODES = ['like_source', 'only_missing'] as const;

export const ADOPT_MODES = ['link', 'fill', 'source_wins'] as const;

/** Two grown user bases: who is who is found out first, and looked at by a person. */
export const AdoptSchema = z.strictObject({
  /** `link`: nothing crosses. `fill`: what is empty on the target. `source_wins`: all that differs. */
  how: z.enum(ADOPT_MODES),
  /** Also creates who is on the source alone. */
  createMissing: z.boolean().optional(),
  /** `fill` also gives roles that the account has not on the target. */
  roles: z.boolean().optional(),
});

export const SyncRequestSchema = z.strictObject({
  from: SiteNameSchema,
  to: z.array(SiteNameSchema).min(1).max(1000),
  /** Which accounts of the source. */
  accounts: ChosenSchema,
  /** `like_source`: the target becomes like the source. `only_missing`: who is there already is left alone. */
  mode: z.enum(SYNC_MODES).optional(),
  /** Links that the operator takes for proven. The run proves these and no others. */
  links: LinksSchema.optional(),
  /** It brings two user bases together. One target, no `mode`, no `links`; planned first. */
  adopt: AdoptSchema.optional(),
});
export type SyncRequest = z.infer<typeof SyncRequestSchema>;

/** `all`: every link of the plan, as the operator has seen them there. */
export const StartSyncSchema = z.strictObject({
  links: z.union([z.literal('all'), LinksSchema]).optional(),
});
export type StartSync = z.infer<typeof StartSyncSchema>;

export const UndoSyncSchema = z.strictObject({
  /** Also removes accounts that the run created, where they hold nothing of their own. */
  removeCreated: z.boolean().optional(),
});
export type UndoSync = z.infer<typeof UndoSyncSchema>;

export const SYNC_STATES = [
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

/** Of an adopt run: what an account of the source has on the target. */
export const PAIRS = ['same', 'clash', 'only_here'] as const;
export const DECISIONS = ['link', 'separate', 'skip'] as const;

export const PLANNED = ['create', 'update', 'link', 'unchanged', 'skip', 'hold'] as const;

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

const countSchema = z.int().nonnegative();

export const SyncParamsSchema = z.object({ sync: z.string().min(1).max(100) });

export const SyncRunSchema = z.object({
  id: z.string(),
  /**
   * `planning`: both sides are read; `planned`: waits to be started; `running`: goes on account by account;
   * `delivering`: all is on its way. What was done before `cancelled` or `failed` stands.
   */
  state: z.enum(SYNC_STATES),
  mode: z.enum(SYNC_MODES),
  /** Null: it is no adopt run. */
  adopt: z
    .object({
      how: z.enum(ADOPT_MODES),
      createMissing: z.boolean(),
      roles: z.boolean(),
      /** Accounts of the source: the same person is there, or linked already; a clash; nobody is there. */
      same: countSchema,
      clash: countSchema,
      onlyHere: countSchema,
      /** Accounts of the target that stand against nobody; null: not counted yet. */
      onlyThere: countSchema.nullable(),
      /** Clashes that nobody has decided: they are left alone. */
      undecided: countSchema,
    })
    .nullable(),
  by: z.string(),
  from: z.string(),
  to: z.array(z.string()),
  /** Accounts of the source that were looked at so far. */
  accounts: countSchema,
  /** The plan in numbers. */
  targets: z.array(
    z.object({
      site: z.string(),
      create: countSchema,
      update: countSchema,
      link: countSchema,
      unchanged: countSchema,
      skip: countSchema,
      hold: countSchema,
    }),
  ),
  /** What is to be done, of an account on a target each; and how much of it has an outcome. */
  total: countSchema,
  done: countSchema,
  /** Null while nothing can be said. */
  perMinute: z.number().nonnegative().nullable(),
  secondsLeft: countSchema.nullable(),
  /** Of the run, by what has become of them. `changed`: something moved since the plan was made. */
  pending: countSchema,
  delivered: countSchema,
  skipped: countSchema,
  held: countSchema,
  failed: countSchema,
  changed: countSchema,
  cancelled: countSchema,
  /** Of an undo: put back, and left as they are. */
  undone: countSchema,
  stays: countSchema,
  askedAt: MomentSchema,
  startedAt: MomentSchema.nullable(),
  endedAt: MomentSchema.nullable(),
  /** Why it failed; while it is under way, what it waits for. */
  fault: TroubleSchema.extend({ next: z.string() }).nullable(),
});
export type SyncRun = z.infer<typeof SyncRunSchema>;

export const SyncListQuerySchema = z.strictObject(PageQuerySchema.shape);
export type SyncListQuery = z.infer<typeof SyncListQuerySchema>;
/** The newest first. */
export const SyncListSchema = z.object({ syncs: z.array(SyncRunSchema), next: NextSchema });
export type SyncList = z.infer<typeof SyncListSchema>;

export const SyncStepsQuerySchema = z.strictObject({
  what: z.enum(PLANNED).optional(),
  state: z.enum(STEP_STATES).optional(),
  /** Of an adopt run. */
  pair: z.enum(PAIRS).optional(),
  ...PageQuerySchema.shape,
});
export type SyncStepsQuery = z.infer<typeof SyncStepsQuerySchema>;

export const SyncStepSchema = z.object({
  login: z.string(),
  target: z.string(),
  what: z.enum(PLANNED),
  /** For `link`: the older account on the target. */
  other: z.string().nullable(),
  fields: z.array(z.string()),
  /** Why nothing is done, or a link is not proven. */
  reason: z.string().nullable(),
  message: z.string().nullable(),
  state: z.enum(STEP_STATES),
  /** Why it is in this state. */
  note: TroubleSchema.nullable(),
  /** Null: it is no adopt run. */
  pair: z.enum(PAIRS).nullable(),
  decision: z.enum(DECISIONS).nullable(),
  /** Id and e-mail address on the source. */
  id: z.int().positive(),
  email: z.string().nullable(),
  /** Of an adopt run: who stands against it on the target, and why not even a person's word links the two. */
  others: z.array(
    z.object({
      id: z.int().positive(),
      login: z.string(),
      email: z.string(),
      why: TroubleSchema.nullable(),
    }),
  ),
});
export type SyncStepRow = z.infer<typeof SyncStepSchema>;
export const SyncStepsSchema = z.object({ accounts: z.array(SyncStepSchema), next: NextSchema });
export type SyncSteps = z.infer<typeof SyncStepsSchema>;

export const OnlyThereQuerySchema = z.strictObject(PageQuerySchema.shape);
export type OnlyThereQuery = z.infer<typeof OnlyThereQuerySchema>;
/** Accounts of the target that stand against nobody of the source. */
export const OnlyThereSchema = z.object({
  accounts: z.array(
    z.object({
      id: z.int().positive(),
      login: z.string(),
      email: z.string(),
      privileged: z.boolean(),
    }),
  ),
  next: NextSchema,
});
export type OnlyThere = z.infer<typeof OnlyThereSchema>;

/** More rows than this go in several files; those without a decision don't count. */
export const MOST_DECISIONS = 20_000;

/** One pair as the plan named it, and what a person says about it. */
export const DecisionSchema = z.strictObject({
  /** Of the file that it comes from, for what is said about it. */
  line: z.int().positive(),
  id: z.int().positive(),
  login: z.string().max(250),
  email: z.string().max(250),
  otherId: z.int().positive(),
  other: z.string().max(250),
  otherEmail: z.string().max(250),
  decision: z.enum(DECISIONS),
});
export type DecisionRow = z.infer<typeof DecisionSchema>;
export const DecideSyncSchema = z.strictObject({
  decisions: z.array(DecisionSchema).min(1).max(MOST_DECISIONS),
});
export type DecideSync = z.infer<typeof DecideSyncSchema>;
