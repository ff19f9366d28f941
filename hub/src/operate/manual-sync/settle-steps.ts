/**
 * Looks what has become of what a manual sync sent.
 *
 * Always true: an account on its way stays `sent`, whatever else happens to it; held is held until the
 * operator decides, and the run does not wait for that.
 */
import { knownKey } from '../../model/field.ts';
import type { Identity } from '../../model/identity.ts';
import { isNewer } from '../../model/stamp.ts';
import type { StepChange, StepKey, StepState, SyncStep } from '../../model/sync-run.ts';
import type { SiteRecord } from '../../sync/ports.ts';
import type { OperationPorts } from '../ports.ts';

/** Steps looked at in one go; their persons are locked meanwhile. */
const LOOK = 500;

/** @param pages at most so many; a person who waits for the answer sees to the first alone */
export async function settleSteps(
  ports: OperationPorts,
  id: string,
  pages = Number.POSITIVE_INFINITY,
): Promise<void> {
  let after: StepKey | undefined;
  const sites = new Map((await ports.registry.sites()).map((site) => [site.key, site]));
  for (let page = 0; page < pages; page += 1) {
    const query = { states: ['sent'], limit: LOOK, ...(after && { after }) } as const;
    const steps = await ports.runs.steps(id, query);
    const uids = [...new Set(steps.map(({ uid }) => uid))];
    const persons = await ports.store.transaction((tx) => tx.lockByUid(uids));
    const changes = steps.flatMap((step): StepChange[] => {
      const state = becameOf(step, persons.get(step.uid), sites.get(step.target));
      return state === 'sent' ? [] : [{ wpId: step.wpId, target: step.target, state }];
    });
    if (changes.length > 0) await ports.runs.save(id, changes);
    if (steps.length < LOOK) break;
    after = steps.at(-1);
  }
  await endWhenSettled(ports, id);
}

/** Nothing is to be done, and nothing on its way: the run is over. */
async function endWhenSettled({ runs, store }: OperationPorts, id: string): Promise<void> {
  const counts = await runs.counts(id);
  const open: ReadonlySet<StepState> = new Set(['planned', 'doing', 'sent']);
  if (counts.some(({ state }) => open.has(state))) return;
  const wasCancelled = counts.some(({ state }) => state === 'cancelled');
  const state = wasCancelled ? 'cancelled' : 'done';
  await runs.change(id, ['delivering'], { state, endedMs: await store.nowMs(), fault: null });
}

function becameOf(
  step: SyncStep,
  identity: Identity | undefined,
  site: SiteRecord | undefined,
): StepState {
  if (identity === undefined || site === undefined) return 'failed';
  const account = identity.accounts.get(site.installation);
  const delivery = identity.deliveries.get(step.target);
  if (step.stamps === null) {
    if (account !== undefined) return account.gone === null ? 'arrived' : 'failed';
    if (delivery === undefined) return 'failed';
    return delivery.held === null ? 'sent' : 'held';
  }
  const stopped = identity.stopped.get(step.target);
  const away = Object.entries(step.stamps).filter(([field, stamp]) =>
    isNewer(stamp, account?.known.get(knownKey(field, step.target))),
  );
  if (away.length === 0) return 'arrived';
  const waiting = away.filter(([field, stamp]) => isNewer(stamp, stopped?.get(field)));
  if (waiting.length === 0 || delivery === undefined) return 'failed';
  const isHeld = waiting.every(([field]) => delivery.fields.get(field)?.held !== undefined);
  return delivery.held !== null || isHeld ? 'held' : 'sent';
}
