/**
 * What the conformance suite needs of a site: the port it is spoken to by, and people who use it.
 *
 * Always true: `people()` carries out each act as a request of its own would, in order, but all of
 * them on one journey: a real site answers one process in half a second.
 */
import type { FieldValue } from '#contract/account-state.ts';
import type { Connection, SitePort } from '#hub/sync/ports.ts';

/** What somebody does on the site itself, by the login of whom it is done to. */
export type Act =
  | {
      readonly do: 'register';
      readonly login: string;
      readonly email: string;
      readonly role?: string;
    }
  /** Core fields, `password` in plaintext. */
  | {
      readonly do: 'edit';
      readonly login: string;
      readonly changes: Readonly<Record<string, string>>;
    }
  /** All rows of one meta key; an empty list: none. */
  | {
      readonly do: 'meta';
      readonly login: string;
      readonly key: string;
      readonly rows: readonly FieldValue[];
    }
  | {
      readonly do: 'role';
      readonly login: string;
      readonly role: string;
      readonly has: boolean;
    }
  | { readonly do: 'remove'; readonly login: string }
  /** Leaves content behind that would be lost with the account. */
  | { readonly do: 'publish'; readonly login: string }
  /** Confirms every link that was mailed to this account, as far as they still hold. */
  | { readonly do: 'confirm'; readonly login: string }
  /** With a password that is right. */
  | { readonly do: 'sign in'; readonly login: string; readonly password: string }
  /** The switch in the profile. */
  | { readonly do: 'reject incoming'; readonly login: string }
  /** An administrator agrees that these privileged roles may come. */
  | { readonly do: 'consent'; readonly login: string; readonly roles: readonly string[] }
  /** An administrator undoes what the hub tightened, and lists these sites in the whitelist, which is off. */
  | { readonly do: 'open guard'; readonly login: string; readonly urls: readonly string[] };

/** What the site itself says of an account, past the contract. */
export interface Present {
  readonly id: number;
  /** Core fields, `password` (the hash). */
  readonly fields: Readonly<Record<string, string>>;
  /** Watched meta: one entry per row. */
  readonly meta: Readonly<Record<string, readonly unknown[]>>;
  readonly roles: readonly string[];
}

/** Watched besides: keys that begin like this. */
export const PATTERN = 'trial_*';

export interface SiteUnderTest {
  readonly port: SitePort;
  /** With term 1 of a hub that is this test. */
  connection: Connection;
  /** Second part of the stamps that this site gives. */
  readonly key: number;
  /** Meta keys that are watched, nobody else's. */
  readonly meta: readonly [string, string];
  /** Logins of accounts that were there before Rollcall; each test takes one of its own. */
  readonly elders: readonly string[];
  /** Login of somebody who can administer the site. */
  readonly administrator: string;
  /** Does all that and gives the WordPress id of each login that is named. */
  people(acts: readonly Act[]): Promise<ReadonlyMap<string, number>>;
  /** By login; who is not there is missing. */
  read(logins: readonly string[]): Promise<ReadonlyMap<string, Present>>;
  /** A site in memory sends none. */
  readonly mailsPerLink: 0 | 1;
  /** Mails that the site meant to send so far. */
  mails(): Promise<number>;
  stop(): Promise<void>;
}
