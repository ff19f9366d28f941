/** How long the Sync Log is kept, and of which sites. */
import type { ChangeLogSettings, ChangeSiteLog, LogSettings } from '../api/schemas/log.ts';
import type { Reason } from '../reasons.ts';
import { operatorNamed, siteNamed, siteNames } from './names.ts';
import type { OperationPorts } from './ports.ts';

type Ports = Pick<OperationPorts, 'logKeeping' | 'registry'>;

export async function logSettings({ logKeeping, registry }: Ports): Promise<LogSettings> {
  const { days, sites } = await logKeeping.settings();
  const nameOf = await siteNames(registry);
  return { days, sites: sites.map(({ site, ...kept }) => ({ site: nameOf(site), ...kept })) };
}

export async function changeLogSettings(
  ports: Ports,
  { days }: ChangeLogSettings,
): Promise<LogSettings> {
  await ports.logKeeping.setDays(days);
  return logSettings(ports);
}

/** Who switches a log off is asked for later: the site's history tells. */
export async function changeSiteLog(
  ports: Ports,
  name: string,
  { on, days }: ChangeSiteLog,
  by: string,
): Promise<LogSettings> {
  const { key, installation, name: site } = await siteNamed(ports.registry, name);
  const before = (await ports.logKeeping.settings()).sites.find((entry) => entry.site === key);
  await ports.logKeeping.setSite(key, {
    ...(on === undefined ? {} : { on }),
    ...(days === undefined ? {} : { days }),
  });
  if (on !== undefined && on !== before?.on) {
    await ports.registry.noteEvent(installation, {
      code: 'log.switched' satisfies Reason,
      message: `The Sync Log of ${site} was switched ${on ? 'on' : 'off'}.`,
      actor: operatorNamed(by),
    });
  }
  return logSettings(ports);
}
