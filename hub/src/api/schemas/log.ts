/** The Sync Log: names fields, never their values. */
import { z } from 'zod';
import { LoginSchema, MomentSchema, SiteNameSchema } from './words.ts';

export const LOG_STATUSES = [
  'delivered',
  'unchanged',
  'skipped',
  'held',
  'refused',
  'failed',
  'superseded',
  'released',
  'cancelled',
] as const;

export const LogQuerySchema = z.object({
  status: z.enum(LOG_STATUSES).optional(),
  /** As source or as target. */
  site: SiteNameSchema.optional(),
  account: LoginSchema.optional(),
  since: MomentSchema.optional(),
  /** Rows after this id, oldest first; without it the newest rows, newest first. */
  after: z.coerce.number().int().nonnegative().optional(),
  /** Rows before this id, newest first. */
  before: z.coerce.number().int().nonnegative().optional(),
  limit: z.coerce.number().int().positive().max(1000).default(100),
});
export type LogQuery = z.infer<typeof LogQuerySchema>;

export const LogRowSchema = z.object({
  id: z.int().nonnegative(),
  at: MomentSchema,
  uid: z.string(),
  login: z.string(),
  source: z.string().nullable(),
  target: z.string(),
  action: z.enum(['create', 'update', 'delete', 'link']),
  status: z.enum(LOG_STATUSES),
  reason: z.string().nullable(),
  /** The reason's sentence. */
  message: z.string().nullable(),
  fields: z.array(z.string()),
  /** The sites it has been through, origin first. */
  path: z.array(z.string()),
  actor: z.string().nullable(),
  attempts: z.int().nonnegative(),
  durationMs: z.number().nonnegative().nullable(),
});
export type LogRow = z.infer<typeof LogRowSchema>;

export const LogPageSchema = z.object({ rows: z.array(LogRowSchema) });
export type LogPage = z.infer<typeof LogPageSchema>;
