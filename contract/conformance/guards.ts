/**
 * Conformance: what a site lets its hub do, and how the hub may make that less.
 */
import { describe, expect, it } from 'vitest';
import type { SitePort } from '#hub/sync/ports.ts';
import {
  creation,
  deletion,
  fresh,
  outcomes,
  past,
  results,
  stamped,
  THERE,
  THERE_URL,
  write,
} from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

const ELSEWHERE = 'https://elsewhere.test';

export function describeGuard(at: () => Rehearsal): void {
  const guard = (wanted: Omit<Parameters<SitePort['guard']>[1], 'blog'> = {}) =>
    at().site.port.guard(at().site.connection, { blog: 1, ...wanted });
  /** As an administrator of the site does it. */
  const open = (...urls: readonly string[]) =>
    at().people({ do: 'open guard', login: at().site.administrator, urls });
  const from = (url: string) => creation(fresh(), {}, { source: { url, key: THERE } });
  const refused = { code: 'site.guard_refused' };

  describe('the guard', () => {
    it('is made read-only by the hub, refuses create, update and delete, and is not opened by it', async () => {
      const member = await at().member();
      const before = await at().present(member.login);
      expect((await guard()).read_only).toBe(false);
      expect((await guard({ readOnly: false })).read_only).toBe(false);
      expect((await guard({ readOnly: true })).read_only).toBe(true);
      const dry = await at().apply([creation(fresh())], true);
      const receipts = await at().receipts(
        creation(fresh()),
        write(member, stamped({ first_name: 'Refused' }, Date.now())),
        deletion(member),
      );
      expect(results([...dry.receipts, ...receipts])).toEqual(
        Array.from({ length: 4 }, () => 'refused target.read_only'),
      );
      await expect(guard({ readOnly: false, revoke: ['author'] })).rejects.toMatchObject(refused);
      expect((await guard()).grantable).toContain('author');
      expect(await at().present(member.login)).toEqual(before);
      await open();
      expect((await guard()).read_only).toBe(false);
    });

    it('loses roles that the hub gives up, and no role that there is not', async () => {
      await expect(guard({ revoke: ['author', 'nobody'] })).rejects.toMatchObject({
        code: 'role.unknown',
      });
      const { grantable } = await guard({ revoke: ['author'] });
      expect(grantable).not.toContain('author');
      expect(grantable).toContain('subscriber');
      const receipt = await at().receipt(
        creation(fresh(), stamped({ 'role:author': true, 'role:subscriber': true }, past(50))),
      );
      expect(outcomes(receipt)).toMatchObject({
        'role:author': 'role.not_grantable',
        'role:subscriber': 'applied',
      });
      await open();
      expect((await guard()).grantable).toContain('author');
    });

    it('has a whitelist that shuts out no present source, and then takes changes from its entries alone', async () => {
      const { caller, whitelist } = await guard();
      expect(whitelist.on).toBe(false);
      expect(caller.address).toMatch(/^[\d.]+$|:/u);
      await expect(guard({ whitelist: true, sources: [THERE_URL] })).rejects.toMatchObject(refused);
      expect((await guard()).whitelist.on).toBe(false);
      await open(THERE_URL);
      const asked = { sources: [THERE_URL, ELSEWHERE] };
      const check = { address: caller.address ?? '', url: `${THERE_URL}/` };
      const entry = (await guard({ ...asked, check })).check;
      expect([entry?.address, entry?.url].map((name) => typeof name)).toEqual(['string', 'string']);
      const on = await guard({ whitelist: true, sources: [THERE_URL] });
      expect([on.whitelist.on, typeof on.caller.entry]).toEqual([true, 'string']);
      expect((await guard(asked)).sources.map(({ entry: name }) => name === null)).toEqual([
        false,
        true,
      ]);
      expect(results(await at().receipts(from(ELSEWHERE), from(THERE_URL)))).toEqual([
        'refused whitelist.source',
        'created',
      ]);
      await expect(guard({ whitelist: false })).rejects.toMatchObject(refused);
      await open();
      expect(results(await at().receipts(from(ELSEWHERE)))).toEqual(['created']);
    });
  });
}
