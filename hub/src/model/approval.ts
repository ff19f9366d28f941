/** Attempts to connect a site by WordPress's own approve page: `operate` drives them, `storage` keeps them. */

/** What becomes of a page that an administrator was sent to. */
export type ApprovalState = 'open' | 'connecting' | 'connected' | 'rejected' | 'failed';

export interface Approval {
  readonly id: string;
  readonly url: string;
  readonly name: string;
  /** Where the credential may go, and nowhere else. */
  readonly restUrl: string;
  readonly publicOnly: boolean;
  /** Who asked for it; nobody else may look. */
  readonly operator: string;
  readonly endsMs: number;
  readonly state: ApprovalState;
  readonly fault: { readonly code: string; readonly message: string } | null;
}

/** Attempts to connect a site by WordPress's own approve page. Secrets are kept as their hashes. */
export interface Approvals {
  open(approval: Omit<Approval, 'state' | 'fault'>, secret: string): Promise<void>;
  /** This once: an open one that has not ended leaves that state. Null: none, or too late. */
  take(secret: string, to: 'connecting' | 'rejected'): Promise<Approval | null>;
  settle(
    id: string,
    outcome: { readonly state: 'connected' | 'failed'; readonly fault: Approval['fault'] },
  ): Promise<void>;
  find(id: string): Promise<Approval | null>;
}
