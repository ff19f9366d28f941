/** What the hub keeps of a person: shown, and erased as far as it can be. */
import type { ErasedPerson, PersonQuery, PersonRecords } from '../../api/schemas/privacy.ts';
import { Fault } from '../../errors.ts';
import type { Account, Identity } from '../../model/identity.ts';
import { sitesOf } from '../../model/route.ts';
import { operatorNamed, siteNamed, siteNames } from '../names.ts';
import type { OperationPorts } from '../ports.ts';

const MOST_LOG_ROWS = 1_000;

export async function personRecords(
  ports: OperationPorts,
  query: PersonQuery,
): Promise<PersonRecords> {
  const { registry, views } = ports;
  const identity = await personWith(ports, query);
  const nameOf = await siteNames(registry);
  const topology = await registry.topology();
  const rows = await views.log({ uid: identity.uid, limit: MOST_LOG_ROWS });
  return {
    uid: identity.uid,
    accounts: [...identity.accounts.values()].map((account) =>
      accountOf(
        account,
        sitesOf(topology, account.installation).map(({ key }) => nameOf(key)),
      ),
    ),
    pending: [...identity.deliveries.values()].map(({ target, fields }) => ({
      target: nameOf(target),
      fields: [...fields.keys()],
    })),
    log: rows.map(({ atMs, source, target, login, action, status, reason, fields, actor }) => ({
      at: new Date(atMs).toISOString(),
      source: source === null ? null : nameOf(source),
      target: nameOf(target),
      login,
      action,
      status,
      reason,
      fields: [...fields],
      actor,
    })),
  };
}

function accountOf(account: Account, sites: string[]): PersonRecords['accounts'][number] {
  const moment = (ms: number) => (ms === 0 ? null : new Date(ms).toISOString());
  return {
    sites,
    wpId: account.wpId,
    login: account.login,
    email: account.email,
    registered: account.registered,
    privileged: account.privileged,
    stopOutgoing: account.outgoingStopped,
    rejectIncoming: account.incomingRejected,
    ended: account.gone === null ? null : moment(account.gone[0]),
    fields: Object.fromEntries([...account.known].map(([field, [ms]]) => [field, moment(ms)])),
  };
}

/** The account on the site is not touched: WordPress's own tool erases there. */
export async function erasePerson(
  ports: OperationPorts,
  query: PersonQuery,
  by: string,
): Promise<ErasedPerson> {
  const { uid } = await personWith(ports, query);
  const erased = await ports.erasures.eraseRecords(uid);
  const { key } = await siteNamed(ports.registry, query.site);
  await ports.store.transaction((tx) =>
    tx.appendLog([
      {
        uid,
        login: '',
        source: key,
        target: key,
        action: 'erase',
        status: 'delivered',
        reason: 'privacy.erased',
        fields: [],
        path: [key],
        actor: operatorNamed(by),
        delivery: null,
        attempts: 0,
        durationMs: null,
      },
    ]),
  );
  return { uid, ...erased };
}

async function personWith(
  { registry, views }: OperationPorts,
  { site, login }: PersonQuery,
): Promise<Identity> {
  const { installation, name } = await siteNamed(registry, site);
  const identity = await views.identityByLogin(installation, login);
  if (identity !== null) return identity;
  throw new Fault('account.unknown', `The hub knows no account “${login}” on “${name}”.`);
}
