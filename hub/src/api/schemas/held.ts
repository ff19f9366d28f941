/** What waits for an operator, and what the operator decides. */
import { z } from 'zod';
import { LoginSchema, MomentSchema, NextSchema, PageQuerySchema, SiteNameSchema } from './words.ts';

/** With two accounts that may be one person's. */
export const ACCOUNT_CHOICES = ['link', 'overwrite'] as const;
export const RESOLUTIONS = ['release', 'reject', 'separate', ...ACCOUNT_CHOICES] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** One side of what is held. */
export const HeldPartySchema = z.object({
  site: z.string(),
  wpId: z.int().positive(),
  login: z.string(),
  email: z.string(),
  /** Null where the site was not asked, or did not answer. */
  name: z.string().nullable(),
  registered: z.string(),
  /** On that site, as far as they were told. */
  roles: z.array(z.string()),
  privileged: z.boolean(),
  deleted: z.boolean(),
});
export type HeldParty = z.infer<typeof HeldPartySchema>;

export const HeldRowSchema = z.object({
  delivery: z.string(),
  at: MomentSchema,
  uid: z.string(),
  login: z.string(),
  source: z.string().nullable(),
  target: z.string(),
  reason: z.string(),
  message: z.string(),
  fields: z.array(z.string()),
  /** The account on the source. */
  here: HeldPartySchema.nullable(),
  /** The same person's account on the target. */
  there: HeldPartySchema.nullable(),
  /** Somebody else's account on the target. */
  inTheWay: HeldPartySchema.nullable(),
  /** What it can be resolved as. */
  choices: z.array(z.enum(RESOLUTIONS)),
});
export type HeldRow = z.infer<typeof HeldRowSchema>;

export const HeldQuerySchema = z.strictObject({
  reason: z.string().min(1).max(100).optional(),
  /** Only what comes from this site. */
  source: SiteNameSchema.optional(),
  /** The sites are asked for the names of the accounts. */
  look: z.enum(['true', 'false']).optional(),
  ...PageQuerySchema.shape,
});
export type HeldQuery = z.infer<typeof HeldQuerySchema>;

/** Oldest first. */
export const HeldListSchema = z.object({ held: z.array(HeldRowSchema), next: NextSchema });
export type HeldList = z.infer<typeof HeldListSchema>;

/**
 * `release`: go on now. `reject`: don't do it; it is logged as cancelled. Either some deliveries, or all that are held
 * for one reason.
 */
export const DecideHeldSchema = z
  .strictObject({
    deliveries: z.array(z.string().min(1).max(100)).min(1).max(1000).optional(),
    reason: z.string().min(1).max(100).optional(),
    /** With a reason: only what comes from this site. */
    source: SiteNameSchema.optional(),
    decision: z.enum(['release', 'reject']),
    /** `next` of the decision before, with the same reason. */
    after: PageQuerySchema.shape.after,
  })
  .refine(
    ({ deliveries, reason }) => (deliveries === undefined) !== (reason === undefined),
    'names either deliveries or a reason',
  )
  .refine(
    ({ deliveries, source }) => deliveries === undefined || source === undefined,
    'names a source beside deliveries',
  );
export type DecideHeld = z.infer<typeof DecideHeldSchema>;
export const DecidedHeldSchema = z.object({
  decided: z.int().nonnegative(),
  /** Many take their time: the rest is decided about when asked again `after` this; null: that was all. */
  next: NextSchema,
});
export type DecidedHeld = z.infer<typeof DecidedHeldSchema>;

export const HeldParamsSchema = z.object({ delivery: z.string().min(1).max(100) });
export const ResolveHeldSchema = z.strictObject({ as: z.enum(RESOLUTIONS) });
export const ResolvedHeldSchema = z.object({
  delivery: z.string(),
  as: z.enum(RESOLUTIONS),
});
export type ResolvedHeld = z.infer<typeof ResolvedHeldSchema>;

/** "These two accounts are one person", said by an operator. */
export const ProveLinkSchema = z.strictObject({
  site: SiteNameSchema,
  login: LoginSchema,
  otherSite: SiteNameSchema,
  otherLogin: LoginSchema,
});
export type ProveLink = z.infer<typeof ProveLinkSchema>;

export const ProvenLinkSchema = z.object({
  uid: z.string(),
  /** They were one person already. */
  already: z.boolean(),
});
export type ProvenLink = z.infer<typeof ProvenLinkSchema>;
