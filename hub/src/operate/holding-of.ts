import { ACCOUNT, type Field } from '../model/field.ts';
import type { Account, Fact, Holding } from '../model/identity.ts';
import type { Site } from '../model/route.ts';

/**
 * Everything the hub knows a site to hold of an account, as if it were edited now: for asking `decide` what
 * would become of it. The values are not known, and nothing is decided by them.
 */
export function holdingOf(
  site: Site,
  account: Account,
  { newlyBorn }: Pick<Holding, 'newlyBorn'>,
): Holding {
  const facts: Fact[] = [];
  for (const [key, stamp] of account.known) {
    const prefix = `${site.key}/`;
    const field: Field = key.startsWith(prefix) ? key.slice(prefix.length) : key;
    if (field === ACCOUNT || (/^\d+\//u.test(key) && !key.startsWith(prefix))) continue;
    facts.push({ field, site: site.key, value: null, stamp, path: [site.key] });
  }
  const born = account.known.get(ACCOUNT);
  const birth =
    born === undefined
      ? null
      : { login: account.login, registered: account.registered, stamp: born, path: [site.key] };
  return {
    installation: site.installation,
    facts,
    all: facts,
    complete: true,
    gone: account.gone === null ? null : { stamp: account.gone, path: [site.key], site: site.key },
    birth,
    newlyBorn,
    learnedBy: 'receipt',
    lane: 'people',
  };
}
