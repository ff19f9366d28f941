/**
 * For a database whose only hub is dead, half a minute passes at once: what it held is free, as it
 * would be then by itself.
 */
import pg from 'pg';

export async function halfAMinutePasses(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(`update pgboss.job set state = 'failed' where state = 'active'`);
    await client.query(`update deliveries set lease_until_ms = 0 where lease_until_ms > 0`);
  } finally {
    await client.end();
  }
}
