/**
 * Asks an installation with the hub's credential.
 *
 * Does: remember how requests get through to each installation.
 * Always true: every request carries the hub's id and term.
 * On failure: throws `Fault` (`site.*`).
 */
import type { z } from 'zod';
import { Fault } from '../errors.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Connection } from '../sync/ports.ts';
import { callConnector, type RequestBody } from './connector-call.ts';
import { PLAIN_WAY, type Way } from './way.ts';
import type { Wire } from './wire.ts';

/** The connection as it is kept now; null: its credential is still the one that was given. */
export type Renewed = (connection: Connection) => Promise<Connection | null>;

export type AskSite = <Schema extends z.ZodType>(
  connection: Connection,
  route: string,
  request: RequestBody | Readonly<Record<string, unknown>>,
  schema: Schema,
) => Promise<z.output<Schema>>;

export function askingSites(wire: Wire, renewed: Renewed = async () => null): AskSite {
  const ways = new Map<InstallationId, Way>();

  const askOnce: AskSite = async (connection, route, request, schema) => {
    const { installation, restUrl, publicOnly, credential, hub } = connection;
    const body = (packed: boolean) => ({
      hub,
      ...(typeof request === 'function' ? request(packed) : request),
    });
    const way = ways.get(installation) ?? PLAIN_WAY;
    const call = { restUrl, publicOnly, route, credential, body, schema, way };
    const answer = await callConnector(wire, call);
    ways.set(installation, answer.way);
    return answer.value;
  };

  /** A rotation may end the credential of a request that is on its way: that one is asked again. */
  return async (connection, route, request, schema) => {
    try {
      return await askOnce(connection, route, request, schema);
    } catch (fault) {
      const refused = fault instanceof Fault && fault.code === 'site.credential_rejected';
      const now = refused ? await renewed(connection) : null;
      if (now === null) throw fault;
      return askOnce(now, route, request, schema);
    }
  };
}
