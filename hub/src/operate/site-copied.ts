/**
 * A person says that what woke up at another address is a copy of a site, and not the site after a move.
 *
 * Does: let the warning go that stands at the site, and write into its history who said so.
 * Does not: speak to the copy, which holds the original's credential: an administrator there says the same in its
 * wp-admin. Only then it forgets the original, and can be connected as a site of its own.
 * Always true: the site itself goes on as it was. Repeating it changes nothing.
 */
import type { CopiedSite } from '../api/schemas/site.ts';
import { Fault } from '../errors.ts';
import type { Reason } from '../reasons.ts';
import { operatorNamed, siteNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';

const CODE: Reason = 'installation.copied';

export async function siteCopied(
  { registry }: Pick<OperationPorts, 'registry'>,
  name: string,
  by: string,
): Promise<CopiedSite> {
  const { installation } = await siteNamed(registry, name);
  const { copy } = await registry.news(installation);
  if (copy === null) {
    throw new Fault('site.no_copy', `No copy of “${name}” has been heard of.`);
  }
  const message = `What woke up at ${copy.home} is a copy.`;
  await registry.noteEvent(installation, { code: CODE, message, actor: operatorNamed(by) });
  await registry.noteNews(installation, { copy: null });
  return { site: name, copy: copy.home };
}
