/**
 * Attempts to connect a site by WordPress's own approve page.
 *
 * Always true: the secret of an attempt is kept as its SHA-256; it is taken by one caller and never again.
 * No password is ever kept here.
 */
import { createHash } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import { z } from 'zod';
import type { Approval, Approvals } from '../model/approval.ts';
import type { Database } from './open-database.ts';
import type { Tables } from './tables.ts';

const NOW = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
/** Ended ones are of interest to who waits for them. */
const KEPT_MS = 86_400_000;

export const createApprovals = ({ kysely }: Database): Approvals => ({
  async open({ restUrl, publicOnly, endsMs, ...approval }, secret) {
    await kysely
      .deleteFrom('approvals')
      .where('ends_ms', '<', sql<number>`${NOW} - ${KEPT_MS}::bigint`)
      .execute();
    await kysely
      .insertInto('approvals')
      .values({
        ...approval,
        rest_url: restUrl,
        public_only: publicOnly,
        ends_ms: Math.round(endsMs),
        secret_hash: hashOf(secret),
        state: 'open',
        fault: null,
      })
      .execute();
  },
  async take(secret, to) {
    const row = await kysely
      .updateTable('approvals')
      .set({ state: to })
      .where('secret_hash', '=', hashOf(secret))
      .where('state', '=', 'open')
      .where('ends_ms', '>', NOW)
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? null : toApproval(row);
  },
  async settle(id, { state, fault }) {
    await kysely
      .updateTable('approvals')
      .set({ state, fault: fault === null ? null : JSON.stringify(fault) })
      .where('id', '=', id)
      .where('state', '=', 'connecting')
      .execute();
  },
  async find(id) {
    if (!z.guid().safeParse(id).success) return null;
    const row = await kysely
      .selectFrom('approvals')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst();
    return row === undefined ? null : toApproval(row);
  },
});

const toApproval = (row: Selectable<Tables['approvals']>): Approval => ({
  id: row.id,
  url: row.url,
  name: row.name,
  restUrl: row.rest_url,
  publicOnly: row.public_only,
  operator: row.operator,
  endsMs: row.ends_ms,
  state: row.state,
  fault: row.fault,
});

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
