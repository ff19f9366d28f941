/** Networks and their runs as the command line shows them. */
import type { NetworkRows, NetworkRunView, NetworkView } from '../api/schemas/network.ts';
import { table } from './table.ts';
import { visible } from './visible.ts';

const onOff = (is: boolean): string => (is ? 'on' : 'off');
const listed = (names: readonly string[]): string =>
  names.length === 0 ? 'none' : names.map(visible).join(', ');

type Settings = NetworkView['settings'];

export const triggersOf = (settings: Settings | null): string =>
  settings === null
    ? ''
    : [
        ...(settings.newAccount ? ['new-account'] : []),
        ...(settings.newSite ? ['new-site'] : []),
        ...(settings.roleChange ? ['role-change'] : []),
      ].join(', ');

export const settingsOf = (
  settings: Settings,
): string => `New accounts join every site: ${onOff(settings.newAccount)}
Everybody joins a new site: ${onOff(settings.newSite)}
Role changes are copied: ${onOff(settings.roleChange)}, to ${settings.roleSites === 'all' ? 'all sites' : 'existing memberships'}
Privileged roles allowed by name: ${listed(settings.privilegedRoles)}
Sites never written to: ${listed(settings.excluded)}
A site’s own administrators may fill it: ${onOff(settings.siteAdmins)}
`;

export function networkOf(view: NetworkView): string {
  const rows = view.sites.map((site) => [
    site.name,
    site.url,
    site.members,
    site.defaultRole,
    site.closed?.why ?? '',
  ]);
  const sites = table(['SITE', 'ADDRESS', 'MEMBERS', 'DEFAULT ROLE', 'CLOSED'], rows);
  return `${visible(view.name)}: ${view.accounts} accounts, ${view.sites.length} sites.\n\n${settingsOf(view.settings)}\n${sites}`;
}

export const isUnderWay = ({ state, wanted }: NetworkRunView): boolean =>
  wanted !== null || ['previewing', 'running', 'undoing'].includes(state);

export function progressOf(run: NetworkRunView): string {
  const waits = run.fault === null ? '' : ` (${run.fault.message})`;
  if (run.state === 'previewing') return `Counting what would happen …${waits}`;
  if (run.state === 'undoing')
    return `Taking back: ${run.removed} taken back, ${run.kept} left …${waits}`;
  return `${doing(run)}: ${run.done} of ${run.total}${paceOf(run)} …${waits}`;
}

const doing = ({ action, at }: NetworkRunView): string => {
  const what = action === 'fill' ? 'Filling' : 'Copying';
  return at === null ? what : `${what} ${at}`;
};

function paceOf({ perSecond, secondsLeft }: NetworkRunView): string {
  const pace = perSecond === null ? '' : `, ${Math.round(perSecond)} a second`;
  return secondsLeft === null ? pace : `${pace}, about ${timeOf(secondsLeft)} left`;
}

const timeOf = (seconds: number): string =>
  seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;

/** What would happen, as it was counted. */
export function planOf(run: NetworkRunView): string {
  const { preview } = run;
  if (preview === null) return '';
  const rows = preview.sites.map((site) => [
    site.site,
    site.add,
    site.change,
    site.unchanged,
    site.skipped,
  ]);
  const sites = table(['SITE', 'ADD', 'CHANGE', 'UNCHANGED', 'SKIP'], rows);
  const sum = `${preview.add} memberships would be added, ${preview.change} changed; ${preview.unchanged} stay as they are.`;
  return `${sites}\n${sum}\n${skippedOf(preview.skipped)}`;
}

const skippedOf = (skipped: NetworkRunView['skipped']): string =>
  skipped
    .map(
      ({ reason, message, count }) => `${count} skipped, ${visible(reason)}: ${visible(message)}\n`,
    )
    .join('');

const leftOf = (left: NetworkRunView['left']): string =>
  left
    .map(
      ({ reason, message, count }) =>
        `${count} not taken back yet, ${visible(reason)}: ${visible(message)}\n`,
    )
    .join('');

/** What has become of it. */
export function describeRun(run: NetworkRunView): string {
  const { state, added, changed, unchanged, removed, kept, left, fault } = run;
  const waits = left.reduce((sum, { count }) => sum + count, 0);
  const parts = [
    `${run.done} of ${run.total} looked at`,
    `${added} added`,
    ...(run.action === 'copy' ? [`${changed} changed`] : []),
    `${unchanged} unchanged`,
    ...(removed + kept > 0
      ? [`${removed} taken back`, `${kept - waits} left since they were touched`]
      : []),
  ];
  const trouble = fault === null ? '' : `${visible(fault.message)}\n  ${visible(fault.next)}\n`;
  const wanted = run.wanted === null ? '' : `Not told yet: ${run.wanted}.\n`;
  return `${visible(run.network)} (${state}): ${parts.join(', ')}${paceOf(run)}.\n${skippedOf(run.skipped)}${leftOf(left)}${wanted}${trouble}`;
}

export const runRowsOf = (runs: readonly NetworkRunView[]): string =>
  table(
    ['ID', 'ASKED', 'BY', 'WHAT', 'STATE', 'DONE'],
    runs.map((run) => [
      run.id,
      run.askedAt,
      run.driver === 'hub' ? run.by : `${run.by} (${run.driver})`,
      whatOf(run),
      run.state,
      `${run.done} of ${run.total}`,
    ]),
  );

function whatOf({ action, from, sites, people }: NetworkRunView): string {
  const where = sites === null ? 'all sites' : sites.join(', ');
  const who = people === null ? 'everybody' : `${people} people`;
  return action === 'fill' ? `${who} → ${where}` : `${who}, roles of ${from ?? '?'} → ${where}`;
}

export const accountsOf = ({ rows }: NetworkRows): string =>
  rows.length === 0
    ? 'Nobody.\n'
    : table(
        ['ACCOUNT', 'SITE', 'BEFORE', 'NOW', 'TOUCHED SINCE'],
        rows.map((row) => [
          row.login ?? `#${row.id}`,
          row.site,
          row.was === null ? 'no member' : row.was.join(', '),
          row.now.join(', '),
          row.touched ? 'yes' : 'no',
        ]),
      );
