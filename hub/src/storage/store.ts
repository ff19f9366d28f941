/**
 * The engine's store: transactions, and what needs none.
 *
 * Always true: a transaction that throws leaves nothing. Two that met (both learned of one
 * account, or waited for each other) are told apart by running the later one again; so `work`
 * may run more than once and has effects inside the transaction only.
 */
import type { Kysely } from 'kysely';
import type { Store, Transaction } from '../sync/ports.ts';
import { due, forgetLeases } from './due.ts';
import { readHubNow } from './hub-clock.ts';
import { refuseInside, runInside } from './in-transaction.ts';
import { keepLeased } from './keep-leased.ts';
import type { Database } from './open-database.ts';
import * as outbox from './outbox.ts';
import { endProof } from './proof-rows.ts';
import type { Secrets } from './secrets.ts';
import type { Tables } from './tables.ts';
import * as believed from './transaction/believed.ts';
import { candidates } from './transaction/candidates.ts';
import * as changes from './transaction/changes.ts';
import * as claims from './transaction/claims.ts';
import * as creations from './transaction/creations.ts';
import { keyOf } from './transaction/identity-rows.ts';
import { appendLog, forgetLinksTo, saveLinks } from './transaction/log.ts';
import { mergeIdentities } from './transaction/merge.ts';
import { lockByAccount, lockByUid, type People } from './transaction/people.ts';
import { save } from './transaction/save.ts';

/** Two transactions that meet meet once; more often means something else is wrong. */
const TRIES = 5;

export function createStore({ kysely }: Database, secrets: Secrets): Store {
  const outside = (what: string): Kysely<Tables> => {
    refuseInside(`Store.${what}`);
    return kysely;
  };
  return {
    transaction: (work) => transact(outside('transaction'), secrets, work),
    nowMs: async () => readHubNow(outside('nowMs')),
    unacknowledged: async (id) => outbox.unacknowledged(outside('unacknowledged'), id),
    markAcknowledged: async (id, rows) =>
      outbox.markAcknowledged(outside('markAcknowledged'), id, rows),
    unlabelled: async (id, limit) => outbox.unlabelled(outside('unlabelled'), id, limit),
    markLabelled: async (id, labels) => outbox.markLabelled(outside('markLabelled'), id, labels),
    refreshes: async (id, limit) => outbox.refreshes(outside('refreshes'), id, limit),
    restamps: async (id) => outbox.restamps(outside('restamps'), id),
    clearRestamps: async (id, ids) => outbox.clearRestamps(outside('clearRestamps'), id, ids),
    keepLeased: (deliveries, leaseMs) => keepLeased(kysely, deliveries, leaseMs),
    forgetLeases: async () => forgetLeases(outside('forgetLeases')),
    due: async () => due(outside('due')),
  };
}

async function transact<Result>(
  kysely: Kysely<Tables>,
  secrets: Secrets,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await kysely
        .transaction()
        .execute((db) =>
          runInside(() => work(openTransaction({ db, secrets, loaded: new Map() }))),
        );
    } catch (error) {
      if (tried === TRIES || !hasMet(error)) throw error;
    }
  }
}

/** SQLSTATE: deadlock_detected, serialization_failure, and unique_violation on one account. */
function hasMet(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  if (error.code === '40P01' || error.code === '40001') return true;
  const constraint = 'constraint' in error ? error.constraint : undefined;
  return (
    error.code === '23505' && (constraint === 'accounts_living' || constraint === 'accounts_pkey')
  );
}

function openTransaction(people: People): Transaction {
  const { db } = people;
  return {
    nowMs: () => readHubNow(db),
    appendChanges: (id, rows) => changes.appendChanges(db, id, rows),
    lockByAccount: (id, ids) => lockByAccount(people, id, ids),
    lockByUid: (uids) => lockByUid(people, uids),
    candidates: (asked, installations) => candidates(db, asked, installations),
    save: (identities) => save(people, identities),
    saveLinks: (links) => saveLinks(db, links),
    forgetLinksTo: async (installation, ids) => forgetLinksTo(db, installation, ids),
    mergeIdentities: (into, from) => mergeIdentities(people, into, from),
    endProof: (id, ended) => endProof(db, id, ended),
    appendLog: (entries) => appendLog(db, entries),
    queueRefresh: (id, ids, options) => changes.queueRefresh(db, id, ids, options),
    livingAccounts: (id, span) => believed.livingAccounts(db, id, span),
    endedAccounts: (id, ids) => believed.endedAccounts(db, id, ids),
    forgetOutbox: (id) => believed.forgetOutbox(db, id),
    clearRefreshes: (id, refreshes) => changes.clearRefreshes(db, id, refreshes),
    queueRestamp: (id, ids) => changes.queueRestamp(db, id, ids),
    releaseHeld: (id, freed) => claims.releaseHeld(people, id, freed, keyOf),
    setCursor: (id, cursor) => changes.setCursor(db, id, cursor),
    claim: (id, lane, options) => claims.claim(people, id, lane, options),
    releaseClaims: (deliveries, unanswered) => claims.releaseClaims(people, deliveries, unanswered),
    retryNow: (id) => claims.retryNow(people, id),
    creations: (id, withinMs) => creations.creations(db, id, withinMs),
    noteCreations: (id, count) => creations.noteCreations(db, id, count),
    deletesDue: (id) => claims.deletesDue(people, id),
    holdDeletes: (id, reason) => claims.holdDeletes(people, id, reason),
  };
}
