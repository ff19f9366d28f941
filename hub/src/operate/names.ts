/** From the names that people use to what the engine uses, and back. */
import { Fault } from '../errors.ts';
import type { SiteKey } from '../model/ids.ts';
import type { Registry, SiteRecord } from '../sync/ports.ts';

/** @throws Fault `site.unknown` */
export async function siteNamed(registry: Registry, name: string): Promise<SiteRecord> {
  const sites = await registry.sites();
  const found = sites.find((site) => site.name.toLowerCase() === name.toLowerCase());
  if (found === undefined) throw new Fault('site.unknown', `There is no site named “${name}”.`);
  return found;
}

/** Site key → name, for showing; a removed site is shown by its number. */
export async function siteNames(registry: Registry): Promise<(key: SiteKey) => string> {
  const names = new Map((await registry.sites()).map((site) => [site.key, site.name]));
  return (key) => names.get(key) ?? `#${key}`;
}

export const moment = (ms: number): string => new Date(ms).toISOString();
export const momentOrNull = (ms: number | null): string | null => (ms === null ? null : moment(ms));

/** Who decided, for the Sync Log. */
export const operatorNamed = (by: string): string => (by === '' ? 'operator' : `operator ${by}`);
