/**
 * A site says that it has something new: it is pulled at once. Repeating it does no harm.
 *
 * A copy of a site has the site's secret, so a signal from one is believed as little as possible: the
 * address that it names is shown to operators, and the site itself goes on as before.
 */
import type { Signal } from '#contract/messages.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Reason } from '../reasons.ts';
import type { OperationPorts } from './ports.ts';

export async function acceptSignal(
  { registry, store, wake }: Pick<OperationPorts, 'registry' | 'store' | 'wake'>,
  installation: InstallationId,
  signal: Signal,
): Promise<void> {
  if (signal.woke_at !== undefined) {
    const home = plain(signal.woke_at);
    const copy = { home, atMs: await store.nowMs() };
    await registry.noteNews(installation, { copy });
    await registry.noteEvent(installation, {
      code: 'installation.copied' satisfies Reason,
      message: `An installation with this site’s database woke up at ${home}, and stays silent.`,
      actor: null,
    });
    return;
  }
  await registry.updateInstallation(installation, { lastSignalMs: await store.nowMs() });
  await wake.pull(installation);
}

/** Of an address, only what can be in one. */
const plain = (home: string): string =>
  home.replaceAll(/[^\p{L}\p{N}.:/_~%[\]-]/gu, '').slice(0, 300);
