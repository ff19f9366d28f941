/**
 * Reads who is who on an installation, page by page, when it is connected.
 *
 * Does: give every account an identity of its own and tell the site its label. Whole states are
 * asked for, so that the site takes a fingerprint of every account: WordPress 6.1 has a way to set
 * a password that leaves no other trace.
 * Does not: link accounts of different installations, keep any value, or make anything travel:
 * a value from before Rollcall stays where it is until somebody edits it. Does not take somebody
 * whom the hub itself is creating there for a stranger: the answer to that tells who it is.
 * Always true: repeating it changes nothing.
 */
import type { AccountState } from '#contract/account-state.ts';
import type { Account, Identity } from '../../model/identity.ts';
import { wordPressId } from '../../model/ids.ts';
import { sitesOf } from '../../model/route.ts';
import { accountPages } from '../account-pages.ts';
import { label, newIdentity, PAGE_ROWS, type PullInput, type PullPorts } from './pull.ts';
import { sentThere } from './sent-there.ts';
import { rolesTold, standingTold, whoTells } from './who-tells.ts';

export async function census(input: PullInput, ports: PullPorts): Promise<number> {
  let count = 0;
  const asked = { limit: PAGE_ROWS, detail: 'state' } as const;
  for await (const page of accountPages(ports.site, input.connection, asked)) {
    await ports.store.transaction(async (tx) => {
      const ids = page.accounts.map((state) => wordPressId(state.id));
      const known = await tx.lockByAccount(input.installation, ids);
      const unknown = page.accounts.filter((state) => !known.has(wordPressId(state.id)));
      const sent = await sentThere(tx, unknown, input);
      const strangers = unknown.filter((state) => !sent.has(state.id));
      await tx.save(strangers.map((state) => withWho(newIdentity(), state, input)));
    });
    count += page.accounts.length;
  }
  await label(input, ports);
  return count;
}

/** `known` stays empty: when the account was born is learned with its first change. */
function withWho(
  identity: Identity,
  state: AccountState,
  { installation, topology }: PullInput,
): Identity {
  const foreign = state.uid !== null && state.uid !== identity.uid;
  const here = sitesOf(topology, installation);
  const routes = topology.routes.filter(({ source }) => here.some(({ key }) => key === source));
  const account: Account = {
    ...whoTells(state, installation, here),
    labelled: foreign,
    known: new Map(),
    roles: rolesTold(state, here),
    ...standingTold(state, routes),
    gone: null,
    alarm: foreign || !state.label_ok ? 'identity.label_mismatch' : null,
  };
  return { ...identity, accounts: new Map([[installation, account]]) };
}
