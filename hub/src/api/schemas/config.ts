/**
 * The configuration of a hub as one document: what operators have set, and never a credential. Every list
 * is whole: what is not in it is taken away, but for sites. A list that is left out is left alone.
 */
import { z } from 'zod';
import { GroupMemberSchema } from './group.ts';
import { DaysSchema } from './log.ts';
import { SomeRulesSchema } from './route.ts';
import { siteRules, UrlSchema } from './site.ts';
import { NewSiteNameSchema, SiteNameSchema } from './words.ts';

/** Of this kind of document; a later one may be read differently. */
const VERSION = 1;
const MOST_SITES = 2000;
const MOST_ROUTES = 50_000;

const StatusSchema = z.enum(['active', 'paused']).optional();

/** What is not named stays as it is, or as it is with a new one. */
const ConfigSiteSchema = z.strictObject({
  name: NewSiteNameSchema,
  url: UrlSchema,
  status: StatusSchema,
  ...z.object(siteRules).partial().shape,
  log: z.strictObject({ on: z.boolean(), days: DaysSchema.nullable() }).partial().optional(),
});
export type ConfigSite = z.infer<typeof ConfigSiteSchema>;

const ConfigRouteSchema = z.strictObject({
  source: SiteNameSchema,
  target: SiteNameSchema,
  status: StatusSchema,
  rules: SomeRulesSchema.optional(),
});
export type ConfigRoute = z.infer<typeof ConfigRouteSchema>;

/** Whole: rules and exceptions that are not named are the usual ones, and none. */
const ConfigGroupSchema = z.strictObject({
  name: NewSiteNameSchema,
  status: StatusSchema,
  members: z.array(GroupMemberSchema).max(1000),
  rules: SomeRulesSchema.optional(),
  exceptions: z
    .array(
      z.strictObject({
        source: SiteNameSchema,
        target: SiteNameSchema,
        status: z.enum(['active', 'paused', 'none']).default('active'),
        rules: SomeRulesSchema.optional(),
      }),
    )
    .max(MOST_ROUTES)
    .optional(),
});
export type ConfigGroup = z.infer<typeof ConfigGroupSchema>;

export const ConfigSchema = z.strictObject({
  rollcall: z.literal(VERSION),
  hub: z.strictObject({ logDays: DaysSchema }).partial().optional(),
  sites: z.array(ConfigSiteSchema).max(MOST_SITES).optional(),
  groups: z.array(ConfigGroupSchema).max(1000).optional(),
  routes: z.array(ConfigRouteSchema).max(MOST_ROUTES).optional(),
});
export type Config = z.infer<typeof ConfigSchema>;

export const ConfigViewSchema = z.object({
  /** Another one whenever anybody has changed any of it. */
  revision: z.string(),
  config: ConfigSchema,
});
export type ConfigView = z.infer<typeof ConfigViewSchema>;

export const DiffConfigSchema = z.strictObject({
  config: ConfigSchema,
  /** Sites that are not in the list of sites are removed. */
  remove: z.boolean().default(false),
});
export type DiffConfig = z.infer<typeof DiffConfigSchema>;

export const ApplyConfigSchema = DiffConfigSchema.extend({
  /** Of the diff that a person has seen. */
  revision: z.string().min(1).max(100),
});
export type ApplyConfig = z.infer<typeof ApplyConfigSchema>;

export const ConfigChangeSchema = z.object({
  act: z.enum(['added', 'changed', 'removed']),
  what: z.enum(['hub', 'site', 'group', 'member', 'exception', 'route']),
  /** `Shop`, `Shop → Blog`; of members and exceptions with the group: `Brands: Shop`. */
  name: z.string(),
  /** What is not there is null. */
  details: z.array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() })),
});
export type ConfigChange = z.infer<typeof ConfigChangeSchema>;

export const ConfigDiffSchema = z.object({
  revision: z.string(),
  changes: z.array(ConfigChangeSchema),
  /** Routes of groups counted. */
  routes: z.object({
    added: z.int().nonnegative(),
    changed: z.int().nonnegative(),
    removed: z.int().nonnegative(),
  }),
  /** With any of them, nothing is applied. */
  problems: z.array(z.object({ path: z.string(), message: z.string(), next: z.string() })),
  /** In the file and not connected: what names them is left for when they are. */
  toConnect: z.array(z.object({ name: z.string(), url: z.string() })),
  /** Connected and not in the list of sites; they stay unless `remove` is said. */
  notInFile: z.array(z.string()),
});
export type ConfigDiff = z.infer<typeof ConfigDiffSchema>;

export const AppliedConfigSchema = ConfigDiffSchema.omit({ problems: true }).extend({
  /** Sites that were to go and could not be told: they stay, without a route. */
  notRemoved: z.array(z.string()),
});
export type AppliedConfig = z.infer<typeof AppliedConfigSchema>;
