/**
 * What a manual sync would do with a page of accounts, and why. Reads both sides; writes nothing.
 *
 * Always true: the preview and the run are this same plan (I10). A link that the operator has not
 * named keeps its reason, `link.unproven`: the preview shows it, and the run leaves it alone (I5).
 */
import type { AccountState } from '#contract/account-state.ts';
import type { PLANNED, SyncRequest } from '../../api/schemas/sync.ts';
import type { Field } from '../../model/field.ts';
import type { Account, Candidate, Identity } from '../../model/identity.ts';
import { wordPressId } from '../../model/ids.ts';
import type { Route } from '../../model/route.ts';
import type { Reason } from '../../reasons.ts';
import type { SiteRecord, Transaction } from '../../sync/ports.ts';
import type { OperationPorts } from '../ports.ts';
import { compare } from './compare.ts';

export interface Way {
  readonly route: Route;
  readonly target: SiteRecord;
}

export interface Planned {
  readonly state: AccountState;
  readonly identity: Identity;
  readonly way: Way;
  readonly what: (typeof PLANNED)[number];
  readonly fields: readonly Field[];
  readonly atLeastMs: number;
  readonly reason: Reason | null;
  /** For `link`: the older account that may be the same person; proven by the run if it was named. */
  readonly candidate: Candidate | null;
}

export async function planPage(
  ports: OperationPorts,
  source: SiteRecord,
  ways: readonly Way[],
  states: readonly AccountState[],
  named: SyncRequest['links'] = [],
): Promise<readonly Planned[]> {
  const { identities, candidates } = await ports.store.transaction((tx) =>
    known(tx, source, ways, states),
  );
  const planned: Planned[] = [];
  for (const way of ways) {
    const drafts = states.flatMap((state) => {
      const identity = identities.get(wordPressId(state.id));
      if (identity === undefined) return [];
      return [
        withProof(
          draft(state, identity, way, source, candidates(identity.uid, way.target.installation)),
          named,
        ),
      ];
    });
    planned.push(...(await withDifferences(ports, source, way, drafts)));
  }
  return planned;
}

async function known(
  tx: Transaction,
  source: SiteRecord,
  ways: readonly Way[],
  states: readonly AccountState[],
) {
  const identities = await tx.lockByAccount(
    source.installation,
    states.map((state) => wordPressId(state.id)),
  );
  const people = states.flatMap((state) => {
    const identity = identities.get(wordPressId(state.id));
    return identity === undefined
      ? []
      : [{ uid: identity.uid, email: state.email, login: state.login }];
  });
  const candidates = await tx.candidates(
    people,
    ways.map((way) => way.target.installation),
  );
  return { identities, candidates };
}

type Draft = Planned & { readonly twin: number | null };

function draft(
  state: AccountState,
  identity: Identity,
  way: Way,
  source: SiteRecord,
  candidates: readonly Candidate[],
): Draft {
  const base = { state, identity, way, fields: [], atLeastMs: 0, candidate: null, twin: null };
  const skip = (reason: Reason): Draft => ({ ...base, what: 'skip', reason });
  const here = identity.accounts.get(source.installation);
  if (here?.alarm != null) return skip('identity.label_mismatch');
  if (state.privileged) return skip('account.privileged');
  if (state.switches.stop_outgoing) return skip('account.outgoing_stopped');
  const there = identity.accounts.get(way.target.installation);
  if (there !== undefined) {
    const reason = refusal(there);
    return reason === null
      ? { ...base, what: 'update', reason: null, twin: there.wpId }
      : skip(reason);
  }
  const byEmail = candidates.find((candidate) => candidate.by === 'email');
  if (byEmail?.privileged === true) return skip('link.privileged');
  if (byEmail !== undefined && !byEmail.alreadyElsewhere) {
    return { ...base, what: 'link', reason: null, candidate: byEmail, twin: byEmail.wpId };
  }
  if (byEmail !== undefined) return { ...base, what: 'hold', reason: 'identity.email_taken' };
  if (candidates.length > 0) return { ...base, what: 'hold', reason: 'identity.login_taken' };
  return { ...base, what: 'create', reason: null };
}

/** The very pair must have been named: who has the address by now may be somebody else. */
function withProof(draft: Draft, named: NonNullable<SyncRequest['links']>): Draft {
  const { state, way, candidate } = draft;
  if (candidate === null) return draft;
  const isNamed = named.some(
    (link) =>
      link.login === state.login &&
      link.other === candidate.login &&
      link.target.toLowerCase() === way.target.name.toLowerCase(),
  );
  return isNamed ? draft : { ...draft, reason: 'link.unproven' };
}

function refusal(there: Account): Reason | null {
  if (there.gone !== null) return 'identity.deleted';
  if (there.alarm !== null) return 'identity.label_mismatch';
  if (there.privileged) return 'target.privileged_account';
  return there.incomingRejected ? 'account.incoming_rejected' : null;
}

/** Reads the twins on the target and compares field by field. */
async function withDifferences(
  ports: OperationPorts,
  source: SiteRecord,
  { target }: Way,
  drafts: readonly Draft[],
): Promise<Planned[]> {
  const ids = drafts.flatMap(({ twin }) => twin ?? []);
  const twins = new Map<number, AccountState>();
  if (ids.length > 0) {
    const connection = await ports.registry.connection(target.installation);
    const page = await ports.site.accounts(connection, {
      after: 0,
      limit: 1000,
      ids,
      detail: 'state',
    });
    for (const state of page.accounts) twins.set(state.id, state);
  }
  return drafts.map(({ twin, ...planned }): Planned => {
    if (twin === null) return planned;
    const there = twins.get(twin);
    if (there === undefined) return { ...planned, what: 'skip', reason: 'target.account_missing' };
    if (there.privileged) {
      const reason = planned.what === 'link' ? 'link.privileged' : 'target.privileged_account';
      return { ...planned, what: 'skip', reason };
    }
    const compared = compare(
      { state: planned.state, blog: source.blog },
      { state: there, blog: target.blog },
      planned.way.route.rules,
    );
    const same = compared.fields.length === 0 && planned.what === 'update';
    return { ...planned, ...compared, what: same ? 'unchanged' : planned.what };
  });
}
