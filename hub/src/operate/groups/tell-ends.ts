/**
 * What sites and workers hear after routes were rearranged: which meta to watch, and that there may be
 * something to do. A site that can't be reached hears it with its next pull.
 */
import type { Rearranged } from '../../model/arrangement.ts';
import type { InstallationId } from '../../model/ids.ts';
import type { OperationPorts } from '../ports.ts';

/** A group may have a hundred members, each a request away. */
const AT_ONCE = 8;

export async function tellEnds(
  { pipeline, wake }: Pick<OperationPorts, 'pipeline' | 'wake'>,
  { after, touched }: Rearranged,
): Promise<void> {
  const ends = new Set(touched);
  const installations = [
    ...new Set(
      after.sites.filter(({ key }) => ends.has(key)).map(({ installation }) => installation),
    ),
  ];
  const queue: InstallationId[] = [...installations];
  const work = async (): Promise<void> => {
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) await pipeline.configure(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const id of installations) {
    await wake.deliver(id, 'people');
    await wake.deliver(id, 'bulk');
  }
}
