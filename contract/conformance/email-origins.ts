/**
 * Conformance: how an account came by its e-mail address.
 */
import { describe, expect, it } from 'vitest';
import { edit } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

export function describeEmailOrigins(at: () => Rehearsal): void {
  describe('an address', () => {
    it('is told as registered with until it changes, and not when it comes back; as set otherwise when it came from elsewhere, and not at all of who was there before', async () => {
      const [member, guest, login] = [await at().member(), await at().guest(), at().elder()];
      const { email: registered, email_by } = await at().state(member.id);
      expect(email_by).toBe('registration');
      expect((await at().state(guest.id)).email_by).toBe('other');
      const elder = (await at().people())(login);
      expect((await at().state(elder)).email_by).toBeUndefined();
      await at().people(
        edit(member.login, { email: `${member.login}@else.test` }),
        edit(login, { email: `${login}@else.test` }),
      );
      const states = await at().states(member.id, elder);
      expect(states.map(({ email_by }) => email_by)).toEqual(['other', 'other']);
      await at().people(edit(member.login, { email: registered }));
      expect((await at().state(member.id)).email_by).toBe('other');
    });
  });
}
