/**
 * May an account that a run created be removed again? Only where nobody has made it their own.
 *
 * Always true: the target itself is asked whether the account owns content; an edit made there, or an
 * account of the same person anywhere but on the source, keeps it.
 */
import type { AccountState } from '#contract/account-state.ts';
import type { Identity } from '../../model/identity.ts';
import type { IdentityUid } from '../../model/ids.ts';
import type { SyncStep } from '../../model/sync-run.ts';
import type { Reason } from '../../reasons.ts';
import type { SiteRecord } from '../../sync/ports.ts';
import type { OperationPorts } from '../ports.ts';

interface There {
  readonly source: SiteRecord;
  readonly target: SiteRecord;
  readonly persons: ReadonlyMap<IdentityUid, Identity>;
  readonly states: ReadonlyMap<number, AccountState>;
}

/** By uid: null where it may be removed, else why not. */
export async function removable(
  ports: OperationPorts,
  there: There,
  steps: readonly SyncStep[],
): Promise<ReadonlyMap<string, Reason | null>> {
  const verdicts = new Map<string, Reason | null>();
  const asked: { readonly uid: IdentityUid; readonly id: number }[] = [];
  for (const { what, uid } of steps) {
    const account = there.persons.get(uid)?.accounts.get(there.target.installation);
    if (what !== 'create' || account === undefined) continue;
    const why = whyItStays(there, uid, account.wpId);
    verdicts.set(uid, why);
    if (why === null) asked.push({ uid, id: account.wpId });
  }
  for (const [uid, why] of await ownContent(ports, there, asked)) verdicts.set(uid, why);
  return verdicts;
}

function whyItStays(
  { source, target, persons, states }: There,
  uid: IdentityUid,
  id: number,
): Reason | null {
  const identity = persons.get(uid);
  const state = states.get(id);
  if (identity === undefined || state === undefined) return 'target.account_missing';
  const account = identity.accounts.get(target.installation);
  if (account?.alarm != null) return 'identity.label_mismatch';
  if (state.privileged) return 'target.privileged_account';
  const elsewhere = [...identity.accounts.keys()].some(
    (installation) => installation !== source.installation && installation !== target.installation,
  );
  if (elsewhere || identity.deliveries.size > 0) return 'run.undo_elsewhere';
  const born = state.born[0];
  const stamps = [
    ...Object.values(state.fields ?? {}),
    ...Object.values(state.roles?.[String(target.blog)] ?? {}),
  ].map(({ s }) => s);
  const isEdited = stamps.some(([ms, site]) => site === target.key && ms > born);
  return isEdited ? 'run.undo_in_use' : null;
}

/** Asks the target, which decides and does nothing. */
async function ownContent(
  { registry, site, store, newId }: OperationPorts,
  { source, target }: There,
  asked: readonly { readonly uid: IdentityUid; readonly id: number }[],
): Promise<readonly (readonly [string, Reason | null])[]> {
  if (asked.length === 0) return [];
  const nowMs = await store.nowMs();
  const connection = await registry.connection(target.installation);
  const operations = asked.map(({ uid, id }) => ({
    kind: 'delete' as const,
    op: newId(),
    uid,
    source: { url: source.url, key: source.key },
    blog: target.blog,
    id,
    gone: [nowMs, source.key] as [number, number],
    reassign: null,
    how: 'delete' as const,
  }));
  const at = { ...connection, restUrl: target.restUrl };
  const { receipts } = await site.apply(at, { operations, dryRun: true });
  return asked.map(({ uid }, index) => {
    const result = receipts[index]?.result;
    return [uid, result === 'deleted' ? null : 'run.undo_in_use'] as const;
  });
}
