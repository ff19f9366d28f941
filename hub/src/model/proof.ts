/**
 * A proof that two accounts are one person, which the person gives: one half at each account.
 *
 * Always true: a half counts for its own account alone, once, and while the proof is open.
 */
import type { InstallationId, SiteKey, WordPressId } from './ids.ts';

/** `mail`: a link confirmed in both mailboxes. `password`: the same one typed at both sign-ins. */
export const PROOF_KINDS = ['mail', 'password'] as const;
export type ProofKind = (typeof PROOF_KINDS)[number];

/** Which account a half is for. */
export interface ProofAccount {
  readonly installation: InstallationId;
  readonly site: SiteKey;
  readonly wpId: WordPressId;
  readonly login: string;
  /** WordPress's own date: an id that is used again is another account. */
  readonly registered: string;
}

export interface ProofHalf extends ProofAccount {
  /** Only this installation ever hears it. */
  readonly half: string;
  /** The site has said that it knows of it. */
  readonly asked: boolean;
  /** Hub ms; null: not yet. */
  readonly confirmedMs: number | null;
  /** Slow hash of what was typed; the first one, of `password` alone, while the proof is open. */
  readonly verifier: string | null;
  /** The site has said that it forgot it. */
  readonly forgotten: boolean;
}

export interface Proof {
  readonly id: string;
  readonly kind: ProofKind;
  /** The operator. */
  readonly startedBy: string;
  readonly atMs: number;
  readonly endsMs: number;
  /** 64 hexadecimal digits; null for `mail`. */
  readonly salt: string | null;
  /** `proven`, or the reason why it ended otherwise; null: open. */
  readonly ended: string | null;
  readonly halves: readonly [ProofHalf, ProofHalf];
}

export type NewProof = Pick<Proof, 'id' | 'kind' | 'startedBy' | 'endsMs' | 'salt'> & {
  readonly halves: readonly [ProofAccount & { half: string }, ProofAccount & { half: string }];
};

/** What a site said is confirmed on an account. */
export interface Confirmation {
  readonly wpId: number;
  readonly half: string;
  readonly verifier?: string | undefined;
}

/**
 * bcrypt, as PHP writes it. A host that can't hash answers `*0` for every password: two of those
 * would agree.
 */
const VERIFIER = /^\$2y\$12\$[./A-Za-z0-9]{53}$/u;
export const isVerifier = (text: string | undefined): text is string =>
  text !== undefined && VERIFIER.test(text);

/** As the Sync Log names it. */
export const proofActor = ({ kind, startedBy }: Pick<Proof, 'kind' | 'startedBy'>): string =>
  `${kind === 'mail' ? 'mailed link' : 'same password'} asked by ${startedBy === '' ? 'operator' : startedBy}`;
