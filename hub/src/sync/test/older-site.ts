/**
 * A site in memory with a connector of the contract's first version: it has no route that came later, tells nothing
 * that came later, and overlooks or refuses what it is told beyond what it knows. It passes that version's cases of
 * the conformance suite, as the connector of that time did.
 */
import type { AccountState, FieldValue } from '#contract/account-state.ts';
import type { Operation, StatusAnswer, WriteOperation } from '#contract/messages.ts';
import { Fault } from '../../errors.ts';
import { isMeta } from '../../model/field.ts';
import { isPattern } from '../../model/meta-pattern.ts';
import type { Connection, SitePort } from '../ports.ts';
import { FakeSite } from './fake-site.ts';

export class OlderSite extends FakeSite {
  /** What it says that it speaks. */
  contract = 1;

  override async status(connection: Connection): Promise<StatusAnswer & { roundTripMs: number }> {
    const { ext: _, whitelist: _none, ...status } = await super.status(connection);
    return { ...status, contract: this.contract };
  }

  override async changes(...asked: Parameters<SitePort['changes']>) {
    const answer = await super.changes(...asked);
    const rows = answer.rows.map(({ account, ...row }) => {
      const { outgoing_stopped: _, ...actor } = row.actor;
      return { ...row, actor, ...(account === undefined ? {} : { account: asTold(account) }) };
    });
    return { ...answer, rows };
  }

  override async accounts(...asked: Parameters<SitePort['accounts']>) {
    const answer = await super.accounts(...asked);
    return { ...answer, accounts: answer.accounts.map(asTold) };
  }

  override async settings(
    connection: Connection,
    { signIns: _, ext: _none, meta, ...known }: Parameters<SitePort['settings']>[1],
  ): Promise<void> {
    // It watches for keys in full, and takes a pattern for one that nobody has.
    const keys = meta?.filter((entry) => !isPattern(entry));
    await super.settings(connection, { ...known, ...(keys && { meta: keys }) });
  }

  override async apply(
    connection: Connection,
    { operations, ...request }: Parameters<SitePort['apply']>[1],
  ) {
    return super.apply(connection, { ...request, operations: operations.map(asHeard) });
  }

  override async guard(): Promise<never> {
    return this.noSuchRoute();
  }
  override async switches(): Promise<never> {
    return this.noSuchRoute();
  }
  override async erase(): Promise<never> {
    return this.noSuchRoute();
  }
  override async digests(): Promise<never> {
    return this.noSuchRoute();
  }
  override async newCredential(): Promise<never> {
    return this.noSuchRoute();
  }

  /** As the hub's client names WordPress's own answer. */
  private noSuchRoute(): never {
    throw new Fault('site.no_connector', `${this.name} has no such route`);
  }
}

function asTold(state: AccountState): AccountState {
  const { signed_in: _, email_by: _none, privileged_by: _either, switches, ...account } = state;
  const { stop_made: _later, ...known } = switches;
  return { ...account, switches: known };
}

function asHeard(operation: Operation): Operation {
  if (operation.kind === 'delete') {
    const { privileged: _, ...known } = operation;
    return known;
  }
  const { privileged: _, password_mail: _none, create, ...known } = operation;
  const fields = Object.entries(operation.fields).map(
    ([field, { v, s }]) => [field, { v: isMeta(field) ? withoutMaps(v) : v, s }] as const,
  );
  return { ...known, create: create && asBorn(create), fields: Object.fromEntries(fields) };
}

function asBorn(birth: NonNullable<WriteOperation['create']>): WriteOperation['create'] {
  const { login_taken: _, ...create } = birth;
  return create;
}

/** A map in place of another that this site refuses as it refused all of them then: no text stands for its key. */
function withoutMaps(value: FieldValue): FieldValue {
  if (Array.isArray(value)) return value.map(withoutMaps);
  return typeof value === 'object' && value !== null ? { 0: null } : value;
}
