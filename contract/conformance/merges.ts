/**
 * Conformance: fields that arrive at accounts that are there.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  edit,
  GUEST_FIELDS,
  mailOf,
  NOBODY,
  outcomes,
  past,
  results,
  stamped,
  THERE,
  values,
  write,
} from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

export function describeMerges(at: () => Rehearsal): void {
  describe('a merge', () => {
    it('decides each field by its stamp: newer, older, equal, ties by key, and none from before', async () => {
      const there = await at().guest();
      const absent = `meta:${at().site.meta[1]}`;
      const [old, now, next] = [there.ms - 1, there.ms, there.ms + 1];
      const receipt = await at().receipt(
        write(there, {
          ...stamped({ first_name: 'newer' }, next),
          ...stamped({ last_name: 'older' }, old),
          ...stamped({ nickname: GUEST_FIELDS.nickname }, now),
          ...stamped({ description: 'greater key' }, now, THERE + 1),
          ...stamped({ display_name: 'smaller key' }, now, THERE - 1),
          ...stamped({ url: 'http://from-before.test' }, 0),
          // What has no age fills new accounts only.
          ...stamped({ [absent]: ['from before'] }, 0),
        }),
      );
      expect(receipt).toMatchObject({ result: 'updated', id: there.id, login: there.login });
      const held: [number, number] = [now, THERE];
      expect(receipt.fields).toEqual({
        first_name: { r: 'applied', s: [next, THERE], was: held },
        last_name: { r: 'kept', s: held },
        nickname: { r: 'same', s: held },
        description: { r: 'applied', s: [now, THERE + 1], was: held },
        display_name: { r: 'kept', s: held },
        url: { r: 'kept', s: held },
        [absent]: { r: 'kept', s: [0, at().site.key] },
      });
      const { fields } = await at().state(there.id);
      expect(fields).toMatchObject({
        ...stamped({ first_name: 'newer' }, next),
        ...stamped({ description: 'greater key' }, now, THERE + 1),
        last_name: { v: GUEST_FIELDS.last_name, s: held },
        nickname: { v: GUEST_FIELDS.nickname, s: held },
        display_name: { v: GUEST_FIELDS.display_name, s: held },
        url: { v: GUEST_FIELDS.url, s: held },
      });
      expect(Object.keys(fields ?? {})).not.toContain(absent);
      // The first moment after "from before" fills what is empty, and wins over no edit.
      const filled = await at().receipt(
        write(there, { ...stamped({ [absent]: ['filled'] }, 1), ...stamped({ url: '' }, 1) }),
      );
      expect(outcomes(filled)).toEqual({ [absent]: 'applied', url: 'kept' });
      const after = (await at().state(there.id)).fields;
      expect(after?.[absent]).toEqual({ v: ['filled'], s: [1, THERE] });
      expect(await at().rowsOf(there.login)).toEqual([]);
    });

    it('leaves a newer edit of the site alone, and says which stamp the site holds', async () => {
      const there = await at().member();
      await at().people(edit(there.login, { first_name: 'Mine' }));
      const { first_name, last_name } =
        (
          await at().receipt(
            write(there, {
              ...stamped({ first_name: 'Theirs' }, past(50)),
              ...stamped({ last_name: 'Now' }, Date.now() + 1_000),
            }),
          )
        ).fields ?? {};
      expect([first_name?.r, last_name?.r]).toEqual(['kept', 'applied']);
      // The site's own edit still waits; the field that was applied is no change of the site.
      const { fields } = (await at().rowOf(there.login)).account ?? {};
      expect(fields?.['first_name']).toEqual({ v: 'Mine', s: first_name?.s });
      expect(fields?.['last_name']).toEqual({ v: 'Now', s: last_name?.s });
      expect([first_name?.s[1], last_name?.s[1]]).toEqual([at().site.key, THERE]);
    });

    it('is repeated without effect: same stamps, nothing in the outbox', async () => {
      const there = await at().guest();
      const operation = write(there, stamped({ first_name: 'Twice' }, past(5)));
      const [first, second] = await at().receipts(operation, operation);
      expect([first?.result, second?.result]).toEqual(['updated', 'unchanged']);
      const s = operation.fields['first_name']?.s;
      expect(second?.fields).toEqual({ first_name: { r: 'same', s } });
      expect(await at().rowsOf(there.login)).toEqual([]);
    });

    it('says once when the site makes something else of a value, and that is no change of the site', async () => {
      const there = await at().guest();
      // WordPress leaves nobody without a nickname.
      const operation = write(there, stamped({ nickname: '', last_name: 'Same' }, past(5)));
      const [first, again] = await at().receipts(operation, operation);
      expect([first?.result, again?.result]).toEqual(['altered', 'unchanged']);
      expect(outcomes(first)).toEqual({ nickname: 'altered', last_name: 'applied' });
      const { fields } = await at().state(there.id);
      expect(fields?.['nickname']).toEqual({ v: there.login, s: operation.fields['nickname']?.s });
      expect(await at().rowsOf(there.login)).toEqual([]);
    });

    it('ends in the same state whatever the order', async () => {
      const [one, other] = [await at().guest(), await at().guest()];
      const changes = [
        stamped({ first_name: 'a', last_name: 'x' }, past(30)),
        stamped({ first_name: 'b' }, past(20)),
        stamped({ first_name: 'c', last_name: 'y' }, past(40), THERE + 7),
      ];
      await at().receipts(
        ...changes.map((fields) => write(one, fields)),
        ...changes.toReversed().map((fields) => write(other, fields)),
      );
      const [first, second] = (await at().states(one.id, other.id)).map(({ fields }) => ({
        first_name: fields?.['first_name'],
        last_name: fields?.['last_name'],
      }));
      expect(second).toEqual(first);
      expect(first).toMatchObject({ first_name: { v: 'b' }, last_name: { v: 'x' } });
    });

    it('takes stamps up to a minute ahead, and refuses a field that is two', async () => {
      const there = await at().guest();
      const receipt = await at().receipt(
        write(there, {
          ...stamped({ first_name: 'Later' }, Date.now() + 120_000),
          ...stamped({ last_name: 'Soon' }, Date.now() + 30_000),
        }),
      );
      expect(receipt.result).toBe('updated');
      expect(outcomes(receipt)).toEqual({ first_name: 'stamp.in_future', last_name: 'applied' });
      expect(receipt.fields?.['first_name']?.s).toEqual([there.ms, THERE]);
      expect(values(await at().state(there.id))).toMatchObject({
        first_name: GUEST_FIELDS.first_name,
        last_name: 'Soon',
      });
    });

    it('does not take an e-mail address that somebody has, names them, and goes on', async () => {
      const [holder, wanting] = [await at().guest(), await at().guest()];
      const taken = { email: mailOf(holder.login).toUpperCase() };
      const own = { email: mailOf(wanting.login).toUpperCase() };
      const [mixed, alone, older, mine] = await at().receipts(
        write(wanting, stamped({ ...taken, last_name: 'Goes on' }, past(50))),
        write(wanting, stamped(taken, past(40))),
        write(wanting, stamped(taken, wanting.ms - 1)),
        write(wanting, stamped(own, past(30))),
      );
      const found = { by: 'email', id: holder.id, uid: holder.uid, login: holder.login };
      expect(mixed).toMatchObject({ result: 'updated', found });
      expect(outcomes(mixed)).toEqual({ email: 'identity.email_taken', last_name: 'applied' });
      expect(mixed?.fields?.['email']?.r).toBe('conflict');
      expect(alone).toMatchObject({ result: 'conflict', reason: 'identity.email_taken', found });
      expect(outcomes(older)).toEqual({ email: 'kept' });
      // Another spelling of one's own address is a change like any other.
      expect(outcomes(mine)).toEqual({ email: 'applied' });
      expect((await at().state(wanting.id)).email).toBe(own.email);
    });

    it('mails nobody, not even about a new address', async () => {
      const there = await at().member();
      const before = await at().site.mails();
      const email = `moved-${mailOf(there.login)}`;
      await at().receipt(write(there, stamped({ email }, Date.now() + 1_000)));
      expect((await at().state(there.id)).email).toBe(email);
      expect(await at().site.mails()).toBe(before);
    });
  });

  describe('an operation is refused', () => {
    it('where id and label disagree, where there is nobody, and where there is no such site', async () => {
      const [mine, other] = [await at().guest(), await at().guest()];
      const fields = stamped({ last_name: 'Wrong' }, past(5));
      const uid = randomUUID();
      const receipts = await at().receipts(
        write({ ...mine, id: other.id }, fields),
        write({ ...mine, id: NOBODY }, fields),
        write({ ...mine, uid }, fields),
        write({ id: NOBODY, uid }, fields),
        write({ id: null, uid }, fields),
        { ...write(mine, fields), blog: 99 },
      );
      expect(results(receipts)).toEqual([
        'refused identity.label_mismatch',
        'refused identity.label_mismatch',
        'refused identity.label_mismatch',
        'refused target.account_missing',
        'refused target.account_missing',
        'refused target.site_missing',
      ]);
      for (const state of await at().states(mine.id, other.id)) {
        expect(values(state)).toMatchObject({ last_name: GUEST_FIELDS.last_name });
      }
    });

    it('where the account can administer the site', async () => {
      const administrator = await at().administrator();
      const fields = stamped({ last_name: 'Taken over' }, Date.now());
      const receipt = await at().receipt(write(administrator, fields));
      expect(results([receipt])).toEqual(['refused target.privileged_account']);
      expect(await at().state(administrator.id)).toMatchObject({
        privileged: true,
        fields: { last_name: { v: '' } },
      });
    });

    it('where the account rejects incoming changes', async () => {
      const there = await at().member();
      await at().people({ do: 'reject incoming', login: there.login });
      const fields = stamped({ last_name: 'No' }, Date.now() + 1_000);
      const receipt = await at().receipt(write(there, fields));
      expect(results([receipt])).toEqual(['refused account.incoming_rejected']);
      // The switch itself is told, and stamps nothing.
      const { account } = await at().rowOf(there.login);
      expect(account?.switches.reject_incoming).toBe(true);
      expect(account?.fields?.['last_name']).toEqual({ v: '', s: account?.born });
    });
  });
}
