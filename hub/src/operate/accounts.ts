/**
 * One account: who it is, and its switches.
 *
 * Always true: the site itself is asked; a switch is the site's, and the hub hears of it as of any change.
 */
import type { AccountState, Switches } from '#contract/account-state.ts';
import type { SwitchResult } from '#contract/messages.ts';
import type { AccountQuery, AccountView, SwitchAccount } from '../api/schemas/account.ts';
import { Fault } from '../errors.ts';
import { type Reason, reasonSentence } from '../reasons.ts';
import type { SiteRecord } from '../sync/ports.ts';
import { operatorNamed, siteNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';

/** @throws Fault `account.unknown`, `site.*` */
export async function account(
  ports: OperationPorts,
  { site: name, login }: AccountQuery,
): Promise<AccountView> {
  const site = await siteNamed(ports.registry, name);
  return viewOf(ports, site, await ask(ports, site, login));
}

/** @throws Fault `account.unknown`, `site.guard_refused`, `site.*`; nothing has changed then */
export async function switchAccount(
  ports: OperationPorts,
  { site: name, login, stopOutgoing, stopMade, rejectIncoming }: SwitchAccount,
  by: string,
): Promise<AccountView> {
  const { registry, wake } = ports;
  const site = await siteNamed(registry, name);
  const found = await ask(ports, site, login);
  const order = {
    id: found.id,
    login: found.login,
    ...(stopOutgoing === undefined ? {} : { stop_outgoing: stopOutgoing }),
    ...(stopMade === undefined ? {} : { stop_made: stopMade }),
    ...(rejectIncoming === undefined ? {} : { reject_incoming: rejectIncoming }),
  };
  const [result] = await send(ports, site, order);
  if (result?.switches === undefined) throw refusal(result, site, login);
  if (result.result === 'set') {
    await registry.noteEvent(site.installation, {
      code: 'account.switched' satisfies Reason,
      message: `Switches of “${found.login}” on “${site.name}”: ${saysOf(result.switches)}.`,
      actor: operatorNamed(by),
    });
  }
  await wake.pull(site.installation);
  return viewOf(ports, site, { ...found, switches: result.switches });
}

const saysOf = ({ stop_outgoing, stop_made, reject_incoming }: Switches): string =>
  [
    `outgoing ${stop_outgoing ? 'stopped' : 'free'}`,
    ...(stop_outgoing && stop_made === true ? ['with what it does to others'] : []),
    `incoming ${reject_incoming ? 'rejected' : 'taken'}`,
  ].join(', ');

async function send(
  { registry, site: port }: OperationPorts,
  site: SiteRecord,
  order: Parameters<OperationPorts['site']['switches']>[1][number],
): Promise<readonly SwitchResult[]> {
  try {
    return await port.switches(await registry.connection(site.installation), [order]);
  } catch (fault) {
    if (!(fault instanceof Fault) || fault.code !== 'site.no_connector') throw fault;
    throw new Fault(
      'site.connector_too_old',
      `The connector on “${site.name}” takes no switches from the hub yet.`,
    );
  }
}

const refusal = (result: SwitchResult | undefined, site: SiteRecord, login: string): Fault =>
  result?.result === 'refused'
    ? new Fault('site.guard_refused', `${site.name}: ${reasonSentence(result.reason ?? '')}`)
    : unknown(site, login);

const unknown = (site: SiteRecord, login: string): Fault =>
  new Fault('account.unknown', `There is no account “${login}” on “${site.name}”.`);

/** A handful: the database takes `ádmin` for `admin`. */
const LOOK_ALIKES = 20;

async function ask(
  { registry, site: port }: OperationPorts,
  site: SiteRecord,
  login: string,
): Promise<AccountState> {
  const request = { after: 0, limit: LOOK_ALIKES, logins: [login], detail: 'who' as const };
  const connection = await registry.connection(site.installation);
  const { accounts } = await port.accounts(connection, request);
  const found = accounts.find((one) => one.login.toLowerCase() === login.toLowerCase());
  if (found === undefined) throw unknown(site, login);
  return found;
}

async function viewOf(
  { registry, views }: OperationPorts,
  site: SiteRecord,
  { id, login, email, privileged, switches }: AccountState,
): Promise<AccountView> {
  const identity = await views.identityByLogin(site.installation, login);
  const sites = await registry.sites();
  const others = [...(identity?.accounts.values() ?? [])].filter(
    (one) => one.installation !== site.installation && one.gone === null,
  );
  return {
    site: site.name,
    login,
    wpId: id,
    email,
    uid: identity?.uid ?? null,
    privileged,
    stopOutgoing: switches.stop_outgoing,
    stopMade: switches.stop_made ?? false,
    rejectIncoming: switches.reject_incoming,
    elsewhere: others.map((one) => ({
      site: sites.find(({ installation }) => installation === one.installation)?.name ?? '',
      login: one.login,
      wpId: one.wpId,
    })),
  };
}
