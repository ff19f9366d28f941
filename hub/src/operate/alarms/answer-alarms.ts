/**
 * A person says what becomes of accounts under an alarm. Until then nothing is learned of them, and
 * nothing sent to them.
 *
 * Always true: repeating an answer changes nothing, what is no longer under the alarm is left alone;
 * each account that was answered has a row of the Sync Log that names who answered.
 */
import type { AnswerAlarms } from '../../api/schemas/recovery.ts';
import type { SiteKey } from '../../model/ids.ts';
import type { LogEntry } from '../../model/log-entry.ts';
import type { AlarmedAccount } from '../../sync/ports.ts';
import { operatorNamed, siteNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { wakeEverything } from '../wake-everything.ts';
import { deleteAgain } from './delete-again.ts';
import { type Do, forget } from './let-go.ts';
import { ANSWERS, type Answer } from './list-alarms.ts';
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

/** @returns how many were answered */
export async function answerAlarms(
  ports: OperationPorts,
  wanted: AnswerAlarms,
  by: string,
): Promise<number> {
  const { installation, key } = await siteNamed(ports.registry, wanted.site);
  const logins = wanted.logins && new Set(wanted.logins.map((login) => login.toLowerCase()));
  const rows = (await ports.views.alarms()).filter(
    (row) =>
      row.installation === installation &&
      ANSWERS[row.alarm]?.includes(wanted.answer) === true &&
      (logins?.has(row.login.toLowerCase()) ?? true),
  );
  let answered = 0;
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    const some = rows.slice(from, from + AT_ONCE);
    const done = await DOES[wanted.answer](ports, installation, some);
    await ports.store.transaction((tx) =>
      tx.appendLog(done.map((row) => logOf(row, key, wanted.answer, by))),
    );
    answered += done.length;
  }
  await ports.wake.pull(installation);
  await wakeEverything(ports);
  return answered;
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
