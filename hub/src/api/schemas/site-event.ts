/** What happened to sites as a whole: restored, rewritten, copied, moved; and what people said of it. */
import { z } from 'zod';
import { MomentSchema, SiteNameSchema } from './words.ts';

const DEFAULT_LIMIT = 100;

export const SiteEventQuerySchema = z.object({
  site: SiteNameSchema.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(DEFAULT_LIMIT),
});
export type SiteEventQuery = z.infer<typeof SiteEventQuerySchema>;

export const SiteEventSchema = z.object({
  at: MomentSchema,
  site: z.string(),
  code: z.string(),
  message: z.string(),
  /** Who said so; null: the hub saw it. */
  by: z.string().nullable(),
  /** What to do, while it still stands; null: nothing any more. */
  next: z.string().nullable(),
});
export type SiteEvent = z.infer<typeof SiteEventSchema>;

export const SiteEventListSchema = z.object({ events: z.array(SiteEventSchema) });
