/**
 * Conformance: privileged accounts and roles, where a route names them and the site has agreed.
 */
import { describe, expect, it } from 'vitest';
import {
  creation,
  deletion,
  fresh,
  mailOf,
  outcomes,
  past,
  results,
  type Somebody,
  stamped,
  THERE,
  write,
} from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

const ADMINISTRATOR = ['administrator'];
const NAMED = { account: ADMINISTRATOR, roles: ADMINISTRATOR };
const ELSE = { account: ['editor'], roles: ['editor'] };
const ROLE = 'role:administrator';

export function describeConsents(at: () => Rehearsal): void {
  const guard = (revoke: readonly string[] = []) =>
    at().site.port.guard(at().site.connection, { blog: 1, revoke });
  const consent = (...roles: readonly string[]) =>
    at().people({ do: 'consent', login: at().site.administrator, roles });
  /** Later than whatever was sent before, also where a site answers within the millisecond. */
  let last = 0;
  const now = (): number => {
    last = Math.max(Date.now(), last + 1);
    return last;
  };
  const reign = (): Promise<Somebody> => at().administrator();
  const rename = (who: Somebody, first_name: string, privileged = NAMED) => ({
    ...write(who, stamped({ first_name }, now())),
    privileged,
  });
  const give = (who: Somebody, v: boolean, privileged = NAMED) => ({
    ...write(who, stamped({ [ROLE]: v, nickname: 'Nick' }, now())),
    privileged,
  });

  describe('privileged roles', () => {
    it('come only where the route names them and somebody on the site has agreed', async () => {
      const member = await at().member();
      const boss = await reign();
      expect((await guard()).consents).toEqual([]);
      const before = await at().receipts(rename(boss, 'No'), give(member, true));
      expect(results(before)).toEqual(['refused account.not_consented', 'updated']);
      expect(outcomes(before[1])).toEqual({ [ROLE]: 'role.not_consented', nickname: 'applied' });
      await consent('administrator');
      expect((await guard()).consents).toEqual(ADMINISTRATOR);
      const unnamed = await at().receipts(rename(boss, 'No', ELSE), give(member, true, ELSE));
      expect(results(unnamed)).toEqual(['refused target.privileged_account', 'updated']);
      expect(outcomes(unnamed[1])[ROLE]).toBe('role.not_grantable');
      expect((await at().state(member.id)).privileged).toBe(false);

      const named = await at().receipts(rename(boss, 'Reign'), give(member, true));
      expect(results(named)).toEqual(['updated', 'updated']);
      expect(outcomes(named[1])[ROLE]).toBe('applied');
      expect(await at().state(member.id)).toMatchObject({
        privileged: true,
        privileged_by: { roles: { '1': ADMINISTRATOR }, other: false },
      });
      const login = fresh();
      const made = await at().receipt({
        ...creation(login, stamped({ email: mailOf(login), [ROLE]: true }, past(50))),
        privileged: NAMED,
      });
      expect(made.result).toBe('created');
      expect((await at().present(login)).roles).toEqual(ADMINISTRATOR);
    });

    it('go again, but for the last administrator’s; and the hub only takes consent back', async () => {
      const boss = await reign();
      const strip = await at().member();
      await consent('administrator');
      const request = { after: 0, limit: 1_000, roles: ADMINISTRATOR, detail: 'who' as const };
      const { accounts } = await at().site.port.accounts(at().site.connection, request);
      const more = accounts.filter(({ id }) => id !== boss.id);
      const theirs = more.flatMap(({ id, uid, login }) => (uid === null ? [] : { id, uid, login }));
      expect(theirs.length).toBeGreaterThan(0);
      const given = await at().receipt(give(strip, true));
      expect(outcomes(given)[ROLE]).toBe('applied');
      const gone = await at().receipts(
        ...theirs.map((who) => give(who, false)),
        { ...deletion(strip, { how: 'strip', gone: [now() + 1_000, THERE] }), privileged: NAMED },
        give(boss, false),
        { ...deletion(boss, { how: 'strip', gone: [now() + 1_000, THERE] }), privileged: NAMED },
        { ...deletion(boss), privileged: NAMED },
      );
      expect(results(gone.slice(0, -3))).toEqual([...theirs.map(() => 'updated'), 'updated']);
      expect(gone.slice(-4).map((one) => outcomes(one)[ROLE])).toEqual([
        'applied',
        'target.last_administrator',
        undefined,
        undefined,
      ]);
      expect(results(gone.slice(-2))).toEqual(
        Array.from({ length: 2 }, () => 'refused target.last_administrator'),
      );
      expect((await at().present(boss.login)).roles).toEqual(ADMINISTRATOR);
      expect((await at().present(strip.login)).roles).not.toContain('administrator');

      expect((await guard(ADMINISTRATOR)).consents).toEqual([]);
      expect(results(await at().receipts(rename(boss, 'No more')))).toEqual([
        'refused account.not_consented',
      ]);
      await at().people({ do: 'open guard', login: at().site.administrator, urls: [] });
    });
  });
}
