/** A site says that it has something new: it is pulled at once. Repeating it does no harm. */
import type { InstallationId } from '../model/ids.ts';
import type { OperationPorts } from './ports.ts';

export async function acceptSignal(
  { registry, store, wake }: Pick<OperationPorts, 'registry' | 'store' | 'wake'>,
  installation: InstallationId,
): Promise<void> {
  await registry.updateInstallation(installation, { lastSignalMs: await store.nowMs() });
  await wake.pull(installation);
}
