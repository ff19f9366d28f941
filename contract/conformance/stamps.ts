/**
 * Conformance: stamping anew, where "make the target like the source" begins.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { identityUid } from '#hub/model/ids.ts';
import { GUEST_FIELDS, NOBODY, past, type Somebody, stamped, THERE, write } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

const MINUTE_MS = 60_000;
const SLACK_MS = 1_000;
const NEVER = Number.POSITIVE_INFINITY;

interface Order extends Pick<Somebody, 'id' | 'uid'> {
  readonly fields: readonly string[];
  readonly atLeastMs?: number;
}

export function describeStamps(at: () => Rehearsal): void {
  const stamp = async (...wanted: readonly Order[]) => {
    const orders = wanted.map(({ id, uid, fields, atLeastMs = 0 }) => {
      return { id, uid: identityUid(uid), blog: 1, fields, atLeastMs };
    });
    const results = await at().site.port.stamp(at().site.connection, orders);
    expect(results.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
    return results.map(({ result }) => result);
  };

  describe('stamping anew', () => {
    it('gives named fields a stamp of the site, not below what was asked for, and tells it as a change', async () => {
      const there = await at().guest();
      const atLeastMs = Date.now() + 20_000;
      const absent = `meta:${at().site.meta[1]}`;
      const unwatched = 'meta:nobody_watches_this';
      const fields = ['first_name', 'role:author', 'role:contributor', absent, unwatched];
      expect(await stamp({ ...there, fields, atLeastMs })).toEqual(['stamped']);
      const { kind, actor, account } = await at().rowOf(there.login);
      expect([kind, actor.kind]).toEqual(['update', 'hub']);
      const s = [atLeastMs, at().site.key];
      const { first_name, last_name, password } = account?.fields ?? {};
      expect(first_name).toEqual({ v: GUEST_FIELDS.first_name, s });
      expect(last_name).toEqual({ v: GUEST_FIELDS.last_name, s: [there.ms, THERE] });
      expect(password).toEqual({ v: GUEST_FIELDS.password, s: [there.ms, THERE] });
      expect(account?.roles?.['1']).toMatchObject({
        author: { v: true, s },
        // What is not there counts too: the target is to lose it.
        contributor: { v: false, s },
        subscriber: { v: true, s: [there.ms, THERE] },
      });
      expect(account?.fields?.[absent]).toEqual({ v: [], s });
      expect(Object.keys(account?.fields ?? {})).not.toContain(unwatched);
    });

    it('lies above every stamp on the account, and never more than a minute ahead', async () => {
      const there = await at().guest();
      const held = Date.now() + 40_000;
      await at().receipt(write(there, stamped({ url: 'http://ahead.test' }, held)));
      const far = Date.now() + 24 * 60 * MINUTE_MS;
      expect(
        await stamp(
          { ...there, fields: ['first_name'] },
          { ...there, fields: ['last_name'], atLeastMs: far },
        ),
      ).toEqual(['stamped', 'stamped']);
      const { first_name, last_name } = (await at().state(there.id)).fields ?? {};
      expect(first_name?.s).toEqual([held + 1, at().site.key]);
      expect(last_name?.s[0]).toBeGreaterThan(held + 1);
      expect(last_name?.s[0]).toBeLessThanOrEqual(Date.now() + MINUTE_MS + SLACK_MS);
    });

    it('wins over what was there, and its repetition over itself', async () => {
      const there = await at().guest();
      await stamp({ ...there, fields: ['first_name'] });
      const first = await at().rowOf(there.login);
      const late = write(there, stamped({ first_name: 'Theirs' }, past(100)));
      expect((await at().receipt(late)).fields?.['first_name']?.r).toBe('kept');
      await stamp({ ...there, fields: ['first_name'] });
      const again = await at().rowOf(there.login);
      expect(again.row).toBe(first.row);
      expect(again.rev).toBeGreaterThan(first.rev);
      expect(again.account?.fields?.['first_name']?.s[0]).toBeGreaterThan(
        first.account?.fields?.['first_name']?.s[0] ?? NEVER,
      );
    });

    it('is not done to who is not meant', async () => {
      const there = await at().guest();
      const uid = randomUUID();
      const fields = ['first_name'];
      expect(
        await stamp(
          { ...there, uid, fields },
          { ...there, id: NOBODY, fields },
          { id: NOBODY, uid, fields },
        ),
      ).toEqual(['mismatch', 'mismatch', 'missing']);
      expect((await at().state(there.id)).fields?.['first_name']?.s).toEqual([there.ms, THERE]);
      expect(await at().rowsOf(there.login)).toEqual([]);
    });
  });
}
