/** Installations: where and as whom they are spoken to, and how well that goes. */
import type { Kysely, Selectable, Transaction, Updateable } from 'kysely';
import { z } from 'zod';
import { Fault } from '../../errors.ts';
import type { InstallationId } from '../../model/ids.ts';
import type {
  Connection,
  Credential,
  Installation,
  Registry,
  SiteRecord,
} from '../../sync/ports.ts';
import type { Secrets } from '../secrets.ts';
import type { Tables } from '../tables.ts';
import { brokenConstraint } from './constraint.ts';
import { nameTaken, toSite } from './sites.ts';

const toInstallation = (row: Selectable<Tables['installations']>): Installation => ({
  id: row.id,
  store: row.store,
  home: row.home,
  multisite: row.multisite,
  restUrl: row.rest_url,
  publicOnly: row.public_only,
  contract: row.contract,
  connector: row.connector,
  wordpress: row.wordpress,
  state: row.state,
  trouble: row.trouble,
  failures: row.failures,
  retryAtMs: row.retry_at_ms,
  epoch: row.epoch,
  head: row.head,
  offsetMs: row.offset_ms,
  lastSignalMs: row.last_signal_ms,
  lastPulledMs: row.last_pulled_ms,
});

const credentialPurpose = (id: InstallationId): string => `installation.credential:${id}`;
const signalPurpose = (id: InstallationId): string => `installation.signal:${id}`;
const CredentialSchema = z.object({ user: z.string(), password: z.string() });

/** Without removed ones. */
export async function list(db: Kysely<Tables>): Promise<readonly Installation[]> {
  const rows = await db
    .selectFrom('installations')
    .selectAll()
    .where('state', '<>', 'removed')
    .orderBy('home')
    .execute();
  return rows.map(toInstallation);
}

/** A removed one, too: what is under way must be able to see that it was removed. */
export async function find(db: Kysely<Tables>, id: InstallationId): Promise<Installation> {
  const row = await db
    .selectFrom('installations')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw unknown(id);
  return toInstallation(row);
}

/** The living one before a removed one: a users table that comes again is the same installation. */
export async function ofStore(
  db: Kysely<Tables>,
  store: string,
): Promise<Awaited<ReturnType<Registry['installationOfStore']>>> {
  const row = await db
    .selectFrom('installations')
    .selectAll()
    .where('store', '=', store)
    .orderBy((order) => order.case().when('state', '=', 'removed').then(1).else(0).end())
    .executeTakeFirst();
  if (row === undefined) return null;
  const sites = await db
    .selectFrom('sites')
    .selectAll()
    .where('installation', '=', row.id)
    .orderBy('key')
    .execute();
  return { installation: toInstallation(row), sites: sites.map(toSite) };
}

export async function connection(
  db: Kysely<Tables>,
  secrets: Secrets,
  id: InstallationId,
): Promise<Connection> {
  const row = await db
    .selectFrom('installations')
    .innerJoin('hub_meta', (join) => join.onTrue())
    .select(['rest_url', 'public_only', 'credential', 'hub_id', 'term'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (row?.credential == null) throw unknown(id);
  const credential: Credential = CredentialSchema.parse(
    JSON.parse(secrets.open(credentialPurpose(id), row.credential)),
  );
  const hub = { id: row.hub_id, term: row.term };
  const { rest_url: restUrl, public_only: publicOnly } = row;
  return { installation: id, restUrl, publicOnly, credential, hub };
}

/** False: it is another one by now, or there is none any more. */
export async function replaceCredential(
  db: Kysely<Tables>,
  secrets: Secrets,
  id: InstallationId,
  { from, to }: { readonly from: Credential; readonly to: Credential },
): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('installations')
      .select('credential')
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    if (row?.credential == null) return false;
    const kept = CredentialSchema.parse(
      JSON.parse(secrets.open(credentialPurpose(id), row.credential)),
    );
    if (kept.user !== from.user || kept.password !== from.password) return false;
    const credential = secrets.seal(credentialPurpose(id), JSON.stringify(to));
    await tx.updateTable('installations').set({ credential }).where('id', '=', id).execute();
    return true;
  });
}

/** Null: no such installation, or a removed one. */
export async function signalSecret(
  db: Kysely<Tables>,
  secrets: Secrets,
  id: InstallationId,
): Promise<string | null> {
  if (!z.guid().safeParse(id).success) return null;
  const row = await db
    .selectFrom('installations')
    .select('signal_secret')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.signal_secret == null ? null : secrets.open(signalPurpose(id), row.signal_secret);
}

export async function save(
  db: Kysely<Tables>,
  secrets: Secrets,
  ...[installation, sites, given]: Parameters<Registry['saveInstallation']>
): Promise<void> {
  const { id } = installation;
  const row = {
    epoch: installation.epoch,
    trouble: installation.trouble === null ? null : JSON.stringify(installation.trouble),
    store: installation.store,
    home: installation.home,
    multisite: installation.multisite,
    head: installation.head,
    offset_ms: installation.offsetMs,
    rest_url: installation.restUrl,
    public_only: installation.publicOnly,
    contract: installation.contract,
    connector: installation.connector,
    wordpress: installation.wordpress,
    state: installation.state,
    last_signal_ms: installation.lastSignalMs,
    failures: 0,
    retry_at_ms: 0,
    credential: secrets.seal(credentialPurpose(id), JSON.stringify(given.credential)),
    signal_secret: secrets.seal(signalPurpose(id), given.signalSecret),
  };
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('installations')
      .values({ id, ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute()
      .catch(alreadyAdded);
    await saveSites(tx, sites);
  });
}

/** A key keeps its site; whether it is paused is the operator's to say, given here as it should be. */
async function saveSites(tx: Transaction<Tables>, sites: readonly SiteRecord[]): Promise<void> {
  if (sites.length === 0) return;
  const rows = sites.map(rowOf);
  await tx
    .insertInto('sites')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet((row) => ({
        blog: row.ref('excluded.blog'),
        name: row.ref('excluded.name'),
        url: row.ref('excluded.url'),
        rest_url: row.ref('excluded.rest_url'),
        status: row.ref('excluded.status'),
        create_missing: row.ref('excluded.create_missing'),
        rules: row.ref('excluded.rules'),
        roles: row.ref('excluded.roles'),
        default_role: row.ref('excluded.default_role'),
        network: row.ref('excluded.network'),
        closed: row.ref('excluded.closed'),
        consents: row.ref('excluded.consents'),
        removed: row.ref('excluded.removed'),
      })),
    )
    .execute()
    .catch(nameTaken);
}

export const rowOf = (site: SiteRecord) => ({
  key: site.key,
  installation: site.installation,
  blog: site.blog,
  name: site.name,
  url: site.url,
  rest_url: site.restUrl,
  status: site.status,
  create_missing: site.createMissing,
  rules: JSON.stringify(site.rules),
  roles: JSON.stringify(site.roles),
  default_role: site.defaultRole,
  consents: JSON.stringify(site.consents ?? []),
  network: site.network ?? null,
  closed: site.closed ?? null,
  removed: false,
});

export async function update(
  db: Kysely<Tables>,
  id: InstallationId,
  change: Parameters<Registry['updateInstallation']>[1],
): Promise<void> {
  const columns = columnsOf(change);
  if (Object.keys(columns).length === 0) return;
  const { numUpdatedRows } = await db
    .updateTable('installations')
    .set(columns)
    .where('id', '=', id)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw unknown(id);
}

type Change = Parameters<Registry['updateInstallation']>[1];

/** Only what is named; `undefined` leaves a column as it is. */
function columnsOf(change: Change): Updateable<Tables['installations']> {
  const { trouble } = change;
  const columns = {
    state: change.state,
    trouble: trouble == null ? trouble : JSON.stringify(trouble),
    failures: change.failures,
    retry_at_ms: whole(change.retryAtMs),
    epoch: change.epoch,
    head: change.head,
    offset_ms: whole(change.offsetMs),
    last_signal_ms: whole(change.lastSignalMs),
    contract: change.contract,
    connector: change.connector,
    wordpress: change.wordpress,
    rest_url: change.restUrl,
    last_pulled_ms: whole(change.lastPulledMs),
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

/** Times are whole milliseconds; what was computed need not be. */
const whole = <Time extends number | null | undefined>(time: Time) =>
  typeof time === 'number' ? Math.round(time) : time;

function alreadyAdded(error: unknown): never {
  if (brokenConstraint(error) === 'installations_store') {
    throw new Fault('site.already_added', 'This users table belongs to an installation already.');
  }
  throw error;
}

const unknown = (id: InstallationId): Fault =>
  new Fault('site.unknown', `There is no installation ${id}.`);
