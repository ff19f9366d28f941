/** How long the Sync Log is kept, and of which sites. Repeating a call changes nothing. */
import { sql, type Transaction } from 'kysely';
import { Fault } from '../errors.ts';
import type { LogKeeping, LogSettings } from '../sync/ports.ts';
import { refuseInside } from './in-transaction.ts';
import type { Database } from './open-database.ts';
import type { Tables } from './tables.ts';

export function createLogKeeping(database: Database): LogKeeping {
  const outside = (what: string): Database => {
    refuseInside(`LogKeeping.${what}`);
    return database;
  };
  return {
    settings: async () => readLogSettings(outside('settings')),
    setDays: async (days) => {
      await outside('setDays')
        .kysely.transaction()
        .execute((tx) => setLogDays(tx, days));
    },
    setSite: async (site, { on, days }) => {
      const columns = {
        ...(on === undefined ? {} : { log_on: on }),
        ...(days === undefined ? {} : { log_days: days }),
      };
      if (Object.keys(columns).length === 0) return;
      const { numUpdatedRows } = await outside('setSite')
        .kysely.updateTable('sites')
        .set(columns)
        .where('key', '=', site)
        .where('removed', '=', false)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw new Fault('site.unknown', `There is no site ${site}.`);
    },
  };
}

/** It is part of what is arranged: that is another revision then. */
export async function setLogDays(tx: Transaction<Tables>, log_days: number): Promise<void> {
  await tx.updateTable('arranged').set({ revision: sql<string>`gen_random_uuid()` }).execute();
  await tx.updateTable('hub_meta').set({ log_days }).execute();
}

async function readLogSettings({ kysely }: Database): Promise<LogSettings> {
  const { log_days } = await kysely
    .selectFrom('hub_meta')
    .select('log_days')
    .executeTakeFirstOrThrow();
  const sites = await kysely
    .selectFrom('sites')
    .select(['key as site', 'log_on as on', 'log_days as days'])
    .where('removed', '=', false)
    .orderBy('key')
    .execute();
  return { days: log_days, sites };
}
