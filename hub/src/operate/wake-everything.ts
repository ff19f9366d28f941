/** After an operator's decision: whatever may have become possible is looked at now. */
import type { OperationPorts } from './ports.ts';

export async function wakeEverything({ registry, wake }: OperationPorts): Promise<void> {
  for (const { id, state } of await registry.installations()) {
    if (state !== 'active') continue;
    await wake.deliver(id, 'people');
    await wake.deliver(id, 'bulk');
  }
}
