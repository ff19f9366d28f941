/** What a target says that it takes from nobody. */
import { namedBy } from '../../model/power.ts';
import type { Route } from '../../model/route.ts';
import { hearRoles } from '../../sync/hear-roles.ts';
import type { SiteRecord } from '../../sync/ports.ts';
import type { OperationPorts } from '../ports.ts';

export interface TargetGuard {
  readonly readOnly: boolean;
  /** Roles that a hub may give and take there; null: it doesn't say. */
  readonly grantable: ReadonlySet<string> | null;
  /** Privileged roles that it lets come, where a route names them. */
  readonly consents: readonly string[];
}

/** What it takes from a source along a route: what gives power only where all have named it. */
export const takesRole =
  ({ grantable, consents }: TargetGuard, route: Route, source: SiteRecord) =>
  (role: string): boolean =>
    grantable === null ||
    grantable.has(role) ||
    (namedBy(route.rules).includes(role) &&
      consents.includes(role) &&
      source.powers?.includes(role) === true);

/** The target with what it says of consent now. */
export const asGuarded = (target: SiteRecord, { consents }: TargetGuard): SiteRecord => ({
  ...target,
  consents,
});

export async function guardOf(
  { registry, site }: Pick<OperationPorts, 'registry' | 'site'>,
  target: SiteRecord,
): Promise<TargetGuard> {
  const status = await site.status(await registry.connection(target.installation));
  await hearRoles(registry, target.installation, status);
  const found = status.sites.find(({ blog }) => blog === target.blog);
  if (found === undefined) return { readOnly: false, grantable: null, consents: [] };
  const { read_only: readOnly, grantable, consents = [] } = found;
  return { readOnly, grantable: new Set(grantable), consents };
}
