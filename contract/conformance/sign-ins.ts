/**
 * Conformance: the first sign-in to an account.
 */
import { describe, expect, it } from 'vitest';
import { edit } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

export function describeSignIns(at: () => Rehearsal): void {
  describe('a first sign-in', () => {
    it('is told with the account, as a change that stamps nothing where the hub asks for it, and once', async () => {
      const [quiet, told] = [await at().member(), await at().member()];
      await at().people(
        edit(quiet.login, { password: 'Open sesame' }),
        edit(told.login, { password: 'Open sesame' }),
      );
      await at().drain();
      const sesame = { do: 'sign in', password: 'Open sesame' } as const;
      const before = await at().state(told.id);
      expect(before.signed_in).toBe(false);
      await at().people({ ...sesame, login: quiet.login });
      expect(await at().rowsOf(quiet.login)).toEqual([]);
      expect((await at().state(quiet.id)).signed_in).toBe(true);
      const { port, connection } = at().site;
      await port.settings(connection, { signIns: true });
      await at().people({ ...sesame, login: told.login }, { ...sesame, login: quiet.login });
      const row = await at().rowOf(told.login);
      expect([row.kind, row.account]).toEqual(['update', { ...before, signed_in: true }]);
      expect(await at().acknowledge([row], told.login)).toEqual([]);
      await at().people({ ...sesame, login: told.login });
      expect(await at().rowsOf(told.login, quiet.login)).toEqual([]);
      await port.settings(connection, { signIns: false });
    });
  });
}
