/**
 * Requests and answers under `rollcall/v1/network/`: memberships within one network, which the connector keeps by
 * itself. A hub looks, switches triggers, and drives long runs page by page.
 *
 * Always true: a hub can't loosen what guards a network: no request names a privileged role, takes an exclusion
 * back or lets a site's own administrators act. A run is begun once for each id; every request may be repeated.
 * `page` is asked at the REST root of the very site that is written to, so that the plugins of that site hear it.
 * Behind that site, and with `begin`, a run may pass by sites on which there is nothing to write, any number of them;
 * a hub goes on at `next`, wherever that is.
 * On an installation that is no network: 404 `network.missing`.
 */
import { z } from 'zod';
import { AddressSchema, HubIdentitySchema, TitleSchema } from './messages.ts';

const BlogSchema = z.int().positive();
const countSchema = z.int().nonnegative();
/** The site's clock, ms since 1970; within what a date can be. */
const MomentMsSchema = z.int().nonnegative().max(8_000_000_000_000_000);
const RoleSchema = z.string().min(1).max(200);

/** Far more than any network has that one page could show. */
export const MOST_NETWORK_SITES = 20_000;
const MOST_NETWORKS = 1_000;
const MOST_ROLES = 1_000;
/** More people than this are everybody, or several runs. */
export const MOST_PEOPLE = 5_000;

// ---- settings -----------------------------------------------------------------------------

export const NetworkSettingsSchema = z.object({
  /** A new account joins every site. */
  new_account: z.boolean(),
  /** Everybody joins a new site. */
  new_site: z.boolean(),
  /** A role that changes on a site changes on the account's other sites, too. */
  role_change: z.boolean(),
  /** Where it changes: on sites that the account is on, or on all. */
  role_sites: z.enum(['existing', 'all']),
  /** Roles with power over a site that may be given and taken all the same. */
  privileged_roles: z.array(RoleSchema).max(MOST_ROLES),
  /** Sites that are never written to. */
  excluded: z.array(BlogSchema).max(MOST_NETWORK_SITES),
  /** A site's own administrator may fill that site. */
  site_admins: z.boolean(),
});
export type NetworkSettings = z.infer<typeof NetworkSettingsSchema>;

/** Why a site is never written to. */
export const CLOSED = ['archived', 'spam', 'deleted', 'excluded', 'read_only'] as const;

export const NetworkShowRequestSchema = z.object({
  hub: HubIdentitySchema,
  /** Without it all networks of the installation. */
  network: z.int().positive().optional(),
});
export const NetworkSchema = z.object({
  id: z.int().positive(),
  name: TitleSchema,
  /** Its main site. */
  main: BlogSchema,
  settings: NetworkSettingsSchema,
  /** People that its triggers are about. */
  accounts: countSchema,
  sites: z
    .array(
      z.object({
        blog: BlogSchema,
        name: TitleSchema,
        url: AddressSchema,
        rest_url: AddressSchema,
        default_role: AddressSchema,
        members: countSchema,
        closed: z.enum(CLOSED).nullable(),
      }),
    )
    .max(MOST_NETWORK_SITES),
});
export type Network = z.infer<typeof NetworkSchema>;
export const NetworkShowAnswerSchema = z.object({
  networks: z.array(NetworkSchema).max(MOST_NETWORKS),
});

/** What is named is set, all of it or nothing. 409 `target.guard_kept` for what would loosen it. */
export const NetworkSettingsRequestSchema = z.object({
  hub: HubIdentitySchema,
  network: z.int().positive(),
  new_account: z.boolean().optional(),
  new_site: z.boolean().optional(),
  role_change: z.boolean().optional(),
  role_sites: z.enum(['existing', 'all']).optional(),
  /** Roles that are taken off the list of privileged ones. */
  revoke: z.array(RoleSchema).max(MOST_ROLES).optional(),
  /** Sites that are excluded from now on. */
  exclude: z.array(BlogSchema).max(MOST_NETWORK_SITES).optional(),
  site_admins: z.boolean().optional(),
});
export const NetworkSettingsAnswerSchema = z.object({
  network: z.int().positive(),
  settings: NetworkSettingsSchema,
});

// ---- what a run does ------------------------------------------------------------------------

/**
 * `fill`: who is not on a site joins it with that site's default role. `copy`: what people have on the site `from`
 * they get on the others, where they are members (`existing`), or everywhere.
 */
export const NetworkSpecSchema = z.object({
  action: z.enum(['fill', 'copy']),
  sites: z.union([z.literal('all'), z.array(BlogSchema).min(1).max(MOST_NETWORK_SITES)]),
  /** WordPress ids. */
  people: z.union([z.literal('all'), z.array(BlogSchema).min(1).max(MOST_PEOPLE)]),
  from: BlogSchema.optional(),
  memberships: z.enum(['existing', 'all']).optional(),
  /** Also whoever a person took off the site. */
  add_back: z.boolean(),
});
export type NetworkSpec = z.infer<typeof NetworkSpecSchema>;

/** Reason code → how many pairs of an account and a site. */
const SkippedSchema = z
  .record(z.string().regex(/^[a-z]+\.[a-z_]{1,80}$/u), countSchema)
  .refine((skipped) => Object.keys(skipped).length <= 100);

/** Changes nothing. Fewer sites than asked for: the time ended; `after` says where to go on. */
export const NetworkPreviewRequestSchema = z.object({
  hub: HubIdentitySchema,
  network: z.int().positive(),
  spec: NetworkSpecSchema,
  /** Behind this site; 0: from the first one. */
  after: countSchema,
});
export const SitePreviewSchema = z.object({
  blog: BlogSchema,
  add: countSchema,
  change: countSchema,
  unchanged: countSchema,
  skipped: SkippedSchema,
});
export type SitePreview = z.infer<typeof SitePreviewSchema>;
export const NetworkPreviewAnswerSchema = z.object({
  sites: z.array(SitePreviewSchema).max(MOST_NETWORK_SITES),
  after: BlogSchema.nullable(),
});

export const NETWORK_RUN_STATES = [
  'running',
  'paused',
  'cancelled',
  'done',
  'undoing',
  'undone',
  'failed',
] as const;
/** Who turns its pages: a hub, WP-Cron, or somebody's command line. */
export const NETWORK_DRIVERS = ['hub', 'cron', 'cli'] as const;

export const NetworkRunSchema = z.object({
  id: z.uuid(),
  network: z.int().positive(),
  spec: NetworkSpecSchema,
  state: z.enum(NETWORK_RUN_STATES),
  driver: z.enum(NETWORK_DRIVERS),
  /** Who began it. */
  by: TitleSchema,
  began_ms: MomentMsSchema,
  ended_ms: MomentMsSchema.nullable(),
  /**
   * Pairs of an account and a site. Of an undo: `removed` were taken back, `kept` not; of these, `left` are those that
   * nobody touched, by what stood in the way: another undo may take them back.
   */
  counts: z.object({
    total: countSchema,
    done: countSchema,
    added: countSchema,
    changed: countSchema,
    unchanged: countSchema,
    skipped: SkippedSchema,
    removed: countSchema,
    kept: countSchema,
    left: SkippedSchema,
  }),
  /** The site that is written to next. Null: none is left. */
  next: BlogSchema.nullable(),
});
export type NetworkRun = z.infer<typeof NetworkRunSchema>;

// ---- runs -----------------------------------------------------------------------------------

/** An id that was begun before gives that run, whatever else is asked for. */
export const NetworkBeginRequestSchema = z.object({
  hub: HubIdentitySchema,
  id: z.uuid(),
  network: z.int().positive(),
  spec: NetworkSpecSchema,
  by: z.string().max(200),
});

/** Works on one site until it is done or the time ends. A run that is not under way stays as it is. */
export const NetworkPageRequestSchema = z.object({
  hub: HubIdentitySchema,
  run: z.uuid(),
  blog: BlogSchema,
});

export const NETWORK_CONTROLS = ['pause', 'resume', 'cancel', 'undo'] as const;
/**
 * 409 `network.run_state` where the run is in no state from which that is possible, `run.undo_expired` for an undo after
 * 14 days, `network.nothing_to_undo` for another one where nothing is `left`. Who asks for a run of somebody's command
 * line to go on, or to be undone, drives it from there.
 */
export const NetworkControlRequestSchema = z.object({
  hub: HubIdentitySchema,
  run: z.uuid(),
  do: z.enum(NETWORK_CONTROLS),
});
/** Of begin, page and control. */
export const NetworkRunAnswerSchema = z.object({ run: NetworkRunSchema });

const MOST_RUNS = 100;
export const NetworkRunsRequestSchema = z.object({
  hub: HubIdentitySchema,
  network: z.int().positive(),
  /** Begun before this run. */
  before: z.uuid().optional(),
  limit: z.int().positive().max(MOST_RUNS),
});
/** The newest first. */
export const NetworkRunsAnswerSchema = z.object({ runs: z.array(NetworkRunSchema).max(MOST_RUNS) });

export const MOST_RUN_ROWS = 1_000;
const PlaceSchema = z.string().regex(/^[\d.]{1,60}$/u);
export const NetworkRowsRequestSchema = z.object({
  hub: HubIdentitySchema,
  run: z.uuid(),
  /** Where the page before ended. */
  after: PlaceSchema.optional(),
  limit: z.int().positive().max(MOST_RUN_ROWS),
});
export const NetworkRowSchema = z.object({
  /** The account, and its login; null: it is no longer there. */
  id: z.int().positive(),
  login: TitleSchema.nullable(),
  blog: BlogSchema,
  /** Roles before; null: it was no member. */
  was: z.array(RoleSchema).max(MOST_ROLES).nullable(),
  now: z.array(RoleSchema).max(MOST_ROLES),
  /** Somebody has changed it since: an undo leaves it. */
  touched: z.boolean(),
});
export type NetworkRow = z.infer<typeof NetworkRowSchema>;
export const NetworkRowsAnswerSchema = z.object({
  rows: z.array(NetworkRowSchema).max(MOST_RUN_ROWS),
  /** `after` of the next page; null: that was the last. */
  after: PlaceSchema.nullable(),
});

/** Below `rollcall/v1`. */
export const NETWORK_ROUTES = {
  'network/begin': [NetworkBeginRequestSchema, NetworkRunAnswerSchema],
  'network/control': [NetworkControlRequestSchema, NetworkRunAnswerSchema],
  'network/page': [NetworkPageRequestSchema, NetworkRunAnswerSchema],
  'network/preview': [NetworkPreviewRequestSchema, NetworkPreviewAnswerSchema],
  'network/rows': [NetworkRowsRequestSchema, NetworkRowsAnswerSchema],
  'network/runs': [NetworkRunsRequestSchema, NetworkRunsAnswerSchema],
  'network/settings': [NetworkSettingsRequestSchema, NetworkSettingsAnswerSchema],
  'network/show': [NetworkShowRequestSchema, NetworkShowAnswerSchema],
} as const satisfies Record<string, readonly [z.ZodType, z.ZodType]>;
