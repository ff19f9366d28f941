/**
 * Operations on the site in memory: what the connector's `/apply` does, one receipt for each.
 *
 * Does: write, delete, strip, and the dry run of each.
 * Always true: repeating an operation changes nothing more; nothing that is applied comes out of the
 * outbox; order of checks and reason codes are the connector's.
 */
import type { DeleteOperation, Operation, Receipt, WriteOperation } from '#contract/messages.ts';
import { isRole, roleField, textOf } from '../../model/field.ts';
import { compareStamps, isFromFuture } from '../../model/stamp.ts';
import { type FakeAccount, fromWire, hasRole, wire } from './fake-accounts.ts';
import { whyNot } from './fake-incoming.ts';
import {
  type FakeGround,
  found,
  merge,
  ofFields,
  type ReceiptFields,
  roleRefusal,
} from './fake-merge.ts';

export function applyOne(ground: FakeGround, operation: Operation, dryRun: boolean): Receipt {
  if (operation.blog !== 1) return refused(operation.op, 'target.site_missing');
  const guard = ground.refusal(operation.source);
  if (guard !== null) return refused(operation.op, guard);
  return operation.kind === 'write'
    ? write(ground, operation, dryRun)
    : end(ground, operation, dryRun);
}

const refused = (op: string, reason: string): Receipt => ({ op, result: 'refused', reason });

function write(ground: FakeGround, operation: WriteOperation, dryRun: boolean): Receipt {
  const { op, uid } = operation;
  if (ground.accounts.tombstones.has(uid)) return refused(op, 'identity.deleted');
  const mismatch = labelRefusal(ground, operation);
  if (mismatch !== null) return refused(op, mismatch);
  const account = ground.accounts.byUid(uid);
  if (account !== undefined) return existing(ground, operation, account, dryRun);
  if (operation.create === null) return refused(op, 'target.account_missing');
  const create = { ...operation.create, login: chosenLogin(ground, operation.create) };
  const hindrance = hindranceOf(ground, operation, create);
  if (hindrance !== null) return { op, ...hindrance };
  if (dryRun) return foretold(ground, operation, create);
  const made = ground.accounts.insert(create.login, create.registered);
  made.uid = uid;
  made.born = fromWire(create.born);
  const receipt = merge(ground, operation, made, { filling: true, dryRun });
  const { defaultRole } = ground;
  const roleless = ![...made.fields].some(([field, { value }]) => isRole(field) && value === true);
  if (create.default_role && roleless) {
    made.fields.set(roleField(defaultRole), { value: true, stamp: [0, ground.key] });
  }
  ground.accounts.fillBlanks(made, [0, ground.key]);
  return receipt;
}

/** The hub's table and the site's label disagree: an alarm, never a link. */
function labelRefusal({ accounts }: FakeGround, { id, uid }: Operation): string | null {
  const labelled = accounts.byUid(uid)?.id ?? null;
  if (id === null || id === labelled) return null;
  return labelled !== null || accounts.byId.has(id)
    ? 'identity.label_mismatch'
    : 'target.account_missing';
}

function existing(
  ground: FakeGround,
  operation: WriteOperation,
  account: FakeAccount,
  dryRun: boolean,
): Receipt {
  const { op } = operation;
  if (ground.isBusy(account)) return { op, result: 'busy', reason: 'account.busy' };
  const reason = accountRefusal(ground, account, operation);
  return reason === null
    ? merge(ground, operation, account, { filling: false, dryRun })
    : refused(op, reason);
}

export function accountRefusal(
  { accounts, consents }: Pick<FakeGround, 'accounts' | 'consents'>,
  account: FakeAccount,
  operation?: Operation,
): string | null {
  if (account.switches.reject_incoming) return 'account.incoming_rejected';
  const named = operation?.privileged?.account ?? [];
  const power = accounts.powerOf(account);
  if (power.some((role) => !named.includes(role))) return 'target.privileged_account';
  return power.every((role) => consents().includes(role)) ? null : 'account.not_consented';
}

const LONGEST_LOGIN = 60;
/** What sanitize_user() leaves as it is when it is strict. */
const LOGIN = /^[a-z0-9_.\-@]+(?: [a-z0-9_.\-@]+)*$/iu;

const isLogin = (login: string): boolean => login.length <= LONGEST_LOGIN && LOGIN.test(login);

/** As Rollcall_Suffixed_Login. */
function chosenLogin(
  { accounts }: FakeGround,
  { login, login_taken }: NonNullable<WriteOperation['create']>,
): string {
  const isFree = (one: string): boolean => accounts.byLogin(one) === undefined;
  if (login_taken === undefined || !isLogin(login) || isFree(login)) return login;
  for (let number = 2; number <= 99; number += 1) {
    const suffix = `-${number}`;
    const other = `${login.slice(0, LONGEST_LOGIN - suffix.length).trimEnd()}${suffix}`;
    if (isFree(other)) return other;
  }
  return login;
}

function hindranceOf(
  ground: FakeGround,
  { fields }: WriteOperation,
  create: NonNullable<WriteOperation['create']>,
): Omit<Receipt, 'op'> | null {
  const nowMs = ground.nowMs();
  const { email } = fields;
  if (isFromFuture(fromWire(create.born), nowMs)) {
    return { result: 'refused', reason: 'stamp.in_future' };
  }
  if (email === undefined) return { result: 'refused', reason: 'email.missing' };
  const incoming = { value: email.v, stamp: fromWire(email.s) };
  const why = whyNot('email', incoming, { nowMs, watched: null });
  if (why !== null) {
    return { result: why === 'email.malformed' ? 'conflict' : 'refused', reason: why };
  }
  const byEmail = ground.accounts.byEmail(textOf(email.v));
  if (byEmail !== undefined) return inTheWay(ground, 'email', byEmail);
  if (!isLogin(create.login)) {
    return { result: 'conflict', reason: 'login.malformed' };
  }
  const byLogin = ground.accounts.byLogin(create.login);
  return byLogin === undefined ? null : inTheWay(ground, 'login', byLogin);
}

const inTheWay = (ground: FakeGround, by: 'email' | 'login', account: FakeAccount) => ({
  result: 'conflict' as const,
  reason: `identity.${by}_taken`,
  found: found(ground, by, account),
});

/** A dry run that would create: decided on an account that is never inserted. */
function foretold(
  ground: FakeGround,
  operation: WriteOperation,
  { login, registered }: NonNullable<WriteOperation['create']>,
): Receipt {
  const imagined: FakeAccount = {
    id: 0,
    uid: operation.uid,
    login,
    registered,
    born: [0, ground.key],
    fields: new Map(),
    switches: { stop_outgoing: false, reject_incoming: false, stop_made: false },
    proofs: [],
    signedIn: false,
    trusted: null,
    hasContent: false,
  };
  const { id: _, ...receipt } = merge(ground, operation, imagined, { filling: true, dryRun: true });
  return receipt;
}

function end(ground: FakeGround, operation: DeleteOperation, dryRun: boolean): Receipt {
  const { op, uid, how } = operation;
  const { accounts } = ground;
  const gone = fromWire(operation.gone);
  if (accounts.tombstones.has(uid)) return { op, result: 'unchanged' };
  if (labelRefusal(ground, operation) === 'identity.label_mismatch') {
    return refused(op, 'identity.label_mismatch');
  }
  const account = accounts.byUid(uid);
  if (account === undefined) {
    if (!dryRun && how === 'delete') accounts.tombstones.set(uid, gone);
    return { op, result: 'unchanged' };
  }
  if (ground.isBusy(account)) return { op, result: 'busy', reason: 'account.busy' };
  if (!account.switches.reject_incoming && accounts.isLastAdministrator(account)) {
    return refused(op, 'target.last_administrator');
  }
  const reason = accountRefusal(ground, account, operation);
  if (reason !== null) return refused(op, reason);
  if (isFromFuture(gone, ground.nowMs())) return refused(op, 'stamp.in_future');
  return how === 'strip'
    ? strip(ground, operation, account, dryRun)
    : erase(ground, operation, account, dryRun);
}

function strip(
  ground: FakeGround,
  operation: DeleteOperation,
  account: FakeAccount,
  dryRun: boolean,
): Receipt {
  const { op, uid, gone } = operation;
  const fields: ReceiptFields = {};
  const stamp = fromWire(gone);
  const takes = (role: string) => roleRefusal(ground, role, operation) === null;
  for (const role of ground.known.filter((one) => hasRole(account, one) && takes(one))) {
    const held = account.fields.get(roleField(role));
    if (held === undefined || compareStamps(stamp, held.stamp) <= 0) continue;
    fields[roleField(role)] = { s: gone, r: 'applied', was: wire(held.stamp) };
    if (!dryRun) account.fields.set(roleField(role), { value: false, stamp });
  }
  if (!dryRun && Object.keys(fields).length > 0) ground.wrote(uid, Object.keys(fields));
  return ofFields(op, account, fields, false);
}

function erase(
  ground: FakeGround,
  { op, uid, gone, reassign }: DeleteOperation,
  account: FakeAccount,
  dryRun: boolean,
): Receipt {
  const stamp = fromWire(gone);
  const { accounts } = ground;
  const newer = [...account.fields.values()].some((one) => compareStamps(one.stamp, stamp) > 0);
  if (newer) return { op, result: 'conflict', reason: 'delete.newer_edit' };
  const named = reassign === null ? undefined : accounts.byLogin(reassign);
  const heir = named === account ? undefined : named;
  if (account.hasContent && heir === undefined) {
    return refused(op, reassign === null ? 'target.content_without_heir' : 'target.heir_missing');
  }
  if (!dryRun) {
    if (account.hasContent && heir !== undefined) heir.hasContent = true;
    accounts.byId.delete(account.id);
    accounts.tombstones.set(uid, stamp);
    ground.ended(account);
    ground.wrote(uid, []);
  }
  return { op, result: 'deleted', id: account.id, login: account.login };
}
