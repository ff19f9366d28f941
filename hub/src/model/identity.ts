/**
 * One person as the hub knows them: the accounts that are proven to be theirs, what each
 * holds, and what is on its way to each site.
 *
 * Always true: all accounts of one identity are proven to belong to one person. An account
 * that merely has the same e-mail belongs to an identity of its own and stands here as a
 * candidate only; nothing crosses to it.
 */
import type { CarriedFields } from './carried.ts';
import type { Field, KnownKey, Value } from './field.ts';
import type {
  DeliveryId,
  IdentityUid,
  InstallationId,
  RouteId,
  SiteKey,
  WordPressId,
} from './ids.ts';
import type { Standing } from './leaving.ts';
import type { Path } from './path.ts';
import type { Power } from './power.ts';
import type { Stamp } from './stamp.ts';

export interface Account {
  readonly installation: InstallationId;
  readonly wpId: WordPressId;
  readonly login: string;
  readonly email: string;
  readonly registered: string;
  readonly privileged: boolean;
  /** What makes it so; absent: nobody knows. */
  readonly privilegedBy?: Power;
  readonly outgoingStopped: boolean;
  readonly incomingRejected: boolean;
  /** The site has confirmed that it carries our label. */
  readonly labelled: boolean;
  /** The last stamp the hub knows of each field here; `account` is when it was born. */
  readonly known: ReadonlyMap<KnownKey, Stamp>;
  /** The roles on each site, as far as they were ever told. */
  readonly roles: ReadonlyMap<SiteKey, readonly string[]>;
  /** What its routes ask for beside roles, as it was told last; absent: never. */
  readonly standing?: Standing;
  /** When the account ended here. A tombstone is never taken back. */
  readonly gone: Stamp | null;
  /** Reason code while a person must look at it first (`identity.label_mismatch`). */
  readonly alarm: string | null;
}

/** Why an account on the target may be the same person, or is in the way. */
export interface Candidate {
  readonly by: 'email' | 'login';
  readonly wpId: WordPressId;
  readonly uid: IdentityUid;
  readonly login: string;
  readonly privileged: boolean;
  readonly privilegedBy?: Power;
  /** That person has another account on the installation where this identity has one, too. */
  readonly alreadyElsewhere: boolean;
}

export type Lane = 'people' | 'bulk';

/** What an account is created with. */
export interface Birth {
  readonly login: string;
  readonly registered: string;
  readonly stamp: Stamp;
  readonly path: Path;
}

/** One row per (identity, target site): everything that still has to arrive there. */
export interface Delivery {
  readonly id: DeliveryId;
  readonly target: SiteKey;
  readonly lane: Lane;
  readonly fields: CarriedFields;
  /** Present: the account may be created on the target. */
  readonly birth: Birth | null;
  /** Present: the account ends on the target. */
  readonly gone: {
    readonly stamp: Stamp;
    readonly path: Path;
    readonly how: 'delete' | 'strip';
    /** An operator said so: it needs no route. */
    readonly ordered?: true;
  } | null;
  /** Reason code while the whole delivery waits for an operator. */
  readonly held: string | null;
  /** Who made the newest change in it, for the Sync Log; null: not known. */
  readonly actor: string | null;
  readonly attempts: number;
  /** Raised by every change of the row: a receipt settles only what was sent. */
  readonly version: number;
  /** Not to be sent before (hub time, ms): a settling delete, an operation backing off. */
  readonly notBeforeMs: number;
}

export interface Identity {
  readonly uid: IdentityUid;
  readonly accounts: ReadonlyMap<InstallationId, Account>;
  readonly deliveries: ReadonlyMap<SiteKey, Delivery>;
  /** Target site → field → the newest stamp that this target refused: it is not sent again. */
  readonly stopped: ReadonlyMap<SiteKey, ReadonlyMap<Field, Stamp>>;
}

/** "Installation S holds field F of this identity at stamp T." */
export interface Fact {
  readonly field: Field;
  /** Where it is held; for roles the only site it speaks of. */
  readonly site: SiteKey;
  readonly value: Value;
  readonly stamp: Stamp;
  readonly path: Path;
  /** An e-mail address that was set otherwise than by its person's word. */
  readonly unconfirmed?: true;
}

/** What one installation was found to hold, by capture or by receipt. */
export interface Holding {
  readonly installation: InstallationId;
  /** Newly learned. */
  readonly facts: readonly Fact[];
  /** Everything at hand, older values too: a created account is filled from it. */
  readonly all: readonly Fact[];
  /** `all` is the account's whole state, not the part that was on its way. */
  readonly complete: boolean;
  /** Present when it was learned that the account ended. */
  readonly gone: { readonly stamp: Stamp; readonly path: Path; readonly site: SiteKey } | null;
  /** Sites where the account came among those that leave, or is no longer one of them, and since when. */
  readonly entered?: ReadonlySet<SiteKey>;
  readonly left?: ReadonlyMap<SiteKey, Stamp>;
  /** Routes along which the account may leave now, and could not before. */
  readonly admitted?: ReadonlySet<RouteId>;
  /** An operator asked for it: what a site lets leave by itself does not matter. */
  readonly asked?: boolean;
  /** How the account came about, where known. */
  readonly birth: Birth | null;
  /** The account came about just now, and Rollcall saw it. */
  readonly newlyBorn: boolean;
  /** By capture: an edit made there. By receipt: it arrived there from another site. */
  readonly learnedBy: 'capture' | 'receipt';
  /** Made by somebody whose deeds stay on their own site. */
  readonly staysHome?: boolean;
  readonly lane: Lane;
}
