/** Small parts that several messages of the API share. */
import { z } from 'zod';

/** A moment, ISO 8601 in UTC, e.g. `2026-11-21T09:30:00.000Z`. */
export const MomentSchema = z.iso.datetime();

/** Name of a site as it is asked for; whether it exists is the operation's to say. */
export const SiteNameSchema = z.string().trim().min(1).max(100);

/** Name of a new site: free of what would need quoting in a shell, a list or an address. */
export const NewSiteNameSchema = z
  .string()
  .trim()
  .max(64, 'is longer than 64 characters')
  .regex(
    /^[\p{L}\p{N}](?:[\p{L}\p{N} ._-]*[\p{L}\p{N}])?$/u,
    'must be letters, digits, spaces, dots, hyphens or underscores, with a letter or digit at both ends',
  );

/** A flood may have left a hundred thousand rows: no list gives more at once. */
export const MOST_ROWS_SHOWN = 1000;
/** Which page of a list. */
export const PageQuerySchema = z.object({
  /** `next` of the page before; without it the first page. */
  after: z.string().min(1).max(1000).optional(),
  /** Without it as many as are given at once. */
  limit: z.coerce.number().int().positive().max(MOST_ROWS_SHOWN).optional(),
});
export type PageQuery = z.infer<typeof PageQuerySchema>;
/** `after` of the next page; null: that was the last. */
export const NextSchema = z.string().nullable();

/** WordPress's own limit is 60; other software's logins may be longer. */
export const LoginSchema = z.string().min(1).max(200);

export const RoleNameSchema = z.string().min(1).max(100);

/** A code from the catalogue of faults or reasons with its sentence. */
export const TroubleSchema = z.object({ code: z.string(), message: z.string() });

/** Something that the hub can do, by its name in the contract and in words, and a site's connector can't yet. */
export const LackSchema = z.object({ feature: z.string(), what: z.string() });

/** What went wrong, for people and machines. `id` finds the place in the hub's log. */
export const ErrorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), next: z.string(), id: z.string() }),
});
export type ErrorBody = z.infer<typeof ErrorSchema>;
