/** A site's guard, as the site tells it. The hub only tightens it. */
import { z } from 'zod';
import { RoleNameSchema } from './words.ts';

/** Longer than any address of a site. */
const LONGEST = 2000;

export const GuardQuerySchema = z.object({
  /** Which entry of the whitelist does this address match? */
  address: z.string().trim().max(LONGEST).optional(),
  url: z.string().trim().max(LONGEST).optional(),
});
export type GuardQuery = z.infer<typeof GuardQuerySchema>;

/** Switching something off is the site's own to do; asking for it is answered `site.guard_refused`. */
export const TightenGuardSchema = z
  .strictObject({
    readOnly: z.boolean().optional(),
    revokeRoles: z.array(RoleNameSchema).min(1).max(100).optional(),
    whitelist: z.boolean().optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'names nothing to change');
export type TightenGuard = z.infer<typeof TightenGuardSchema>;

const EntrySchema = z.string().nullable();

export const GuardViewSchema = z.object({
  site: z.string(),
  readOnly: z.boolean(),
  /** Roles that the hub may give there. */
  grantable: z.array(z.string()),
  /** Privileged roles that it lets come, where a route names them; null: its connector has none yet. */
  consents: z.array(z.string()).nullable(),
  whitelist: z.object({
    on: z.boolean(),
    entries: z.array(
      z.object({ name: z.string(), url: z.string(), ip: z.string(), active: z.boolean() }),
    ),
    /** Past these X-Forwarded-For is believed. */
    proxies: z.array(z.string()),
  }),
  /** From where the site sees the hub call, and the active entry that matches. */
  caller: z.object({ address: z.string().nullable(), entry: EntrySchema }),
  /** Sites with a route to this one. */
  sources: z.array(z.object({ site: z.string(), url: z.string(), entry: EntrySchema })),
  /** What was asked for; null: nothing was. */
  check: z.object({ address: EntrySchema, url: EntrySchema }).nullable(),
});
export type GuardView = z.infer<typeof GuardViewSchema>;
