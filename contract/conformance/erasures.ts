/**
 * Conformance: erasures that were completed on another site.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NOBODY, THERE_URL } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

export function describeErasures(at: () => Rehearsal): void {
  const erase = (...orders: Parameters<Rehearsal['site']['port']['erase']>[1][number][]) =>
    at().site.port.erase(at().site.connection, orders);

  describe('an erasure that was completed elsewhere', () => {
    it('is asked for once, and changes nothing of the account by itself', async () => {
      const { id, uid } = await at().guest();
      const before = await at().state(id);
      const order = { erasure: randomUUID(), uid, source: { url: THERE_URL }, blog: 1, id };
      const { erasure } = order;
      expect(await erase(order)).toEqual([{ erasure, result: 'opened' }]);
      expect(await erase(order)).toEqual([{ erasure, result: 'already' }]);
      expect(await at().state(id)).toEqual(before);
    });

    it('is refused for another account, for nobody, and for one that rejects what comes in', async () => {
      const [guest, other] = await at().guests(2);
      const order = { erasure: randomUUID(), source: { url: THERE_URL }, blog: 1 };
      const refused = (reason: string) => [{ erasure: order.erasure, result: 'refused', reason }];
      const { id = 0, uid = '', login = '' } = guest ?? {};
      const otherId = other?.id ?? 0;
      expect(await erase({ ...order, uid, id: otherId })).toEqual(
        refused('identity.label_mismatch'),
      );
      const nobody = { ...order, uid: randomUUID(), id: NOBODY };
      expect(await erase(nobody)).toEqual(refused('target.account_missing'));
      await at().people({ do: 'reject incoming', login });
      expect(await erase({ ...order, uid, id })).toEqual(refused('account.incoming_rejected'));
    });
  });
}
