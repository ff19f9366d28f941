/** Accounts under an alarm: who is not where, or not who, the hub believed. */
import type { Alarm, AnswerAlarms } from '../../api/schemas/recovery.ts';
import { reasonSentence } from '../../reasons.ts';
import type { OperationPorts } from '../ports.ts';

export type Answer = AnswerAlarms['answer'];

/** What can be answered to which alarm. */
export const ANSWERS: Readonly<Record<string, readonly Answer[]>> = {
  'account.vanished': ['recreate', 'forget'],
  'account.reappeared': ['delete', 'new', 'forget'],
  'identity.label_mismatch': ['new', 'forget'],
};

export async function listAlarms({ registry, views }: OperationPorts): Promise<readonly Alarm[]> {
  const sites = await registry.sites();
  return (await views.alarms()).map(({ uid, installation, login, wpId, alarm }) => ({
    uid,
    site: sites.find((site) => site.installation === installation)?.name ?? '',
    login,
    wpId,
    reason: { code: alarm, message: reasonSentence(alarm) },
    answers: [...(ANSWERS[alarm] ?? [])],
  }));
}
