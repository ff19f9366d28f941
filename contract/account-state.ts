/**
 * What one account looks like on the wire.
 *
 * Units: stamps are milliseconds of hub time since 1970 plus the key of the site where the
 * field was last changed; `registered` is WordPress's own `user_registered` (UTC).
 */
import { z } from 'zod';

/** `[ms, site key]`. `ms` 0: the value was there before Rollcall and has no known age. */
export const StampSchema = z.tuple([z.int().nonnegative(), z.int().nonnegative()]);

export const CORE_FIELDS = [
  'email',
  'first_name',
  'last_name',
  'nickname',
  'display_name',
  'description',
  'url',
  'locale',
] as const;

/** Name of a field that another plugin brings, without `ext:`. */
export const EXTENSION_NAME = /^[a-z0-9][a-z0-9_.-]{0,59}$/u;

/**
 * `email`, …, `password` (a hash, never plaintext), `role:<name>` (boolean, on one site),
 * `meta:<key>` (list: one entry per row), `ext:<name>` (brought by another plugin).
 */
export const FieldNameSchema = z
  .string()
  .max(200)
  .regex(
    /^(email|first_name|last_name|nickname|display_name|description|url|locale|password|(role|meta|ext):.+)$/su,
    'is not a field name',
  );

/**
 * JSON alone: nothing that could unserialise to code on a site. An object is a PHP array whose keys are
 * all texts, in its order; an array with other keys does not travel (`value.object`).
 */
export type FieldValue =
  | string
  | number
  | boolean
  | null
  | readonly FieldValue[]
  | { readonly [key: string]: FieldValue };
export const FieldValueSchema: z.ZodType<FieldValue> = z.lazy(() =>
  z.union([
    z.string(),
    z.number(),
    z.boolean(),
    z.null(),
    z.array(FieldValueSchema),
    z.record(z.string(), FieldValueSchema),
  ]),
);

export const StampedValueSchema = z.object({ v: FieldValueSchema, s: StampSchema });

export const UidSchema = z.uuid();

/**
 * WordPress's columns hold 60 and 100 characters. Without bounds one hostile site could fill the
 * hub with a single account.
 */
const LONGEST_NAME = 250;
export const NameSchema = z.string().max(LONGEST_NAME);

/**
 * A reason is a code; what is none is not repeated to anybody, nor stored.
 * @param otherwise what it counts as then
 */
export const codeSchema = (otherwise: string) =>
  z.string().transform((code) => (/^[a-z_]{1,40}\.[a-z_]{1,60}$/u.test(code) ? code : otherwise));

/** Fields, or roles of one site, of one account. */
const MOST_ENTRIES = 1_000;
const isBounded = (record: object): boolean => Object.keys(record).length <= MOST_ENTRIES;

/** Halves of proofs that were confirmed on this account. A verifier is a slow hash made for one proof alone. */
const MOST_HALVES = 20;
const ConfirmedSchema = z.object({
  half: z.uuid(),
  verifier: z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/u)
    .optional(),
});
export type Confirmed = z.infer<typeof ConfirmedSchema>;

export const SwitchesSchema = z.object({
  /** Changes of the account stay on its site. */
  stop_outgoing: z.boolean(),
  /** Updates and deletes that come in are refused. The hub can't switch this off. */
  reject_incoming: z.boolean(),
  /** With `stop_outgoing`: also what the account does to others stays. Absent: the connector has none yet. */
  stop_made: z.boolean().optional(),
});
export type Switches = z.infer<typeof SwitchesSchema>;

export const AccountStateSchema = z.object({
  /** WordPress user id on this installation. */
  id: z.int().positive(),
  /** The hub's label, if the account carries one. */
  uid: UidSchema.nullable(),
  /** False when the label was made for another login or registration date. */
  label_ok: z.boolean(),
  login: NameSchema,
  email: NameSchema,
  registered: NameSchema,
  /** When Rollcall saw the account come about; ms 0: it was there before. */
  born: StampSchema,
  /** By effective capabilities, on any site of the installation, or as super admin. */
  privileged: z.boolean(),
  /**
   * What makes it so. `roles`: blog id → privileged roles held there; `other`: anything else does, too: a
   * capability of its own, being a super admin. Absent though privileged: an older connector, nobody knows.
   */
  privileged_by: z
    .object({
      roles: z
        .record(z.string().regex(/^[1-9]\d*$/u), z.array(NameSchema).max(MOST_ENTRIES))
        .refine(isBounded),
      other: z.boolean(),
    })
    .optional(),
  switches: SwitchesSchema,
  /**
   * Somebody has signed in since Rollcall is there; only with detail `state`. Absent: the connector does not
   * look yet.
   */
  signed_in: z.boolean().optional(),
  /**
   * How it came by its address: a visitor registered with it, its person confirmed it by the link that
   * WordPress mails there, or otherwise. Only with detail `state`; absent: nobody knows, or the connector
   * does not look yet.
   */
  email_by: z.enum(['registration', 'confirmation', 'other']).optional(),
  /** Account-wide fields. Absent when only `who` was asked for. */
  fields: z.record(FieldNameSchema, StampedValueSchema).refine(isBounded).optional(),
  /** Blog id → role name → present or absent, with its stamp. Single sites have blog 1. */
  roles: z
    .record(
      z.string().regex(/^[1-9]\d*$/u),
      z.record(NameSchema, z.object({ v: z.boolean(), s: StampSchema })).refine(isBounded),
    )
    .optional(),
  /** Field name → reason code, for values that can't travel (an object, broken UTF-8, too large). */
  unreadable: z.record(z.string(), codeSchema('site.error')).refine(isBounded).optional(),
  /** Confirmed and not cancelled yet; only with detail `state`, absent when there is none. */
  proofs: z.array(ConfirmedSchema).max(MOST_HALVES).optional(),
});
export type AccountState = z.infer<typeof AccountStateSchema>;

/** A tombstone: the account ended on this installation. */
export const GoneSchema = z.object({
  id: z.int().positive(),
  uid: UidSchema.nullable(),
  login: NameSchema,
  stamp: StampSchema,
});
export type Gone = z.infer<typeof GoneSchema>;

/** Who made a change, as the site saw it. `outside`: written past WordPress's hooks. */
export const ActorSchema = z.object({
  kind: z.enum(['account', 'visitor', 'cli', 'cron', 'rest', 'outside', 'hub']),
  id: z.int().nonnegative().optional(),
  login: NameSchema.optional(),
  /** What it does to others stays on the site (`stop_made`). */
  outgoing_stopped: z.literal(true).optional(),
});
export type Actor = z.infer<typeof ActorSchema>;
