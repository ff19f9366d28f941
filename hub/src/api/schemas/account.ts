/** One account of a site, as the site tells it, with the global identifier that the hub knows it by. */
import { z } from 'zod';
import { LoginSchema, SiteNameSchema } from './words.ts';

export const AccountQuerySchema = z.object({ site: SiteNameSchema, login: LoginSchema });
export type AccountQuery = z.infer<typeof AccountQuerySchema>;

export const SwitchAccountSchema = z
  .strictObject({
    site: SiteNameSchema,
    login: LoginSchema,
    /** Changes of the account stay on its site. */
    stopOutgoing: z.boolean().optional(),
    /** With that: also what the account does to others stays. */
    stopMade: z.boolean().optional(),
    /** Updates and deletes that come in are refused; switching it off is the site's own to do. */
    rejectIncoming: z.boolean().optional(),
  })
  .refine(
    ({ stopOutgoing, stopMade, rejectIncoming }) =>
      [stopOutgoing, stopMade, rejectIncoming].some((given) => given !== undefined),
    'names nothing to change',
  );
export type SwitchAccount = z.infer<typeof SwitchAccountSchema>;

export const AccountViewSchema = z.object({
  site: z.string(),
  login: z.string(),
  wpId: z.int().positive(),
  email: z.string(),
  /** The global identifier; null: the hub has not met the account yet. */
  uid: z.string().nullable(),
  privileged: z.boolean(),
  stopOutgoing: z.boolean(),
  stopMade: z.boolean(),
  rejectIncoming: z.boolean(),
  /** The same person's living accounts on other sites. */
  elsewhere: z.array(z.object({ site: z.string(), login: z.string(), wpId: z.int().positive() })),
});
export type AccountView = z.infer<typeof AccountViewSchema>;
