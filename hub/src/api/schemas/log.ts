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

export const LOG_ACTIONS = ['create', 'update', 'delete', 'link', 'erase'] as const;

/** `failed,refused` */
const severalOf = <Words extends readonly [string, ...string[]]>(words: Words) =>
  z
    .string()
    .max(200)
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(words)).min(1));

export const LogFilterSchema = z.object({
  /** One, or several with commas between. */
  status: severalOf(LOG_STATUSES).optional(),
  /** One, or several with commas between. */
  action: severalOf(LOG_ACTIONS).optional(),
  reason: z.string().min(1).max(100).optional(),
  /** As source or as target. */
  site: SiteNameSchema.optional(),
  /** Login, or uid. */
  account: LoginSchema.optional(),
  since: MomentSchema.optional(),
  until: MomentSchema.optional(),
});
export type LogFilter = z.infer<typeof LogFilterSchema>;

/** Without `after` the newest rows, newest first. The ids of the rows are the places of pages. */
export const LogQuerySchema = LogFilterSchema.extend({
  /** Rows after this id, oldest first; 0: from the first row on. */
  after: z.coerce.number().int().nonnegative().optional(),
  /** Rows before this id, newest first. */
  before: z.coerce.number().int().nonnegative().optional(),
  limit: z.coerce.number().int().positive().max(1000).default(100),
});
export type LogQuery = z.infer<typeof LogQuerySchema>;

export const LOG_FORMATS = ['csv', 'jsonl'] as const;
export const LogExportQuerySchema = LogFilterSchema.extend({
  format: z.enum(LOG_FORMATS).default('csv'),
  /** A byte order mark before CSV: some spreadsheets take it for another encoding without. */
  bom: z.enum(['true', 'false']).default('false'),
});
export type LogExportQuery = z.infer<typeof LogExportQuerySchema>;

export const LogRowSchema = z.object({
  id: z.int().nonnegative(),
  at: MomentSchema,
  uid: z.string(),
  login: z.string(),
  source: z.string().nullable(),
  target: z.string(),
  action: z.enum(LOG_ACTIONS),
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
  /** Among the fields is an e-mail address that its person had not confirmed. */
  unconfirmedEmail: z.boolean(),
});
export type LogRow = z.infer<typeof LogRowSchema>;

export const LogPageSchema = z.object({ rows: z.array(LogRowSchema) });
export type LogPage = z.infer<typeof LogPageSchema>;

const MOST_DAYS = 3650;
export const DaysSchema = z.int().min(1).max(MOST_DAYS);
export const LogSettingsSchema = z.object({
  /** Rows are kept for so long. */
  days: DaysSchema,
  /** A row is kept by the settings of its target. */
  sites: z.array(
    z.object({
      site: z.string(),
      /** Off: nothing is written, but for deletes, which the deletion limit counts. */
      on: z.boolean(),
      /** Null: as the hub says. */
      days: DaysSchema.nullable(),
    }),
  ),
});
export type LogSettings = z.infer<typeof LogSettingsSchema>;

export const ChangeLogSettingsSchema = z.strictObject({ days: DaysSchema });
export type ChangeLogSettings = z.infer<typeof ChangeLogSettingsSchema>;
export const ChangeSiteLogSchema = z
  .strictObject({ on: z.boolean().optional(), days: DaysSchema.nullable().optional() })
  .refine((change) => Object.keys(change).length > 0, 'names nothing to change');
export type ChangeSiteLog = z.infer<typeof ChangeSiteLogSchema>;

/** Either rows of the log, or all that failed. */
export const RetrySchema = z
  .strictObject({
    rows: z.array(z.int().positive()).min(1).max(1000).optional(),
    all: z.literal(true).optional(),
    /** With `all`: what goes there, or was refused there or from there. */
    site: SiteNameSchema.optional(),
    /** With `all`: `next` of the answer before. */
    after: z.int().positive().optional(),
  })
  .refine(
    ({ rows, all }) => (rows === undefined) !== (all === undefined),
    'names either rows or all',
  )
  .refine(
    ({ rows, site, after }) => rows === undefined || (site === undefined && after === undefined),
    'names a site or a place, which are for all',
  );
export type Retry = z.infer<typeof RetrySchema>;
export const RetriedSchema = z.object({
  /** What is tried now; nothing is tried twice, and what is there by now not at all. */
  retried: z.int().nonnegative(),
  /** Sources that can't be asked for what they hold. */
  unreachable: z.array(z.string()),
  /** Many take their time: the rest is tried when asked again `after` this; null: that was all. */
  next: z.int().nullable(),
});
export type Retried = z.infer<typeof RetriedSchema>;
