/** The differences that a configuration file makes, in words. */
import type { AppliedConfig, ConfigChange, ConfigDiff } from '../api/schemas/config.ts';
import { describeValue } from './group-shown.ts';
import { visible } from './visible.ts';

const SIGNS: Readonly<Record<ConfigChange['act'], string>> = {
  added: '+',
  changed: '~',
  removed: '-',
};

export function describeDiff(diff: ConfigDiff): string {
  const problems = diff.problems.map(
    ({ path, message, next }) => `! ${visible(path)}: ${visible(message)} ${visible(next)}\n`,
  );
  const verdict =
    problems.length > 0 ? `Nothing is changed: ${problems.length} of it can’t be meant.\n` : '';
  return `${describeChanges(diff)}${problems.join('')}${verdict}`;
}

function describeChanges(diff: Omit<ConfigDiff, 'problems'>): string {
  const { changes, routes, toConnect, notInFile } = diff;
  const removed = new Set(
    changes.flatMap(({ act, what, name }) => (act === 'removed' && what === 'site' ? name : [])),
  );
  const stay = notInFile.filter((name) => !removed.has(name));
  return [
    ...(changes.length === 0 ? ['Nothing differs.\n'] : changes.map(describeChange)),
    ...(routes.added + routes.changed + routes.removed === 0
      ? []
      : [`Routes: ${routes.added} more, ${routes.changed} changed, ${routes.removed} fewer.\n`]),
    ...toConnect.map(
      ({ name, url }) =>
        `To be connected: “rollcall site add ${visible(url)} --name "${visible(name)}"”; then apply the file again.\n`,
    ),
    ...(stay.length === 0
      ? []
      : [`Not in the file, and left alone: ${stay.map(visible).join(', ')}.\n`]),
  ].join('');
}

function describeChange({ act, what, name, details }: ConfigChange): string {
  const head = `${SIGNS[act]} ${what} ${visible(name)}`;
  if (act !== 'changed') return `${head}: ${act}\n`;
  const lines = details.map(
    ({ field, from, to }) =>
      `    ${visible(field)}: ${describeValue(from)} → ${describeValue(to)}\n`,
  );
  return `${head}: changed\n${lines.join('')}`;
}

export function describeApplied({ changes, notRemoved }: AppliedConfig): string {
  const told = notRemoved.length === 0 ? '' : notRemoved.map(visible).join(', ');
  const silent =
    told === ''
      ? ''
      : `Could not be told, and so not removed: ${told}. Apply the file again later, or “rollcall site remove NAME --force”.\n`;
  return `Done: ${changes.length} ${changes.length === 1 ? 'difference is' : 'differences are'} made.\n${silent}`;
}
