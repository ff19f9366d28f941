/** What is shown of an adopt run beside a manual sync. */

import { z } from 'zod';
import type {
  OnlyThere,
  OnlyThereQuery,
  SyncRequest,
  SyncRun,
  SyncStepRow,
} from '../../../api/schemas/sync.ts';
import { MOST_ROWS_SHOWN } from '../../../api/schemas/words.ts';
import { Fault } from '../../../errors.ts';
import { wordPressId } from '../../../model/ids.ts';
import type { SyncRunRecord, SyncStep } from '../../../model/sync-run.ts';
import { reasonSentence } from '../../../reasons.ts';
import { placeOf, placeText } from '../../place.ts';
import type { OperationPorts } from '../../ports.ts';
import { sitesOfRun, storedRequest } from '../choose.ts';
import { runCalled } from '../run-called.ts';

type Counts = Awaited<ReturnType<OperationPorts['runs']['counts']>>;

export function viewAdopt(
  { onlyThere }: SyncRunRecord,
  adopt: SyncRequest['adopt'],
  counts: Counts,
): SyncRun['adopt'] {
  if (adopt === undefined) return null;
  const sum = (meant: (count: Counts[number]) => boolean): number =>
    counts.filter(meant).reduce((all, { count }) => all + count, 0);
  const { how, createMissing = false, roles = false } = adopt;
  return {
    how,
    createMissing,
    roles,
    same: sum(({ pair }) => pair === 'same'),
    clash: sum(({ pair }) => pair === 'clash'),
    onlyHere: sum(({ pair }) => pair === 'only_here'),
    onlyThere,
    undecided: sum(({ pair, decision }) => pair === 'clash' && decision === null),
  };
}

export const viewSides = ({
  wpId,
  sides,
}: SyncStep): Pick<SyncStepRow, 'id' | 'email' | 'others'> => ({
  id: wpId,
  email: sides?.email ?? null,
  others: (sides?.others ?? []).map(({ id, login, email, why }) => ({
    id,
    login,
    email,
    why: why === null ? null : { code: why, message: reasonSentence(why) },
  })),
});

const PlaceSchema = z.tuple([z.int().nonnegative()]);

/** @throws Fault `sync.unknown`, `request.invalid` */
export async function listOnlyThere(
  ports: OperationPorts,
  id: string,
  { after, limit = MOST_ROWS_SHOWN }: OnlyThereQuery,
): Promise<OnlyThere> {
  const run = await runCalled(ports, id);
  if (storedRequest(run).asked.adopt === undefined)
    throw new Fault('request.invalid', 'Only an adopt run tells who is on the target alone.');
  const { source, ways } = await sitesOfRun(ports, run);
  const [way] = ways;
  if (way === undefined) return { accounts: [], next: null };
  const [from] = after === undefined ? [] : placeOf(after, PlaceSchema);
  const found = await ports.runs.onlyThere(id, {
    on: way.target.installation,
    not: source.installation,
    ...(from === undefined ? {} : { after: wordPressId(from) }),
    limit,
  });
  const last = found.at(-1);
  const isAll = found.length < limit || last === undefined;
  const accounts = found.map(({ wpId, login, email, privileged }) => ({
    id: wpId,
    login,
    email,
    privileged,
  }));
  return { accounts, next: isAll ? null : placeText([last.wpId]) };
}
