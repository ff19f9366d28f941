/**
 * Conformance: switches of an account, as the hub sets them.
 */
import { describe, expect, it } from 'vitest';
import { NOBODY, results, stamped, write } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

export function describeSwitches(at: () => Rehearsal): void {
  const set = (...orders: Parameters<Rehearsal['site']['port']['switches']>[1][number][]) =>
    at().site.port.switches(at().site.connection, orders);

  describe('switches of an account', () => {
    it('are set by the hub and told as a change that stamps nothing', async () => {
      const { id, login } = await at().member();
      const before = await at().state(id);
      const wanted = { stop_outgoing: true, stop_made: true };
      const switches = { stop_outgoing: true, stop_made: true, reject_incoming: false };
      expect(await set({ id, login, ...wanted }, { id, login, ...wanted })).toEqual([
        { id, result: 'set', switches },
        { id, result: 'already', switches },
      ]);
      expect((await at().rowOf(login)).account).toEqual({ ...before, switches });
      const off = { stop_outgoing: false, stop_made: false };
      expect(await set({ id, login, ...off })).toMatchObject([{ result: 'set', switches: off }]);
      expect(await at().state(id)).toEqual(before);
    });

    it('that refuse what comes in are not switched off by the hub', async () => {
      const member = await at().member();
      const { id, login } = member;
      await set({ id, login, reject_incoming: true });
      expect(await set({ id, login, reject_incoming: false, stop_outgoing: true })).toEqual([
        { id, result: 'refused', reason: 'target.guard_kept' },
      ]);
      expect((await at().state(id)).switches).toMatchObject({
        reject_incoming: true,
        stop_outgoing: false,
      });
      const receipts = await at().receipts(write(member, stamped({ first_name: 'X' }, Date.now())));
      expect(results(receipts)).toEqual(['refused account.incoming_rejected']);
    });

    it('are set for nobody else and nobody who is not there', async () => {
      const { id, login } = await at().member();
      const switched = { stop_outgoing: true };
      expect(
        await set({ id, login: 'somebody-else', ...switched }, { id: NOBODY, login, ...switched }),
      ).toEqual([
        { id, result: 'mismatch' },
        { id: NOBODY, result: 'missing' },
      ]);
      expect((await at().state(id)).switches.stop_outgoing).toBe(false);
    });
  });
}
