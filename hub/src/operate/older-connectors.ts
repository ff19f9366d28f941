/**
 * What a site's connector is too old for: told in words, and refused where a rule would ask for it in silence.
 *
 * Always true: what an end can't do yet is refused when it is set, and told (`doctor`) where it was set before.
 */
import { CONTRACT_VERSION, FEATURES, type Feature, speaks } from '#contract/version.ts';
import { Fault } from '../errors.ts';
import { isExtension } from '../model/field.ts';
import { isPattern } from '../model/meta-pattern.ts';
import type { RouteRules } from '../model/route.ts';
import type { Reason } from '../reasons.ts';

const WORDS: Readonly<Record<Feature, string>> = {
  guard: 'its guard, seen and tightened from the hub',
  consents: 'consent to privileged roles',
  switches: 'switches of accounts, set from the hub',
  credential: 'another credential for the hub',
  site_list: 'sites of a network that come and go',
  cookies: 'checks of sign-ins on a network',
  digests: 'short sums for comparisons',
  erase: 'erasures that were completed elsewhere',
  patterns: 'meta keys by a pattern (“billing_*”)',
  ext: 'fields of other plugins (“ext:…”)',
  objects: 'arrays with names in meta',
  sign_ins: 'first sign-ins',
  email_by: 'telling who has confirmed an address',
  networks: 'memberships within its network',
  login_taken: 'a free login in place of one that is taken',
  password_mail: 'mails to set a password',
};
const ALL = Object.keys(FEATURES).filter((name): name is Feature => Object.hasOwn(WORDS, name));

export interface Lack {
  readonly feature: Feature;
  readonly what: string;
}

export const lacksOf = (contract: number): Lack[] =>
  ALL.filter((feature) => !speaks(contract, feature)).map((feature) => ({
    feature,
    what: WORDS[feature],
  }));

export const isOlderContract = (contract: number): boolean => contract < CONTRACT_VERSION;

/** With the next step in the reason's own row. */
export function olderWarning(contract: number): { code: Reason; message: string }[] {
  if (!isOlderContract(contract)) return [];
  const all = lacksOf(contract).map(({ what }) => what);
  const message = `All else goes on; update the connector for: ${all.join('; ')}.`;
  return [{ code: 'connector.update_due', message }];
}

/** An end of a route, and what its connector speaks. */
export interface End {
  readonly name: string;
  readonly contract: number;
}

/** What the rules ask of an end that its connector can't do yet. */
export function unable(source: End, target: End, rules: RouteRules): (Lack & { at: string })[] {
  const at = ({ name, contract }: End, needs: readonly Feature[]) =>
    needs
      .filter((feature) => !speaks(contract, feature))
      .map((feature) => ({ feature, what: WORDS[feature], at: name }));
  return [...at(source, askedOfSource(rules)), ...at(target, askedOfTarget(rules))];
}

/**
 * @param before what held already may stay: it is told, and must not keep anybody from changing something else
 * @throws Fault `site.connector_too_old`
 */
export function refuseUnable(
  source: End,
  target: End,
  rules: RouteRules,
  before?: RouteRules,
): void {
  const held = before === undefined ? [] : unable(source, target, before);
  const news = unable(source, target, rules).find(
    (one) => !held.some(({ feature, at }) => feature === one.feature && at === one.at),
  );
  if (news === undefined) return;
  const sentence = `The connector on “${news.at}” is too old for this rule: ${news.what}.`;
  throw new Fault('site.connector_too_old', sentence);
}

const askedOfSource = (rules: RouteRules): Feature[] => [
  ...askedOfBoth(rules),
  ...((rules.leaveWhen ?? []).some(({ kind }) => kind === 'signed_in')
    ? (['sign_ins'] as const)
    : []),
  ...(rules.confirmsAddresses === true || rules.unconfirmedEmails === 'hold'
    ? (['email_by'] as const)
    : []),
];

const askedOfTarget = (rules: RouteRules): Feature[] => [
  ...askedOfBoth(rules),
  ...(rules.loginTaken === 'suffix' ? (['login_taken'] as const) : []),
  ...(rules.passwordMail === true ? (['password_mail'] as const) : []),
];

const askedOfBoth = ({ meta, fields, privilegedRoles = [] }: RouteRules): Feature[] => [
  ...(privilegedRoles.length > 0 ? (['consents'] as const) : []),
  ...(meta.some(isPattern) ? (['patterns'] as const) : []),
  ...(fields.some(isExtension) ? (['ext'] as const) : []),
];
