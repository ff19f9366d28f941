/**
 * The port to connected installations, over HTTP.
 *
 * Does: one method per route of the contract.
 * Does not: retry, back off or make batches (deliver does); where the envelope would get too large, only the first
 * operations of a batch are sent, as if the site had run out of time after them.
 * Always true: every request carries the hub's id and term; repeating any call is safe.
 * On failure: throws `Fault` (`site.*`).
 */
import {
  AccountsAnswerSchema,
  ApplyAnswerSchema,
  ChangesAnswerSchema,
  CredentialAnswerSchema,
  DigestsAnswerSchema,
  DisconnectAnswerSchema,
  EraseAnswerSchema,
  GuardAnswerSchema,
  LabelsAnswerSchema,
  OutsideAnswerSchema,
  ProofsAnswerSchema,
  SettingsAnswerSchema,
  StampAnswerSchema,
  StatusAnswerSchema,
  SwitchesAnswerSchema,
} from '#contract/messages.ts';
import type { SitePort } from '../sync/ports.ts';
import { type AskSite, askingSites, type Renewed } from './ask-site.ts';
import { fittingCount } from './envelope.ts';
import { accountsAsAsked, changesAsAsked, digestsAsAsked } from './keep-to-question.ts';
import type { Wire } from './wire.ts';

export type { Renewed } from './ask-site.ts';

export const createSiteClient = (wire: Wire, renewed?: Renewed): SitePort =>
  siteClient(askingSites(wire, renewed));

export function siteClient(ask: AskSite): SitePort {
  return {
    async status(connection) {
      const started = performance.now();
      const answer = await ask(connection, 'status', {}, StatusAnswerSchema);
      return { ...answer, roundTripMs: performance.now() - started };
    },
    async changes(connection, request) {
      const answer = await ask(connection, 'changes', request, ChangesAnswerSchema);
      return changesAsAsked(answer, request.limit);
    },
    async accounts(connection, request) {
      const answer = await ask(connection, 'accounts', request, AccountsAnswerSchema);
      return accountsAsAsked(answer, request);
    },
    async digests(connection, request) {
      const answer = await ask(connection, 'digests', request, DigestsAnswerSchema);
      return digestsAsAsked(answer, request);
    },
    async labels(connection, labels) {
      return (await ask(connection, 'labels', { labels }, LabelsAnswerSchema)).results;
    },
    apply(connection, { dryRun, operations, ...request }) {
      const body = (packed: boolean) => ({
        ...request,
        operations: packed ? operations.slice(0, fittingCount(operations)) : operations,
        dry_run: dryRun,
      });
      return ask(connection, 'apply', body, ApplyAnswerSchema);
    },
    async settings(connection, { offsetMs, signIns, ...settings }) {
      const offset = offsetMs === undefined ? {} : { offset_ms: offsetMs };
      const watched = signIns === undefined ? {} : { sign_ins: signIns };
      const wanted = { ...settings, ...offset, ...watched };
      await ask(connection, 'settings', wanted, SettingsAnswerSchema);
    },
    async stamp(connection, orders) {
      const stamps = orders.map(({ atLeastMs, ...order }) => ({ ...order, at_least: atLeastMs }));
      return (await ask(connection, 'stamp', { stamps }, StampAnswerSchema)).results;
    },
    outside: (connection, request) => ask(connection, 'outside', request, OutsideAnswerSchema),
    guard(connection, { readOnly, ...request }) {
      const wanted = readOnly === undefined ? {} : { read_only: readOnly };
      return ask(connection, 'guard', { ...request, ...wanted }, GuardAnswerSchema);
    },
    async switches(connection, switches) {
      return (await ask(connection, 'switches', { switches }, SwitchesAnswerSchema)).results;
    },
    async erase(connection, erasures) {
      return (await ask(connection, 'erase', { erasures }, EraseAnswerSchema)).results;
    },
    async proofs(connection, proofs) {
      return (await ask(connection, 'proofs', { proofs }, ProofsAnswerSchema)).results;
    },
    async newCredential(connection) {
      return (await ask(connection, 'credential', {}, CredentialAnswerSchema)).credential;
    },
    async disconnect(connection) {
      await ask(connection, 'disconnect', {}, DisconnectAnswerSchema);
    },
  };
}
