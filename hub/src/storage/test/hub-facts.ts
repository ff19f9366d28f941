/** Conformance: the hub’s identity, tokens, and secrets at rest. */
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { PASSWORD } from '../../model/field.ts';
import { hubIdentity, openSecrets, startAt } from '../hub-meta.ts';
import { migrate } from '../migrate.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { vacuum } from '../tidy.ts';
import {
  account,
  addPlace,
  carried,
  delivery,
  identity,
  SECRETS,
  save,
  type World,
} from './world.ts';

export function hubFacts(world: () => World): void {
  test('a hub keeps its id; its term rises by a take-over alone', async () => {
    const { database } = world().storage;
    const hub = await hubIdentity(database);
    const here = { host: 'machine-a', url: 'https://hub.test' };
    expect(await startAt(database, here, { takeOver: false })).toEqual(hub);
    expect(await startAt(database, { host: null, url: null }, { takeOver: false })).toEqual(hub);
    const laptop = { ...here, host: 'laptop' };
    await expect(startAt(database, laptop, { takeOver: false })).rejects.toMatchObject({
      code: 'data.elsewhere',
    });
    const taken = await startAt(database, laptop, { takeOver: true });
    expect(taken).toEqual({ id: hub.id, term: hub.term + 1 });
    expect(await startAt(database, laptop, { takeOver: false })).toEqual(taken);
    await expect(startAt(database, here, { takeOver: false })).rejects.toMatchObject({
      code: 'data.elsewhere',
    });
  });

  test('a hub in a container is known by its folder, one put back from a backup by its host', async () => {
    const { database } = world().storage;
    const hub = await startAt(
      database,
      { host: 'container-1', folder: '11', url: null },
      { takeOver: true },
    );
    const started = (host: string, folder: string) =>
      startAt(database, { host, folder, url: null }, { takeOver: false });
    expect(await started('container-2', '11')).toEqual(hub);
    expect(await started('container-2', '12')).toEqual(hub);
    await expect(started('laptop', '13')).rejects.toMatchObject({ code: 'data.elsewhere' });
    expect(await started('container-3', '12')).toEqual(hub);
  });

  test('a store made with another key does not open', async () => {
    const { database } = world().storage;
    const secretKey = 'a passphrase that is not the right one';
    await expect(openSecrets(database, { secretKey })).rejects.toMatchObject({
      code: 'secret.unreadable',
    });
    await expect(openSecrets(database, {})).rejects.toMatchObject({ code: 'secret.unreadable' });
  });

  test('a token is shown once, works until it is replaced or revoked', async () => {
    const { tokens } = world().storage;
    const secret = await tokens.createToken('ci', 'operator');
    expect(await tokens.verifyToken(secret)).toEqual({ name: 'ci', role: 'operator' });
    expect(await tokens.verifyToken(`${secret}x`)).toBeNull();
    const next = await tokens.createToken('ci', 'viewer');
    expect(await tokens.verifyToken(secret)).toBeNull();
    expect(await tokens.verifyToken(next)).toEqual({ name: 'ci', role: 'viewer' });
    expect(await tokens.tokens()).toMatchObject([{ name: 'ci', role: 'viewer' }]);
    expect(await tokens.revokeToken('ci')).toBe(true);
    expect(await tokens.revokeToken('ci')).toBe(false);
    expect(await tokens.verifyToken(next)).toBeNull();
  });

  test('no secret stands in any table', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const hash = '$wp$2y$10$findmeifyoucan';
    const visible = 'findable-value';
    const fields = { [PASSWORD]: carried(hash, a.site), url: carried(visible, a.site) };
    await save(storage, identity([account(a.installation)], [delivery(b.site, fields)]));
    const token = await storage.tokens.createToken('dump', 'viewer');
    const dump = await dumpAll(storage);
    expect(dump).toContain(visible);
    for (const secret of [hash, SECRETS.credential.password, SECRETS.signalSecret, token]) {
      expect(dump).not.toContain(secret);
      expect(dump).not.toContain(Buffer.from(secret).toString('base64').replace(/=+$/u, ''));
    }
  });

  test('migrations run once, and a newer store is left alone', async () => {
    const { kysely } = world().storage.database;
    await migrate(kysely);
    const newer = { number: 9_999, name: 'from-the-future', statements: ['select 1'] };
    const olderThanStore = migrate(kysely, []);
    await expect(olderThanStore).rejects.toMatchObject({ code: 'data.newer' });
    const broken = { ...newer, statements: ['create table half (x integer)', 'select nonsense'] };
    await expect(migrate(kysely, [...MIGRATIONS, broken])).rejects.toThrow();
    const { rows } = await sql<{ at: string | null }>`select to_regclass('half') as at`.execute(
      kysely,
    );
    expect(rows).toEqual([{ at: null }]);
    await migrate(kysely);
  });

  test('both drivers give the same types', async () => {
    const { kysely } = world().storage.database;
    const { rows } = await sql`select 9007199254740991::bigint as safe,
      9007199254740993::bigint as unsafe, '{"a": [1, null]}'::jsonb as json,
      array['x', 'y']::text[] as list, count(*) as count, true as yes`.execute(kysely);
    expect(rows).toEqual([
      {
        safe: Number.MAX_SAFE_INTEGER,
        unsafe: 9007199254740993n,
        json: { a: [1, null] },
        list: ['x', 'y'],
        count: 1,
        yes: true,
      },
    ]);
    await vacuum(world().storage.database);
  });
}

async function dumpAll({ database: { kysely } }: World['storage']): Promise<string> {
  const tables = await sql<{ name: string }>`select quote_ident(table_schema) || '.' ||
    quote_ident(table_name) as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema')`.execute(kysely);
  const parts: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await sql`select * from ${sql.raw(name)}`.execute(kysely);
    parts.push(JSON.stringify(rows));
  }
  return parts.join('\n');
}
