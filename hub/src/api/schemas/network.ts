/** Memberships within one network: who is on which of its sites, by triggers and by runs that people ask for. */
import { z } from 'zod';
import { CLOSED, MOST_PEOPLE } from '#contract/network-messages.ts';
import {
  LoginSchema,
  MomentSchema,
  NextSchema,
  PageQuerySchema,
  RoleNameSchema,
  SiteNameSchema,
  TroubleSchema,
} from './words.ts';

const countSchema = z.int().nonnegative();
const ROLE_SITES = ['existing', 'all'] as const;

export const NetworkParamsSchema = z.object({ network: SiteNameSchema });
export const NetworkRunParamsSchema = z.object({ run: z.string().min(1).max(100) });

const SettingsSchema = z.object({
  /** A new account joins every site. */
  newAccount: z.boolean(),
  /** Everybody joins a new site. */
  newSite: z.boolean(),
  /** What roles an account gets on a site it gets on its others, too. */
  roleChange: z.boolean(),
  /** `existing`: where the account is a member; `all`: everywhere. */
  roleSites: z.enum(ROLE_SITES),
  /** Roles with power over a site that may be given and taken all the same. */
  privilegedRoles: z.array(z.string()),
  /** Sites that are never written to. */
  excluded: z.array(z.string()),
  /** A site's own administrator may fill that site. */
  siteAdmins: z.boolean(),
});
export type NetworkSettingsView = z.infer<typeof SettingsSchema>;

export const NetworkSummarySchema = z.object({
  /** Its main site; every other site of it names it, too. */
  name: z.string(),
  url: z.string(),
  sites: countSchema,
  /** Null: it could not be asked. */
  accounts: countSchema.nullable(),
  settings: SettingsSchema.nullable(),
  fault: TroubleSchema.nullable(),
});
export type NetworkSummary = z.infer<typeof NetworkSummarySchema>;
export const NetworkListSchema = z.object({ networks: z.array(NetworkSummarySchema) });
export type NetworkList = z.infer<typeof NetworkListSchema>;

export const NetworkViewSchema = z.object({
  name: z.string(),
  /** What it calls itself. */
  title: z.string(),
  accounts: countSchema,
  settings: SettingsSchema,
  sites: z.array(
    z.object({
      blog: z.int().positive(),
      name: z.string(),
      url: z.string(),
      defaultRole: z.string(),
      members: countSchema,
      isMain: z.boolean(),
      /** Why it is never written to. */
      closed: z.object({ why: z.enum(CLOSED), message: z.string() }).nullable(),
    }),
  ),
});
export type NetworkView = z.infer<typeof NetworkViewSchema>;

/** What is not named stays. Loosening takes the network's own administrators: `site.guard_refused`. */
export const ChangeNetworkSchema = z.strictObject({
  newAccount: z.boolean().optional(),
  newSite: z.boolean().optional(),
  roleChange: z.boolean().optional(),
  roleSites: z.enum(ROLE_SITES).optional(),
  /** Taken off `privilegedRoles`. */
  revokeRoles: z.array(RoleNameSchema).min(1).max(100).optional(),
  /** Added to `excluded`. */
  exclude: z.array(SiteNameSchema).min(1).max(1000).optional(),
  siteAdmins: z.boolean().optional(),
});
export type ChangeNetwork = z.infer<typeof ChangeNetworkSchema>;

/** Who is meant. */
export const NetworkPeopleSchema = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('all') }),
  /** With one of these roles on one site. */
  z.strictObject({
    by: z.literal('roles'),
    roles: z.array(RoleNameSchema).min(1).max(100),
    on: SiteNameSchema,
  }),
  z.strictObject({ by: z.literal('accounts'), logins: z.array(LoginSchema).min(1).max(1000) }),
  z.strictObject({
    by: z.literal('emails'),
    emails: z.array(z.string().trim().min(3).max(254)).min(1).max(100),
  }),
  /** A part of the login, the e-mail address or the display name. */
  z.strictObject({ by: z.literal('search'), search: z.string().trim().min(1).max(200) }),
  z.strictObject({
    by: z.literal('ids'),
    ids: z.array(z.int().positive()).min(1).max(MOST_PEOPLE),
  }),
]);
export type NetworkPeople = z.infer<typeof NetworkPeopleSchema>;

const SitesSchema = z.union([z.literal('all'), z.array(SiteNameSchema).min(1).max(1000)]);

export const NetworkRunRequestSchema = z.discriminatedUnion('action', [
  /** Who is not on a site joins it with that site's default role. */
  z.strictObject({
    action: z.literal('fill'),
    sites: SitesSchema,
    people: NetworkPeopleSchema,
    /** Also whoever a person took off the site. */
    addBack: z.boolean().optional(),
  }),
  /** What roles people have on `from` they get on the others. */
  z.strictObject({
    action: z.literal('copy'),
    from: SiteNameSchema,
    sites: SitesSchema,
    people: NetworkPeopleSchema,
    /** Usually where they are members. `all`: they also join. */
    memberships: z.enum(ROLE_SITES).optional(),
    addBack: z.boolean().optional(),
  }),
]);
export type NetworkRunRequest = z.infer<typeof NetworkRunRequestSchema>;

export const NETWORK_STATES = [
  'previewing',
  'planned',
  'running',
  'paused',
  'cancelled',
  'done',
  'undoing',
  'undone',
  'failed',
] as const;

/** Why pairs of an account and a site were left out. */
const SkippedSchema = z.array(
  z.object({ reason: z.string(), message: z.string(), count: countSchema }),
);

export const NetworkRunViewSchema = z.object({
  id: z.string(),
  network: z.string(),
  /**
   * `previewing`: what would happen is counted; `planned`: waits to be started. What was done before `cancelled` or
   * `failed` stands.
   */
  state: z.enum(NETWORK_STATES),
  action: z.enum(['fill', 'copy']),
  from: z.string().nullable(),
  /** Null: all. */
  sites: z.array(z.string()).nullable(),
  /** How many people were named; null: everybody. */
  people: countSchema.nullable(),
  memberships: z.enum(ROLE_SITES).nullable(),
  addBack: z.boolean(),
  /** `cron` and `cli`: it was begun on the network itself, and goes on there. */
  driver: z.enum(['hub', 'cron', 'cli']),
  by: z.string(),
  /** What would happen, as it was counted before anything was written; null: it was not begun here. */
  preview: z
    .object({
      add: countSchema,
      change: countSchema,
      unchanged: countSchema,
      skipped: SkippedSchema,
      sites: z.array(
        z.object({
          site: z.string(),
          add: countSchema,
          change: countSchema,
          unchanged: countSchema,
          skipped: countSchema,
        }),
      ),
    })
    .nullable(),
  /** Pairs of an account and a site. */
  total: countSchema,
  done: countSchema,
  added: countSchema,
  changed: countSchema,
  unchanged: countSchema,
  skipped: SkippedSchema,
  /** Of an undo: taken back, and not taken back. */
  removed: countSchema,
  kept: countSchema,
  /** Those of `kept` that nobody has touched, by what stood in the way; `undo` may be asked for again. */
  left: SkippedSchema,
  /** The site that is written to now. */
  at: z.string().nullable(),
  /** Pairs; null while nothing can be said. */
  perSecond: z.number().nonnegative().nullable(),
  secondsLeft: countSchema.nullable(),
  /** What the site was not told of yet. */
  wanted: z.enum(['pause', 'resume', 'cancel', 'undo']).nullable(),
  askedAt: MomentSchema,
  startedAt: MomentSchema.nullable(),
  endedAt: MomentSchema.nullable(),
  /** Why it failed; while it is under way, what it waits for. */
  fault: TroubleSchema.extend({ next: z.string() }).nullable(),
});
export type NetworkRunView = z.infer<typeof NetworkRunViewSchema>;

export const NetworkRunListQuerySchema = z.strictObject(PageQuerySchema.shape);
export type NetworkRunListQuery = z.infer<typeof NetworkRunListQuerySchema>;
/** The newest first, those begun on the network itself, too. */
export const NetworkRunListSchema = z.object({
  runs: z.array(NetworkRunViewSchema),
  next: NextSchema,
  /** Why the network could not be asked for its own; then these are the ones known before. */
  fault: TroubleSchema.nullable(),
});
export type NetworkRunList = z.infer<typeof NetworkRunListSchema>;

export const NetworkRowsQuerySchema = z.strictObject(PageQuerySchema.shape);
export type NetworkRowsQuery = z.infer<typeof NetworkRowsQuerySchema>;
/** Who was added or changed, as the network itself remembers it. */
export const NetworkRowsSchema = z.object({
  rows: z.array(
    z.object({
      id: z.int().positive(),
      /** Null: the account is no longer there. */
      login: z.string().nullable(),
      site: z.string(),
      /** Null: it was no member. */
      was: z.array(z.string()).nullable(),
      now: z.array(z.string()),
      touched: z.boolean(),
    }),
  ),
  next: NextSchema,
});
export type NetworkRows = z.infer<typeof NetworkRowsSchema>;
