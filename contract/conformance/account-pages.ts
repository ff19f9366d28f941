/**
 * Conformance: pages of accounts.
 */
import { describe, expect, it } from 'vitest';
import { edit, fresh, mailOf, NOBODY, register } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

type Ask = Parameters<Rehearsal['site']['port']['accounts']>[1];

const byNumber = (a: number, b: number) => a - b;

export function describeAccounts(at: () => Rehearsal): void {
  const ask = (request: Partial<Ask>) =>
    at().site.port.accounts(at().site.connection, {
      after: 0,
      limit: 100,
      detail: 'who',
      ...request,
    });
  const ids = async (request: Partial<Ask>) => (await ask(request)).accounts.map(({ id }) => id);

  describe('pages of accounts', () => {
    it('come by id, each beginning after the last, until there is no next', async () => {
      const search = fresh('paged');
      const logins = ['c', 'a', 'b'].map((letter) => `${search}-${letter}`);
      const id = await at().people(...logins.map((login) => register(login)));
      const wanted = logins.map((login) => id(login)).toSorted(byNumber);
      const first = await ask({ search, limit: 2 });
      expect(first.accounts.map((one) => one.id)).toEqual(wanted.slice(0, 2));
      expect(first.next).toBe(wanted[1]);
      const second = await ask({ search, limit: 2, after: first.next ?? 0 });
      expect([second.accounts.map((one) => one.id), second.next]).toEqual([wanted.slice(2), null]);
      expect((await ask({ search, limit: 3 })).next).toBeNull();
      expect(second.epoch).toBe(first.epoch);
    });

    it('are found by id, by login, by role, by a word in login, address or name', async () => {
      const word = fresh('sought');
      const [one, two, odd] = [`${word}-1`, `${word}-2`, fresh('odd')];
      const id = await at().people(
        register(one, { role: 'contributor' }),
        register(two),
        register(odd, { role: 'contributor' }),
        edit(odd, { display_name: `Mx ${word.toUpperCase()} 100%` }),
      );
      const all = [id(one), id(two), id(odd)].toSorted(byNumber);
      expect(await ids({ ids: [id(two), NOBODY] })).toEqual([id(two)]);
      expect(await ids({ ids: [] })).toEqual([]);
      expect(await ids({ logins: [one.toUpperCase(), 'nobody-at-all'] })).toEqual([id(one)]);
      expect(await ids({ search: word })).toEqual(all);
      expect(await ids({ search: mailOf(two).toUpperCase() })).toEqual([id(two)]);
      expect(await ids({ search: `${word.toUpperCase()} 100%` })).toEqual([id(odd)]);
      expect(await ids({ search: word, roles: ['contributor', 'nonsense'] })).toEqual(
        [id(one), id(odd)].toSorted(byNumber),
      );
      expect(await ids({ ids: all, roles: ['author'] })).toEqual([]);
    });

    it('say who accounts are, who can administer the site, and only when asked what they hold', async () => {
      const { id, uid, login } = await at().member();
      const administrator = at().site.administrator;
      const { accounts } = await ask({ logins: [login, administrator] });
      const who = accounts.find((one) => one.id === id);
      expect(who).toMatchObject({ uid, login, email: mailOf(login), privileged: false });
      expect(accounts.find((one) => one.login === administrator)?.privileged).toBe(true);
      for (const one of accounts) expect([one.fields, one.roles]).toEqual([undefined, undefined]);
      const { fields, roles, signed_in: _in, email_by: _by, ...rest } = await at().state(id);
      expect(rest).toEqual(who);
      expect(fields?.['email']?.v).toBe(mailOf(login));
      expect(roles?.['1']?.['subscriber']?.v).toBe(true);
    });
  });
}
