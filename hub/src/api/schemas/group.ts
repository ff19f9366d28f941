/** Groups: sites that are all in step under one rule set. */
import { z } from 'zod';
import { PresetSchema, SomeRulesSchema } from './route.ts';
import { NewSiteNameSchema, SiteNameSchema } from './words.ts';

/** `gives`: only a source of the others; `takes`: only a target. */
const WaySchema = z.enum(['both', 'gives', 'takes']);

/** 1,000 members have a million routes; a hub is well before that. */
const MOST_MEMBERS = 1000;

export const GroupMemberSchema = z.strictObject({
  site: SiteNameSchema,
  way: WaySchema.default('both'),
});
const MembersSchema = z.array(GroupMemberSchema).max(MOST_MEMBERS);

export const GroupParamsSchema = z.object({ group: SiteNameSchema });
export const GroupMemberParamsSchema = GroupParamsSchema.extend({ site: SiteNameSchema });

export const AddGroupSchema = z.strictObject({
  name: NewSiteNameSchema,
  members: MembersSchema,
  preset: PresetSchema,
  /** What is not named is what a new route between two sites would have. */
  rules: SomeRulesSchema.optional(),
});
export type AddGroup = z.infer<typeof AddGroupSchema>;

export const ChangeGroupSchema = z
  .strictObject({
    name: NewSiteNameSchema.optional(),
    /** Paused: so is every route of it. */
    status: z.enum(['active', 'paused']).optional(),
    /** Adds to the lists that there are, and takes nothing away. */
    preset: PresetSchema,
    /** What is not named stays. */
    rules: SomeRulesSchema.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'names nothing to change');
export type ChangeGroup = z.infer<typeof ChangeGroupSchema>;

/** Who is a member already gives or takes as it is said now. */
export const AddMembersSchema = z.strictObject({ members: MembersSchema.min(1) });
export type AddMembers = z.infer<typeof AddMembersSchema>;

export const ExceptSchema = z.strictObject({
  source: SiteNameSchema,
  target: SiteNameSchema,
  /** And the way back. */
  both: z.boolean().default(false),
  /** `none`: there is no such route; `group`: it is like the others again. Without it, as it is. */
  status: z.enum(['active', 'paused', 'none', 'group']).optional(),
  /** Adds to the lists that the route has. */
  preset: PresetSchema,
  /** What is not named is the group's, or what was said of this route before. */
  rules: SomeRulesSchema.optional(),
});
export type Except = z.infer<typeof ExceptSchema>;

export const GroupExceptionSchema = z.object({
  source: z.string(),
  target: z.string(),
  status: z.enum(['active', 'paused', 'none']),
  rules: SomeRulesSchema,
});

export const GroupViewSchema = z.object({
  name: z.string(),
  status: z.enum(['active', 'paused']),
  rules: SomeRulesSchema,
  members: z.array(z.object({ site: z.string(), way: WaySchema })),
  exceptions: z.array(GroupExceptionSchema),
  /** How many routes it makes. */
  routes: z.int().nonnegative(),
  /** Members that share their accounts: there are no routes among them. */
  sharing: z.array(z.array(z.string())),
});
export type GroupView = z.infer<typeof GroupViewSchema>;

export const GroupListSchema = z.object({ groups: z.array(GroupViewSchema) });
