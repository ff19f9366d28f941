/**
 * Whether a site holds values that were written past WordPress.
 *
 * Does: remember what the site says, and put it into the site's history when it begins.
 * Does not: hold anything: the site does, until a person has answered.
 */
import type { InstallationId } from '../model/ids.ts';
import { type Reason, reasonSentence } from '../reasons.ts';
import type { Registry, Store } from './ports.ts';

const CODE: Reason = 'source.rewritten_outside';

/** @param sentence what the site says; null: it holds nothing; undefined: it doesn't say */
export async function hearRewritten(
  { registry, store }: { readonly registry: Registry; readonly store: Pick<Store, 'nowMs'> },
  installation: InstallationId,
  sentence: string | null | undefined,
): Promise<void> {
  if (sentence === undefined) return;
  const { rewritten } = await registry.news(installation);
  if (sentence === null) {
    if (rewritten !== null) await registry.noteNews(installation, { rewritten: null });
    return;
  }
  if (rewritten?.message === sentence) return;
  if (rewritten === null) {
    const event = { code: CODE, message: reasonSentence(CODE), actor: null };
    await registry.noteEvent(installation, event);
  }
  const atMs = rewritten?.atMs ?? (await store.nowMs());
  await registry.noteNews(installation, { rewritten: { message: sentence, atMs } });
}
