/**
 * Conformance: the hub's labels on accounts.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Label } from '#contract/messages.ts';
import { fresh, NOBODY, register } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

export function describeLabels(at: () => Rehearsal): void {
  const label = async (...labels: readonly Label[]) => {
    const results = await at().site.port.labels(at().site.connection, labels);
    expect(results.map(({ id }) => id)).toEqual(labels.map(({ id }) => id));
    return results.map(({ result }) => result);
  };

  describe('a label', () => {
    it('is put once, stays, and is no change of the account', async () => {
      const login = fresh();
      const id = (await at().people(register(login)))(login);
      const before = await at().rowOf(login);
      const uid = randomUUID();
      expect(await label({ id, uid, login })).toEqual(['labelled']);
      expect(await label({ id, uid, login })).toEqual(['already']);
      const { account, ...row } = await at().rowOf(login);
      expect({ ...row, account: { ...account, uid: null } }).toEqual(before);
      expect([account?.uid, account?.label_ok]).toEqual([uid, true]);
    });

    it('is refused where the login is another, where there is nobody, and where it is somebody else’s', async () => {
      const { id, uid, login } = await at().member();
      const other = fresh();
      const otherId = (await at().people(register(other)))(other);
      const mine = randomUUID();
      expect(
        await label(
          { id: otherId, uid: mine, login: 'another' },
          { id: NOBODY, uid: mine, login: other },
          { id: otherId, uid, login: other },
          { id, uid: mine, login },
        ),
      ).toEqual(['mismatch', 'missing', 'mismatch', 'mismatch']);
      const states = await at().states(id, otherId);
      expect(new Map(states.map((one) => [one.id, one.uid]))).toEqual(
        new Map([
          [id, uid],
          [otherId, null],
        ]),
      );
    });

    it('is replaced only by who says what it was', async () => {
      const { id, uid, login } = await at().member();
      const next = randomUUID();
      expect(await label({ id, uid: next, login, was: randomUUID() })).toEqual(['mismatch']);
      expect(await label({ id, uid: next, login, was: uid })).toEqual(['labelled']);
      expect(await label({ id, uid: next, login, was: uid })).toEqual(['already']);
      expect((await at().state(id)).uid).toBe(next);
    });
  });
}
