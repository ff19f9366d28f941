/**
 * Conformance: a connector of the contract's first version, asked for what came later. It does without, and says so
 * where it is asked; nothing of it is done by halves.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  birth,
  creation,
  edit,
  fresh,
  mailOf,
  outcomes,
  past,
  stamped,
  write,
} from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

export function describeOlder(at: () => Rehearsal): void {
  describe('what a later version added', () => {
    it('has no route, and all else is answered', async () => {
      const { port, connection } = at().site;
      const member = await at().member();
      const order = { id: member.id, login: member.login, stop_outgoing: true };
      const erasure = { erasure: randomUUID(), uid: member.uid, source: { url: 'https://a.test' } };
      const calls = [
        () => port.guard(connection, { blog: 1, readOnly: true }),
        () => port.switches(connection, [order]),
        () => port.erase(connection, [{ ...erasure, blog: 1, id: member.id }]),
        () => port.digests(connection, { blog: 1, after: 0, limit: 1, fields: ['email'] }),
        () => port.newCredential(connection),
      ];
      for (const call of calls)
        await expect(call()).rejects.toMatchObject({ code: 'site.no_connector' });
      const status = await port.status(connection);
      expect(status.contract).toBe(1);
      expect(status.ext).toBeUndefined();
      expect(status.whitelist).toBeUndefined();
    });

    it('is not told of accounts, nor are sign-ins changes', async () => {
      const { port, connection } = at().site;
      const { id, login } = await at().member();
      await at().people(edit(login, { password: 'Open sesame' }));
      await at().drain();
      await port.settings(connection, { signIns: true });
      await at().people({ do: 'sign in', login, password: 'Open sesame' });
      expect(await at().rowsOf(login)).toEqual([]);
      const { signed_in, email_by, switches } = await at().state(id);
      expect([signed_in, email_by, switches.stop_made]).toEqual([undefined, undefined, undefined]);
    });

    it('is refused field by field, or a conflict, and the rest goes on', async () => {
      const [key] = at().site.meta;
      const there = await at().guest();
      const late = { [`meta:${key}`]: [{ a: 'b' }], 'ext:points': 5, 'meta:trial_a': ['x'] };
      const fields = stamped({ ...late, nickname: 'Arrived' }, past(5));
      expect(outcomes(await at().receipt(write(there, fields)))).toEqual({
        [`meta:${key}`]: 'value.object',
        'ext:points': 'field.unknown',
        'meta:trial_a': 'field.not_watched',
        nickname: 'applied',
      });
      const taken = creation(there.login, stamped({ email: mailOf(fresh()) }, past(5)), {
        create: birth(there.login, { login_taken: 'suffix' }),
      });
      expect(await at().receipt(taken)).toMatchObject({
        result: 'conflict',
        found: { by: 'login', id: there.id },
      });
    });
  });
}
