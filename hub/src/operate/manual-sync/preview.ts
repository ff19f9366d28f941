/** What a manual sync would do: counts per target, and who and why. */
import type { SyncPlan, SyncRequest } from '../../api/schemas/sync.ts';
import { reasonSentence } from '../../reasons.ts';
import type { OperationPorts } from '../ports.ts';
import { pagesOf, resolve } from './choose.ts';
import { planPage } from './plan-page.ts';

/** Rows of the preview that are spelled out. */
const SPELLED_OUT = 1_000;

export async function previewSync(ports: OperationPorts, request: SyncRequest): Promise<SyncPlan> {
  const { source, ways } = await resolve(ports, request);
  const targets = new Map(
    ways.map(({ target }) => [
      target.key,
      { site: target.name, create: 0, update: 0, link: 0, unchanged: 0, skip: 0, hold: 0 },
    ]),
  );
  const decisions: SyncPlan['decisions'] = [];
  let accounts = 0;
  let more = false;
  for await (const states of pagesOf(ports, source, request.accounts)) {
    accounts += states.length;
    for (const planned of await planPage(ports, source, ways, states, request.links)) {
      const counts = targets.get(planned.way.target.key);
      if (counts !== undefined) counts[planned.what] += 1;
      if (planned.what === 'unchanged') continue;
      if (decisions.length === SPELLED_OUT) {
        more = true;
        continue;
      }
      decisions.push({
        login: planned.state.login,
        target: planned.way.target.name,
        what: planned.what,
        other: planned.candidate?.login ?? null,
        fields: [...planned.fields],
        reason: planned.reason,
        message: planned.reason === null ? null : reasonSentence(planned.reason),
      });
    }
  }
  return { from: source.name, accounts, targets: [...targets.values()], decisions, more };
}
