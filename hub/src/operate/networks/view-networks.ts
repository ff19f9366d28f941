/** Networks as they are shown, and their triggers. */
import type { NetworkSettings } from '#contract/network-messages.ts';
import type {
  ChangeNetwork,
  NetworkList,
  NetworkSettingsView,
  NetworkSummary,
  NetworkView,
} from '../../api/schemas/network.ts';
import { Fault } from '../../errors.ts';
import type { Reason } from '../../reasons.ts';
import { reasonSentence } from '../../reasons.ts';
import type { Installation } from '../../sync/ports.ts';
import { operatorNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import {
  asNetwork,
  blogNamed,
  type FoundNetwork,
  networkNamed,
  networksOf,
} from './find-network.ts';

/** Each is asked; one that is away is in the list all the same. */
export async function listNetworks(ports: OperationPorts): Promise<NetworkList> {
  const installations = await ports.registry.installations();
  const asked = installations
    .filter(({ multisite, state }) => multisite && state !== 'removed')
    .map((installation) => summaries(ports, installation));
  return { networks: (await Promise.all(asked)).flat() };
}

async function summaries(
  ports: OperationPorts,
  installation: Installation,
): Promise<readonly NetworkSummary[]> {
  try {
    return (await networksOf(ports, installation)).map(summaryOf);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { code, message } = error;
    const sites = (await ports.registry.sites()).filter(
      (site) => site.installation === installation.id,
    );
    const name = sites[0]?.name ?? installation.home;
    const known = { name, url: sites[0]?.url ?? '', sites: sites.length };
    return [{ ...known, accounts: null, settings: null, fault: { code, message } }];
  }
}

const summaryOf = (found: FoundNetwork): NetworkSummary => ({
  name: found.name,
  url: found.network.sites.find(({ blog }) => blog === found.network.main)?.url ?? '',
  sites: found.network.sites.length,
  accounts: found.network.accounts,
  settings: settingsOf(found, found.network.settings),
  fault: null,
});

/** @throws Fault `site.unknown`, `network.unknown`, `site.*` */
export async function showNetwork(ports: OperationPorts, name: string): Promise<NetworkView> {
  return viewOf(await networkNamed(ports, name));
}

function viewOf(found: FoundNetwork): NetworkView {
  const { network } = found;
  return {
    name: found.name,
    title: network.name,
    accounts: network.accounts,
    settings: settingsOf(found, network.settings),
    sites: network.sites.map(({ blog, url, default_role: defaultRole, members, closed }) => ({
      blog,
      name: found.nameOf(blog),
      url,
      defaultRole,
      members,
      isMain: blog === network.main,
      closed:
        closed === null
          ? null
          : {
              why: closed,
              message: reasonSentence(
                closed === 'read_only' ? 'target.read_only' : 'network.site_closed',
              ),
            },
    })),
  };
}

const settingsOf = (found: FoundNetwork, settings: NetworkSettings): NetworkSettingsView => ({
  newAccount: settings.new_account,
  newSite: settings.new_site,
  roleChange: settings.role_change,
  roleSites: settings.role_sites,
  privilegedRoles: settings.privileged_roles,
  excluded: settings.excluded.map((blog) => found.nameOf(blog)),
  siteAdmins: settings.site_admins,
});

/** @throws Fault `site.guard_refused`, `site.*`; nothing has changed then */
export async function changeNetwork(
  ports: OperationPorts,
  name: string,
  change: ChangeNetwork,
  by: string,
): Promise<NetworkView> {
  const found = await networkNamed(ports, name);
  const { newAccount, newSite, roleChange, roleSites, revokeRoles, exclude, siteAdmins } = change;
  const settings = await asNetwork(() =>
    ports.network.settings(found.connection, {
      network: found.network.id,
      ...(newAccount === undefined ? {} : { new_account: newAccount }),
      ...(newSite === undefined ? {} : { new_site: newSite }),
      ...(roleChange === undefined ? {} : { role_change: roleChange }),
      ...(roleSites === undefined ? {} : { role_sites: roleSites }),
      ...(revokeRoles === undefined ? {} : { revoke: revokeRoles }),
      ...(exclude === undefined ? {} : { exclude: exclude.map((site) => blogNamed(found, site)) }),
      ...(siteAdmins === undefined ? {} : { site_admins: siteAdmins }),
    }),
  );
  const done = described(change);
  if (done.length > 0) {
    await ports.registry.noteEvent(found.installation.id, {
      code: 'network.settings_changed' satisfies Reason,
      message: `Settings of the network “${found.name}” were changed: ${done.join('; ')}.`,
      actor: operatorNamed(by),
    });
  }
  const network = { ...found.network, settings };
  return viewOf({ ...found, network });
}

const onOff = (is: boolean): string => (is ? 'on' : 'off');

function described(change: ChangeNetwork): readonly string[] {
  const { newAccount, newSite, roleChange, roleSites, revokeRoles, exclude, siteAdmins } = change;
  return [
    ...(newAccount === undefined ? [] : [`new accounts join every site: ${onOff(newAccount)}`]),
    ...(newSite === undefined ? [] : [`everybody joins a new site: ${onOff(newSite)}`]),
    ...(roleChange === undefined ? [] : [`role changes are copied: ${onOff(roleChange)}`]),
    ...(roleSites === undefined ? [] : [`they are copied to ${roleSites} memberships`]),
    ...(revokeRoles === undefined ? [] : [`not given any more: ${revokeRoles.join(', ')}`]),
    ...(exclude === undefined ? [] : [`excluded: ${exclude.join(', ')}`]),
    ...(siteAdmins === undefined
      ? []
      : [`a site’s administrators may fill it: ${onOff(siteAdmins)}`]),
  ];
}
