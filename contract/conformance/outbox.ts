/**
 * Conformance: the outbox, as a hub empties it.
 */
import { describe, expect, it } from 'vitest';
import type { ChangeRow } from '#contract/messages.ts';
import { edit, fresh, register } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const SLACK_MS = 1_000;

export function describeOutbox(at: () => Rehearsal): void {
  const pull = (limit: number, rows: readonly ChangeRow[] = []) => {
    const ack = rows.map(({ row, rev }): [string, number] => [row, rev]);
    return at().site.port.changes(at().site.connection, { ack, limit });
  };
  const logins = (rows: readonly ChangeRow[]) => rows.map(({ account }) => account?.login);

  describe('the outbox', () => {
    it('lets a row go at the revision that was read, and not at an older one', async () => {
      const { login } = await at().member();
      await at().people(edit(login, { last_name: 'Read' }));
      const read = await at().rowOf(login);
      await at().people(edit(login, { last_name: 'Unread' }));
      const [again] = await at().acknowledge([read], login);
      if (again === undefined) throw new Error('the newer revision went with the older');
      expect(again.row).toBe(read.row);
      expect(again.rev).toBeGreaterThan(read.rev);
      expect(again.account?.fields?.['last_name']?.v).toBe('Unread');
      expect(await at().acknowledge([again], login)).toEqual([]);
    });

    it('gives the oldest first, as many as asked for, and says whether there are more', async () => {
      await at().drain();
      const [a, b, c] = [fresh(), fresh(), fresh()];
      expect((await pull(1)).outside).toBeNull();
      // An edit does not make the first row younger.
      await at().people(register(a), register(b), register(c), edit(a, { first_name: 'Again' }));
      const first = await pull(2);
      expect([logins(first.rows), first.more]).toEqual([[a, b], true]);
      const second = await pull(1, first.rows);
      expect([logins(second.rows), second.more]).toEqual([[c], false]);
      expect((await pull(1)).rows).toEqual(second.rows);
    });

    it('has a head that rises with every change, and an epoch that stays', async () => {
      const before = await pull(1);
      await at().people(register(fresh()));
      const after = await pull(1);
      expect(after.epoch).toBe(before.epoch);
      expect(after.head).toBeGreaterThan(before.head);
      const status = await at().site.port.status(at().site.connection);
      expect([status.epoch, status.head]).toEqual([after.epoch, after.head]);
      expect(status.sites_sum).toMatch(/^[0-9a-f]{32}$/u);
      expect(after.sites_sum).toBe(status.sites_sum);
      expect(status.backlog).toBeGreaterThan(0);
    });

    it('gives stamps in hub time, and stamps again what came to lie in the future', async () => {
      const { port, connection, key } = at().site;
      const there = await at().member();
      await port.settings(connection, { offsetMs: HOUR_MS });
      await at().people(edit(there.login, { first_name: 'Early' }));
      await port.settings(connection, { offsetMs: 0 });
      const early = (await at().rowOf(there.login)).account?.fields;
      expect(early?.['first_name']?.s[0]).toBeGreaterThan(Date.now() + HOUR_MS - MINUTE_MS);
      const { account } = await at().restamp(there);
      expect(account?.fields?.['first_name']?.v).toBe('Early');
      expect(account?.fields?.['first_name']?.s[0]).toBeLessThanOrEqual(Date.now() + SLACK_MS);
      expect(account?.fields?.['first_name']?.s[1]).toBe(key);
      expect(account?.fields?.['email']).toEqual(early?.['email']);
    });
  });
}
