/** What waits for an operator, and what the operator decides. */
import { z } from 'zod';
import { LoginSchema, NextSchema, PageQuerySchema, SiteNameSchema } from './words.ts';

export const HeldRowSchema = z.object({
  delivery: z.string(),
  uid: z.string(),
  login: z.string(),
  target: z.string(),
  reason: z.string(),
  message: z.string(),
  fields: z.array(z.string()),
});
export type HeldRow = z.infer<typeof HeldRowSchema>;

export const HeldQuerySchema = z.strictObject({
  reason: z.string().min(1).max(100).optional(),
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
    decision: z.enum(['release', 'reject']),
    /** `next` of the decision before, with the same reason. */
    after: PageQuerySchema.shape.after,
  })
  .refine(
    ({ deliveries, reason }) => (deliveries === undefined) !== (reason === undefined),
    'names either deliveries or a reason',
  );
export type DecideHeld = z.infer<typeof DecideHeldSchema>;
export const DecidedHeldSchema = z.object({
  decided: z.int().nonnegative(),
  /** Many take their time: the rest is decided about when asked again `after` this; null: that was all. */
  next: NextSchema,
});
export type DecidedHeld = z.infer<typeof DecidedHeldSchema>;

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
