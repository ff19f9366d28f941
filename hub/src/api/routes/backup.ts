/** `POST /api/v1/backups`: everything that the hub keeps, sealed with its key. Nothing of it stays on the server. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';

export function backupRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'POST',
    url: '/backups',
    ...access('owner'),
    schema: says('Make a backup; only the hub’s key opens it', z.unknown()),
    handler: async (_request, reply) => {
      const { bytes, content } = await operations.backUp();
      return (
        reply
          .type('application/octet-stream')
          .header('content-length', bytes)
          // Its reader is done before the server is: a hub that stops just then would wait for the connection.
          .header('connection', 'close')
          .header('content-disposition', 'attachment; filename="rollcall.backup"')
          .send(Readable.from(content))
      );
    },
  });
}
