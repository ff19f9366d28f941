/** Manual sync: "make the targets like the source" for chosen accounts; preview, start, progress. */
import { z } from 'zod';
import {
  LoginSchema,
  MomentSchema,
  RoleNameSchema,
  SiteNameSchema,
  TroubleSchema,
} from './words.ts';

export const ChosenSchema = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('all') }),
  z.strictObject({ by: z.literal('roles'), roles: z.array(RoleNameSchema).min(1).max(100) }),
  z.strictObject({ by: z.literal('accounts'), logins: z.array(LoginSchema).min(1).max(1000) }),
]);

export const SyncRequestSchema = z.strictObject({
  from: SiteNameSchema,
  to: z.array(SiteNameSchema).min(1).max(1000),
  /** Which accounts of the source. */
  accounts: ChosenSchema,
  /**
   * Links that a preview named and that the operator takes for proven: an account of the source,
   * a target, and the older account there. The run proves these and no others.
   */
  links: z
    .array(z.strictObject({ login: LoginSchema, target: SiteNameSchema, other: LoginSchema }))
    .max(1000)
    .optional(),
});
export type SyncRequest = z.infer<typeof SyncRequestSchema>;

export const PLANNED = ['create', 'update', 'link', 'unchanged', 'skip', 'hold'] as const;

const countSchema = z.int().nonnegative();

/** Nothing was written. */
export const SyncPlanSchema = z.object({
  from: z.string(),
  /** Accounts of the source that were looked at. */
  accounts: countSchema,
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
  /** What would happen to whom and why; the first 1,000, `unchanged` left out. */
  decisions: z.array(
    z.object({
      login: z.string(),
      target: z.string(),
      what: z.enum(PLANNED),
      /** For `link`: the older account on the target. */
      other: z.string().nullable(),
      fields: z.array(z.string()),
      reason: z.string().nullable(),
      message: z.string().nullable(),
    }),
  ),
  more: z.boolean(),
});
export type SyncPlan = z.infer<typeof SyncPlanSchema>;

export const SyncParamsSchema = z.object({ sync: z.string().min(1).max(100) });

export const SyncRunSchema = z.object({
  id: z.string(),
  /** `preparing`: stamping on the source; `delivering`: on the way; then `done` or `failed`. */
  state: z.enum(['preparing', 'delivering', 'done', 'failed']),
  from: z.string(),
  to: z.array(z.string()),
  /** Accounts chosen, null while they are still being counted; and stamped so far. */
  accounts: countSchema.nullable(),
  prepared: countSchema,
  /** Deliveries of this run, by what has become of them. */
  pending: countSchema,
  delivered: countSchema,
  skipped: countSchema,
  held: countSchema,
  failed: countSchema,
  startedAt: MomentSchema,
  endedAt: MomentSchema.nullable(),
  fault: TroubleSchema.extend({ next: z.string() }).nullable(),
});
export type SyncRun = z.infer<typeof SyncRunSchema>;
