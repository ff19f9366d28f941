/**
 * A site in memory that keeps the contract: outbox with revisions, stamps, merge, tombstones,
 * receipts. For tests whose subject is the hub; it passes the same suite as the real connector
 * (contract/conformance.ts).
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { AccountState, Actor } from '#contract/account-state.ts';
import type {
  AccountsAnswer,
  ApplyAnswer,
  ChangeRow,
  ChangesAnswer,
  DigestsAnswer,
  ErasureOrder,
  ErasureResult,
  Mark,
  MarkOffer,
  Operation,
  ProofOrder,
  StatusAnswer,
  SwitchOrder,
  SwitchResult,
} from '#contract/messages.ts';
import { CONTRACT_VERSION } from '#contract/version.ts';
import { Fault } from '../../errors.ts';
import {
  type Field,
  isMeta,
  isRole,
  metaKeyOf,
  roleField,
  textOf,
  type Value,
} from '../../model/field.ts';
import { siteKey } from '../../model/ids.ts';
import { covers } from '../../model/meta-pattern.ts';
import { isNeverSynced } from '../../model/never-synced.ts';
import { FUTURE_TOLERANCE_MS, nextStamp, type Stamp } from '../../model/stamp.ts';
import type { Connection, Credential, HubIdentity, SitePort } from '../ports.ts';
import {
  emailOf,
  type FakeAccount,
  FakeAccounts,
  greatestMs,
  hasRole,
  valueOf,
  wire,
} from './fake-accounts.ts';
import { accountRefusal, applyOne } from './fake-apply.ts';
import { digestOf } from './fake-digests.ts';
import { FakeGuard } from './fake-guard.ts';
import type { FakeGround } from './fake-merge.ts';
import { FakeOutbox, type OutboxRow } from './fake-outbox.ts';
import { mailedFor } from './fake-password-mail.ts';
import { answerProof, confirmAll } from './fake-proofs.ts';

export interface FakeSiteOptions {
  readonly key: number;
  readonly name: string;
  readonly now: () => number;
  /** Roles that a hub may give; the first is the site's default. */
  readonly roles?: readonly string[];
  /** Meta keys that are watched; without them every key is. */
  readonly meta?: readonly string[];
}

const sumOver = (listed: StatusAnswer['sites']): string =>
  createHash('md5').update(JSON.stringify(listed)).digest('hex');

const PRIVILEGED_ROLES = ['administrator', 'editor'];

export class FakeSite implements SitePort {
  readonly key: number;
  readonly name: string;
  readonly accountsById: Map<number, FakeAccount>;
  readonly tombstones: Map<string, Stamp>;
  /** Applied operations that changed something, by uid: "reaches each site exactly once". */
  readonly applied: { uid: string; fields: readonly Field[] }[] = [];
  /** Fields that arrived although the site held that very stamp. */
  repeated = 0;
  down = false;
  /** The next so many answers of `/apply` are lost after having been applied. */
  loseReceipts = 0;
  /** The next so many answers of `/changes` are lost. */
  loseChanges = 0;
  busy = new Set<number>();
  /** Runs while the next `/apply` is under way, after the site has written. */
  meanwhile: (() => Promise<void>) | null = null;
  /** Rows that come with the next page, before its own. */
  tellFirst: ChangeRow[] = [];
  /** What it says of values that were written past its own functions, while it holds them. */
  heldOutside: string | null = null;
  /** Sites of a network, as it tells of them; empty: it is a single site. */
  listed: StatusAnswer['sites'] = [];
  cookies: StatusAnswer['cookies'];
  /** What the site lets a hub do, whatever the hub says. */
  readonly guarding: FakeGuard;
  epoch = 'epoch-1';
  mark: Mark | null = null;
  offsetMs = 0;
  private bound: HubIdentity | null = null;
  /** Passwords that it takes; null: any, until one was asked for. */
  private good: { readonly now: string; readonly next: string | null } | null = null;
  private issued = 0;
  private readonly erasures = new Set<string>();
  private readonly people: FakeAccounts;
  /** Where it was told to signal. */
  signalsTo: string | null = null;
  private readonly outbox = new FakeOutbox();
  private readonly ground: FakeGround;
  private readonly now: () => number;
  private readonly roles: readonly string[];
  private meta: readonly string[] | null;
  private tellsSignIns = false;

  constructor(options: FakeSiteOptions) {
    this.key = options.key;
    this.name = options.name;
    this.now = options.now;
    this.roles = options.roles ?? ['subscriber', 'contributor', 'author'];
    this.meta = options.meta ?? null;
    this.people = new FakeAccounts(siteKey(this.key), PRIVILEGED_ROLES);
    this.guarding = new FakeGuard(this.name, this.roles, [...this.roles, ...PRIVILEGED_ROLES]);
    this.accountsById = this.people.byId;
    this.tombstones = this.people.tombstones;
    this.ground = this.groundOfApply();
  }

  // ---- what people do on the site ----

  register(person: { login: string; email: string; password?: string; role?: string }): number {
    const registered = new Date(this.hubMs()).toISOString().slice(0, 19).replace('T', ' ');
    const account = this.people.insert(person.login, registered);
    account.born = nextStamp(this.hubMs(), 0, siteKey(this.key));
    this.fill(account, person, account.born);
    account.trusted = { email: person.email, by: 'registration' };
    this.outbox.mark(account.id, 'create', this.hubMs());
    return account.id;
  }

  /** An account from before Rollcall: nothing is captured. */
  settle(person: { login: string; email: string; role?: string }): number {
    const account = this.people.insert(person.login, '2020-01-01 00:00:00');
    this.fill(account, person, account.born);
    return account.id;
  }

  /** It runs a connector from before addresses were looked at. */
  forgetEmailOrigins(): void {
    this.people.tellsEmailOrigins = false;
  }

  /** It runs one from before it told what makes somebody privileged. */
  forgetPower(): void {
    this.people.tellsPower = false;
  }

  /** The person follows the link that the site mails to a new address. */
  moveTo(id: number, email: string): void {
    this.edit(id, { email });
    this.account(id).trusted = { email, by: 'confirmation' };
  }

  /** @param by whose account does it; without one it is somebody of no concern */
  edit(id: number, changes: Readonly<Record<Field, Value>>, by?: number): void {
    const account = this.account(id);
    const sinceMs = greatestMs(account) + 1;
    if (this.people.change(account, changes, this.hubMs())) {
      const actor = by === undefined ? {} : { actor: this.actorOf(by) };
      this.outbox.mark(id, 'update', this.hubMs(), { sinceMs, ...actor });
    }
  }

  private actorOf(id: number): Actor {
    const { login, switches } = this.account(id);
    const stays = switches.stop_outgoing && switches.stop_made;
    return { kind: 'account', id, login, ...(stays ? { outgoing_stopped: true } : {}) };
  }

  remove(id: number): void {
    const account = this.account(id);
    const { uid, login } = account;
    const stamp = nextStamp(this.hubMs(), greatestMs(account), siteKey(this.key));
    this.accountsById.delete(id);
    if (uid !== null) this.tombstones.set(uid, stamp);
    this.outbox.markGone(id, { uid, login, stamp }, this.hubMs());
  }

  /** The whole database as it is now; what is answered puts it back. Names of rows don't come again. */
  backUp(): () => void {
    const kept = structuredClone([this.accountsById, this.tombstones, this.outbox.rows] as const);
    return () => {
      const [accounts, tombstones, rows] = structuredClone(kept);
      this.accountsById.clear();
      this.tombstones.clear();
      for (const [id, account] of accounts) this.accountsById.set(id, account);
      for (const [uid, stamp] of tombstones) this.tombstones.set(uid, stamp);
      this.outbox.rows = rows;
    };
  }

  /** The switch in the profile: told as a change, stamps nothing. */
  rejectIncoming(id: number): void {
    this.account(id).switches.reject_incoming = true;
    this.outbox.mark(id, 'update', this.hubMs());
  }

  /** The other switch in the profile. */
  stopOutgoing(id: number, stopped: boolean, by?: number): void {
    this.account(id).switches.stop_outgoing = stopped;
    this.outbox.mark(
      id,
      'update',
      this.hubMs(),
      by === undefined ? {} : { actor: this.actorOf(by) },
    );
  }

  /** The third switch: what this account does to others stays here. */
  keepDeeds(id: number): void {
    this.account(id).switches.stop_made = true;
    this.stopOutgoing(id, true);
  }

  /** The account as a row of its own, beside the one in the outbox. */
  readAsRow(id: number): ChangeRow {
    const account = this.people.state(this.account(id));
    const atMs = this.hubMs();
    const row = 'f'.repeat(16);
    return { row, rev: 1, kind: 'update', at: atMs, blog: 1, actor: { kind: 'cli' }, account };
  }

  /** Whoever got the mails of an account confirms them, on its page. */
  confirmMailed(id: number): void {
    const { proofs } = this.account(id);
    if (confirmAll(proofs, 'mail', this.hubMs())) this.outbox.mark(id, 'update', this.hubMs());
  }

  /** Signs in with a password that is right. */
  signIn(id: number, password: string): void {
    const account = this.account(id);
    const isFirst = !account.signedIn && this.tellsSignIns;
    account.signedIn = true;
    const done = confirmAll(account.proofs, 'password', this.hubMs(), password);
    if (done || isFirst) this.outbox.mark(id, 'update', this.hubMs());
  }

  byLogin(login: string): FakeAccount | undefined {
    return this.people.byLogin(login);
  }

  watches(metaKey: string): boolean {
    if (this.meta === null) return true;
    return !isNeverSynced(metaKey) && this.meta.some((entry) => covers(entry, metaKey));
  }

  value(login: string, field: Field): Value | undefined {
    return this.byLogin(login)?.fields.get(field)?.value;
  }

  // ---- the contract ----

  async status(connection: Connection): Promise<StatusAnswer & { roundTripMs: number }> {
    this.answerOrFail(connection);
    return {
      roundTripMs: 1,
      contract: CONTRACT_VERSION,
      connector: 'fake',
      wordpress: '7.1.1',
      php: '8.3.0',
      database: 'memory',
      multisite: this.listed.some(({ network }) => network !== undefined),
      store: this.name,
      home: `${this.name}.test`,
      sites: this.listed,
      sites_sum: sumOver(this.listed),
      clock: this.now(),
      offset_ms: this.offsetMs,
      epoch: this.epoch,
      head: this.outbox.head,
      mark: this.mark,
      backlog: this.outbox.rows.length,
      bound: null,
      signals: false,
      bcrypt_cost: 10,
      verifies: {},
      woocommerce: false,
      ext: [],
      accounts: this.accountsById.size,
      ...(this.cookies === undefined ? {} : { cookies: this.cookies }),
      warnings:
        this.heldOutside === null
          ? []
          : [{ code: 'source.rewritten_outside', message: this.heldOutside }],
    };
  }

  async changes(
    connection: Connection,
    request: {
      ack: readonly (readonly [string, number])[];
      limit: number;
      restamp?: readonly number[];
      mark?: MarkOffer;
    },
  ): Promise<ChangesAnswer> {
    this.answerOrFail(connection);
    this.refuseOtherMark(request.mark);
    if (request.ack.length > 0 || (request.restamp?.length ?? 0) > 0 || this.outbox.rows.length > 0)
      this.mark = request.mark?.next ?? this.mark;
    this.outbox.acknowledge(request.ack);
    for (const id of request.restamp ?? []) this.restamp(id);
    if (this.loseChanges > 0) {
      this.loseChanges -= 1;
      throw new Fault('site.bad_answer', `${this.name} broke off`);
    }
    const { rows, head } = this.outbox;
    const own = rows.slice(0, request.limit).map((row) => this.toRow(row));
    const page = [...this.tellFirst.splice(0), ...own];
    const more = rows.length > request.limit;
    const { epoch, mark, heldOutside: outside } = this;
    const sites_sum = sumOver(this.listed);
    return { epoch, head, clock: this.now(), mark, rows: page, more, sites_sum, outside };
  }

  async accounts(
    connection: Connection,
    request: Parameters<SitePort['accounts']>[1],
  ): Promise<AccountsAnswer> {
    this.answerOrFail(connection);
    const all = this.people
      .all()
      .filter((account) => isAskedFor(account, request))
      .sort((a, b) => a.id - b.id);
    const page = all
      .slice(0, request.limit)
      .map(
        (account): AccountState =>
          request.detail === 'who' ? this.people.who(account) : this.people.state(account),
      );
    const next = all.length > request.limit ? (page.at(-1)?.id ?? null) : null;
    return { accounts: page, next, clock: this.now(), epoch: this.epoch };
  }

  async digests(
    connection: Connection,
    { fields, after, limit, ids }: Parameters<SitePort['digests']>[1],
  ): Promise<DigestsAnswer> {
    const asked = { after, limit, detail: 'state', ...(ids && { ids }) } as const;
    const { accounts, ...page } = await this.accounts(connection, asked);
    return { ...page, digests: accounts.map((state) => digestOf(state, fields)) };
  }

  async labels(
    connection: Connection,
    labels: readonly { id: number; uid: string; login: string; was?: string | undefined }[],
  ) {
    this.answerOrFail(connection);
    return labels.map(({ id, uid, login, was }) => {
      const account = this.accountsById.get(id);
      if (account === undefined) return { id, result: 'missing' as const };
      if (account.login !== login) return { id, result: 'mismatch' as const };
      if (account.uid === uid) return { id, result: 'already' as const };
      const free = account.uid === null || account.uid === was;
      if (!free || this.people.byUid(uid) !== undefined) return { id, result: 'mismatch' as const };
      account.uid = uid;
      return { id, result: 'labelled' as const };
    });
  }

  async apply(
    connection: Connection,
    request: { operations: readonly Operation[]; dryRun: boolean; mark?: MarkOffer },
  ): Promise<ApplyAnswer> {
    this.answerOrFail(connection);
    this.refuseOtherMark(request.mark);
    if (!request.dryRun) this.mark = request.mark?.next ?? this.mark;
    const receipts = request.operations.map((operation) => {
      const receipt = applyOne(this.ground, operation, request.dryRun);
      return request.dryRun ? receipt : mailedFor(operation, receipt);
    });
    const { meanwhile } = this;
    this.meanwhile = null;
    await meanwhile?.();
    if (this.loseReceipts > 0) {
      this.loseReceipts -= 1;
      throw new Fault('site.timeout', `${this.name} took too long`);
    }
    const { epoch, mark } = this;
    const done = receipts.length;
    return { receipts, done, mails_blocked: 0, clock: this.now(), mark, epoch };
  }

  async settings(
    connection: Connection,
    { offsetMs, meta, signal, signIns }: Parameters<SitePort['settings']>[1],
  ): Promise<void> {
    this.answerOrFail(connection);
    if (offsetMs !== undefined) this.offsetMs = offsetMs;
    if (meta !== undefined) this.meta = meta;
    if (signal != null) this.signalsTo = signal.url;
    if (signIns !== undefined) this.tellsSignIns = signIns;
  }

  async stamp(connection: Connection, orders: Parameters<SitePort['stamp']>[1]) {
    this.answerOrFail(connection);
    return orders.map(({ id, uid, fields, atLeastMs }) => {
      const account = this.accountsById.get(id);
      const labelled = this.people.byUid(uid);
      if (account === undefined || account !== labelled) {
        const nobody = account === undefined && labelled === undefined;
        return { id, result: nobody ? ('missing' as const) : ('mismatch' as const) };
      }
      if (this.busy.has(id)) return { id, result: 'busy' as const };
      this.stampFields(account, fields, atLeastMs);
      return { id, result: 'stamped' as const };
    });
  }

  /** Nobody writes past this site's own functions, so there is nothing to change. */
  async outside(
    connection: Connection,
    { after }: Parameters<SitePort['outside']>[1],
  ): ReturnType<SitePort['outside']> {
    this.answerOrFail(connection);
    this.heldOutside = null;
    return { changed: after - after, next: null };
  }

  async guard(connection: Connection, wanted: Parameters<SitePort['guard']>[1]) {
    this.answerOrFail(connection);
    return this.guarding.answer(wanted);
  }

  async switches(connection: Connection, orders: readonly SwitchOrder[]) {
    this.answerOrFail(connection);
    return orders.map(({ id, login, ...wanted }): SwitchResult => {
      const account = this.accountsById.get(id);
      if (account === undefined) return { id, result: 'missing' };
      if (account.login !== login) return { id, result: 'mismatch' };
      const { switches } = account;
      if (switches.reject_incoming && wanted.reject_incoming === false) {
        return { id, result: 'refused', reason: 'target.guard_kept' };
      }
      const before = { ...switches };
      Object.assign(switches, wanted);
      if (isDeepStrictEqual(before, switches)) return { id, result: 'already', switches: before };
      this.outbox.mark(id, 'update', this.hubMs());
      return { id, result: 'set', switches: { ...switches } };
    });
  }

  async erase(connection: Connection, orders: readonly ErasureOrder[]) {
    this.answerOrFail(connection);
    return orders.map(({ erasure, uid, id }): ErasureResult => {
      const account = this.people.byUid(uid);
      const reason =
        account !== undefined && account.id === id
          ? accountRefusal({ accounts: this.people, consents: () => [] }, account)
          : this.accountsById.has(id)
            ? 'identity.label_mismatch'
            : 'target.account_missing';
      if (reason !== null) return { erasure, result: 'refused', reason };
      const again = this.erasures.has(erasure);
      this.erasures.add(erasure);
      return { erasure, result: again ? 'already' : 'opened' };
    });
  }

  async proofs(connection: Connection, orders: readonly ProofOrder[]) {
    this.answerOrFail(connection);
    return orders.map((order) => answerProof(this.people, order, this.hubMs()));
  }

  async newCredential(connection: Connection): Promise<Credential> {
    this.answerOrFail(connection);
    const password = `password-${(this.issued += 1)}`;
    this.good = { now: connection.credential.password, next: password };
    return { user: connection.credential.user, password };
  }

  async disconnect(connection: Connection): Promise<void> {
    this.answerOrFail(connection);
  }

  // ---- inside ----

  private hubMs(): number {
    return this.now() + this.offsetMs;
  }

  /** Bound to the first hub that speaks to it, and to its latest term. */
  private answerOrFail({ hub, credential }: Connection): void {
    if (this.down) throw new Fault('site.unreachable', `${this.name} can't be reached`);
    if (this.good !== null && ![this.good.now, this.good.next].includes(credential.password)) {
      throw new Fault('site.credential_rejected', `${this.name} doesn't know this credential`);
    }
    const bound = this.bound ?? hub;
    if (bound.id !== hub.id) throw new Fault('site.not_mine', `${this.name} has another hub`);
    if (hub.term < bound.term) {
      throw new Fault('site.superseded', `${this.name} has heard a later term`);
    }
    this.bound = hub;
    // What follows was used: the one before it ends.
    if (this.good?.next === credential.password)
      this.good = { now: credential.password, next: null };
  }

  private refuseOtherMark(offer: MarkOffer | undefined): void {
    if (offer === undefined) return;
    if ([...offer.held, offer.next].some((mark) => mark?.id === this.mark?.id)) return;
    const detail = { mark: this.mark };
    throw new Fault('site.mark_mismatch', `${this.name} is not where it was left`, { detail });
  }

  private account(id: number): FakeAccount {
    const account = this.accountsById.get(id);
    if (account === undefined) throw new Error(`no account ${id} on ${this.name}`);
    return account;
  }

  private fill(
    account: FakeAccount,
    { email, password, role }: { email: string; password?: string; role?: string },
    stamp: Stamp,
  ): void {
    account.fields.set('email', { value: email, stamp });
    if (password !== undefined) account.fields.set('password', { value: password, stamp });
    account.fields.set(roleField(role ?? 'subscriber'), { value: true, stamp });
    this.people.fillBlanks(account, stamp);
  }

  private stampFields(account: FakeAccount, fields: readonly Field[], atLeastMs: number): void {
    const now = this.hubMs();
    const asked = Math.min(atLeastMs, now + FUTURE_TOLERANCE_MS);
    const ms = Math.max(now, greatestMs(account) + 1, asked);
    // What is not there counts too: the target is to lose it.
    const stampable = fields.filter((field) => valueOf(account, field) !== undefined);
    const watched = stampable.filter((field) => !isMeta(field) || this.watches(metaKeyOf(field)));
    for (const field of watched) {
      const value = valueOf(account, field) ?? null;
      account.fields.set(field, { value, stamp: [ms, siteKey(this.key)] });
    }
    if (watched.length > 0) this.outbox.mark(account.id, 'update', now, { actor: { kind: 'hub' } });
  }

  private restamp(id: number): void {
    const account = this.accountsById.get(id);
    if (account === undefined) return;
    const now = this.hubMs();
    const past = [...account.fields.values()]
      .map(({ stamp }) => stamp[0])
      .filter((ms) => ms <= now);
    const stamp: Stamp = [Math.max(now, ...past.map((ms) => ms + 1)), siteKey(this.key)];
    for (const [field, entry] of account.fields) {
      if (entry.stamp[0] > now) account.fields.set(field, { ...entry, stamp });
    }
    if (account.born[0] > now) account.born = stamp;
    this.outbox.mark(id, 'update', now);
  }

  private toRow({ row, rev, id, kind, actor, atMs, gone, ...rest }: OutboxRow): ChangeRow {
    const base = { row, rev, at: atMs, blog: 1, actor };
    if (gone !== undefined) {
      const { uid, login, stamp } = gone;
      return { ...base, kind: 'delete', gone: { id, uid, login, stamp: wire(stamp) } };
    }
    const account = this.accountsById.get(id);
    if (account !== undefined) {
      const overwritten = [...(rest.overwritten ?? [])].map(([field, stamp]) => ({
        field,
        blog: isRole(field) ? 1 : null,
        s: wire(stamp),
      }));
      const told = overwritten.length > 0 ? { overwritten } : {};
      return { ...base, kind, ...told, account: this.people.state(account) };
    }
    return { ...base, kind: 'error', error: { code: 'source.account_missing', message: '', id } };
  }

  private groundOfApply(): FakeGround {
    return {
      key: siteKey(this.key),
      accounts: this.people,
      nowMs: () => this.hubMs(),
      grantable: () => this.guarding.grantable(),
      refusal: (source) => this.guarding.refusal(source),
      known: [...this.roles, ...PRIVILEGED_ROLES],
      consents: () => this.guarding.consents,
      defaultRole: this.roles[0] ?? 'subscriber',
      watched: () => this.meta,
      isBusy: ({ id }) => this.busy.has(id),
      wrote: (uid, fields) => this.applied.push({ uid, fields }),
      overwrote: ({ id }, field, stamp) => this.outbox.overwrite(id, field, stamp),
      repeated: () => {
        this.repeated += 1;
      },
      ended: ({ id }) => this.outbox.drop(id),
    };
  }
}

/** Login by the database's comparison, role as present, a word in login, e-mail or display name. */
function isAskedFor(
  account: FakeAccount,
  { after, ids, logins, roles, search }: Parameters<SitePort['accounts']>[1],
): boolean {
  const login = account.login.toLowerCase();
  const word = search?.trim().toLowerCase() ?? '';
  const shown = textOf(account.fields.get('display_name')?.value).toLowerCase();
  return (
    account.id > after &&
    (ids?.includes(account.id) ?? true) &&
    (logins?.some((one) => one.toLowerCase() === login) ?? true) &&
    (roles === undefined || roles.length === 0 || roles.some((role) => hasRole(account, role))) &&
    [login, emailOf(account).toLowerCase(), shown].some((text) => text.includes(word))
  );
}
