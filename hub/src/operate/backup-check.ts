/** Is there a backup of the hub, and how old is the last one? Where no site is connected there is nothing to lose. */
import type { Check } from '../api/schemas/doctor.ts';
import type { OperationPorts } from './ports.ts';

const DAY_MS = 86_400_000;
/** What a lost store costs beyond it is a day's work by hand: who was linked to whom, and by whom. */
const OLD_DAYS = 7;

export async function backupCheck({
  hub,
  store,
}: {
  readonly hub: Pick<OperationPorts['hub'], 'lastBackupMs'>;
  readonly store: Pick<OperationPorts['store'], 'nowMs'>;
}): Promise<Check> {
  const at = await hub.lastBackupMs();
  const days = at === null ? null : Math.floor(((await store.nowMs()) - at) / DAY_MS);
  const base = { subject: 'hub', what: 'backup', code: null };
  if (days !== null && days < OLD_DAYS) {
    const when = days === 0 ? 'is less than a day old' : `is ${days} days old`;
    return { ...base, level: 'ok', message: `The last backup of the hub ${when}.`, next: null };
  }
  const message =
    days === null
      ? 'No backup of the hub has been made yet.'
      : `The last backup of the hub is ${days} days old.`;
  const next = '“rollcall backup --out FILE” makes one; let it run every day.';
  return { ...base, level: 'warning', message, next };
}
