/**
 * A person says what becomes of accounts under an alarm. Until then nothing is learned of them, and
 * nothing sent to them.
 *
 * Always true: repeating an answer changes nothing, what is no longer under the alarm is left alone;
 * each account that was answered has a row of the Sync Log that names who answered.
 */
import type { AnswerAlarms, AnsweredAlarms } from '../../api/schemas/recovery.ts';
import type { SiteKey } from '../../model/ids.ts';
import type { LogEntry } from '../../model/log-entry.ts';
import type { AlarmedAccount } from '../../sync/ports.ts';
import { operatorNamed, siteNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { wakeEverything } from '../wake-everything.ts';
import { deleteAgain } from './delete-again.ts';
import { type Do, forget } from './let-go.ts';
import { ANSWERS, type Answer, alarmPlace, alarmPlaceText } from './list-alarms.ts';
import { recreate } from './recreate.ts';
import { takeAsNew } from './take-as-new.ts';

/** Accounts per request and transaction. */
const AT_ONCE = 500;

const DOES: Readonly<Record<Answer, Do>> = {
  forget,
  recreate,
  new: takeAsNew,
  delete: deleteAgain,
};

/** So long at most; then the caller asks for the rest, with `next`. */
const TURN_MS = 20_000;

export async function answerAlarms(
  ports: OperationPorts,
  wanted: AnswerAlarms,
  by: string,
): Promise<AnsweredAlarms> {
  const { installation, key } = await siteNamed(ports.registry, wanted.site);
  const { answer, logins, after } = wanted;
  const alarms = Object.keys(ANSWERS).filter((alarm) => ANSWERS[alarm]?.includes(answer));
  const query = { installation, alarms, ...(logins ? { logins } : {}), limit: AT_ONCE };
  const endMs = (await ports.store.nowMs()) + TURN_MS;
  let place = after === undefined ? {} : { after: alarmPlace(after) };
  let answered = 0;
  let next: string | null = null;
  do {
    const rows = await ports.views.alarms({ ...query, ...place });
    const done = rows.length === 0 ? [] : await DOES[answer](ports, installation, rows);
    await ports.store.transaction((tx) =>
      tx.appendLog(done.map((row) => logOf(row, key, answer, by))),
    );
    answered += done.length;
    const last = rows.length < AT_ONCE ? undefined : rows.at(-1);
    next = alarmPlaceText(last);
    place = last === undefined ? {} : { after: last };
  } while (next !== null && (await ports.store.nowMs()) < endMs);
  await ports.wake.pull(installation);
  await wakeEverything(ports);
  return { answered, next };
}

const ACTIONS: Readonly<Record<Answer, LogEntry['action']>> = {
  recreate: 'create',
  forget: 'update',
  delete: 'delete',
  new: 'link',
};

/** An answer is no end: what comes of it is a row of its own. */
const logOf = (row: AlarmedAccount, site: SiteKey, answer: Answer, by: string): LogEntry => ({
  uid: row.uid,
  login: row.login,
  source: null,
  target: site,
  action: ACTIONS[answer],
  status: answer === 'forget' ? 'cancelled' : 'released',
  reason: row.alarm,
  fields: [],
  path: [site],
  actor: operatorNamed(by),
  delivery: null,
  attempts: 0,
  durationMs: null,
});
