/**
 * Conformance: the one hub that a site listens to. Comes last: it raises the term.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Feature } from '#contract/version.ts';
import type { Connection } from '#hub/sync/ports.ts';
import { creation, fresh } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

export function describeBoundHub(at: () => Rehearsal, has: (feature: Feature) => boolean): void {
  const as = (hub: Partial<Connection['hub']>): Connection => {
    const { connection } = at().site;
    return { ...connection, hub: { ...connection.hub, ...hub } };
  };
  const apply = (connection: Connection) =>
    at().site.port.apply(connection, { operations: [creation(fresh('term'))], dryRun: false });

  describe('a hub', () => {
    it('that the site is not bound to is refused, whatever it asks', async () => {
      const { port, connection } = at().site;
      const stranger = as({ id: randomUUID() });
      const calls = [
        () => port.changes(stranger, { ack: [], limit: 1 }),
        () => port.accounts(stranger, { after: 0, limit: 1, detail: 'who' }),
        () => port.labels(stranger, []),
        () => apply(stranger),
        () => port.settings(stranger, { offsetMs: 1_000 }),
        () => port.stamp(stranger, []),
        ...(has('guard') ? [() => port.guard(stranger, { blog: 1, readOnly: true })] : []),
        ...(has('switches') ? [() => port.switches(stranger, [])] : []),
        () => port.disconnect(stranger),
      ];
      for (const call of calls)
        await expect(call()).rejects.toMatchObject({ code: 'site.not_mine' });
      expect((await port.status(connection)).offset_ms).toBe(0);
    });

    it.runIf(has('credential'))(
      'renews its credential: the one before is good until the new one was used',
      async () => {
        const { port, connection } = at().site;
        const unheard = { ...connection, credential: await port.newCredential(connection) };
        await expect(port.status(connection)).resolves.toBeDefined();
        const renewed = { ...connection, credential: await port.newCredential(connection) };
        const ended = { code: 'site.credential_rejected' };
        await expect(port.status(unheard)).rejects.toMatchObject(ended);
        await expect(port.status(renewed)).resolves.toBeDefined();
        await expect(port.status(connection)).rejects.toMatchObject(ended);
        at().site.connection = renewed;
      },
    );

    it('is heard at a later term, and from then on refused at the earlier', async () => {
      const { port, connection } = at().site;
      const later = as({ term: connection.hub.term + 1 });
      expect((await apply(later)).receipts[0]?.result).toBe('created');
      const superseded = { code: 'site.superseded' };
      await expect(apply(connection)).rejects.toMatchObject(superseded);
      await expect(port.disconnect(connection)).rejects.toMatchObject(superseded);
      expect((await apply(later)).receipts[0]?.result).toBe('created');
    });
  });
}
