/** Two sites compared along a route: drift, and what explains the rest. */
import { z } from 'zod';
import {
  MomentSchema,
  NextSchema,
  PageQuerySchema,
  SiteNameSchema,
  TroubleSchema,
} from './words.ts';

export const ReconcileRequestSchema = z.strictObject({
  source: SiteNameSchema,
  target: SiteNameSchema,
  /** Also raises changes for what was found. They take the road of every change. */
  repair: z.boolean().optional(),
  /** `false`: accounts that are on the target alone are not looked for. */
  extra: z.boolean().optional(),
});
export type ReconcileRequest = z.infer<typeof ReconcileRequestSchema>;

export const RECONCILE_STATES = ['comparing', 'looking', 'done', 'cancelled', 'failed'] as const;
export const LISTED = ['missing', 'different', 'extra', 'held'] as const;
export const FOUND = [...LISTED, 'on_its_way', 'by_rule', 'in_step'] as const;

const countSchema = z.int().nonnegative();

export const ReconcileParamsSchema = z.object({ reconcile: z.string().min(1).max(100) });

export const ReconcileViewSchema = z.object({
  id: z.string(),
  /** `comparing`: the source beside the target; `looking`: for accounts that are on the target alone. */
  state: z.enum(RECONCILE_STATES),
  source: z.string(),
  target: z.string(),
  repair: z.boolean(),
  extra: z.boolean(),
  /** Who asked for it; `schedule`: it is made by itself. */
  by: z.string(),
  /** How many were looked at so far, and how many there are; null: the sites were not asked yet. */
  accounts: countSchema,
  total: countSchema.nullable(),
  /** Drift: missing, different and extra together. What is on its way, held or so by a rule is none. */
  drift: countSchema,
  /** Of the drift, what the repair has sent on its way, or reported. */
  raised: countSchema,
  inStep: countSchema,
  /**
   * In numbers. Of one account a field may be held and another differ: then it counts in both.
   */
  found: z.array(
    z.object({
      what: z.enum(FOUND),
      reason: z.string(),
      message: z.string(),
      count: countSchema,
      /** Of these the repair has raised so many. */
      raised: countSchema,
    }),
  ),
  askedAt: MomentSchema,
  endedAt: MomentSchema.nullable(),
  /** Why it failed; while it is under way, what it waits for. */
  fault: TroubleSchema.extend({ next: z.string() }).nullable(),
});
export type ReconcileView = z.infer<typeof ReconcileViewSchema>;

export const ReconcileListQuerySchema = z.strictObject({
  source: SiteNameSchema.optional(),
  target: SiteNameSchema.optional(),
  ...PageQuerySchema.shape,
});
export type ReconcileListQuery = z.infer<typeof ReconcileListQuerySchema>;
/** The newest first; of each two sites the last thirty. */
export const ReconcileListSchema = z.object({
  reconciles: z.array(ReconcileViewSchema),
  next: NextSchema,
});
export type ReconcileList = z.infer<typeof ReconcileListSchema>;

export const DriftQuerySchema = z.strictObject({
  what: z.enum(LISTED).optional(),
  ...PageQuerySchema.shape,
});
export type DriftQuery = z.infer<typeof DriftQuerySchema>;

export const DriftRowSchema = z.object({
  login: z.string(),
  /** The site that the account is on. */
  site: z.string(),
  wpId: z.int().positive(),
  uid: z.string().nullable(),
  what: z.enum(LISTED),
  fields: z.array(z.string()),
  reason: z.string(),
  message: z.string(),
  /** What a person can do about it. */
  next: z.string(),
  /** The repair has sent it on the road of every change, or reported it. */
  raised: z.boolean(),
});
export type DriftView = z.infer<typeof DriftRowSchema>;
export const DriftRowsSchema = z.object({ accounts: z.array(DriftRowSchema), next: NextSchema });
export type DriftRows = z.infer<typeof DriftRowsSchema>;

/** When a route is compared by itself. */
export const EVERY = ['daily', 'weekly'] as const;
export const ScheduleSchema = z.object({ every: z.enum(EVERY), repair: z.boolean() });
/** `off`: no more. What is not named stays; the first comparison is made at once. */
export const ChangeScheduleSchema = z.strictObject({
  every: z.enum([...EVERY, 'off']).optional(),
  repair: z.boolean().optional(),
});
export type ChangeSchedule = z.infer<typeof ChangeScheduleSchema>;
