/** Sites: what goes in and what is shown. No message ever holds a credential on its way out. */
import { z } from 'zod';
import { PrivilegedNeedSchema } from './privileged.ts';
import {
  LackSchema,
  MomentSchema,
  NewSiteNameSchema,
  RoleNameSchema,
  SiteNameSchema,
  TroubleSchema,
} from './words.ts';

export const SiteParamsSchema = z.object({ site: SiteNameSchema });

/** As a person types it; the REST root is discovered from it. */
export const UrlSchema = z.string().trim().min(1, 'is empty').max(2000);

export const AddSiteSchema = z
  .strictObject({
    url: UrlSchema,
    name: NewSiteNameSchema,
    /** An administrator's login: used once, never stored, as is the password with it. */
    user: z.string().trim().min(1, 'is empty').max(200),
    /** An Application Password that is there already; it stays. */
    appPassword: z.string().trim().min(1, 'is empty').max(200).optional(),
    /** What the administrator signs in with in wp-admin. What the hub obtains with it ends at once. */
    password: z.string().min(1, 'is empty').max(4096).optional(),
    /** With `password`: uploads, updates and activates the connector first where need be. */
    install: z.boolean().optional(),
  })
  .refine(
    ({ appPassword, password }) => (appPassword === undefined) !== (password === undefined),
    'needs either “appPassword” or “password”',
  )
  .refine(
    ({ password, install }) => install !== true || password !== undefined,
    'needs “password” to install the connector',
  );
export type AddSite = z.infer<typeof AddSiteSchema>;

/** Empty: everybody. */
const SyncRolesSchema = z.array(RoleNameSchema).max(1000);

const MOST_MAPPED = 200;
const RoleMapSchema = z
  .record(RoleNameSchema, z.array(RoleNameSchema).min(1).max(MOST_MAPPED))
  .refine((map) => Object.keys(map).length <= MOST_MAPPED, 'names too many roles');

/** More is no cap. */
const MOST_A_DAY = 9_999_999;

/** What the site says of all that leaves it, and all that comes in, whatever the route. */
export const siteRules = {
  /** Changes leave by themselves; false: only by a manual sync. */
  automatic: z.boolean(),
  /** Accounts with one of these roles here leave; empty: everybody does. */
  syncRoles: SyncRolesSchema,
  /** What it means for the targets when somebody loses the last of them. */
  onRoleLost: z.enum(['stop', 'delete']),
  /** Role that comes → roles given here for it; empty: the same names. */
  roleMap: RoleMapSchema,
  /** More new accounts within 24 hours wait for a person; null: as the hub says. */
  newAccountsADay: z.int().nonnegative().max(MOST_A_DAY).nullable(),
  /** Create an account when an update arrives for one that does not exist here. */
  createMissing: z.boolean(),
};

export const CheckedSiteSchema = z.object({
  /** As the site names its home; null: not told before the connector is there. */
  home: z.string().nullable(),
  /** It is connected already, and would get a new credential. */
  renews: z.boolean(),
  /** The connector is not there yet, and would be installed. */
  installs: z.boolean(),
});
export type CheckedSite = z.infer<typeof CheckedSiteSchema>;

export const StartApprovalSchema = z.strictObject({ url: UrlSchema, name: NewSiteNameSchema });
export type StartApproval = z.infer<typeof StartApprovalSchema>;

export const StartedApprovalSchema = z.object({
  id: z.string(),
  /** WordPress's own page, for an administrator's browser. It leads back to the hub, once. */
  approveUrl: z.string(),
  endsAt: MomentSchema,
});
export type StartedApproval = z.infer<typeof StartedApprovalSchema>;

export const ApprovalParamsSchema = z.object({ id: z.string().min(1).max(100) });

export const ApprovalViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** `open`: nobody came back yet; `expired`: nobody came in time. */
  state: z.enum(['open', 'connecting', 'connected', 'rejected', 'failed', 'expired']),
  endsAt: MomentSchema,
  fault: TroubleSchema.extend({ next: z.string() }).nullable(),
});
export type ApprovalView = z.infer<typeof ApprovalViewSchema>;

export const SiteViewSchema = z.object({
  key: z.int().positive(),
  name: z.string(),
  url: z.string(),
  status: z.enum(['active', 'paused']),
  ...siteRules,
  installation: z.string(),
  blog: z.int().positive(),
  multisite: z.boolean(),
  /** WordPress's id of its network; null: a single site, or not asked since this is kept. */
  network: z.int().positive().nullable(),
  /** Why its network shows it to nobody: what goes there waits. `ended`: it is no longer there. */
  closed: z.enum(['archived', 'spam', 'deleted', 'ended']).nullable(),
  /** Privileged roles that the site lets come, where a route names them; as it told last. */
  consents: z.array(RoleNameSchema),
  /** `attention`: a person must look at it (`trouble` says why). */
  state: z.enum(['active', 'attention']),
  trouble: TroubleSchema.nullable(),
  /** Versions, as the site said when it was asked last; null: not asked yet. */
  connector: z.string().nullable(),
  wordpress: z.string().nullable(),
  /** This hub brings a newer connector than that; it goes on speaking to it. */
  updateDue: z.boolean(),
  /** What an older connector can't do yet, all else goes on; a new one lacks nothing. */
  lacks: z.array(LackSchema),
  lastPulledAt: MomentSchema.nullable(),
});
export type SiteView = z.infer<typeof SiteViewSchema>;

export const ChangedSiteSchema = SiteViewSchema.extend({
  /** What is missing before the privileged roles that were named come and go. They are stored all the same. */
  privileged: z.array(PrivilegedNeedSchema),
});
export type ChangedSite = z.infer<typeof ChangedSiteSchema>;

export const AddedSiteSchema = z.object({
  /** The site, and on a network its other sites. */
  sites: z.array(SiteViewSchema),
  /** It was there before: only its credential is new. */
  renewed: z.boolean(),
  warnings: z.array(TroubleSchema),
});
export type AddedSite = z.infer<typeof AddedSiteSchema>;

export const SiteListSchema = z.object({ sites: z.array(SiteViewSchema) });

export const ChangeSiteSchema = z
  .strictObject({
    status: z.enum(['active', 'paused']).optional(),
    name: NewSiteNameSchema.optional(),
    ...z.object(siteRules).partial().shape,
  })
  .refine((change) => Object.keys(change).length > 0, 'names nothing to change');
export type ChangeSite = z.infer<typeof ChangeSiteSchema>;

export const MoveSiteSchema = z.strictObject({
  /** Where the site is now, as a person types it; without it, where it was last. */
  url: UrlSchema.optional(),
});
export type MoveSite = z.infer<typeof MoveSiteSchema>;

export const MovedSiteSchema = z.object({
  /** The site, and on a network its other sites, with their addresses now. */
  sites: z.array(SiteViewSchema),
  /** REST root that was spoken to before. */
  from: z.string(),
  to: z.string(),
});
export type MovedSite = z.infer<typeof MovedSiteSchema>;

export const CopiedSiteSchema = z.object({
  site: z.string(),
  /** Where the copy woke up. */
  copy: z.string(),
});
export type CopiedSite = z.infer<typeof CopiedSiteSchema>;

export const RemoveSiteSchema = z.strictObject({
  /** The site is gone for good, or will not answer: it is not asked. */
  force: z
    .enum(['true', 'false'])
    .optional()
    .transform((text) => text === 'true'),
});
export type RemoveSite = z.output<typeof RemoveSiteSchema>;

export const RemovedSiteSchema = z.object({
  /** All sites of the installation go together; one that ended on its network goes alone. */
  removed: z.array(z.string()),
  /** The site has let the hub go; false: it was not asked. Whoever has it releases it in its wp-admin. */
  released: z.boolean(),
});
export type RemovedSite = z.infer<typeof RemovedSiteSchema>;

export const RotatedSiteSchema = z.object({
  /** All sites of the installation have one credential. */
  sites: z.array(z.string()),
  /** The one before has ended; false: it ends with the next request that the site answers. */
  ended: z.boolean(),
});
export type RotatedSite = z.infer<typeof RotatedSiteSchema>;

export const SiteTestSchema = z.object({
  site: z.string(),
  ok: z.boolean(),
  roundTripMs: z.number().nonnegative().nullable(),
  connector: z.string().nullable(),
  wordpress: z.string().nullable(),
  php: z.string().nullable(),
  accounts: z.int().nonnegative().nullable(),
  /** The first thing that is wrong, with its next step. */
  fault: TroubleSchema.extend({ next: z.string() }).nullable(),
  warnings: z.array(TroubleSchema),
});
export type SiteTest = z.infer<typeof SiteTestSchema>;
