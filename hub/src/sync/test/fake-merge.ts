/**
 * Merging an operation's fields into an account of the site in memory, as the connector does.
 *
 * Always true: newer wins, ties go to the greater site key, ms 0 wins over nothing that exists and
 * fills only an account that is being created; one field's refusal holds up no other.
 */
import type { Operation, Receipt, WriteOperation } from '#contract/messages.ts';
import { type Field, isRole, roleOf, textOf, type Value } from '../../model/field.ts';
import type { SiteKey } from '../../model/ids.ts';
import { compareStamps, type Stamp } from '../../model/stamp.ts';
import {
  emailOf,
  endMailed,
  type FakeAccount,
  type FakeAccounts,
  fromWire,
  same,
  valueOf,
  wire,
} from './fake-accounts.ts';
import { asKept, asStored, whyNot } from './fake-incoming.ts';

export interface FakeGround {
  readonly key: SiteKey;
  readonly accounts: FakeAccounts;
  /** Hub time. */
  readonly nowMs: () => number;
  /** Why the site takes nothing of what comes from there. */
  readonly refusal: (source: { readonly url: string }) => string | null;
  /** Roles that a hub may give, and others that the site has. */
  readonly grantable: () => readonly string[];
  readonly known: readonly string[];
  /** Privileged roles that it has agreed to. */
  readonly consents: () => readonly string[];
  readonly defaultRole: string;
  readonly watched: () => readonly string[] | null;
  readonly isBusy: (account: FakeAccount) => boolean;
  /** Told of fields that an operation really changed. */
  readonly wrote: (uid: string, fields: readonly Field[]) => void;
  /** Told of an edit made here that an operation overwrites. */
  readonly overwrote: (account: FakeAccount, field: Field, stamp: Stamp) => void;
  /** Told of fields that came although the site held that very stamp. */
  readonly repeated: () => void;
  readonly ended: (account: FakeAccount) => void;
}

export type ReceiptFields = NonNullable<Receipt['fields']>;

export function merge(
  ground: FakeGround,
  operation: WriteOperation,
  account: FakeAccount,
  { filling, dryRun }: { readonly filling: boolean; readonly dryRun: boolean },
): Receipt {
  const fields: ReceiptFields = {};
  const changed: Field[] = [];
  let other: FakeAccount | undefined;
  for (const [field, { v, s }] of Object.entries(operation.fields)) {
    const incoming = { value: v, stamp: fromWire(s) };
    const decided = decide(ground, account, field, { ...incoming, filling, operation });
    fields[field] = decided;
    if (decided.why === 'identity.email_taken') {
      other = ground.accounts.byEmail(textOf(v), account);
    }
    if (decided.r === 'same') ground.repeated();
    if (decided.r !== 'applied') continue;
    changed.push(field);
    if (dryRun) continue;
    const held = account.fields.get(field)?.stamp;
    if (held !== undefined && held[0] > 0 && held[1] === ground.key) {
      ground.overwrote(account, field, held);
    }
    const stored = asStored(field, v);
    const value = asKept(field, stored, account.login);
    account.fields.set(field, { value, stamp: incoming.stamp });
    endMailed(account, [field]);
    if (!same(value, stored)) fields[field] = { ...decided, r: 'altered' };
  }
  if (!dryRun && (changed.length > 0 || filling)) ground.wrote(operation.uid, changed);
  const receipt = ofFields(operation.op, account, fields, filling);
  return other === undefined ? receipt : { ...receipt, found: found(ground, 'email', other) };
}

interface Incoming {
  readonly value: Value;
  readonly stamp: Stamp;
  /** The account is being created: values from before Rollcall fill it. */
  readonly filling: boolean;
  readonly operation: WriteOperation;
}

function decide(
  ground: FakeGround,
  account: FakeAccount,
  field: Field,
  incoming: Incoming,
): ReceiptFields[string] {
  const held = account.fields.get(field);
  const s = wire(held?.stamp ?? [0, ground.key]);
  const why = whyNot(field, incoming, { nowMs: ground.nowMs(), watched: ground.watched() });
  if (why !== null) return { s, r: 'refused', why };
  const order = held === undefined ? 1 : compareStamps(incoming.stamp, held.stamp);
  if (!incoming.filling) {
    if (held !== undefined && order === 0) return { s, r: 'same' };
    if (incoming.stamp[0] === 0 || order < 0) return { s, r: 'kept' };
  }
  if (!same(valueOf(account, field), incoming.value)) {
    const role = isRole(field) ? roleRefusal(ground, roleOf(field), incoming.operation) : null;
    if (role !== null) return { s, r: 'refused', why: role };
    const demotes = field === 'role:administrator' && incoming.value !== true;
    if (demotes && ground.accounts.isLastAdministrator(account)) {
      return { s, r: 'refused', why: 'target.last_administrator' };
    }
    if (field === 'email' && ground.accounts.byEmail(textOf(incoming.value), account)) {
      return { s, r: 'conflict', why: 'identity.email_taken' };
    }
  }
  const was = held === undefined || incoming.filling ? {} : { was: wire(held.stamp) };
  return { s: wire(incoming.stamp), r: 'applied', ...was };
}

export function roleRefusal(
  { accounts, grantable, known, consents }: FakeGround,
  role: string,
  { privileged }: Operation,
): string | null {
  if (grantable().includes(role)) return null;
  if (!known.includes(role)) return 'role.unknown';
  const isNamed = privileged?.roles.includes(role) === true && accounts.isPrivilegedRole(role);
  if (!isNamed) return 'role.not_grantable';
  return consents().includes(role) ? null : 'role.not_consented';
}

/** The result of a write follows from the results of its fields alone. */
export function ofFields(
  op: string,
  account: FakeAccount,
  fields: ReceiptFields,
  created: boolean,
): Receipt {
  const { id, login } = account;
  const about = { op, id, login, ...(Object.keys(fields).length === 0 ? {} : { fields }) };
  const all = Object.values(fields);
  const has = (result: ReceiptFields[string]['r']) => all.some(({ r }) => r === result);
  if (created) return { ...about, result: 'created' };
  if (has('altered')) return { ...about, result: 'altered' };
  if (has('applied')) return { ...about, result: 'updated' };
  const failed = has('conflict') ? 'conflict' : 'refused';
  const reason = all.find(({ r }) => r === failed)?.why;
  if (reason === undefined || (failed === 'refused' && (has('same') || has('kept')))) {
    return { ...about, result: 'unchanged' };
  }
  return { ...about, result: failed, reason };
}

export function found({ accounts }: FakeGround, by: 'email' | 'login', account: FakeAccount) {
  const { id, uid, login, registered } = account;
  const privileged = accounts.isPrivileged(account);
  return { by, id, uid, login, email: emailOf(account), registered, privileged };
}
