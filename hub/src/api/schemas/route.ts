/** Routes: one-way links between sites with their rules; two-way is two routes. */
import { z } from 'zod';
import { ChangeScheduleSchema, ScheduleSchema } from './reconcile.ts';
import { LoginSchema, RoleNameSchema, SiteNameSchema } from './words.ts';

const listed = <Item extends z.ZodType>(item: Item) => z.array(item).max(1000);

const LONGEST = 190;
const MOST_VALUES = 50;
const MOST_CONDITIONS = 20;
const MOST_PRIVILEGED = 50;
const ConditionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('role'), role: RoleNameSchema }),
  z.strictObject({
    kind: z.literal('meta'),
    key: z.string().min(1).max(LONGEST),
    /** One of these; an empty one: the account has none. */
    values: z.array(z.string().max(LONGEST)).min(1).max(MOST_VALUES),
  }),
  z.strictObject({ kind: z.literal('signed_in') }),
]);

/** Values of the plugins that are known; their own word for “may sign in”. */
export const LEAVE_PRESETS = {
  'ultimate-member': { kind: 'meta', key: 'account_status', values: ['approved'] },
  // To that plugin whoever registered before it came, and has no status, is approved.
  'new-user-approve': { kind: 'meta', key: 'pw_user_status', values: ['approved', ''] },
} as const satisfies Readonly<Record<string, z.input<typeof ConditionSchema>>>;

/** Lists are allow-lists: empty means nothing. */
export const RulesSchema = z.object({
  /** Core fields, `password`, and `ext:NAME` that another plugin brings. */
  fields: listed(z.string().min(1).max(200)),
  /** Meta keys in full, or their beginning and a `*`: `billing_*`. */
  meta: listed(
    z
      .string()
      .min(1)
      .max(200)
      .regex(
        /^(?:[^*]+|[^*]{3,}\*)$/u,
        'has its “*” not at the end, after three characters or more',
      ),
  ),
  roles: listed(RoleNameSchema),
  creates: z.boolean(),
  updates: z.boolean(),
  onDelete: z.enum(['delete', 'strip', 'ignore']),
  /** Login on the target that inherits a deleted account's content; null: refuse if there is any. */
  reassignTo: LoginSchema.nullable(),
  /** An account leaves by itself only where all of these hold on the source; empty: everybody does. */
  leaveWhen: z.array(ConditionSchema).max(MOST_CONDITIONS),
  /** When another person has the login on the target: wait for an operator, or create it as `login-2`. */
  loginTaken: z.enum(['hold', 'suffix']),
  /** Whose password the target can't verify is mailed WordPress's own link to set one there. */
  passwordMail: z.boolean(),
  /** What becomes of a new e-mail address that its person has not confirmed. */
  unconfirmedEmails: z.enum(['send', 'hold']),
  /**
   * The source is said to confirm addresses: a link is proven where it has confirmed this one. Needs a sign-in
   * or a value in `leaveWhen` that says when.
   */
  confirmsAddresses: z.boolean(),
  /**
   * Privileged roles, as the target gives them, that may come along the route: who has one of them on the source
   * leaves, and who has one on the target is changed. Each needs the target’s consent, too.
   */
  privilegedRoles: z.array(RoleNameSchema).max(MOST_PRIVILEGED),
});
export type Rules = z.infer<typeof RulesSchema>;

/** What is not named keeps its default (on adding) or its value (on changing). */
export const SomeRulesSchema = RulesSchema.partial().strict();
export type SomeRules = z.infer<typeof SomeRulesSchema>;

export const PRESETS = ['woocommerce'] as const;
/** Written out into the rules that are not named beside it; `rules` of the answer tell what it was. */
export const PresetSchema = z.enum(PRESETS).optional();

export const RouteParamsSchema = z.object({ route: z.coerce.number().int().positive() });

export const AddRouteSchema = z.strictObject({
  source: SiteNameSchema,
  target: SiteNameSchema,
  /** Adds the way back, too, with the same rules. */
  both: z.boolean().default(false),
  preset: PresetSchema,
  rules: SomeRulesSchema.optional(),
});
export type AddRoute = z.infer<typeof AddRouteSchema>;

export const RouteViewSchema = z.object({
  id: z.int().positive(),
  source: z.string(),
  target: z.string(),
  status: z.enum(['active', 'paused']),
  /** The group that it belongs to; null: none. */
  group: z.string().nullable(),
  rules: RulesSchema,
  /** Of the privileged roles that it names, those that its target has not consented to. */
  notConsented: z.array(RoleNameSchema),
  /** When the two sites are compared by themselves; null: never. */
  reconcile: ScheduleSchema.nullable(),
});
export type RouteView = z.infer<typeof RouteViewSchema>;

export const RouteListSchema = z.object({ routes: z.array(RouteViewSchema) });

export const ChangeRouteSchema = z
  .strictObject({
    status: z.enum(['active', 'paused']).optional(),
    /** Adds to the lists that there are, and takes nothing away. */
    preset: PresetSchema,
    rules: SomeRulesSchema.optional(),
    reconcile: ChangeScheduleSchema.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'names nothing to change');
export type ChangeRoute = z.infer<typeof ChangeRouteSchema>;
