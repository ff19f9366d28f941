/**
 * Conformance: accounts that are made because they exist elsewhere.
 */
import { describe, expect, it } from 'vitest';
import type { Feature } from '#contract/version.ts';
import {
  birth,
  creation,
  type Fields,
  fresh,
  mailOf,
  outcomes,
  past,
  results,
  stamped,
  THERE,
} from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';
import { WP_BCRYPT } from './sample-hashes.ts';

export function describeCreates(at: () => Rehearsal, has: (feature: Feature) => boolean): void {
  describe('a create', () => {
    it('makes the account with label, values and stamps as they were sent, tells nobody, mails nobody', async () => {
      const login = fresh();
      const [key] = at().site.meta;
      const name = 'Greta “O’\\N”';
      const rows = ['030', ['a', ['b']], ''];
      const aged = { email: mailOf(login), password: WP_BCRYPT, display_name: name };
      const fields: Fields = {
        ...stamped({ ...aged, [`meta:${key}`]: rows }, past(50)),
        // From before Rollcall: values without an age fill a new account and stay without one.
        ...stamped({ first_name: 'Gräta', last_name: '', url: 'http://g.test' }, 0),
      };
      const roles = stamped({ 'role:author': true, 'role:contributor': false }, past(40));
      const operation = creation(login, { ...fields, ...roles });
      const mails = await at().site.mails();
      const receipt = await at().receipt(operation);
      expect(receipt).toMatchObject({ op: operation.op, result: 'created', login });
      const applied = Object.entries(operation.fields).map(([field, { s }]) => [
        field,
        { s, r: 'applied' },
      ]);
      expect(receipt.fields).toEqual(Object.fromEntries(applied));
      expect(await at().state(receipt.id ?? 0)).toMatchObject({
        login,
        uid: operation.uid,
        label_ok: true,
        registered: operation.create?.registered,
        born: operation.create?.born,
        fields,
        roles: { '1': { author: roles['role:author'], contributor: roles['role:contributor'] } },
      });
      expect(await at().rowsOf(login)).toEqual([]);
      expect(await at().site.mails()).toBe(mails);
      const present = await at().present(login);
      expect(present).toMatchObject({ id: receipt.id, roles: ['author'], fields: aged });
      expect(present.fields).toMatchObject({ first_name: 'Gräta', url: 'http://g.test' });
      expect(present.meta[key]).toEqual(rows);
    });

    it('repeated is unchanged, with the same id and no second account', async () => {
      const login = fresh();
      const operation = creation(login, stamped({ first_name: 'Once' }, past(20)));
      const [first, again] = await at().receipts(operation, operation);
      expect(again).toMatchObject({ result: 'unchanged', id: first?.id, login });
      expect(outcomes(again)).toEqual({ email: 'same', first_name: 'same' });
      const request = { after: 0, limit: 10, search: login, detail: 'who' as const };
      const { accounts } = await at().site.port.accounts(at().site.connection, request);
      expect(accounts.map((one) => one.id)).toEqual([first?.id]);
    });

    it('in the way of an e-mail address or a login is a conflict that names who has it', async () => {
      const there = await at().member();
      const { administrator } = at().site;
      const [someone, free] = [fresh(), fresh()];
      const [byEmail, byLogin, byAdministrator] = await at().receipts(
        creation(someone, stamped({ email: mailOf(there.login).toUpperCase() }, past(5))),
        creation(there.login.toUpperCase(), stamped({ email: mailOf(free) }, past(5))),
        creation(administrator, stamped({ email: mailOf(free) }, past(5))),
      );
      const found = { ...there, email: mailOf(there.login), privileged: false };
      expect(byEmail).toMatchObject({
        result: 'conflict',
        reason: 'identity.email_taken',
        found: { by: 'email', ...found },
      });
      const taken = { result: 'conflict', reason: 'identity.login_taken' };
      expect(byLogin).toMatchObject({ ...taken, found: { by: 'login', ...found } });
      expect(byAdministrator).toMatchObject({
        ...taken,
        found: { login: administrator, privileged: true },
      });
      expect([byEmail?.id, byLogin?.id]).toEqual([undefined, undefined]);
      expect((await at().site.read([someone, free])).size).toBe(0);
    });

    it('of one login twice in a batch makes the first', async () => {
      const login = fresh();
      const [first, second] = await at().receipts(
        creation(login),
        creation(login, stamped({ email: mailOf(fresh()) }, past(5))),
      );
      expect(first?.result).toBe('created');
      expect(second).toMatchObject({ result: 'conflict', found: { by: 'login', id: first?.id } });
    });

    it.runIf(has('login_taken'))(
      'of a login that is taken gets a free one with a number where it is asked to, once',
      async () => {
        const there = await at().member();
        const suffix = (login: string) =>
          creation(login, stamped({ email: mailOf(fresh()) }, past(5)), {
            create: birth(login, { login_taken: 'suffix' }),
          });
        const long = `${fresh('x')}-${'y'.repeat(60)}`.slice(0, 60);
        const [first, second] = [suffix(there.login), suffix(there.login.toUpperCase())];
        const free = suffix(fresh());
        const [one, again, two, other, tall, taller, crooked] = await at().receipts(
          first,
          first,
          second,
          free,
          suffix(long),
          suffix(long),
          suffix('b<i>ad</i>'),
        );
        expect(one).toMatchObject({ result: 'created', login: `${there.login}-2` });
        expect(again).toMatchObject({
          result: 'unchanged',
          id: one?.id,
          login: `${there.login}-2`,
        });
        expect(two).toMatchObject({ result: 'created', login: `${there.login.toUpperCase()}-3` });
        expect(other).toMatchObject({ result: 'created', login: free.create?.login });
        expect([tall?.login, taller?.login]).toEqual([long, `${long.slice(0, 58)}-2`]);
        expect(crooked).toMatchObject({ result: 'conflict', reason: 'login.malformed' });
        expect(await at().state(one?.id ?? 0)).toMatchObject({ uid: first.uid, label_ok: true });
        expect(await at().rowsOf(`${there.login}-2`)).toEqual([]);
      },
    );

    it('without an address, with one or a login that WordPress would alter, or born ahead, is none', async () => {
      const logins = [fresh(), fresh(), 'b<i>ad</i>', 'x'.repeat(61), fresh()];
      const [bare = '', crooked = '', altered = '', long = '', unborn = ''] = logins;
      const address = () => stamped({ email: mailOf(fresh()) }, past(5));
      const born: [number, number] = [Date.now() + 120_000, THERE];
      const receipts = await at().receipts(
        creation(bare, {}, { fields: stamped({ first_name: 'Nobody' }, past(5)) }),
        creation(crooked, stamped({ email: 'a b@people.test' }, past(5))),
        creation(altered, address()),
        creation(long, address()),
        creation(unborn, address(), { create: birth(unborn, { born }) }),
        creation(fresh(), {}, { create: null }),
      );
      expect(results(receipts)).toEqual([
        'refused email.missing',
        'conflict email.malformed',
        'conflict login.malformed',
        'conflict login.malformed',
        'refused stamp.in_future',
        'refused target.account_missing',
      ]);
      for (const { id } of receipts) expect(id).toBeUndefined();
      expect((await at().site.read(logins)).size).toBe(0);
    });

    it('is not held up by a field that is refused', async () => {
      const login = fresh();
      const bad = { 'role:administrator': true, 'role:nonsense': true, password: 'plain' };
      const receipt = await at().receipt(creation(login, stamped(bad, past(5))));
      expect(receipt.result).toBe('created');
      expect(outcomes(receipt)).toEqual({
        email: 'applied',
        'role:administrator': 'role.not_grantable',
        'role:nonsense': 'role.unknown',
        password: 'password.unverifiable',
      });
      expect(receipt.fields?.['password']?.s).toEqual([0, at().site.key]);
      const { roles, fields } = await at().present(login);
      expect(roles).toEqual([]);
      expect(fields['password']).toMatch(/^\$/u);
    });

    it('gives the default role only when asked to and no other came, and that travels nowhere', async () => {
      const [bare, author] = [fresh(), fresh()];
      const [first, second] = await at().receipts(
        creation(bare, {}, { create: birth(bare, { default_role: true }) }),
        creation(author, stamped({ 'role:author': true }, past(5)), {
          create: birth(author, { default_role: true }),
        }),
      );
      const states = await at().states(first?.id ?? 0, second?.id ?? 0);
      const roles = new Map(states.map((one) => [one.login, one.roles?.['1']]));
      expect(roles.get(bare)).toEqual({ subscriber: { v: true, s: [0, at().site.key] } });
      expect(Object.keys(roles.get(author) ?? {})).toEqual(['author']);
      expect(await at().rowsOf(bare)).toEqual([]);
    });
  });
}
