/**
 * Raises changes for what a page has found: on the road of every change, by the rules of the route.
 *
 * Does not: stamp anything, write to a target by itself, or touch an account that is on the target alone.
 * Always true: repeating it is safe, and what is newer on the target stays: values travel with the stamps that
 * they have.
 */
import type { WordPressId } from '../../model/ids.ts';
import { isRepaired, REPAIRS } from '../../sync/reconcile/classify.ts';
import type { OperationPorts } from '../ports.ts';
import type { FoundOne } from './compare-page.ts';
import type { Comparison } from './comparison.ts';

export async function repairPage(
  { pipeline }: OperationPorts,
  { source, target }: Comparison,
  found: readonly FoundOne[],
): Promise<void> {
  const meant = found.filter(({ reason }) => isRepaired(reason));
  const reread = meant.filter(({ reason }) => isRepaired(reason) && REPAIRS[reason] !== 'send');
  // The hub lets go of what it believed; who is not there gets an alarm, and waits for a person.
  const twins = idsOf(reread.map(({ twin }) => twin));
  if (twins.length > 0) await pipeline.rereadSome(target.installation, twins);
  const send = meant.filter(({ reason }) => isRepaired(reason) && REPAIRS[reason] !== 'alarm');
  const ids = idsOf(send.map(({ wpId }) => wpId));
  if (ids.length > 0) await pipeline.sendAgain(source.installation, ids, target.key);
}

const idsOf = (ids: readonly (WordPressId | null)[]): readonly WordPressId[] => [
  ...new Set(ids.flatMap((id) => id ?? [])),
];
