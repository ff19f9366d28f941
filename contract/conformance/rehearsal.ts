/**
 * One site under test and the words that the cases are told in.
 *
 * Does: give every case people of its own; find a case's rows and states.
 * Always true: nothing here asserts; a missing account or receipt is an error, never an empty answer.
 * People are made a dozen at a time, because a real site answers one request in half a second.
 */
import { randomUUID } from 'node:crypto';
import type { AccountState } from '#contract/account-state.ts';
import type { ApplyAnswer, ChangeRow, Operation, Receipt } from '#contract/messages.ts';
import { wordPressId } from '#hub/model/ids.ts';
import {
  creation,
  fresh,
  GUEST_FIELDS,
  type Guest,
  past,
  register,
  type Somebody,
  stamped,
} from './operations.ts';
import type { Act, Present, SiteUnderTest } from './site-under-test.ts';

/** More than any case leaves behind. */
const ALL = 1000;
const DOZEN = 12;
const GUESTS_CAME_SECONDS_AGO = 1_000;

export class Rehearsal {
  readonly site: SiteUnderTest;
  readonly #members: Somebody[] = [];
  readonly #guests: Guest[] = [];
  #elders = 0;
  #administrator: Somebody | undefined;
  /** Rows that were read and are no case's any more: they go with the next pull. */
  #done: [string, number][] = [];

  constructor(site: SiteUnderTest) {
    this.site = site;
  }

  // ---- people ----

  /** Gives ids by login. */
  async people(...acts: readonly Act[]): Promise<(login: string) => number> {
    const ids = await this.site.people(acts);
    return (login) => {
      const id = ids.get(login);
      if (id === undefined) throw new Error(`nobody is called ${login}`);
      return id;
    };
  }

  /** Somebody who registered here and whom the hub has labelled; nothing of it waits any more. */
  async member(): Promise<Somebody> {
    if (this.#members.length === 0) {
      const logins = Array.from({ length: DOZEN }, () => fresh('member'));
      const id = await this.people(...logins.map((login) => register(login)));
      const members = logins.map((login) => ({ login, id: id(login), uid: randomUUID() }));
      await this.site.port.labels(this.site.connection, members);
      await this.drain();
      this.#members.push(...members);
    }
    return taken(this.#members);
  }

  /** Somebody who came from elsewhere with `GUEST_FIELDS`, all at one stamp. */
  async guest(): Promise<Guest> {
    if (this.#guests.length === 0) {
      const ms = past(GUESTS_CAME_SECONDS_AGO);
      const operations = Array.from({ length: DOZEN }, () => {
        const login = fresh('guest');
        return creation(login, stamped({ ...GUEST_FIELDS, email: `${login}@people.test` }, ms));
      });
      const receipts = await this.receipts(...operations);
      this.#guests.push(...receipts.map((receipt, i) => guestOf(receipt, operations[i]?.uid, ms)));
    }
    return taken(this.#guests);
  }

  async guests(count: number): Promise<readonly Guest[]> {
    const guests: Guest[] = [];
    while (guests.length < count) guests.push(await this.guest());
    return guests;
  }

  /** Somebody who was there before Rollcall. */
  elder(): string {
    const login = this.site.elders[this.#elders];
    this.#elders += 1;
    if (login === undefined) throw new Error('no elder is left: give the site more');
    return login;
  }

  /** Labelled when first asked for. */
  async administrator(): Promise<Somebody> {
    if (this.#administrator === undefined) {
      const login = this.site.administrator;
      const id = (await this.people())(login);
      this.#administrator = { id, login, uid: randomUUID() };
      await this.site.port.labels(this.site.connection, [this.#administrator]);
    }
    return this.#administrator;
  }

  // ---- what is there ----

  async present(login: string): Promise<Present> {
    const present = (await this.site.read([login])).get(login);
    if (present === undefined) throw new Error(`nobody is called ${login}`);
    return present;
  }

  async states(...ids: readonly number[]): Promise<readonly AccountState[]> {
    const request = { after: 0, limit: ALL, ids, detail: 'state' as const };
    return (await this.site.port.accounts(this.site.connection, request)).accounts;
  }

  async state(id: number): Promise<AccountState> {
    const [state] = await this.states(id);
    if (state === undefined) throw new Error(`no account ${id}`);
    return state;
  }

  // ---- what arrives ----

  apply(operations: readonly Operation[], dryRun = false): Promise<ApplyAnswer> {
    return this.site.port.apply(this.site.connection, { operations, dryRun });
  }

  async receipts(...operations: readonly Operation[]): Promise<readonly Receipt[]> {
    const { receipts, done } = await this.apply(operations);
    if (done !== operations.length) throw new Error(`only ${done} operations were dealt with`);
    return receipts;
  }

  async receipt(operation: Operation): Promise<Receipt> {
    const [receipt] = await this.receipts(operation);
    if (receipt === undefined) throw new Error('no receipt');
    return receipt;
  }

  // ---- what comes out ----

  /** What waits of these logins. What else waits is acknowledged with the next pull. */
  async rowsOf(...logins: readonly string[]): Promise<readonly ChangeRow[]> {
    return ownOf(logins, await this.#pull(logins));
  }

  /** The only row that waits of a login. */
  async rowOf(login: string): Promise<ChangeRow> {
    return only(login, await this.rowsOf(login));
  }

  /** Acknowledges rows; gives what waits then of a login. */
  async acknowledge(
    rows: readonly Pick<ChangeRow, 'row' | 'rev'>[],
    login: string,
  ): Promise<readonly ChangeRow[]> {
    this.#done.push(...refs(rows));
    return this.rowsOf(login);
  }

  /** Has accounts stamped again whose stamps lie in the future. */
  async restamp({ id, login }: Somebody): Promise<ChangeRow> {
    return only(login, ownOf([login], await this.#pull([login], [id])));
  }

  async drain(): Promise<void> {
    await this.#pull([]);
    if ((await this.#pull([])).length > 0) throw new Error('the outbox does not become empty');
  }

  async #pull(keep: readonly string[], restamp?: readonly number[]): Promise<readonly ChangeRow[]> {
    const request = { ack: this.#done, limit: ALL };
    const { rows } = await this.site.port.changes(
      this.site.connection,
      restamp === undefined ? request : { ...request, restamp: restamp.map(wordPressId) },
    );
    const own = new Set(ownOf(keep, rows));
    this.#done = refs(rows.filter((row) => !own.has(row)));
    return rows;
  }
}

const refs = (rows: readonly Pick<ChangeRow, 'row' | 'rev'>[]) =>
  rows.map(({ row, rev }): [string, number] => [row, rev]);

const ownOf = (logins: readonly string[], rows: readonly ChangeRow[]): readonly ChangeRow[] =>
  rows.filter(({ account, gone }) => logins.includes((account ?? gone)?.login ?? ''));

function only(login: string, [row, second]: readonly ChangeRow[]): ChangeRow {
  if (row === undefined || second !== undefined) {
    throw new Error(`${row === undefined ? 'no row' : 'two rows'} of ${login}`);
  }
  return row;
}

function taken<T>(pool: T[]): T {
  const one = pool.shift();
  if (one === undefined) throw new Error('nobody came about');
  return one;
}

function guestOf(receipt: Receipt, uid: string | undefined, ms: number): Guest {
  const { id, login, result } = receipt;
  if (id === undefined || login === undefined || uid === undefined || result !== 'created') {
    throw new Error(`not created: ${JSON.stringify(receipt)}`);
  }
  return { id, login, uid, ms };
}
