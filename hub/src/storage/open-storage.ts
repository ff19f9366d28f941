/** Everything the hub keeps, opened together: what `main.ts` and tests call. */

import type { Approvals } from '../model/approval.ts';
import type { Arrangements } from '../model/arrangement.ts';
import type { Erasures } from '../model/erasure.ts';
import type { NetworkRuns } from '../model/network-run.ts';
import type { Reconciles } from '../model/reconcile.ts';
import type { LogKeeping, Marks, Proofs, Registry, Runs, Store, Views } from '../sync/ports.ts';
import { createApprovals } from './approvals.ts';
import { createArrangements } from './arrangements.ts';
import { createErasures } from './erasures.ts';
import { openSecrets } from './hub-meta.ts';
import { createLogKeeping } from './log-keeping.ts';
import { createMarks } from './marks.ts';
import { createNetworkRuns } from './network-runs.ts';
import {
  type Database,
  type DatabaseSource,
  type OpenOptions,
  openDatabase,
} from './open-database.ts';
import { createProofs } from './proofs.ts';
import { createReconciles } from './reconciles.ts';
import { createRegistry } from './registry.ts';
import { createRuns } from './runs.ts';
import type { KeySource, Secrets } from './secrets.ts';
import { createStore } from './store.ts';
import { createTokens, type Tokens } from './tokens.ts';
import { createViews } from './views.ts';

export interface Storage {
  readonly database: Database;
  readonly secrets: Secrets;
  readonly registry: Registry;
  readonly store: Store;
  readonly marks: Marks;
  readonly proofs: Proofs;
  readonly runs: Runs;
  readonly reconciles: Reconciles;
  readonly networkRuns: NetworkRuns;
  readonly views: Views;
  readonly logKeeping: LogKeeping;
  readonly tokens: Tokens;
  readonly approvals: Approvals;
  readonly arrangements: Arrangements;
  readonly erasures: Erasures;
  /** Repeating it is safe. */
  close(): Promise<void>;
}

/** @throws Fault `data.*`, `database.unreachable`, `secret.unreadable`; nothing stays open then. */
export async function openStorage(
  source: DatabaseSource,
  keySource: KeySource,
  options: OpenOptions = {},
): Promise<Storage> {
  const database = await openDatabase(source, options);
  try {
    return storageOn(database, await openSecrets(database, keySource));
  } catch (error) {
    await database.close();
    throw error;
  }
}

export const storageOn = (database: Database, secrets: Secrets): Storage => ({
  database,
  secrets,
  registry: createRegistry(database, secrets),
  store: createStore(database, secrets),
  marks: createMarks(database),
  proofs: createProofs(database, secrets),
  runs: createRuns(database, secrets),
  reconciles: createReconciles(database),
  networkRuns: createNetworkRuns(database),
  views: createViews(database, secrets),
  logKeeping: createLogKeeping(database),
  tokens: createTokens(database),
  approvals: createApprovals(database),
  arrangements: createArrangements(database),
  erasures: createErasures(database),
  close: () => database.close(),
});
