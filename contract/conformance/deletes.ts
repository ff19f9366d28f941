/**
 * Conformance: accounts that end because they ended elsewhere; and what a dry run tells.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  creation,
  deletion,
  edit,
  fresh,
  GUEST_FIELDS,
  mailOf,
  outcomes,
  past,
  results,
  stamped,
  THERE,
  values,
  write,
} from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

export function describeDeletes(at: () => Rehearsal): void {
  describe('a delete', () => {
    it('ends the account once, tells nobody, and nothing revives it', async () => {
      const there = await at().guest();
      const receipts = await at().receipts(
        deletion(there),
        write(there, stamped({ first_name: 'Late' }, Date.now())),
        creation(there.login, {}, { uid: there.uid }),
        deletion(there),
        deletion({ ...there, id: null }),
        // The login is free: somebody else may come by it.
        creation(there.login),
      );
      expect(results(receipts)).toEqual([
        'deleted',
        'refused identity.deleted',
        'refused identity.deleted',
        'unchanged',
        'unchanged',
        'created',
      ]);
      expect(receipts[0]).toMatchObject({ id: there.id, login: there.login });
      expect(receipts[5]?.id).not.toBe(there.id);
      expect(await at().states(there.id)).toEqual([]);
      expect(await at().rowsOf(there.login)).toEqual([]);
    });

    it('of nobody is remembered too', async () => {
      const operation = creation(fresh());
      const gone = deletion({ uid: operation.uid, id: null });
      expect(results(await at().receipts(gone, operation))).toEqual([
        'unchanged',
        'refused identity.deleted',
      ]);
    });

    it('by people of the site keeps late changes out as well', async () => {
      const there = await at().member();
      await at().people({ do: 'remove', login: there.login });
      const late = write(there, stamped({ first_name: 'Late' }, Date.now()));
      expect(results(await at().receipts(late, deletion(there)))).toEqual([
        'refused identity.deleted',
        'unchanged',
      ]);
    });

    it('is held by an edit that is newer', async () => {
      const there = await at().member();
      await at().people(edit(there.login, { last_name: 'Alive' }));
      const receipt = await at().receipt(deletion(there, { gone: [past(50), THERE] }));
      expect(results([receipt])).toEqual(['conflict delete.newer_edit']);
      expect(values(await at().state(there.id))).toMatchObject({ last_name: 'Alive' });
    });

    it('takes along an edit that waits and is older', async () => {
      const there = await at().member();
      await at().people(edit(there.login, { last_name: 'Waits' }));
      const receipt = await at().receipt(deletion(there, { gone: [Date.now() + 1_000, THERE] }));
      expect(receipt.result).toBe('deleted');
      expect(await at().rowsOf(there.login)).toEqual([]);
    });

    it('never loses content: it wants an heir who is there', async () => {
      const [there, heir] = [await at().guest(), await at().guest()];
      await at().people({ do: 'publish', login: there.login });
      const receipts = await at().receipts(
        deletion(there),
        deletion(there, { reassign: 'nobody-at-all' }),
        deletion(there, { reassign: there.login }),
        deletion(there, { reassign: heir.login }),
        deletion(heir),
      );
      expect(results(receipts)).toEqual([
        'refused target.content_without_heir',
        'refused target.heir_missing',
        'refused target.heir_missing',
        'deleted',
        'refused target.content_without_heir',
      ]);
    });

    it('is refused where id and label disagree, where the stamp is ahead, and for who administers', async () => {
      const [mine, other] = [await at().guest(), await at().guest()];
      const administrator = await at().administrator();
      const [mixed, ahead, privileged] = results(
        await at().receipts(
          deletion({ ...mine, id: other.id }),
          deletion(mine, { gone: [Date.now() + 120_000, THERE] }),
          deletion(administrator),
        ),
      );
      expect([mixed, ahead]).toEqual([
        'refused identity.label_mismatch',
        'refused stamp.in_future',
      ]);
      // A site says first that nobody else could administer it.
      expect(privileged).toMatch(/^refused target\.(?:privileged_account|last_administrator)$/u);
      expect(await at().states(mine.id, other.id, administrator.id)).toHaveLength(3);
    });

    it('that only strips takes the roles that a hub may take, and the account stays', async () => {
      const there = await at().guest();
      const gone: [number, number] = [past(5), THERE];
      const strip = deletion(there, { how: 'strip', gone });
      const [first, again, later] = await at().receipts(
        strip,
        strip,
        write(there, stamped({ url: 'http://stays.test' }, past(4))),
      );
      expect(first?.result).toBe('updated');
      expect(outcomes(first)).toEqual({ 'role:author': 'applied', 'role:subscriber': 'applied' });
      expect([again?.result, later?.result]).toEqual(['unchanged', 'updated']);
      const { roles } = await at().state(there.id);
      expect(roles?.['1']).toMatchObject({
        author: { v: false, s: gone },
        subscriber: { v: false, s: gone },
      });
      expect((await at().present(there.login)).roles).toEqual([]);
    });
  });

  describe('a dry run', () => {
    it('gives the results that the run then has, and writes nothing', async () => {
      const [there, mortal] = [await at().guest(), await at().guest()];
      const fields = { first_name: 'New', 'role:administrator': true, 'role:author': true };
      const operations = [
        creation(fresh(), stamped(fields, past(5))),
        creation(fresh(), stamped({ email: mailOf(there.login) }, past(5))),
        write(there, {
          ...stamped({ last_name: 'After', 'role:editor': true }, past(5)),
          ...stamped({ email: 'older@people.test' }, there.ms - 1),
        }),
        deletion(there, { gone: [there.ms - 1, THERE] }),
        deletion(mortal),
        deletion({ uid: randomUUID(), id: null }),
      ];
      const foretold = (await at().apply(operations, true)).receipts;
      expect(foretold.map(({ result }) => result)).toEqual([
        'created',
        'conflict',
        'updated',
        'conflict',
        'deleted',
        'unchanged',
      ]);
      const states = await at().states(there.id, mortal.id);
      expect(states.map((state) => values(state)['last_name'])).toEqual([
        GUEST_FIELDS.last_name,
        GUEST_FIELDS.last_name,
      ]);
      // Had any of it been written, the run would say `unchanged`.
      const [first, ...others] = await at().receipts(...operations);
      const { id: _, ...created } = first ?? {};
      expect(foretold).toEqual([created, ...others]);
    });
  });
}
