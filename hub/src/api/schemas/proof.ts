/** What people are asked to prove: that two accounts are theirs. */
import { z } from 'zod';
import { LoginSchema, MomentSchema, SiteNameSchema } from './words.ts';

/** Connectors take none that lasts for longer. */
const LONGEST_SECONDS = 7 * 24 * 3600;

export const AskForProofSchema = z.strictObject({
  site: SiteNameSchema,
  login: LoginSchema,
  otherSite: SiteNameSchema,
  otherLogin: LoginSchema,
  /** `mail`: a link in both mailboxes. `password`: the same one at the next sign-in on both. */
  kind: z.enum(['mail', 'password']),
  /** How long it stands; three days if nobody says otherwise. */
  withinSeconds: z.int().min(1).max(LONGEST_SECONDS).optional(),
});
export type AskForProof = z.infer<typeof AskForProofSchema>;

export const AskedProofSchema = z.object({
  id: z.string(),
  kind: z.enum(['mail', 'password']),
  by: z.string(),
  at: MomentSchema,
  ends: MomentSchema,
  /** `proven`, or a reason with its message; null: open. */
  ended: z.string().nullable(),
  message: z.string().nullable(),
  halves: z.array(
    z.object({
      site: z.string(),
      login: z.string(),
      /** The site has asked for it. */
      asked: z.boolean(),
      confirmedAt: MomentSchema.nullable(),
    }),
  ),
});
export type AskedProof = z.infer<typeof AskedProofSchema>;

export const ProofListSchema = z.object({ proofs: z.array(AskedProofSchema) });
export type ProofList = z.infer<typeof ProofListSchema>;

export const ProofParamsSchema = z.object({ proof: z.string().min(1).max(100) });
