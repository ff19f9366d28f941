/**
 * Conformance: digests, for comparing accounts without reading every value.
 */
import { describe, expect, it } from 'vitest';
import { creation, edit, fresh, past, stamped } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';
import { PATTERN } from './site-under-test.ts';

type Ask = Parameters<Rehearsal['site']['port']['digests']>[1];

const FIELDS = ['first_name', 'description', 'password', 'role:author', `meta:${PATTERN}`];

export function describeDigests(at: () => Rehearsal): void {
  const ask = (request: Partial<Ask>) =>
    at().site.port.digests(at().site.connection, {
      blog: 1,
      after: 0,
      limit: 100,
      fields: FIELDS,
      ...request,
    });

  describe('digests', () => {
    it('are the same for the same values, whatever else differs, and of a password by its stamp', async () => {
      const ms = past(500);
      const held = {
        first_name: 'Änna 😀 O’Neill',
        'role:author': true,
        'meta:trial_a': [['x', 1]],
      };
      const make = (values: Record<string, string | boolean | readonly unknown[]>) => {
        const login = fresh('summed');
        const email = `${login}@people.test`;
        return creation(login, stamped({ email, ...values }, ms));
      };
      const receipts = await at().receipts(
        make({ ...held, last_name: 'One' }),
        make({ ...held, last_name: 'Two', description: '' }),
        make({ ...held, first_name: 'Anna' }),
        make({ ...held, 'role:author': false }),
        make({ ...held, 'meta:trial_a': [['x', 2]] }),
      );
      const ids = receipts.map(({ id }) => id ?? 0);
      const { digests, next } = await ask({ ids });
      const byId = new Map(digests.map((one) => [one.id, one.digest]));
      const [one, two, ...others] = ids.map((id) => byId.get(id));
      expect([one, next]).toEqual([two, null]);
      for (const other of others) expect(other).not.toBe(one);
      expect(new Set(others).size).toBe(others.length);
      const narrow = await ask({
        ids,
        fields: ['display_name_of_nobody'].map((key) => `meta:${key}`),
      });
      expect(new Set(narrow.digests.map(({ digest }) => digest)).size).toBe(1);
    });

    it('change with every value that is named, and come page by page', async () => {
      const { id, uid, login } = await at().member();
      const before = await ask({ ids: [id] });
      await at().people(edit(login, { password: 'another one', last_name: 'Not named' }));
      const after = await ask({ ids: [id] });
      expect(after.digests[0]).toMatchObject({ id, uid });
      expect(after.digests[0]?.digest).not.toBe(before.digests[0]?.digest);
      await at().people(edit(login, { last_name: 'Not named either' }));
      expect((await ask({ ids: [id] })).digests).toEqual(after.digests);
      const page = await ask({ limit: 1 });
      expect([page.digests.length, page.next]).toEqual([1, page.digests[0]?.id]);
    });
  });
}
