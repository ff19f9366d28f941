/** Where everything stands: sites, cursors, backlog. */
import { z } from 'zod';
import { LackSchema, MomentSchema, TroubleSchema } from './words.ts';

export const StatusQuerySchema = z.object({
  /** `true`: ask every reachable site first whether it has something new. */
  look: z.enum(['true', 'false']).optional(),
});

const countSchema = z.int().nonnegative();

export const SiteStatusSchema = z.object({
  name: z.string(),
  url: z.string(),
  status: z.enum(['active', 'paused']),
  state: z.enum(['active', 'attention']),
  trouble: TroubleSchema.nullable(),
  /** Versions, as the site said when it was asked last; null: not asked yet. */
  connector: z.string().nullable(),
  wordpress: z.string().nullable(),
  /** This hub brings a newer connector than that; it goes on speaking to it. */
  updateDue: z.boolean(),
  /** What an older connector can't do yet, all else goes on; a new one lacks nothing. */
  lacks: z.array(LackSchema),
  /** What a person should look at while it goes on: values held back, a copy elsewhere. */
  warnings: z.array(TroubleSchema),
  /** When it is tried again after failures; null: it answers. */
  retryAt: MomentSchema.nullable(),
  /** How far its outbox has been read. */
  cursor: z.object({ epoch: z.string(), head: countSchema }).nullable(),
  lastPulledAt: MomentSchema.nullable(),
  /** It tells the hub at once; otherwise it is polled. */
  signals: z.boolean(),
  /** Rows waiting in its own outbox when last asked; null: not asked. */
  outbox: countSchema.nullable(),
  /** Deliveries on their way to it. */
  pending: countSchema,
  held: countSchema,
  oldestPendingAt: MomentSchema.nullable(),
});
export type SiteStatus = z.infer<typeof SiteStatusSchema>;

export const HubStatusSchema = z.object({
  version: z.string(),
  now: MomentSchema,
  /** All that is known is delivered, and every site that is not paused was asked since. Held rows don't count. */
  idle: z.boolean(),
  /** All that is known is delivered; a site in `unasked` may have more to tell. */
  delivered: z.boolean(),
  /** Sites that were never read to the end, don't answer, or wait for a person. */
  unasked: z.array(z.string()),
  pending: countSchema,
  held: countSchema,
  routes: countSchema,
  sites: z.array(SiteStatusSchema),
  /** Of each route that was ever compared what came out last. */
  reconciles: z.array(
    z.object({
      id: z.string(),
      source: z.string(),
      target: z.string(),
      state: z.enum(['done', 'failed']),
      drift: countSchema,
      /** Of the drift, what the repair has sent on its way, or reported. */
      raised: countSchema,
      endedAt: MomentSchema.nullable(),
    }),
  ),
});
export type HubStatus = z.infer<typeof HubStatusSchema>;

export const RunRequestSchema = z.strictObject({
  /** Answers after this long even when there is more to do; ask again then. */
  waitSeconds: z.number().positive().max(60).default(30),
});

export const RunReportSchema = z.object({
  /** True: nothing more can be done now. What is left waits for a site, a delay or a person. */
  finished: z.boolean(),
  pulled: countSchema,
  delivered: countSchema,
  pending: countSchema,
  held: countSchema,
  /** Sites that could not be reached. */
  unreachable: z.array(z.object({ site: z.string(), code: z.string(), message: z.string() })),
});
export type RunReport = z.infer<typeof RunReportSchema>;
