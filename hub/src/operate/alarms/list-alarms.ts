/** Accounts under an alarm: who is not where, or not who, the hub believed. */
import { z } from 'zod';
import type { AlarmList, AlarmListQuery, AnswerAlarms } from '../../api/schemas/recovery.ts';
import { MOST_ROWS_SHOWN } from '../../api/schemas/words.ts';
import { installationId, wordPressId } from '../../model/ids.ts';
import { reasonSentence } from '../../reasons.ts';
import type { AlarmQuery } from '../../sync/ports.ts';
import { siteNamed } from '../names.ts';
import { placeOf, placeText } from '../place.ts';
import type { OperationPorts } from '../ports.ts';

export type Answer = AnswerAlarms['answer'];

/** What can be answered to which alarm. */
export const ANSWERS: Readonly<Record<string, readonly Answer[]>> = {
  'account.vanished': ['recreate', 'forget'],
  'account.reappeared': ['delete', 'new', 'forget'],
  'identity.label_mismatch': ['new', 'forget'],
};

export async function listAlarms(
  { registry, views }: OperationPorts,
  { site, after, limit = MOST_ROWS_SHOWN }: AlarmListQuery,
): Promise<AlarmList> {
  const sites = await registry.sites();
  const only = site === undefined ? undefined : await siteNamed(registry, site);
  const rows = await views.alarms({
    ...(only === undefined ? {} : { installation: only.installation }),
    ...(after === undefined ? {} : { after: alarmPlace(after) }),
    limit,
  });
  const alarms = rows.map(({ uid, installation, login, wpId, alarm }) => ({
    uid,
    site: sites.find((entry) => entry.installation === installation)?.name ?? '',
    login,
    wpId,
    reason: { code: alarm, message: reasonSentence(alarm) },
    answers: [...(ANSWERS[alarm] ?? [])],
  }));
  return { alarms, next: rows.length < limit ? null : alarmPlaceText(rows.at(-1)) };
}

const PlaceSchema = z.tuple([z.string(), z.int().positive(), z.string()]);

export const alarmPlaceText = (row: AlarmPlace | undefined): string | null =>
  row === undefined ? null : placeText([row.login, row.wpId, row.installation]);

export function alarmPlace(given: string): AlarmPlace {
  const [login, wpId, installation] = placeOf(given, PlaceSchema);
  return { login, wpId: wordPressId(wpId), installation: installationId(installation) };
}

type AlarmPlace = NonNullable<AlarmQuery['after']>;
