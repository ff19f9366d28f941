/** `/healthz`: the process runs. `/readyz`: it can do its work. For supervisors; no token. */
import { z } from 'zod';
import type { Api } from '../api-instance.ts';
import type { Operations } from '../operations.ts';

const open = { config: { access: 'nobody' as const } };

export function healthRoutes(api: Api, operations: Operations): void {
  const healthy = z.object({ ok: z.literal(true) });
  api.route({
    method: 'GET',
    url: '/healthz',
    ...open,
    schema: { response: { 200: healthy } },
    handler: async () => ({
      ok: true as const,
    }),
  });
  const ready = z.object({ ready: z.boolean() });
  api.route({
    method: 'GET',
    url: '/readyz',
    ...open,
    schema: { response: { 200: ready, 503: ready } },
    handler: async (_request, reply) => {
      const isReady = await operations.ready().catch(() => false);
      return reply.status(isReady ? 200 : 503).send({ ready: isReady });
    },
  });
}
