/**
 * What an adopt run asks for beside a manual sync.
 *
 * Always true: it is between two sites, and is looked at before it runs: what it links is what its plan names.
 */
import type { SyncRequest } from '../../../api/schemas/sync.ts';
import { Fault } from '../../../errors.ts';
import type { OperationPorts } from '../../ports.ts';
import type { Asked } from '../choose.ts';
import type { AdoptPlan } from './differences.ts';

export const adoptPlan = (
  { how, createMissing = false, roles = false }: NonNullable<SyncRequest['adopt']>,
  chosen: AdoptPlan['chosen'],
): AdoptPlan => ({ how, createMissing, roles, chosen });

/** @throws Fault `request.invalid` */
export function refuseUnfit({ adopt, to, mode, links }: SyncRequest, starts: boolean): void {
  if (adopt === undefined) return;
  const why = whyUnfit();
  if (why !== null) throw new Fault('request.invalid', why);

  function whyUnfit(): string | null {
    if (starts) return 'An adopt run is planned and looked at before it is started.';
    if (new Set(to).size !== 1) return 'An adopt run is between one source and one target.';
    if (mode !== undefined)
      return 'An adopt run says in “adopt” how it goes; “mode” is not its own.';
    return links === undefined ? null : 'An adopt run links the pairs that its plan names.';
  }
}

/** Both tell first what they have not told yet: who is who is looked up in what the hub knows. */
export async function hearBoth(
  { pipeline }: OperationPorts,
  { source, ways }: Asked,
): Promise<void> {
  for (const { installation } of [source, ...ways.map(({ target }) => target)]) {
    await pipeline.pull(installation);
  }
}

/** What shows only once everybody was looked at. */
export async function endPairing(
  { runs }: OperationPorts,
  id: string,
  { source, ways }: Asked,
): Promise<void> {
  await runs.clashTwice(id, 'link.two_candidates');
  const [way] = ways;
  if (way === undefined) return;
  const between = { on: way.target.installation, not: source.installation };
  await runs.change(id, ['planning'], { onlyThere: await runs.countOnlyThere(id, between) });
}
