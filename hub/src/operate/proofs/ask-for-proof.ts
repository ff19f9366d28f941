/**
 * "Ask whoever has these two accounts to prove that they are one person."
 *
 * Always true: refused at once where an operator's own word would be refused, with the same sentences;
 * each site is told its own half alone.
 * On failure: throws; what was asked by then is taken back.
 */
import { randomBytes } from 'node:crypto';
import type { AskedProof, AskForProof } from '../../api/schemas/proof.ts';
import { Fault } from '../../errors.ts';
import type { Identity } from '../../model/identity.ts';
import type { Proof, ProofAccount } from '../../model/proof.ts';
import { reasonSentence } from '../../reasons.ts';
import type { SiteRecord } from '../../sync/ports.ts';
import { operatorNamed, siteNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { identityOn, refusePrivilegedNow, whyNotOne } from '../prove-link.ts';
import { endExpired, endWith } from './end-proof.ts';
import { takeBack, viewsOf } from './list-proofs.ts';
import { tellSite } from './tell-site.ts';

/** Long enough for somebody who reads mails at weekends only. */
const DEFAULT_SECONDS = 3 * 24 * 3600;
const SALT_BYTES = 32;

/** @throws Fault `account.unknown`, `link.refused`, `proof.refused`, `site.*` */
export async function askForProof(
  ports: OperationPorts,
  wanted: AskForProof,
  by: string,
): Promise<AskedProof> {
  const { registry, proofs, store, newId } = ports;
  const site = await siteNamed(registry, wanted.site);
  const other = await siteNamed(registry, wanted.otherSite);
  const one = await identityOn(ports, site, wanted.login);
  const two = await identityOn(ports, other, wanted.otherLogin);
  if (one.uid === two.uid) throw refused('Both are accounts of one person already.');
  const why = whyNotOne(one, two);
  if (why !== null) throw refused(why);
  await refusePrivilegedNow(ports, [one, two]);
  const nowMs = await store.nowMs();
  await endExpired(store, await proofs.concerning(site.installation), nowMs);
  const { kind, withinSeconds = DEFAULT_SECONDS } = wanted;
  const proof = await proofs.open({
    id: newId(),
    kind,
    startedBy: by,
    endsMs: nowMs + withinSeconds * 1000,
    salt: kind === 'password' ? randomBytes(SALT_BYTES).toString('hex') : null,
    halves: [
      { ...accountOf(one, site), half: newId() },
      { ...accountOf(two, other), half: newId() },
    ],
  });
  await tellBoth(ports, proof, operatorNamed(by));
  return shown(ports, proof.id);
}

function accountOf(identity: Identity, site: SiteRecord): ProofAccount {
  const account = identity.accounts.get(site.installation);
  if (account === undefined || account.gone !== null) throw new Error('The account is not there.');
  const { installation, wpId, login, registered, alarm } = account;
  if (alarm !== null) throw refused(`“${login}” on “${site.name}”: ${reasonSentence(alarm)}`);
  return { installation, site: site.key, wpId, login, registered };
}

async function tellBoth(ports: OperationPorts, proof: Proof, actor: string): Promise<void> {
  const installations = proof.halves.map(({ installation }) => installation);
  try {
    for (const installation of installations) {
      const [refusal] = await tellSite(ports, installation, [proof]);
      if (refusal === undefined) continue;
      const sentence = `“${refusal.half.login}”: ${reasonSentence(refusal.reason)}`;
      throw new Fault('proof.refused', sentence);
    }
  } catch (fault) {
    // One that was open before stays: what it asked for may be on its way.
    if (proof.halves.every(({ asked }) => !asked)) {
      await endWith(ports.store, proof, 'proof.withdrawn', actor);
    }
    await takeBack(ports, proof.id);
    throw isTooOld(fault) ? tooOld() : fault;
  }
}

/** It answered all else a moment ago: this route alone is missing there. */
const isTooOld = (fault: unknown): boolean =>
  fault instanceof Fault && fault.code === 'site.no_connector';
const tooOld = (): Fault =>
  new Fault('site.connector_too_old', 'The connector there can’t ask for proofs yet.');

async function shown(ports: OperationPorts, id: string): Promise<AskedProof> {
  const proof = await ports.proofs.find(id);
  const [view] = await viewsOf(ports, proof === null ? [] : [proof]);
  if (view === undefined) throw new Error('a proof was just opened');
  return view;
}

const refused = (sentence: string): Fault => new Fault('link.refused', sentence);
