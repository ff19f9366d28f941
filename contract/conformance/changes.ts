/**
 * Conformance: what people do on the site, and how it comes out.
 */
import { describe, expect, it } from 'vitest';
import { CORE_FIELDS } from '#contract/account-state.ts';
import type { Feature } from '#contract/version.ts';
import { edit, fresh, mailOf, register, stamped, THERE, write } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

/** Clock of the site and of this test: the same machine's. */
const SLACK_MS = 1_000;
const NEVER = Number.POSITIVE_INFINITY;

export function describeCapture(at: () => Rehearsal, has: (feature: Feature) => boolean): void {
  describe('what people do', () => {
    it('a registration comes out as one create, born stamped, every field with that stamp', async () => {
      const login = fresh();
      const before = Date.now();
      const id = (await at().people(register(login, { role: 'author' })))(login);
      const { kind, blog, account } = await at().rowOf(login);
      expect([kind, blog]).toEqual(['create', 1]);
      expect(account).toMatchObject({
        id,
        uid: null,
        label_ok: true,
        login,
        email: mailOf(login),
        privileged: false,
        switches: {
          stop_outgoing: false,
          reject_incoming: false,
          ...(has('switches') ? { stop_made: false } : {}),
        },
      });
      expect(account?.registered).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/u);
      const [ms, key] = account?.born ?? [0, 0];
      expect(key).toBe(at().site.key);
      expect(ms).toBeGreaterThanOrEqual(before - SLACK_MS);
      expect(ms).toBeLessThanOrEqual(Date.now() + SLACK_MS);
      const { fields = {}, roles } = account ?? {};
      expect(Object.keys(fields)).toEqual(expect.arrayContaining([...CORE_FIELDS, 'password']));
      for (const [name, { s }] of Object.entries(fields)) {
        expect([name, s]).toEqual([name, account?.born]);
      }
      expect(roles).toEqual({ '1': { author: { v: true, s: [ms, key] } } });
      expect(fields['email']?.v).toBe(mailOf(login));
    });

    it('an edit stamps what changed, above everything on the account, and nothing else', async () => {
      const there = await at().member();
      const ahead = Date.now() + 40_000;
      await at().receipt(write(there, stamped({ url: 'http://ahead.test' }, ahead)));
      await at().people(edit(there.login, { first_name: 'Anna', last_name: '' }));
      const { kind, account } = await at().rowOf(there.login);
      expect(kind).toBe('update');
      const { first_name, url, ...others } = account?.fields ?? {};
      expect(first_name).toEqual({ v: 'Anna', s: [ahead + 1, at().site.key] });
      expect(url?.s).toEqual([ahead, THERE]);
      for (const { s } of Object.values(others)) expect(s).toEqual(account?.born);
    });

    it('an edit that changes nothing, and meta that nobody watches, are no change', async () => {
      const { login } = await at().member();
      await at().people(edit(login, { email: mailOf(login), description: '' }), {
        do: 'meta',
        login,
        key: 'nobody_watches_this',
        rows: ['x'],
      });
      expect(await at().rowsOf(login)).toEqual([]);
    });

    it('ten edits are one row, with what is there now', async () => {
      const { login } = await at().member();
      const edits = Array.from({ length: 10 }, (_, i) => edit(login, { description: `life ${i}` }));
      await at().people(...edits, edit(login, { locale: 'de_DE' }));
      const { kind, rev, account } = await at().rowOf(login);
      expect(kind).toBe('update');
      expect(rev).toBeGreaterThan(1);
      expect(account?.fields).toMatchObject({
        description: { v: 'life 9' },
        locale: { v: 'de_DE' },
      });
    });

    it('a new password comes out as its hash, never as itself', async () => {
      const { login } = await at().member();
      await at().people(edit(login, { password: 'Correct horse 1' }));
      const { account } = await at().rowOf(login);
      const { password, email } = account?.fields ?? {};
      expect(JSON.stringify(account)).not.toContain('Correct horse');
      expect(password?.v).toBe((await at().present(login)).fields['password']);
      expect(password?.s[0]).toBeGreaterThan(account?.born[0] ?? NEVER);
      expect(email?.s).toEqual(account?.born);
    });

    it('meta comes out as a list, one entry per row, and empty once it is gone', async () => {
      const [key] = at().site.meta;
      const { login } = await at().member();
      await at().people({ do: 'meta', login, key, rows: ['030 1', ['x', ['y']], '030 2'] });
      const first = (await at().rowOf(login)).account?.fields?.[`meta:${key}`];
      expect(first?.v).toEqual(['030 1', ['x', ['y']], '030 2']);
      await at().people({ do: 'meta', login, key, rows: [] });
      const second = (await at().rowOf(login)).account?.fields?.[`meta:${key}`];
      expect(second?.v).toEqual([]);
      expect(second?.s[0]).toBeGreaterThan(first?.s[0] ?? NEVER);
    });

    it('a role that is taken stays known as absent', async () => {
      const { login } = await at().member();
      await at().people(
        { do: 'role', login, role: 'author', has: true },
        { do: 'role', login, role: 'subscriber', has: false },
      );
      const { born, roles } = (await at().rowOf(login)).account ?? {};
      expect(roles?.['1']).toMatchObject({ author: { v: true }, subscriber: { v: false } });
      for (const { s } of Object.values(roles?.['1'] ?? {})) {
        expect(s[0]).toBeGreaterThan(born?.[0] ?? NEVER);
      }
    });

    it('an edit that is overwritten before it was told of comes out as that, with its stamp', async () => {
      const somebody = await at().member();
      await at().people(edit(somebody.login, { first_name: 'Told' }));
      await at().rowOf(somebody.login);
      await at().drain();
      const author = { do: 'role', login: somebody.login, role: 'author', has: true } as const;
      await at().people(edit(somebody.login, { last_name: 'Untold' }), author);
      const mine = await at().state(somebody.id);
      const theirs = { first_name: 'Theirs', last_name: 'Theirs', 'role:author': false };
      await at().receipt(write(somebody, stamped(theirs, Date.now() + 20_000)));
      const { overwritten, account } = await at().rowOf(somebody.login);
      expect(overwritten).toEqual([
        { field: 'last_name', blog: null, s: mine.fields?.['last_name']?.s },
        { field: 'role:author', blog: 1, s: mine.roles?.['1']?.['author']?.s },
      ]);
      expect(account?.fields?.['last_name']?.v).toBe('Theirs');
    });

    it('the end of an account comes out with its label and a stamp above all of its own', async () => {
      const there = await at().member();
      const ahead = Date.now() + 40_000;
      await at().receipt(write(there, stamped({ url: 'http://ahead.test' }, ahead)));
      await at().people({ do: 'remove', login: there.login });
      const { kind, gone } = await at().rowOf(there.login);
      expect(kind).toBe('delete');
      expect(gone).toMatchObject({ ...there });
      expect(gone?.stamp[0]).toBeGreaterThan(ahead);
      expect(gone?.stamp[1]).toBe(at().site.key);
    });

    it('who registers again is somebody else, and both the end and the beginning come out', async () => {
      const login = fresh();
      const id = await at().people(register(login), { do: 'remove', login }, register(login));
      const [end, beginning, ...others] = await at().rowsOf(login);
      expect(end).toMatchObject({ kind: 'delete', gone: { uid: null, login } });
      expect(beginning).toMatchObject({ kind: 'create', account: { id: id(login), uid: null } });
      expect(end?.gone?.id).not.toBe(id(login));
      expect(others).toEqual([]);
    });

    it('what was there before has no age until somebody changes it', async () => {
      const login = at().elder();
      const id = (await at().people())(login);
      const { born, fields = {}, roles } = await at().state(id);
      const before = [0, at().site.key];
      expect(born).toEqual(before);
      for (const { s } of Object.values(fields)) expect(s).toEqual(before);
      for (const { s } of Object.values(roles?.['1'] ?? {})) expect(s).toEqual(before);
      expect(await at().rowsOf(login)).toEqual([]);
      await at().people(edit(login, { nickname: 'Elder' }));
      const { kind, account } = await at().rowOf(login);
      expect([kind, account?.born]).toEqual(['update', before]);
      const { nickname, ...others } = account?.fields ?? {};
      expect(nickname?.s[0]).toBeGreaterThan(0);
      for (const { s } of Object.values(others)) expect(s).toEqual(before);
    });
  });
}
