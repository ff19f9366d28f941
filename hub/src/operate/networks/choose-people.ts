/**
 * What an operator asked for, as the connector takes it: names become ids once, when it is asked for.
 *
 * Always true: a person is chosen by the very login or address, whatever a database's collation takes for the same.
 */

import type { AccountState } from '#contract/account-state.ts';
import { MOST_PEOPLE, type NetworkSpec } from '#contract/network-messages.ts';
import type { NetworkPeople, NetworkRunRequest } from '../../api/schemas/network.ts';
import { Fault } from '../../errors.ts';
import { accountPages } from '../../sync/account-pages.ts';
import type { OperationPorts } from '../ports.ts';
import { blogNamed, connectionTo, type FoundNetwork } from './find-network.ts';

const PAGE = 500;

/** @throws Fault `site.unknown`, `network.nobody`, `site.*` */
export async function specOf(
  ports: OperationPorts,
  found: FoundNetwork,
  request: NetworkRunRequest,
): Promise<NetworkSpec> {
  const sites =
    request.sites === 'all'
      ? ('all' as const)
      : [...new Set(request.sites.map((name) => blogNamed(found, name)))].toSorted((a, b) => a - b);
  const people = await chosen(ports, found, request.people);
  const both = { sites, people, add_back: request.addBack ?? false };
  if (request.action === 'fill') return { action: 'fill', ...both };
  return {
    action: 'copy',
    ...both,
    from: blogNamed(found, request.from),
    memberships: request.memberships ?? 'existing',
  };
}

async function chosen(
  ports: OperationPorts,
  found: FoundNetwork,
  people: NetworkPeople,
): Promise<NetworkSpec['people']> {
  switch (people.by) {
    case 'all':
      return 'all';
    case 'ids':
      return [...new Set(people.ids)].toSorted((a, b) => a - b);
    case 'accounts':
      return byLogin(ports, found, people.logins);
    case 'emails':
      return byEmail(ports, found, people.emails);
    case 'search':
      return some(await read(ports, found, { search: people.search }), people.search);
    default: {
      const on = blogNamed(found, people.on);
      const ids = await read(ports, found, { roles: people.roles }, on);
      return some(ids, `${people.roles.join(', ')} on ${found.nameOf(on)}`);
    }
  }
}

async function byLogin(
  ports: OperationPorts,
  found: FoundNetwork,
  logins: readonly string[],
): Promise<number[]> {
  const wanted = new Set(logins);
  const ids = await read(ports, found, { logins }, null, ({ login }) => wanted.delete(login));
  const [nobody] = wanted;
  if (nobody !== undefined) throw noOne(nobody);
  return ids;
}

async function byEmail(
  ports: OperationPorts,
  found: FoundNetwork,
  emails: readonly string[],
): Promise<number[]> {
  const ids = new Set<number>();
  for (const wanted of emails) {
    const isMeant = ({ email }: AccountState) => email.toLowerCase() === wanted.toLowerCase();
    const meant = await read(ports, found, { search: wanted }, null, isMeant);
    if (meant.length === 0) throw noOne(wanted);
    for (const id of meant) ids.add(id);
  }
  return [...ids].toSorted((a, b) => a - b);
}

async function read(
  ports: OperationPorts,
  found: FoundNetwork,
  filter: {
    readonly logins?: readonly string[];
    readonly roles?: readonly string[];
    readonly search?: string;
  },
  /** Roles are those of this site. */
  blog: number | null = null,
  isMeant: (state: AccountState) => boolean = () => true,
): Promise<number[]> {
  const connection = blog === null ? found.connection : connectionTo(found, blog);
  const ids: number[] = [];
  const asked = { limit: PAGE, detail: 'who', ...filter } as const;
  for await (const { accounts } of accountPages(ports.site, connection, asked, 0)) {
    for (const state of accounts) if (isMeant(state)) ids.push(state.id);
    if (ids.length > MOST_PEOPLE) {
      const sentence = `More than ${MOST_PEOPLE} people are meant.`;
      throw new Fault('request.invalid', `${sentence} Name fewer, or take everybody.`);
    }
  }
  return ids;
}

function some(ids: number[], what: string): number[] {
  if (ids.length > 0) return ids;
  throw noOne(what);
}

const noOne = (what: string): Fault =>
  new Fault('network.nobody', `The network has nobody who is meant by “${what}”.`);
