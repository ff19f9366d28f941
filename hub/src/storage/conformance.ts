/**
 * What every store must do: one suite, run on PGlite and on PostgreSQL.
 *
 * Always true: each test makes installations of its own and afterwards they are removed, so
 * that what is due is only what the test has made.
 */
import { afterEach, describe } from 'vitest';
import { backupFacts } from './test/backup-facts.ts';
import { deliveryFacts } from './test/delivery-facts.ts';
import { erasureFacts } from './test/erasure-facts.ts';
import { groupFacts } from './test/group-facts.ts';
import { hubFacts } from './test/hub-facts.ts';
import { logFacts } from './test/log-facts.ts';
import { markFacts } from './test/mark-facts.ts';
import { networkRunFacts } from './test/network-run-facts.ts';
import { outboxFacts } from './test/outbox-facts.ts';
import { peopleFacts } from './test/people-facts.ts';
import { proofFacts } from './test/proof-facts.ts';
import { reconcileFacts } from './test/reconcile-facts.ts';
import { registryFacts } from './test/registry-facts.ts';
import { runFacts } from './test/run-facts.ts';
import { samePersonFacts } from './test/same-person-facts.ts';
import { togetherFacts } from './test/together-facts.ts';
import { viewFacts } from './test/view-facts.ts';
import type { World } from './test/world.ts';

/** @param world the open storage, from the first test on */
export function storageConformance(
  world: () => World,
  options: { readonly together: boolean; readonly anotherStore?: () => Promise<string> },
): void {
  afterEach(async () => {
    const { registry } = world().storage;
    for (const { id } of await registry.installations()) await registry.removeInstallation(id);
  });
  describe('registry', () => registryFacts(world));
  describe('groups', () => groupFacts(world));
  describe('people', () => peopleFacts(world));
  describe('same person', () => samePersonFacts(world));
  describe('deliveries', () => deliveryFacts(world));
  describe('outbox', () => outboxFacts(world));
  describe('marks', () => markFacts(world));
  describe('proofs', () => proofFacts(world));
  describe('erasures', () => erasureFacts(world));
  describe('runs', () => runFacts(world));
  describe('network runs', () => networkRunFacts(world));
  describe('reconciles', () => reconcileFacts(world));
  describe('views', () => viewFacts(world));
  describe('log', () => logFacts(world));
  describe('hub', () => hubFacts(world));
  describe('backup', () => backupFacts(world, options.anotherStore ?? null));
  if (options.together) describe('two processes', () => togetherFacts(world));
}
