/**
 * The port to connected installations, over HTTP.
 *
 * Does: one method per route of the contract; remembers which installations need the envelope.
 * Does not: retry, back off or batch (deliver does).
 * Always true: every request carries the hub's id and term; repeating any call is safe.
 * On failure: throws `Fault` (`site.*`).
 */
import { z } from 'zod';
import {
  AccountsAnswerSchema,
  ApplyAnswerSchema,
  ChangesAnswerSchema,
  DisconnectAnswerSchema,
  LabelsAnswerSchema,
  SettingsAnswerSchema,
  StampAnswerSchema,
  StatusAnswerSchema,
} from '#contract/messages.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Connection, SitePort } from '../sync/ports.ts';
import { callConnector } from './connector-call.ts';
import type { Wire } from './wire.ts';

export function createSiteClient(wire: Wire): SitePort {
  const packed = new Set<InstallationId>();

  const ask = async <Schema extends z.ZodType>(
    connection: Connection,
    route: string,
    request: Readonly<Record<string, unknown>>,
    schema: Schema,
  ): Promise<z.output<Schema>> => {
    const { installation, restUrl, publicOnly, credential, hub } = connection;
    const body = { hub, ...request };
    const known = packed.has(installation);
    const call = { restUrl, publicOnly, route, credential, body, schema, packed: known };
    const answer = await callConnector(wire, call);
    if (answer.packed) packed.add(installation);
    return answer.value;
  };

  return {
    async status(connection) {
      const started = performance.now();
      const answer = await ask(connection, 'status', {}, StatusAnswerSchema);
      return { ...answer, roundTripMs: performance.now() - started };
    },
    changes: (connection, request) => ask(connection, 'changes', request, ChangesAnswerSchema),
    accounts: (connection, request) => ask(connection, 'accounts', request, AccountsAnswerSchema),
    async labels(connection, labels) {
      return (await ask(connection, 'labels', { labels }, LabelsAnswerSchema)).results;
    },
    apply: (connection, { dryRun, ...request }) =>
      ask(connection, 'apply', { ...request, dry_run: dryRun }, ApplyAnswerSchema),
    async settings(connection, { offsetMs, ...settings }) {
      const offset = offsetMs === undefined ? {} : { offset_ms: offsetMs };
      await ask(connection, 'settings', { ...settings, ...offset }, SettingsAnswerSchema);
    },
    async stamp(connection, orders) {
      const stamps = orders.map(({ atLeastMs, ...order }) => ({ ...order, at_least: atLeastMs }));
      return (await ask(connection, 'stamp', { stamps }, StampAnswerSchema)).results;
    },
    async disconnect(connection) {
      await ask(connection, 'disconnect', {}, DisconnectAnswerSchema);
    },
  };
}
