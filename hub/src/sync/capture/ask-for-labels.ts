/**
 * What a site answers, and whose label is truly missing there.
 *
 * Always true: a label that somebody put while the site was answering is not missed: the site is asked once
 * more where an account comes without the label that the hub knows it to have, and only that second answer
 * counts against it.
 * On failure: throws what the asking throws.
 */
import type { AccountState } from '#contract/account-state.ts';
import { type InstallationId, wordPressId } from '../../model/ids.ts';
import type { Store } from '../ports.ts';

export interface Asked<Answer> {
  readonly answer: Answer;
  /** Known to be labelled before this answer was asked for. */
  readonly labelledBefore: ReadonlySet<number>;
}

export async function askForLabels<Answer>(
  { store, installation }: { readonly store: Store; readonly installation: InstallationId },
  ask: () => Promise<Answer>,
  accountsIn: (answer: Answer) => readonly AccountState[],
): Promise<Asked<Answer>> {
  const answer = await ask();
  const bare = accountsIn(answer).filter(({ uid }) => uid === null);
  if (bare.length === 0) return { answer, labelledBefore: new Set() };
  const ids = bare.map(({ id }) => wordPressId(id));
  const known = await store.transaction((tx) => tx.lockByAccount(installation, ids));
  const labelledBefore = new Set<number>(
    ids.filter((id) => known.get(id)?.accounts.get(installation)?.labelled === true),
  );
  return { answer: labelledBefore.size === 0 ? answer : await ask(), labelledBefore };
}
