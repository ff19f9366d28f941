/**
 * Conformance: marks, by which hub and site see that one of them went back.
 *
 * Always true: a case leaves the site with the mark that it gave last, and every later case names it.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Mark, MarkOffer } from '#contract/messages.ts';
import { creation, edit, fresh } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

export function describeMarks(at: () => Rehearsal): void {
  let n = 0;
  const mark = (): Mark => {
    n += 1;
    return { n, id: randomBytes(8).toString('hex') };
  };
  const held = async () => (await at().site.port.status(at().site.connection)).mark;
  const apply = (offer: MarkOffer, login: string, dryRun = false) =>
    at().site.port.apply(at().site.connection, {
      operations: [creation(login)],
      dryRun,
      mark: offer,
    });
  const changes = (offer: MarkOffer, ack: readonly (readonly [string, number])[] = []) =>
    at().site.port.changes(at().site.connection, { ack, limit: 1000, mark: offer });

  describe('a mark', () => {
    it('is taken with a batch and with rows that are told, and not by a request that does nothing', async () => {
      await at().drain();
      const [first, second, third] = [mark(), mark(), mark()];
      const before = await held();
      expect((await changes({ held: [before], next: first })).mark).toEqual(before);
      expect((await apply({ held: [before], next: first }, fresh('no'), true)).mark).toEqual(
        before,
      );
      expect((await apply({ held: [before], next: second }, fresh('marked'))).mark).toEqual(second);
      expect(await held()).toEqual(second);
      const { login } = await at().member();
      await at().people(edit(login, { last_name: 'Told' }));
      const told = await changes({ held: [mark(), second], next: third });
      expect(told.rows).toHaveLength(1);
      expect(told.mark).toEqual(third);
      const ack = told.rows.map(({ row, rev }): [string, number] => [row, rev]);
      const fourth = mark();
      expect((await changes({ held: [third], next: fourth }, ack)).mark).toEqual(fourth);
    });

    it('of a request whose answer was lost is no hindrance when it is made again', async () => {
      const offer = { held: [await held()], next: mark() };
      const login = fresh('again');
      await apply(offer, login);
      expect((await apply(offer, login)).mark).toEqual(offer.next);
    });

    it('that is not the one expected stops the whole request', async () => {
      const present = await held();
      const { login } = await at().member();
      await at().people(edit(login, { last_name: 'Waits' }));
      const [row] = await at().rowsOf(login);
      if (row === undefined) throw new Error('no row');
      const stranger = fresh('stranger');
      const offer = { held: [null, mark()], next: mark() };
      const refusal = { code: 'site.mark_mismatch', detail: { mark: present } };
      await expect(apply(offer, stranger)).rejects.toMatchObject(refusal);
      await expect(changes(offer, [[row.row, row.rev]])).rejects.toMatchObject(refusal);
      expect((await at().site.read([stranger])).size).toBe(0);
      expect(await at().rowsOf(login)).toEqual([row]);
      expect(await held()).toEqual(present);
    });
  });
}
