/** What a target says that it takes from nobody. */
import type { SiteRecord } from '../../sync/ports.ts';
import type { OperationPorts } from '../ports.ts';

export interface TargetGuard {
  readonly readOnly: boolean;
  /** Roles that a hub may give and take there; null: it doesn't say. */
  readonly grantable: ReadonlySet<string> | null;
}

export async function guardOf(
  { registry, site }: Pick<OperationPorts, 'registry' | 'site'>,
  target: SiteRecord,
): Promise<TargetGuard> {
  const { sites } = await site.status(await registry.connection(target.installation));
  const found = sites.find(({ blog }) => blog === target.blog);
  if (found === undefined) return { readOnly: false, grantable: null };
  return { readOnly: found.read_only, grantable: new Set(found.grantable) };
}
