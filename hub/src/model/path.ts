/**
 * The sites a value has been through, origin first. Kept per field; it never leads back to a
 * site already on it.
 */
import type { SiteKey } from './ids.ts';

export type Path = readonly SiteKey[];

export const hasVisited = (path: Path, site: SiteKey): boolean => path.includes(site);

/** The path of a value that a site now holds. Repeating the last site changes nothing. */
export const extendPath = (path: Path, site: SiteKey): Path =>
  path.at(-1) === site ? path : [...path, site];
