/**
 * "Why was this account not synced?": for each route out of the site, would it go now, and the
 * first rule that says no. The same `decide` that runs for real is asked; nothing is written.
 */
import type { Explanation } from '../api/schemas/explain.ts';
import { Fault } from '../errors.ts';
import type { Identity } from '../model/identity.ts';
import type { Proof } from '../model/proof.ts';
import type { Topology } from '../model/route.ts';
import { reasonSentence } from '../reasons.ts';
import { someMapRoles } from '../sync/decide/spread.ts';

import { refusalsIn, whyOf } from './explain-route.ts';
import { holdingOf } from './holding-of.ts';
import { momentOrNull, siteNamed, siteNames } from './names.ts';
import type { OperationPorts } from './ports.ts';
import { viewsOf } from './proofs/list-proofs.ts';
import { viewRow } from './read-log.ts';

const LOG_ROWS = 20;
/** Of one person; what was refused longer ago is told without its reason. */
const REFUSALS = 500;

export async function explain(
  ports: OperationPorts,
  siteName: string,
  login: string,
): Promise<Explanation> {
  const { registry, views } = ports;
  const site = await siteNamed(registry, siteName);
  const identity = await views.identityByLogin(site.installation, login);
  const account = identity?.accounts.get(site.installation);
  if (identity === null || account === undefined) {
    throw new Fault('account.unknown', `The hub knows of no account “${login}” on “${site.name}”.`);
  }
  const topology = await registry.topology();
  const nameOf = await siteNames(registry);
  const others = [...topology.sites.values()].map((entry) => entry.installation);
  const candidates = await views.candidatesOf(identity, site.installation, others);
  // An edit creates nobody who is missing, unless the target says so.
  const holding = holdingOf(site, account, { newlyBorn: false });
  const refused = { uid: identity.uid, statuses: ['refused'], limit: REFUSALS } as const;
  const common = {
    rolesAreMapped: someMapRoles(topology),
    refusals: refusalsIn(await views.log(refused)),
    installations: await registry.installations(),
  };
  return {
    site: site.name,
    login: account.login,
    uid: identity.uid,
    accounts: accountsOf(identity, topology),
    unproven: await unprovenOf(ports, identity, topology, {
      site: site.name,
      login: account.login,
    }),
    proofs: await proofsOf(ports, identity),
    targets: [...topology.sites.values()]
      .filter((target) => target.installation !== site.installation)
      .map((target) => {
        const route = topology.routes.find(
          (entry) => entry.source === site.key && entry.target === target.key,
        );
        const found = candidates(target.installation);
        const why =
          route === undefined
            ? []
            : whyOf({ identity, holding, route, site, target, found, ...common });
        return { site: target.name, route: route?.id ?? null, why };
      }),
    log: (await views.log({ uid: identity.uid, limit: LOG_ROWS })).map((row) =>
      viewRow(row, nameOf),
    ),
  };
}

function accountsOf(identity: Identity, topology: Topology): Explanation['accounts'] {
  return [...identity.accounts.values()].flatMap((account) => {
    const sites = [...topology.sites.values()].filter(
      (site) => site.installation === account.installation,
    );
    return sites.slice(0, 1).map((site) => ({
      site: site.name,
      wpId: account.wpId,
      login: account.login,
      privileged: account.privileged,
      outgoingStopped: account.outgoingStopped,
      incomingRejected: account.incomingRejected,
      goneAt: momentOrNull(account.gone?.[0] ?? null),
      alarm: account.alarm,
    }));
  });
}

async function unprovenOf(
  { views }: OperationPorts,
  identity: Identity,
  topology: Topology,
  self: { readonly site: string; readonly login: string },
): Promise<Explanation['unproven']> {
  const links = await views.links(identity.uid);
  return links.flatMap(({ installation, by, login, privileged }) => {
    const site = [...topology.sites.values()].find((entry) => entry.installation === installation);
    if (site === undefined) return [];
    const ask = `rollcall link ${[self.site, self.login, site.name, login].map(quoted).join(' ')}`;
    const next = privileged
      ? reasonSentence('link.privileged')
      : `“${ask}” says that it is the same person; with --mail or --password the person proves it.`;
    return [{ site: site.name, login, by, next }];
  });
}

const quoted = (word: string): string => (/^[\w.@-]+$/u.test(word) ? word : `"${word}"`);

/** Of each pair of accounts what was asked last. The newest come first. */
async function proofsOf(
  ports: OperationPorts,
  { accounts }: Identity,
): Promise<Explanation['proofs']> {
  const newest = new Map<string, Proof>();
  for (const proof of await ports.proofs.list()) {
    const concerns = proof.halves.some(
      ({ installation, wpId }) => accounts.get(installation)?.wpId === wpId,
    );
    const pair = proof.halves.map(({ installation, wpId }) => `${installation} ${wpId}`).toSorted();
    if (concerns && !newest.has(pair.join())) newest.set(pair.join(), proof);
  }
  return viewsOf(ports, [...newest.values()]);
}
