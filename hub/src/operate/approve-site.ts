/**
 * Connecting a site by WordPress's own approve page.
 *
 * Does: send an administrator's browser there with a secret of this attempt; take what comes back, once.
 * Does not: keep the password that comes back: it becomes the hub's own credential and ends, or it ends.
 * Always true: an attempt belongs to the operator who started it and to the site that was found then; what comes
 * back goes to no other address, whatever it says of itself.
 * On failure: the attempt is `failed` with its fault.
 */
import type { ApprovalView, StartApproval, StartedApproval } from '../api/schemas/site.ts';
import { FAULTS, Fault, isFaultCode } from '../errors.ts';
import type { Approval } from '../model/approval.ts';
import { connectOnce } from './add-site.ts';
import { moment } from './names.ts';
import type { OperationPorts } from './ports.ts';

/** Long enough to sign in there first, with a second factor. */
const APPROVE_WITHIN_MS = 15 * 60_000;
/** Connecting a site and reading who is there takes no longer; whatever did it has ended. */
const CONNECT_WITHIN_MS = 60 * 60_000;

/** Names Rollcall among a person's Application Passwords. */
const APP_ID = '5b0c8a52-3c1e-4a57-9d3f-6f1f2a7c9e10';

type StartPorts = Pick<OperationPorts, 'publicUrl' | 'newSecret' | 'newId'> & {
  readonly introductions: Pick<OperationPorts['introductions'], 'discover' | 'approvePage'>;
  readonly approvals: Pick<OperationPorts['approvals'], 'open'>;
  readonly store: Pick<OperationPorts['store'], 'nowMs'>;
};

export async function startApproval(
  ports: StartPorts,
  { url, name }: StartApproval,
  by: string,
): Promise<StartedApproval> {
  const { introductions, approvals, store } = ports;
  const { restUrl, publicOnly } = await introductions.discover(url);
  const page = new URL(await introductions.approvePage(url));
  const back = backTo(ports.publicUrl(), page);
  const secret = ports.newSecret();
  const id = ports.newId();
  const endsMs = (await store.nowMs()) + APPROVE_WITHIN_MS;
  await approvals.open({ id, url, name, restUrl, publicOnly, operator: by, endsMs }, secret);
  const asks = {
    // Some versions of WordPress refuse two of one name.
    app_name: `Rollcall (${new URL(back).host}, ${moment(endsMs - APPROVE_WITHIN_MS)})`,
    app_id: APP_ID,
    success_url: `${back}/connect/approved?state=${secret}`,
    reject_url: `${back}/connect/rejected?state=${secret}`,
  };
  for (const [key, value] of Object.entries(asks)) page.searchParams.set(key, value);
  return { id, approveUrl: page.href, endsAt: moment(endsMs) };
}

/**
 * WordPress refuses to send a password to a plain-http address, but from a site for development, which is
 * the only one that takes Application Passwords over plain http itself.
 */
function backTo(publicUrl: string, page: URL): string {
  const back = publicUrl.replace(/\/+$/u, '');
  if (back.startsWith('https:') || page.protocol === 'http:') return back;
  const sentence =
    'WordPress sends an approval back to https addresses only, and this hub is known at a plain-http one.';
  throw new Fault('approve.needs_https', sentence);
}

/** What WordPress puts behind the address that it leads back to. */
export interface Approved {
  readonly user: string;
  readonly password: string;
}

/** True: it was expected, and the site is being connected. The attempt tells what becomes of it. */
export async function approvalCame(
  ports: OperationPorts,
  secret: string,
  approved: Approved,
): Promise<boolean> {
  const approval = await ports.approvals.take(secret, 'connecting');
  if (approval === null) return false;
  // Runs on by itself: the browser leaves the address with the password in it at once.
  void trade(ports, approval, approved);
  return true;
}

export const approvalRejected = async (ports: OperationPorts, secret: string): Promise<boolean> =>
  (await ports.approvals.take(secret, 'rejected')) !== null;

async function trade(
  ports: OperationPorts,
  { id, name, restUrl, publicOnly }: Approval,
  { user, password }: Approved,
): Promise<void> {
  const administrator = { user, password: password.replaceAll(' ', '') };
  try {
    await connectOnce(ports, { restUrl, publicOnly, administrator }, name);
    await ports.approvals.settle(id, { state: 'connected', fault: null });
  } catch (error) {
    const { code, message } =
      error instanceof Fault
        ? error
        : new Fault('internal.fault', 'The hub failed while it connected the site.');
    // The store may be what failed; then the attempt runs out.
    await ports.approvals.settle(id, { state: 'failed', fault: { code, message } }).catch(() => {});
  }
}

/** @throws Fault `approve.unknown`, also for whoever did not start it */
export async function approval(
  { approvals, store }: OperationPorts,
  id: string,
  by: string,
): Promise<ApprovalView> {
  const found = await approvals.find(id);
  if (found === null || found.operator !== by) {
    throw new Fault('approve.unknown', 'There is no such attempt of yours to connect a site.');
  }
  const { name, endsMs } = found;
  const view = { id, name, endsAt: moment(endsMs), fault: withNext(found.fault) };
  const nowMs = await store.nowMs();
  if (found.state === 'open' && nowMs > endsMs) return { ...view, state: 'expired' };
  if (found.state !== 'connecting' || nowMs < endsMs + CONNECT_WITHIN_MS) {
    return { ...view, state: found.state };
  }
  return { ...view, state: 'failed', fault: withNext(ENDED) };
}

const ENDED = {
  code: 'internal.fault',
  message:
    'The hub ended while it connected the site. An Application Password named “Rollcall” may be left there.',
};

function withNext(fault: Approval['fault']): ApprovalView['fault'] {
  if (fault === null) return null;
  const code = isFaultCode(fault.code) ? fault.code : 'internal.fault';
  return { ...fault, next: FAULTS[code].next };
}
