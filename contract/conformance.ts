/**
 * What every site does that speaks `rollcall/v1`, as facts. The real connector passes it on each
 * kind of site (conformance.wordpress.test.ts), and so does the site in memory that the hub's own
 * tests run on (conformance.test.ts): what those prove holds for real sites.
 *
 * Does: start one site for all cases; every case has people of its own.
 * Does not: reach past the port but to act as people of the site, and to look at what is there.
 * Always true: answers are parsed by the contract's schemas, by the port.
 */
import { afterAll, beforeAll } from 'vitest';
import { describeAccounts } from './conformance/account-pages.ts';
import { describeBoundHub } from './conformance/bound-hub.ts';
import { describeCapture } from './conformance/changes.ts';
import { describeConsents } from './conformance/consents.ts';
import { describeCreates } from './conformance/creates.ts';
import { describeDeletes } from './conformance/deletes.ts';
import { describeDigests } from './conformance/digests.ts';
import { describeEmailOrigins } from './conformance/email-origins.ts';
import { describeErasures } from './conformance/erasures.ts';
import { describeValues } from './conformance/field-values.ts';
import { describeGuard } from './conformance/guards.ts';
import { describeLabels } from './conformance/labels.ts';
import { describeMarks } from './conformance/marks.ts';
import { describeMerges } from './conformance/merges.ts';
import { describeOlder } from './conformance/older.ts';
import { describeOutbox } from './conformance/outbox.ts';
import { describeProofs } from './conformance/proofs.ts';
import { Rehearsal } from './conformance/rehearsal.ts';
import { describeSignIns } from './conformance/sign-ins.ts';
import type { SiteUnderTest } from './conformance/site-under-test.ts';
import { describeStamps } from './conformance/stamps.ts';
import { describeSwitches } from './conformance/switches.ts';
import { CONTRACT_VERSION, type Feature, speaks } from './version.ts';

/** Call within `describe`, once per site. @param contract of the cases, those that this version has */
export function describeConformance(
  start: () => Promise<SiteUnderTest>,
  contract = CONTRACT_VERSION,
): void {
  const has = (feature: Feature): boolean => speaks(contract, feature);
  let rehearsal: Rehearsal | undefined;
  const at = (): Rehearsal => {
    if (rehearsal === undefined) throw new Error('the site did not start');
    return rehearsal;
  };
  beforeAll(async () => {
    rehearsal = new Rehearsal(await start());
  });
  afterAll(async () => {
    await rehearsal?.site.stop();
  });

  describeCapture(at, has);
  describeOutbox(at);
  describeLabels(at);
  describeMarks(at);
  describeAccounts(at);
  if (has('digests')) describeDigests(at);
  describeCreates(at, has);
  describeMerges(at);
  describeValues(at, has);
  describeDeletes(at);
  describeStamps(at);
  describeProofs(at);
  if (has('guard')) describeGuard(at);
  if (has('consents')) describeConsents(at);
  if (has('switches')) describeSwitches(at);
  if (has('erase')) describeErasures(at);
  if (has('sign_ins')) describeSignIns(at);
  if (has('email_by')) describeEmailOrigins(at);
  if (!has('guard')) describeOlder(at);
  describeBoundHub(at, has);
}
