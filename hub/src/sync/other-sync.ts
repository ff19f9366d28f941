/**
 * Whether another plugin on a site keeps its users in step, too.
 *
 * Does: remember what the site says of it, so that it is shown without asking the site.
 * Does not: hold anything back.
 */
import type { InstallationId } from '../model/ids.ts';
import type { Reason } from '../reasons.ts';
import type { Registry, Store } from './ports.ts';

const CODE: Reason = 'installation.other_sync';
/** A sentence of the site's own; some plugins have long names. */
const MOST_CHARACTERS = 500;

export async function hearOtherSync(
  { registry, store }: { readonly registry: Registry; readonly store: Pick<Store, 'nowMs'> },
  installation: InstallationId,
  warnings: readonly { readonly code: string; readonly message: string }[],
): Promise<void> {
  const sentence = warnings.find(({ code }) => code === CODE)?.message.slice(0, MOST_CHARACTERS);
  const { others } = await registry.news(installation);
  if (others?.message === sentence) return;
  const news = sentence === undefined ? null : { message: sentence, atMs: await store.nowMs() };
  await registry.noteNews(installation, { others: news });
}
