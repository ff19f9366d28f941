/**
 * Halves of proofs on a site in memory.
 *
 * Always true: as on a real site, the first verifier stays, and what has ended is gone. A verifier here is no slow
 * hash: like a real one it is the same for the same salt and password, and for nothing else.
 */
import { createHash } from 'node:crypto';
import { LONGEST_PROOF_MS, type ProofOrder, type ProofResult } from '#contract/messages.ts';
import { emailOf, type FakeAccount, type FakeAccounts, type FakeProof } from './fake-accounts.ts';

const MOST_HALVES = 20;
/** Salt and sum of a bcrypt hash. */
const BCRYPT_TAIL = 53;

export function answerProof(people: FakeAccounts, order: ProofOrder, nowMs: number): ProofResult {
  const { id, half } = order;
  const account = people.byId.get(id);
  if ('cancel' in order) {
    if (account !== undefined) drop(account, (proof) => proof.half === half);
    return { id, half, result: 'cancelled' };
  }
  if (account === undefined)
    return { id, half, result: 'refused', reason: 'target.account_missing' };
  drop(account, ({ endsMs }) => endsMs <= nowMs);
  const reason = refusal(people, account, order, nowMs);
  if (reason !== null) return { id, half, result: 'refused', reason };
  if (account.proofs.some((proof) => proof.half === half)) return { id, half, result: 'already' };
  const { kind, salt, ends_ms: endsMs } = order;
  account.proofs.push({ half, kind, salt, endsMs, confirmed: false, verifier: null });
  return { id, half, result: 'asked' };
}

/** Confirms what is open of a kind; true when something was. */
export function confirmAll(
  proofs: readonly FakeProof[],
  kind: FakeProof['kind'],
  nowMs: number,
  password?: string,
): boolean {
  const open = proofs.filter(
    (proof) => proof.kind === kind && !proof.confirmed && proof.endsMs > nowMs,
  );
  for (const proof of open) {
    proof.confirmed = true;
    if (password !== undefined) proof.verifier = verifierOf(password, proof.salt ?? '');
  }
  return open.length > 0;
}

function refusal(
  people: FakeAccounts,
  account: FakeAccount,
  order: Exclude<ProofOrder, { cancel: true }>,
  nowMs: number,
): string | null {
  if (account.login !== order.login) return 'identity.label_mismatch';
  if (people.isPrivileged(account)) return 'target.privileged_account';
  if (order.ends_ms <= nowMs || order.ends_ms > nowMs + LONGEST_PROOF_MS) return 'request.invalid';
  if (order.kind === 'mail' && emailOf(account) === '') return 'email.missing';
  const others = account.proofs.filter(({ half }) => half !== order.half);
  return others.length >= MOST_HALVES ? 'proof.too_many' : null;
}

function drop(account: FakeAccount, ended: (proof: FakeProof) => boolean): void {
  account.proofs = account.proofs.filter((proof) => !ended(proof));
}

const verifierOf = (password: string, salt: string): string => {
  const sum = createHash('sha256').update(`${salt}.${password.trim()}`).digest('hex');
  return `$2y$12$${sum.slice(0, BCRYPT_TAIL)}`;
};
