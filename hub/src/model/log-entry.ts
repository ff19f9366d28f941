/** One row of the Sync Log. Names fields, never holds their values. */
import { EMAIL, type Field } from './field.ts';
import type { DeliveryId, IdentityUid, SiteKey } from './ids.ts';
import type { Path } from './path.ts';

export type LogAction = 'create' | 'update' | 'delete' | 'link' | 'erase';
export type LogStatus =
  | 'delivered'
  | 'unchanged'
  | 'skipped'
  | 'held'
  | 'refused'
  | 'failed'
  | 'superseded'
  | 'released'
  | 'cancelled';

export interface LogEntry {
  readonly uid: IdentityUid;
  readonly login: string;
  readonly source: SiteKey | null;
  readonly target: SiteKey;
  readonly action: LogAction;
  readonly status: LogStatus;
  readonly reason: string | null;
  readonly fields: readonly Field[];
  readonly path: Path;
  /** Who made the change on its source, as shown to people. */
  readonly actor: string | null;
  readonly delivery: DeliveryId | null;
  readonly attempts: number;
  /** From the claim to the receipt, ms; null where nothing was sent. */
  readonly durationMs: number | null;
  /** Among the fields is an e-mail address that was set otherwise than by its person's word. Absent: not known of. */
  readonly unconfirmed?: true;
}

/** @param email what is known of the address that a row of these fields speaks of */
export const markedUnconfirmed = (
  fields: readonly Field[],
  email: { readonly unconfirmed?: true } | undefined,
): Pick<LogEntry, 'unconfirmed'> =>
  email?.unconfirmed === true && fields.includes(EMAIL) ? { unconfirmed: true } : {};
