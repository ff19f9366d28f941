/** "Why was this account not synced?": where a person's accounts are, and the verdict per target. */
import { z } from 'zod';
import { LogRowSchema } from './log.ts';
import { AskedProofSchema } from './proof.ts';
import { LoginSchema, MomentSchema, SiteNameSchema } from './words.ts';

export const ExplainQuerySchema = z.object({ site: SiteNameSchema, login: LoginSchema });

/** A list of fields with one verdict. */
const whySchema = z.object({
  verdict: z.enum(['in_step', 'pending', 'held', 'skipped', 'stopped']),
  fields: z.array(z.string()),
  reason: z.string().nullable(),
  message: z.string(),
});

export const ExplanationSchema = z.object({
  site: z.string(),
  login: z.string(),
  uid: z.string(),
  accounts: z.array(
    z.object({
      site: z.string(),
      wpId: z.int().positive(),
      login: z.string(),
      privileged: z.boolean(),
      outgoingStopped: z.boolean(),
      incomingRejected: z.boolean(),
      goneAt: MomentSchema.nullable(),
      /** Reason code while a person must look at it first. */
      alarm: z.string().nullable(),
    }),
  ),
  /** Older accounts that may be the same person; nothing crosses to them. */
  unproven: z.array(
    z.object({
      site: z.string(),
      login: z.string(),
      by: z.string(),
      /** What proves it; an account that can administer its site is never linked. */
      next: z.string(),
    }),
  ),
  /** What was asked of the person last, for each other account: open, or how it ended. */
  proofs: z.array(AskedProofSchema),
  targets: z.array(
    z.object({
      site: z.string(),
      /** Null: no route leads there from this site. */
      route: z.int().positive().nullable(),
      why: z.array(whySchema),
    }),
  ),
  /** The newest rows of the Sync Log about this person. */
  log: z.array(LogRowSchema),
});
export type Explanation = z.infer<typeof ExplanationSchema>;
