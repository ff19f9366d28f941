/**
 * Requests and answers of every route under `rollcall/v1` (all POST, JSON).
 *
 * Requests made with the hub's credential carry `hub`: a connector bound to another hub answers
 * `hub.not_mine`, one that has seen a later term `hub.superseded`, and changes nothing.
 * Any request may come as `{ "z": gzip(JSON) }` instead, in base64 or hexadecimal (web application firewalls); its
 * answer then comes so, too, in base64. Errors always come plain.
 * Any request may carry `ask`, a text that no other request carries: the answer, or `data` of the error, brings it
 * back, so that a cache's old answer is told from the site's own.
 * Errors are WordPress REST errors: `{ code, message, data: { status, reason } }`, `reason` stable.
 */
import { z } from 'zod';
import {
  AccountStateSchema,
  ActorSchema,
  codeSchema,
  EXTENSION_NAME,
  FieldNameSchema,
  GoneSchema,
  NameSchema,
  StampedValueSchema,
  StampSchema,
  SwitchesSchema,
  UidSchema,
} from './account-state.ts';

const CodeSchema = codeSchema('target.error');
/** A sentence for people: its beginning, if a site goes on for too long. */
const LONGEST_SENTENCE = 500;
const SentenceSchema = z.string().transform((text) => text.slice(0, LONGEST_SENTENCE));

/** The name of one life of a site's outbox, or of its users table: a plain word that a store can keep. */
const TokenSchema = z.string().regex(/^[\x21-\x7e]{1,200}$/u);
/** What a site says of itself for people to read, without what no store keeps, and its beginning. */
export const TitleSchema = z
  .string()
  .transform((text) => text.replaceAll(/[\p{Cc}\p{Cs}]/gu, ' ').slice(0, 300));
/** Far more than anybody defines. */
const MOST_ROLES = 1_000;
/** Each is read for every account that is looked at. */
const MOST_EXTENSIONS = 100;
export const AddressSchema = z.string().regex(/^[^\p{Cc}\p{Cs}]{0,2000}$/u);

/** Which hub is speaking, and the number of its reign. */
export const HubIdentitySchema = z.object({ id: z.uuid(), term: z.int().positive() });

/**
 * Where hub and site stood together last: a counter of the hub's, and a random id, so that two
 * histories with the same count are told apart. The site keeps the newest one beside its accounts
 * table; a site or a hub that was restored from a backup is known by an older one.
 */
export const MarkSchema = z.object({
  n: z.int().positive(),
  id: z.string().regex(/^[0-9a-f]{16}$/u),
});
export type Mark = z.infer<typeof MarkSchema>;

/**
 * What the site should hold, and what it takes in its place when this request changes or tells
 * anything. A site that holds neither one of `held` nor `next` answers 409 `mark.mismatch` with its
 * own mark in `data.mark`, and does nothing of what was asked.
 */
export const MarkOfferSchema = z.object({
  held: z.array(MarkSchema.nullable()).min(1).max(100),
  next: MarkSchema,
});
export type MarkOffer = z.infer<typeof MarkOfferSchema>;

/** A sum over something: another one when that is another. */
const SumSchema = z.string().regex(/^[0-9a-f]{32}$/u);

const blogSchema = z.object({
  blog: z.int().positive(),
  /** WordPress's id of the network that the site is of; absent: it is a single site. */
  network: z.int().positive().optional(),
  /** Why its network shows it to nobody; null: it is open. */
  closed: z.enum(['archived', 'spam', 'deleted']).nullable().optional(),
  name: TitleSchema,
  url: AddressSchema,
  /** REST root of this very site, e.g. `https://shop.test/wp-json/` or `…/?rest_route=/`. */
  rest_url: AddressSchema,
  roles: z
    .record(AddressSchema, z.object({ name: TitleSchema, privileged: z.boolean() }))
    .refine((roles) => Object.keys(roles).length <= MOST_ROLES),
  default_role: AddressSchema,
  /** Roles this site lets a hub give. */
  grantable: z.array(z.string()),
  /** Privileged roles that it lets come besides, where a route names them. Absent: the connector has none yet. */
  consents: z.array(AddressSchema).max(MOST_ROLES).optional(),
  read_only: z.boolean(),
});

// ---- /status ------------------------------------------------------------------------------

/** `hub` is optional: an administrator may ask before any hub is bound. */
export const StatusRequestSchema = z.object({ hub: HubIdentitySchema.optional() });
export const StatusAnswerSchema = z.object({
  contract: z.int().positive(),
  connector: z.string(),
  wordpress: z.string(),
  php: z.string(),
  database: z.string(),
  multisite: z.boolean(),
  /** The same for all sites that share one users table. */
  store: TokenSchema,
  /** `home` of the main site without scheme and www: the installation's fingerprint. */
  home: AddressSchema,
  /** The main site first. One without `url` is just being made. */
  sites: z.array(blogSchema),
  /** Another one when a site comes, ends, moves or is closed, or consents to something. Absent: the connector has none yet. */
  sites_sum: SumSchema.optional(),
  /** Site's clock, ms since 1970, and what the connector adds to it for hub time. */
  clock: z.int(),
  offset_ms: z.int(),
  epoch: TokenSchema,
  head: z.int().nonnegative(),
  /** The mark of the bound hub that the site holds. */
  mark: MarkSchema.nullable(),
  backlog: z.int().nonnegative(),
  /** Bound hub, if any. */
  bound: z.object({ hub: z.string(), term: z.int(), home_matches: z.boolean() }).nullable(),
  /** Can this host answer a visitor first and signal after? */
  signals: z.boolean(),
  bcrypt_cost: z.int(),
  /** Which password hashes sign in here, found by trying: e.g. `{ phpass: true, wp_bcrypt: true }`. */
  verifies: z.record(z.string(), z.boolean()),
  woocommerce: z.boolean(),
  /** Fields that other plugins bring there, without `ext:`. Absent: the connector has none yet. */
  ext: z.array(z.string().regex(EXTENSION_NAME)).max(MOST_EXTENSIONS).optional(),
  accounts: z.int().nonnegative(),
  /**
   * On a network: the cookies of the very site that was asked, by WordPress's constants. `name` is a sum over what
   * stands in the name of each; never a key or a salt. Absent: a single site, or the connector does not tell.
   */
  cookies: z
    .object({
      subdomains: z.boolean(),
      network: AddressSchema,
      domain: AddressSchema.nullable(),
      path: AddressSchema,
      site_path: AddressSchema,
      admin_path: AddressSchema,
      /** Where the site and its wp-admin are, below its host. */
      home: AddressSchema,
      admin: AddressSchema,
      name: SumSchema,
    })
    .optional(),
  /** Absent: the connector has none yet. */
  whitelist: z.object({ on: z.boolean() }).optional(),
  warnings: z.array(z.object({ code: z.string(), message: z.string() })),
});
export type StatusAnswer = z.infer<typeof StatusAnswerSchema>;

// ---- /connect, /credential, /disconnect, /settings ----------------------------------------

const signalSchema = z.object({ url: z.string(), secret: z.string().min(32) });
const siteKeysSchema = z.record(z.string().regex(/^[1-9]\d*$/u), z.int().positive());

/** Made with an administrator's Application Password. Asking again renews the credential. */
export const ConnectRequestSchema = z.object({
  hub: HubIdentitySchema.extend({ name: z.string() }),
  /** Blog id → site key (unique in the hub, part of every stamp). */
  keys: siteKeysSchema,
  signal: signalSchema.nullable(),
  /** Meta keys to watch; `billing_*`: all that begin like this, but for what is never synced. */
  meta: z.array(z.string()),
  /** Revoke the Application Password this very request was made with (when Rollcall made it). */
  revoke_caller: z.boolean(),
});
export const ConnectAnswerSchema = z.object({
  credential: z.object({ user: z.string(), password: z.string() }),
  status: StatusAnswerSchema,
});

/** A credential that is to follow the one it was asked with; that one ends once the new one was used. */
export const CredentialRequestSchema = z.object({ hub: HubIdentitySchema });
export const CredentialAnswerSchema = z.object({
  credential: z.object({ user: z.string(), password: z.string() }),
});

export const DisconnectRequestSchema = z.object({ hub: HubIdentitySchema });
export const DisconnectAnswerSchema = z.object({ released: z.boolean() });

/** What the site's own administrators are told in wp-admin and `/status` until the hub takes it back. */
export const NoticeSchema = z.enum(['source.rewound', 'hub.rewound']);
export type Notice = z.infer<typeof NoticeSchema>;

export const SettingsRequestSchema = z.object({
  hub: HubIdentitySchema,
  keys: siteKeysSchema.optional(),
  signal: signalSchema.nullable().optional(),
  /** As at connect. */
  meta: z.array(z.string()).optional(),
  /** Fields of other plugins that routes name, without `ext:`; only these are read there. */
  ext: z.array(z.string()).optional(),
  /** Site clock + offset = hub clock. */
  offset_ms: z.int().optional(),
  notice: NoticeSchema.nullable().optional(),
  /** A first sign-in to an account is told as a change of it. */
  sign_ins: z.boolean().optional(),
});
export const SettingsAnswerSchema = z.object({ saved: z.boolean() });

// ---- /changes -----------------------------------------------------------------------------

/** A row of the outbox at one revision: acknowledged only at the revision that was read. */
export const RowRefSchema = z.tuple([z.string().regex(/^[0-9a-f]{16}$/u), z.int().positive()]);

export const ChangesRequestSchema = z.object({
  hub: HubIdentitySchema,
  mark: MarkOfferSchema.optional(),
  ack: z.array(RowRefSchema),
  limit: z.int().positive().max(1000),
  /** Accounts whose stamps lie in the future: stamp all their future fields again, now. */
  restamp: z.array(z.int().positive()).optional(),
});
export const ErasedSchema = z.object({
  id: z.int().positive(),
  uid: UidSchema.nullable(),
  login: NameSchema,
  /** The erasure that the site was asked for by its hub; absent: the person asked for it there. */
  of: z.uuid().optional(),
});
export type Erased = z.infer<typeof ErasedSchema>;

/** Of one account, between two pulls. */
const MOST_OVERWRITTEN = 500;
export const ChangeRowSchema = z.object({
  row: z.string().regex(/^[0-9a-f]{16}$/u),
  rev: z.int().positive(),
  kind: z.enum(['create', 'update', 'delete', 'erase', 'error']),
  /** Hub time. */
  at: z.int(),
  blog: z.int().positive(),
  actor: ActorSchema,
  /** Present state, for create and update. */
  account: AccountStateSchema.optional(),
  /** For delete. */
  gone: GoneSchema.optional(),
  /** For erase: WordPress's erasure of this person was completed here. */
  erased: ErasedSchema.optional(),
  /**
   * Beside an account: edits made here that another site's later one overwrote before this row was
   * read. `blog`: whose role, null for every other field. One that is newer than the account's own
   * stamp was not overwritten after all.
   */
  overwritten: z
    .array(
      z.object({ field: FieldNameSchema, blog: z.int().positive().nullable(), s: StampSchema }),
    )
    .max(MOST_OVERWRITTEN)
    .optional(),
  /**
   * For error: why this row can't be read; it holds up nothing. Beside an account: what people
   * should know of it.
   */
  error: z
    .object({ code: codeSchema('site.error'), message: SentenceSchema, id: z.int().optional() })
    .optional(),
});
export const ChangesAnswerSchema = z.object({
  epoch: TokenSchema,
  head: z.int().nonnegative(),
  clock: z.int(),
  /** Held now: `next` of the request when rows were acknowledged, stamped again or told. */
  mark: MarkSchema.nullable(),
  rows: z.array(ChangeRowSchema),
  more: z.boolean(),
  /** As in `/status`, where what has changed is told. */
  sites_sum: SumSchema.optional(),
  /** Values that were written past WordPress are held: what people should know. Null: none are. */
  outside: SentenceSchema.nullable().optional(),
});
export type ChangeRow = z.infer<typeof ChangeRowSchema>;
export type ChangesAnswer = z.infer<typeof ChangesAnswerSchema>;

// ---- /accounts ----------------------------------------------------------------------------

export const AccountsRequestSchema = z.object({
  hub: HubIdentitySchema,
  /** Ids greater than this, in order. */
  after: z.int().nonnegative(),
  limit: z.int().positive().max(1000),
  ids: z.array(z.int().positive()).max(1000).optional(),
  logins: z.array(z.string()).max(1000).optional(),
  roles: z.array(z.string()).optional(),
  search: z.string().optional(),
  /** `who`: identity only; `state`: with fields and roles. */
  detail: z.enum(['who', 'state']),
});
export const AccountsAnswerSchema = z.object({
  accounts: z.array(AccountStateSchema),
  /** `after` of the next page; null: that was the last. */
  next: z.int().nullable(),
  clock: z.int(),
  epoch: z.string(),
});
export type AccountsAnswer = z.infer<typeof AccountsAnswerSchema>;

// ---- /digests -----------------------------------------------------------------------------

/** Short answers for comparing many accounts: what has the same digest on two sites holds the same. */
export const DigestsRequestSchema = z.object({
  hub: HubIdentitySchema,
  /** The site whose roles count. */
  blog: z.int().positive(),
  after: z.int().nonnegative(),
  limit: z.int().positive().max(1000),
  ids: z.array(z.int().positive()).max(1000).optional(),
  /** What is compared; `meta:billing_*`: all that begin like this. */
  fields: z.array(FieldNameSchema).max(1000),
});
export const DigestSchema = z.object({
  id: z.int().positive(),
  uid: UidSchema.nullable(),
  /**
   * Over the values, what is empty left out; of a password its stamp alone, and nothing where that is from
   * before Rollcall. What can't be told of an account differs from everything that can.
   */
  digest: z.string().regex(/^[0-9a-f]{32}$/u),
});
export const DigestsAnswerSchema = z.object({
  digests: z.array(DigestSchema),
  next: z.int().nullable(),
  clock: z.int(),
  epoch: z.string(),
});
export type DigestsAnswer = z.infer<typeof DigestsAnswerSchema>;

// ---- /labels ------------------------------------------------------------------------------

export const LabelSchema = z.object({
  id: z.int().positive(),
  uid: UidSchema,
  /** The label is refused unless the account still has this login. */
  login: z.string(),
  /** Replaces this label (two identities were merged). */
  was: UidSchema.optional(),
});
export const LabelsRequestSchema = z.object({
  hub: HubIdentitySchema,
  labels: z.array(LabelSchema).max(1000),
});
export const LabelsAnswerSchema = z.object({
  results: z.array(
    z.object({ id: z.int(), result: z.enum(['labelled', 'already', 'mismatch', 'missing']) }),
  ),
});
export type Label = z.infer<typeof LabelSchema>;

// ---- /apply -------------------------------------------------------------------------------

const operationBase = z.object({
  /** The delivery's id; comes back in the receipt. */
  op: z.string(),
  uid: UidSchema,
  /** The site the change comes from. */
  source: z.object({ url: z.string(), key: z.int().positive() }),
  /** The site (blog) that this operation is for; roles are those of this blog. */
  blog: z.int().positive(),
  /** WordPress id by the hub's table; null: the hub knows of no account here. */
  id: z.int().positive().nullable(),
  /**
   * Privileged roles that the routes of this operation name: `account`, by which the account may be privileged;
   * `roles`, which may be given and taken. Each counts only where the site has consented to it. Absent: none; an
   * older connector knows of none, and refuses.
   */
  privileged: z
    .object({
      account: z.array(z.string()).max(MOST_ROLES),
      roles: z.array(z.string()).max(MOST_ROLES),
    })
    .optional(),
});
export const WriteOperationSchema = operationBase.extend({
  kind: z.literal('write'),
  /**
   * What to create the account with when there is none; null: don't create. On a network one that is there, and no
   * member of this site, becomes one with the site's default role (an older connector leaves it as it is).
   */
  create: z
    .object({
      login: z.string(),
      registered: z.string(),
      born: StampSchema,
      /** Give the site's default role when the fields name no role that it grants. */
      default_role: z.boolean(),
      /**
       * When somebody else has the login: create under the first of `login-2`, `login-3`, … that is free
       * (shortened to what WordPress takes). Absent: that is a conflict. An older connector doesn't know it.
       */
      login_taken: z.literal('suffix').optional(),
    })
    .nullable(),
  /**
   * A password that the site can't verify is refused all the same; the site then mails the account
   * WordPress's own link to set one (`why` is `password.mailed`), within bounds of its own
   * (`password.mail_limit`). An older connector sends none.
   */
  password_mail: z.literal(true).optional(),
  fields: z.record(FieldNameSchema, StampedValueSchema),
});
export const DeleteOperationSchema = operationBase.extend({
  kind: z.literal('delete'),
  gone: StampSchema,
  /** Login of the account that inherits content; null: refuse when there is content. */
  reassign: z.string().nullable(),
  /** `delete` ends the account, `strip` takes its roles on this blog. */
  how: z.enum(['delete', 'strip']),
});
export const OperationSchema = z.discriminatedUnion('kind', [
  WriteOperationSchema,
  DeleteOperationSchema,
]);
export type Operation = z.infer<typeof OperationSchema>;
export type WriteOperation = z.infer<typeof WriteOperationSchema>;
export type DeleteOperation = z.infer<typeof DeleteOperationSchema>;

export const ApplyRequestSchema = z.object({
  hub: HubIdentitySchema,
  mark: MarkOfferSchema.optional(),
  dry_run: z.boolean(),
  operations: z.array(OperationSchema).max(1000),
});

export const RECEIPT_RESULTS = [
  'created',
  'updated',
  'unchanged',
  'altered',
  'deleted',
  'linked',
  'busy',
  'refused',
  'conflict',
  'failed',
] as const;

/**
 * What became of one field.
 * - applied: written, and read back as sent
 * - altered: written, and another plugin made something else of it (it counts as delivered)
 * - same: the site held this stamp already
 * - kept: the site holds a newer stamp; its own change will come through its outbox
 * - refused: the site won't take it (`why`)
 * - conflict: it can't be written as things are (`why`, e.g. `identity.email_taken`)
 */
export const FIELD_RESULTS = ['applied', 'altered', 'same', 'kept', 'refused', 'conflict'] as const;

export const ReceiptSchema = z.object({
  op: z.string(),
  result: z.enum(RECEIPT_RESULTS),
  reason: CodeSchema.optional(),
  /** One sentence for people, from the site. */
  message: SentenceSchema.optional(),
  id: z.int().positive().optional(),
  login: NameSchema.optional(),
  fields: z
    .record(
      FieldNameSchema,
      z.object({
        /** The stamp the site holds now. */
        s: StampSchema,
        r: z.enum(FIELD_RESULTS),
        why: CodeSchema.optional(),
        /** The stamp that was overwritten, when one was. */
        was: StampSchema.optional(),
      }),
    )
    .optional(),
  /** For conflict: the account in the way. */
  found: z
    .object({
      by: z.enum(['email', 'login']),
      id: z.int().positive(),
      uid: UidSchema.nullable(),
      login: NameSchema,
      email: NameSchema,
      registered: NameSchema,
      privileged: z.boolean(),
    })
    .optional(),
});
export type Receipt = z.infer<typeof ReceiptSchema>;

export const ApplyAnswerSchema = z.object({
  receipts: z.array(ReceiptSchema),
  /** Operations dealt with; fewer than sent: the time or memory budget ended, send the rest again. */
  done: z.int().nonnegative(),
  mails_blocked: z.int().nonnegative(),
  clock: z.int(),
  /** Held now: `next` of the request, unless it was a rehearsal. */
  mark: MarkSchema.nullable(),
  epoch: z.string(),
});
export type ApplyAnswer = z.infer<typeof ApplyAnswerSchema>;

// ---- /stamp -------------------------------------------------------------------------------

/**
 * "Make the target like the source" starts on the source: the named fields are stamped anew
 * there, under the account's lock, not below `at_least`; an outbox row is written as for an edit
 * (actor `hub`), so they come out through `/changes` and nothing is lost with the answer.
 */
export const StampRequestSchema = z.object({
  hub: HubIdentitySchema,
  stamps: z
    .array(
      z.object({
        id: z.int().positive(),
        uid: UidSchema,
        blog: z.int().positive(),
        fields: z.array(FieldNameSchema),
        /** The new stamps' ms is at least this (hub time); never more than 60 s ahead of now. */
        at_least: z.int().nonnegative(),
      }),
    )
    .max(1000),
});
export const StampAnswerSchema = z.object({
  results: z.array(
    z.object({ id: z.int(), result: z.enum(['stamped', 'busy', 'missing', 'mismatch']) }),
  ),
});

// ---- /outside -----------------------------------------------------------------------------

/**
 * What a person said of values that were written past WordPress (`source.rewritten_outside`):
 * `edits` stamps them now, and they come out through `/changes`; `others` gives them stamp 0, so
 * that any edit made elsewhere wins; `nothing` takes them for what was known. Page by page from
 * `after: 0`; with the last page the hold ends.
 */
export const OutsideRequestSchema = z.object({
  hub: HubIdentitySchema,
  take: z.enum(['edits', 'others', 'nothing']),
  after: z.int().nonnegative(),
});
export const OutsideAnswerSchema = z.object({
  changed: z.int().nonnegative(),
  /** `after` of the next page; null: that was the last. */
  next: z.int().nullable(),
});

// ---- /guard -------------------------------------------------------------------------------

/** A range or one address, and a site's URL without scheme and “www.”; either may be empty. */
const WhitelistEntrySchema = z.object({
  name: TitleSchema,
  url: AddressSchema,
  ip: AddressSchema,
  active: z.boolean(),
});
/** Of entries, proxies, and sites that one site gets changes from. */
const MOST_LISTED = 1_000;

/**
 * The hub looks at a site's guard and may tighten it: what is named is done, all of it or nothing.
 * Loosening is answered 409 `target.guard_kept`; a whitelist that would shut out the caller, or one of
 * `sources`, 409 `whitelist.would_refuse`; a role that the site doesn't define, 422 `role.unknown`.
 */
export const GuardRequestSchema = z.object({
  hub: HubIdentitySchema,
  blog: z.int().positive(),
  read_only: z.boolean().optional(),
  /** Roles that the hub may not give there any more; what was consented to of them is taken back. */
  revoke: z.array(z.string()).max(MOST_ROLES).optional(),
  whitelist: z.boolean().optional(),
  /** URLs of the sites that the hub brings changes from. */
  sources: z.array(z.string()).max(MOST_LISTED).optional(),
  /** Which entry do these match? An empty one is not asked for. */
  check: z.object({ address: z.string(), url: z.string() }).optional(),
});
const EntryNameSchema = TitleSchema.nullable();
export const GuardAnswerSchema = z.object({
  blog: z.int().positive(),
  read_only: z.boolean(),
  grantable: z.array(z.string()),
  /** As in status. */
  consents: z.array(AddressSchema).max(MOST_ROLES).optional(),
  whitelist: z.object({
    on: z.boolean(),
    entries: z.array(WhitelistEntrySchema).max(MOST_LISTED),
    proxies: z.array(AddressSchema).max(MOST_LISTED),
  }),
  /** Where this very request came from, as the site sees it, and which active entry that is. */
  caller: z.object({ address: AddressSchema.nullable(), entry: EntryNameSchema }),
  sources: z.array(z.object({ url: AddressSchema, entry: EntryNameSchema })).max(MOST_LISTED),
  check: z.object({ address: EntryNameSchema, url: EntryNameSchema }).optional(),
});
export type GuardAnswer = z.infer<typeof GuardAnswerSchema>;

// ---- /switches ----------------------------------------------------------------------------

export const SwitchOrderSchema = z.object({
  id: z.int().positive(),
  /** Refused unless the account still has this login. */
  login: NameSchema,
  stop_outgoing: z.boolean().optional(),
  stop_made: z.boolean().optional(),
  /** Off is refused (`target.guard_kept`) where it is on. */
  reject_incoming: z.boolean().optional(),
});
export type SwitchOrder = z.infer<typeof SwitchOrderSchema>;
export const SwitchesRequestSchema = z.object({
  hub: HubIdentitySchema,
  switches: z.array(SwitchOrderSchema).max(1000),
});
/** An order of which anything is refused changes nothing of its account. */
export const SwitchesAnswerSchema = z.object({
  results: z.array(
    z.object({
      id: z.int(),
      result: z.enum(['set', 'already', 'missing', 'mismatch', 'refused']),
      /** With `refused`. */
      reason: CodeSchema.optional(),
      /** What holds now, with `set` and `already`. */
      switches: SwitchesSchema.optional(),
    }),
  ),
});
export type SwitchResult = z.infer<typeof SwitchesAnswerSchema>['results'][number];

// ---- /erase -------------------------------------------------------------------------------

/**
 * A person's erasure was completed on another site: a confirmed erasure request is opened for the account here, once
 * for each `erasure`. What is carried out unattended is the site's own to say.
 */
export const MOST_ERASURES = 50;
export const ErasureOrderSchema = z.object({
  erasure: z.uuid(),
  uid: UidSchema,
  source: z.object({ url: z.string() }),
  blog: z.int().positive(),
  id: z.int().positive(),
});
export type ErasureOrder = z.infer<typeof ErasureOrderSchema>;
export const EraseRequestSchema = z.object({
  hub: HubIdentitySchema,
  erasures: z.array(ErasureOrderSchema).max(MOST_ERASURES),
});
export const EraseAnswerSchema = z.object({
  results: z
    .array(
      z.object({
        erasure: z.uuid(),
        result: z.enum(['opened', 'already', 'refused']),
        /** With `refused`. */
        reason: CodeSchema.optional(),
      }),
    )
    .max(MOST_ERASURES),
});
export type ErasureResult = z.infer<typeof EraseAnswerSchema>['results'][number];

// ---- /proofs ------------------------------------------------------------------------------

/**
 * Whoever has an account here is asked to prove that it is theirs: by a link mailed to its address, or by the
 * password typed at a sign-in. Each site is asked for its own half; the hub alone knows which two belong together.
 * A half that was confirmed comes with the account's state (`proofs`) until it is cancelled or ends. Fewer results
 * than orders: mailing took long, ask for the rest again.
 */
export const PROOF_KINDS = ['mail', 'password'] as const;
export const MOST_PROOFS = 50;
export const LONGEST_PROOF_MS = 7 * 24 * 60 * 60 * 1_000;

const ProofAskSchema = z
  .object({
    id: z.int().positive(),
    /** Refused unless the account still has this login. */
    login: NameSchema,
    half: z.uuid(),
    kind: z.enum(PROOF_KINDS),
    /** The other account's site, and since when that account has been there (UTC): for the person to read. */
    other: z.object({
      site: z.string().max(190),
      url: z
        .string()
        .max(2048)
        .regex(/^https?:\/\/\S+$/u),
      registered: z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/u),
    }),
    /** The same for both halves of one proof; none for a mailed link. */
    salt: z
      .string()
      .regex(/^[0-9a-f]{64}$/u)
      .nullable(),
    /** Hub time; at most seven days ahead. */
    ends_ms: z.int().positive(),
  })
  .refine(({ kind, salt }) => (kind === 'mail') === (salt === null));
const ProofCancelSchema = z.object({
  id: z.int().positive(),
  half: z.uuid(),
  /** Forget this half, confirmed or not. */
  cancel: z.literal(true),
});
export const ProofOrderSchema = z.union([ProofCancelSchema, ProofAskSchema]);
export type ProofOrder = z.infer<typeof ProofOrderSchema>;

export const ProofsRequestSchema = z.object({
  hub: HubIdentitySchema,
  proofs: z.array(ProofOrderSchema).max(MOST_PROOFS),
});
export const ProofsAnswerSchema = z.object({
  results: z
    .array(
      z.object({
        id: z.int(),
        half: z.uuid(),
        /** `already`: asked before; no second mail was sent. */
        result: z.enum(['asked', 'already', 'cancelled', 'refused']),
        /** With `refused`. */
        reason: CodeSchema.optional(),
      }),
    )
    .max(MOST_PROOFS),
});
export type ProofResult = z.infer<typeof ProofsAnswerSchema>['results'][number];

// ---- signal (connector → hub) -------------------------------------------------------------

/**
 * `POST <signal.url>`, header `X-Rollcall-Signature: t=<ms>,v1=<hex>` where v1 is
 * HMAC-SHA-256(secret, `${t}.${body}`).
 */
export const SignalSchema = z.object({
  epoch: z.string(),
  head: z.int().nonnegative(),
  /**
   * Told once by an installation that woke up where it was not connected: a copy, or the site itself
   * after a move. Its address, without scheme and www. There is nothing to pull then.
   */
  woke_at: z.string().min(1).max(300).optional(),
});
export type Signal = z.infer<typeof SignalSchema>;

// ---- errors -------------------------------------------------------------------------------

export const RestErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  data: z
    .object({
      status: z.number().optional(),
      reason: z.string().optional(),
      /** With `mark.mismatch`: what the site holds. */
      mark: MarkSchema.nullable().optional(),
    })
    .nullish(),
});
