/**
 * Conformance: which values a site takes, and as what.
 */
import { describe, expect, it } from 'vitest';
import type { Feature } from '#contract/version.ts';
import {
  GUEST_FIELDS,
  outcomes,
  past,
  results,
  type StampedValue,
  stamped,
  THERE,
  write,
} from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';
import { BCRYPT, PHPASS, WP_BCRYPT } from './sample-hashes.ts';

const MAPS = [
  { zeta: 'last first', alpha: { list: [], 'ключ 😀 \\"': [1, { '': null }] }, on: true },
];

export function describeValues(at: () => Rehearsal, has: (feature: Feature) => boolean): void {
  describe('meta', () => {
    it('replaces all rows of its key, and stays the list that it is', async () => {
      const [key] = at().site.meta;
      const name = `meta:${key}`;
      const lists = [
        ['three'],
        ['a', 'b', ['c', ['d']]],
        [['only', 1, true, null]],
        ['\\"’ 😀'],
        [],
        ...(has('objects') ? [MAPS] : []),
      ];
      const people = await at().guests(lists.length);
      const operations = people.map((there, i) =>
        write(there, stamped({ [name]: lists[i] ?? [] }, past(5))),
      );
      for (const receipt of await at().receipts(...operations)) {
        expect(outcomes(receipt)).toEqual({ [name]: 'applied' });
      }
      const states = await at().states(...people.map(({ id }) => id));
      const present = await at().site.read(people.map(({ login }) => login));
      for (const [i, { id, login }] of people.entries()) {
        const state = states.find((one) => one.id === id);
        expect(state?.fields?.[name]).toEqual(operations[i]?.fields[name]);
        expect(present.get(login)?.meta[key]).toEqual(lists[i]);
      }
      expect(await at().rowsOf(...people.map(({ login }) => login))).toEqual([]);
    });

    it.runIf(has('patterns'))(
      'that a pattern covers comes out and goes in, and what is never synced does neither',
      async () => {
        const [{ id, login }, other] = [await at().guest(), await at().guest()];
        await at().people(
          { do: 'meta', login, key: 'trial_a', rows: ['one'] },
          { do: 'meta', login, key: 'trial_2fa_key', rows: ['secret'] },
          { do: 'meta', login, key: 'trials', rows: ['not covered'] },
        );
        const told = (await at().rowOf(login)).account?.fields ?? {};
        const meta = Object.entries(told).filter(([name]) => name.startsWith('meta:trial'));
        expect(meta.map(([name, { v }]) => [name, v])).toEqual([['meta:trial_a', ['one']]]);
        expect(told['meta:trial_a']?.s[0]).toBeGreaterThan(0);
        const [receipt] = await at().receipts(
          write(
            other,
            stamped(
              { 'meta:trial_b': ['two'], 'meta:trial_2fa_key': ['x'], 'meta:trials': ['x'] },
              past(5),
            ),
          ),
        );
        expect(outcomes(receipt)).toEqual({
          'meta:trial_b': 'applied',
          'meta:trial_2fa_key': 'field.never_synced',
          'meta:trials': 'field.not_watched',
        });
        expect((await at().state(other.id)).fields?.['meta:trial_b']?.v).toEqual(['two']);
        await at().people({ do: 'meta', login, key: 'trial_a', rows: [] });
        expect((await at().state(id)).fields?.['meta:trial_a']?.v).toEqual([]);
      },
    );

    it('keeps numbers and truth values of a row as the text that WordPress makes of them', async () => {
      const name = `meta:${at().site.meta[1]}`;
      const there = await at().guest();
      const operation = write(there, stamped({ [name]: [7, true, false] }, past(5)));
      const [first, again] = await at().receipts(operation, operation);
      expect([outcomes(first), outcomes(again)]).toEqual([
        { [name]: 'applied' },
        { [name]: 'same' },
      ]);
      expect((await at().state(there.id)).fields?.[name]?.v).toEqual(['7', '1', '']);
    });

    it('that is never synced, not watched, no list, or could become an object is refused', async () => {
      const [key, second] = at().site.meta;
      const there = await at().guest();
      // What no hub of ours would send, and a forged request might.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const object = JSON.parse('{"a":1,"7":2}') as StampedValue['v'];
      const [receipt, list] = await at().receipts(
        write(
          there,
          stamped(
            {
              'meta:wp_capabilities': [['administrator']],
              'meta:session_tokens': ['x'],
              'meta:nobody_watches_this': ['x'],
              [`meta:${key}`]: ['O:8:"stdClass":0:{}'],
              [`meta:${second}`]: [[object]],
              'ext:points': 5,
              nickname: 5,
              first_name: 'a:0:{}',
              description: ['list'],
            },
            past(5),
          ),
        ),
        write(there, stamped({ [`meta:${key}`]: 'text' }, past(5))),
      );
      expect(receipt).toMatchObject({ result: 'refused', reason: 'field.never_synced' });
      expect(outcomes(receipt)).toEqual({
        'meta:wp_capabilities': 'field.never_synced',
        'meta:session_tokens': 'field.never_synced',
        'meta:nobody_watches_this': 'field.not_watched',
        [`meta:${key}`]: 'value.serialized',
        [`meta:${second}`]: 'value.object',
        'ext:points': 'field.unknown',
        nickname: 'value.malformed',
        first_name: 'value.serialized',
        description: 'value.malformed',
      });
      expect(outcomes(list)).toEqual({ [`meta:${key}`]: 'value.malformed' });
      const { nickname, first_name, description } = GUEST_FIELDS;
      const held = { nickname, first_name, description, 'meta:phone': GUEST_FIELDS['meta:phone'] };
      const { fields = {} } = await at().state(there.id);
      expect(fields).toMatchObject(stamped(held, there.ms));
      expect(Object.keys(fields)).not.toContain(`meta:${second}`);
    });
  });

  describe('a password of a kind that the site can’t verify', () => {
    it.runIf(has('password_mail'))(
      'is refused, and mails its owner a link once where that is asked for',
      async () => {
        const there = await at().guest();
        const unknown = '$argon2id$v=19$m=65536,t=4,p=1$c29tZXNhbHQ$aGFzaA';
        const plain = write(there, stamped({ password: unknown, nickname: 'Nick' }, past(5)));
        const mails = await at().site.mails();
        const [silent] = await at().receipts(plain);
        expect(outcomes(silent)).toEqual({
          password: 'password.unverifiable',
          nickname: 'applied',
        });
        expect(await at().site.mails()).toBe(mails);
        const asked = { ...plain, password_mail: true as const };
        const [first, again] = [await at().receipt(asked), await at().receipt(asked)];
        expect(outcomes(first)).toEqual({ password: 'password.mailed', nickname: 'same' });
        expect(outcomes(again)).toEqual(outcomes(first));
        expect(await at().site.mails()).toBe(mails + at().site.mailsPerLink);
        expect((await at().present(there.login)).fields['password']).toBe(GUEST_FIELDS.password);
      },
    );
  });

  describe('a text', () => {
    it('too long for its column, or an address that is none, is refused', async () => {
      const there = await at().guest();
      const url = `http://${'x'.repeat(120)}.test`;
      const fields = stamped({ url, email: 'no address', last_name: 'Fits' }, past(5));
      expect(outcomes(await at().receipt(write(there, fields)))).toEqual({
        url: 'value.malformed',
        email: 'email.malformed',
        last_name: 'applied',
      });
    });
  });

  describe('a password', () => {
    it('is stored as the hash that came, whatever kind of ours', async () => {
      const hashes = [WP_BCRYPT, BCRYPT, PHPASS];
      const people = await at().guests(hashes.length);
      const receipts = await at().receipts(
        ...people.map((there, i) => write(there, stamped({ password: hashes[i] ?? '' }, past(5)))),
      );
      for (const receipt of receipts) expect(outcomes(receipt)).toEqual({ password: 'applied' });
      const present = await at().site.read(people.map(({ login }) => login));
      for (const [i, { login }] of people.entries()) {
        expect(present.get(login)?.fields['password']).toBe(hashes[i]);
      }
      expect(await at().rowsOf(...people.map(({ login }) => login))).toEqual([]);
    });

    it('that nobody could sign in with is refused', async () => {
      const there = await at().guest();
      const hashes = ['plaintext', '', `${WP_BCRYPT}x`, '$argon2id$v=19$m=1,t=1,p=1$c2E$aA'];
      const receipts = await at().receipts(
        ...hashes.map((password) => write(there, stamped({ password }, past(5)))),
      );
      expect(results(receipts)).toEqual(hashes.map(() => 'refused password.unverifiable'));
      expect(receipts[0]?.fields?.['password']?.s).toEqual([there.ms, THERE]);
      expect((await at().present(there.login)).fields['password']).toBe(GUEST_FIELDS.password);
    });
  });

  describe('a role', () => {
    it('is given and taken by itself; others are never touched', async () => {
      const there = await at().guest();
      const change = { 'role:author': false, 'role:contributor': true };
      const receipt = await at().receipt(write(there, stamped(change, past(5))));
      expect(outcomes(receipt)).toEqual({
        'role:author': 'applied',
        'role:contributor': 'applied',
      });
      const { roles } = await at().present(there.login);
      expect(roles.toSorted()).toEqual(['contributor', 'subscriber']);
      expect((await at().state(there.id)).roles?.['1']?.['author']?.v).toBe(false);
      expect(await at().rowsOf(there.login)).toEqual([]);
    });

    it('that is unknown, privileged, or no yes or no is refused, and the others go on', async () => {
      const there = await at().guest();
      const change = {
        'role:nonsense': true,
        'role:administrator': true,
        'role:editor': true,
        'role:author': 'yes',
        'role:contributor': true,
        // There is nothing to take, so nobody need know the role.
        'role:unheard': false,
      };
      const receipt = await at().receipt(write(there, stamped(change, past(5))));
      expect(receipt.result).toBe('updated');
      expect(outcomes(receipt)).toEqual({
        'role:nonsense': 'role.unknown',
        'role:administrator': 'role.not_grantable',
        'role:editor': 'role.not_grantable',
        'role:author': 'value.malformed',
        'role:contributor': 'applied',
        'role:unheard': 'applied',
      });
      const { roles } = await at().present(there.login);
      expect(roles.toSorted()).toEqual(['author', 'contributor', 'subscriber']);
    });
  });
}
