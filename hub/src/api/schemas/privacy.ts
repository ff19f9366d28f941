/** What the hub keeps of a person, and erasures on their way from site to site. */
import { z } from 'zod';
import { LoginSchema, MomentSchema, SiteNameSchema } from './words.ts';

export const PersonQuerySchema = z.strictObject({ site: SiteNameSchema, login: LoginSchema });
export type PersonQuery = z.infer<typeof PersonQuerySchema>;

/** Everything that the hub keeps of one person, but for hashes of passwords: of these it keeps none. */
export const PersonRecordsSchema = z.object({
  uid: z.string(),
  accounts: z.array(
    z.object({
      sites: z.array(z.string()),
      wpId: z.int().positive(),
      login: z.string(),
      email: z.string(),
      registered: z.string(),
      privileged: z.boolean(),
      stopOutgoing: z.boolean(),
      rejectIncoming: z.boolean(),
      /** Null: it is there. */
      ended: MomentSchema.nullable(),
      /** Field → when it was changed last; null: before the site was connected. */
      fields: z.record(z.string(), MomentSchema.nullable()),
    }),
  ),
  /** What has not arrived yet, without values. */
  pending: z.array(z.object({ target: z.string(), fields: z.array(z.string()) })),
  /** The newest thousand rows of the Sync Log. */
  log: z.array(
    z.object({
      at: MomentSchema,
      source: z.string().nullable(),
      target: z.string(),
      login: z.string(),
      action: z.string(),
      status: z.string(),
      reason: z.string().nullable(),
      fields: z.array(z.string()),
      actor: z.string().nullable(),
    }),
  ),
});
export type PersonRecords = z.infer<typeof PersonRecordsSchema>;

export const ErasedPersonSchema = z.object({
  uid: z.string(),
  /** Rows of the Sync Log that named the person. */
  logRows: z.int().nonnegative(),
  /** Accounts in runs that ended, with the values that were kept for an undo. */
  runSteps: z.int().nonnegative(),
});
export type ErasedPerson = z.infer<typeof ErasedPersonSchema>;

/** One person's erasure on its way to one site; source and target are one: to the hub's own records. Nobody is named but by the global identifier. */
export const ErasureSchema = z.object({
  id: z.int().positive(),
  at: MomentSchema,
  uid: z.string(),
  source: z.string(),
  target: z.string(),
  state: z.enum(['waiting', 'held', 'opened', 'erased', 'refused', 'rejected']),
  reason: z.string().nullable(),
  message: z.string().nullable(),
});
export type ErasureView = z.infer<typeof ErasureSchema>;
/** The newest first, a thousand at most. */
export const ErasureListSchema = z.object({ erasures: z.array(ErasureSchema) });
export type ErasureList = z.infer<typeof ErasureListSchema>;

export const DecideErasuresSchema = z
  .strictObject({
    erasures: z.array(z.int().positive()).min(1).max(1000).optional(),
    all: z.literal(true).optional(),
    decision: z.enum(['release', 'reject']),
  })
  .refine(
    ({ erasures, all }) => (erasures === undefined) !== (all === undefined),
    'names either erasures or all of them',
  );
export type DecideErasures = z.infer<typeof DecideErasuresSchema>;
export const DecidedErasuresSchema = z.object({ decided: z.int().nonnegative() });
export type DecidedErasures = z.infer<typeof DecidedErasuresSchema>;
