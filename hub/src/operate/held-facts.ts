/** What a person has to know to decide about what is held: the accounts on both sides. */
import {
  ACCOUNT_CHOICES,
  type HeldParty,
  type HeldRow,
  type Resolution,
} from '../api/schemas/held.ts';
import { Fault } from '../errors.ts';
import { type InstallationId, type SiteKey, type WordPressId, wordPressId } from '../model/ids.ts';
import { reasonSentence } from '../reasons.ts';
import type { HeldAccount, HeldDelivery, HeldParties } from '../sync/ports.ts';
import { readStates } from './alarms/read-states.ts';
import { moment, siteNames } from './names.ts';
import type { OperationPorts } from './ports.ts';

type Names = ReadonlyMap<string, string>;

/** @param look the sites are asked for names; who can't be asked has none */
export async function heldRows(
  ports: OperationPorts,
  rows: readonly HeldDelivery[],
  { look }: { readonly look: boolean },
): Promise<HeldRow[]> {
  const nameOf = await siteNames(ports.registry);
  const parties = await ports.views.heldParties(rows.map((row) => row.delivery));
  const names = look ? await namesOf(ports, [...parties.values()]) : new Map<string, string>();
  return rows.map((row) => {
    const found = parties.get(row.delivery) ?? NOBODY;
    const { source, here, there, inTheWay } = found;
    const at = (site: SiteKey | null, account: HeldAccount | null) =>
      site === null || account === null ? null : partyOf(account, site, nameOf(site), names);
    return {
      delivery: row.delivery,
      at: moment(row.queuedAtMs),
      uid: row.uid,
      login: row.login,
      source: source === null ? null : nameOf(source),
      target: nameOf(row.target),
      reason: row.reason,
      message: reasonSentence(row.reason),
      fields: [...row.fields],
      here: at(source, here),
      there: at(row.target, there),
      inTheWay: at(row.target, inTheWay),
      choices: choicesOf(row.reason, found),
    };
  });
}

const NOBODY: HeldParties = { source: null, here: null, there: null, inTheWay: null };

/** What an operator may say; whether two are one person the sites are asked once more. */
export function choicesOf(
  reason: string,
  { source, here, there, inTheWay }: HeldParties,
): Resolution[] {
  const choices: Resolution[] = ['release', 'reject'];
  if (reason === 'delete.newer_edit') choices.push('overwrite');
  if (inTheWay === null || source === null || here === null) return choices;
  choices.push('separate');
  const mayBeOne = there === null && !here.privileged && !inTheWay.privileged;
  return mayBeOne ? [...choices, ...ACCOUNT_CHOICES] : choices;
}

const keyOf = ({ installation, wpId }: Pick<HeldAccount, 'installation' | 'wpId'>): string =>
  `${installation} ${wpId}`;

const partyOf = (account: HeldAccount, key: SiteKey, site: string, names: Names): HeldParty => ({
  site,
  wpId: account.wpId,
  login: account.login,
  email: account.email,
  name: names.get(keyOf(account)) ?? null,
  registered: account.registered,
  roles: [...(account.roles[String(key)] ?? [])],
  privileged: account.privileged,
  deleted: account.gone,
});

/** The hub keeps no names: the sites are asked, one request for each. */
async function namesOf(ports: OperationPorts, parties: readonly HeldParties[]): Promise<Names> {
  const wanted = new Map<InstallationId, Set<WordPressId>>();
  for (const account of parties.flatMap(({ here, there, inTheWay }) => [here, there, inTheWay])) {
    if (account === null || account.gone) continue;
    const ids = wanted.get(account.installation) ?? new Set<WordPressId>();
    wanted.set(account.installation, ids.add(account.wpId));
  }
  const names = new Map<string, string>();
  const asking = [...wanted].map(async ([installation, ids]) => {
    for (const state of await readStates(ports, installation, [...ids], 'state')) {
      const name = state.fields?.['display_name']?.v;
      if (typeof name === 'string')
        names.set(keyOf({ installation, wpId: wordPressId(state.id) }), name);
    }
  });
  for (const asked of await Promise.allSettled(asking)) {
    if (asked.status === 'rejected' && !(asked.reason instanceof Fault)) throw asked.reason;
  }
  return names;
}
