/**
 * The hub's HTTP server: parse, authorise, call an operation, serialise.
 *
 * Does not: decide or store anything.
 * Always true: inputs and answers have the shapes that `/api/v1/openapi.json` says, since both
 * come from the same schemas; every error is `{ error: { code, message, next, id } }`.
 */
import { randomBytes } from 'node:crypto';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';
import type { Api } from './api-instance.ts';
import { authorise, type CountFailure } from './authorise.ts';
import { answerFailure, answerUnknownRoute, tooMany } from './failure.ts';
import { onlyKnownHosts } from './known-hosts.ts';
import type { Operations } from './operations.ts';
import { accountRoutes } from './routes/account.ts';
import { backupRoutes } from './routes/backup.ts';
import { configRoutes } from './routes/config.ts';
import { connectPages } from './routes/connect-page.ts';
import { groupRoutes } from './routes/group.ts';
import { guardRoutes } from './routes/guard.ts';
import { healthRoutes } from './routes/health.ts';
import { heldRoutes } from './routes/held.ts';
import { logRoutes } from './routes/log.ts';
import { networkRoutes } from './routes/network.ts';
import { privacyRoutes } from './routes/privacy.ts';
import { proofRoutes } from './routes/proof.ts';
import { reconcileRoutes } from './routes/reconcile.ts';
import { recoveryRoutes } from './routes/recovery.ts';
import { routeRoutes } from './routes/route.ts';
import { runRoutes } from './routes/run.ts';
import { signalRoutes } from './routes/signal.ts';
import { siteRoutes } from './routes/site.ts';
import { syncRoutes } from './routes/sync.ts';
import { viewRoutes } from './routes/view.ts';

export interface ServerDeps {
  readonly operations: Operations;
  /** From `createHubLog`, which hides secrets. */
  readonly log: FastifyBaseLogger;
  readonly version: string;
  /** Names that the hub answers to besides addresses and localhost; null or absent: any. */
  readonly hosts?: readonly string[] | null;
  /** For the age of signals only. */
  readonly nowMs?: () => number;
}

/** A list of a thousand logins is some 200 kB. */
const BODY_BYTES = 1024 * 1024;
/** For a request's head and body to arrive in full: a slow client must not hold a connection. */
const RECEIVE_MS = 30_000;
/** Wrong tokens from one address. */
const FAILURES = { max: 20, timeWindow: '1 minute' };

const options: FastifyServerOptions = {
  bodyLimit: BODY_BYTES,
  requestTimeout: RECEIVE_MS,
  // Names of sites may be written in any script, percent-encoded.
  routerOptions: { maxParamLength: 1000 },
  genReqId: () => randomBytes(6).toString('hex'),
  logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'id' }),
  forceCloseConnections: 'idle',
  frameworkErrors: answerFailure,
};

export async function buildServer(deps: ServerDeps): Promise<FastifyInstance> {
  const app = fastify({ ...options, loggerInstance: deps.log });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerFailure);
  app.setNotFoundHandler(answerUnknownRoute);
  app.addHook('onRequest', onlyKnownHosts(deps.hosts ?? null));
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request;
    const facts = { method, route: routeOptions.url, status: reply.statusCode };
    request.log.debug({ ...facts, ms: Math.round(reply.elapsedTime) }, 'request');
  });
  await app.register(helmet);
  await app.register(rateLimit, { global: false, errorResponseBuilder: tooMany });
  await app.register(swagger, {
    openapi: description(deps.version),
    transform: jsonSchemaTransform,
  });
  await app.register(async (scope) => {
    healthRoutes(asApi(scope), deps.operations);
    connectPages(asApi(scope), deps.operations);
  });
  const countFailure = failureCounter(app);
  await app.register(async (scope) => apiV1(asApi(scope), deps, countFailure), {
    prefix: '/api/v1',
  });
  return app;
}

async function apiV1(api: Api, deps: ServerDeps, countFailure: CountFailure): Promise<void> {
  const { operations, nowMs = Date.now } = deps;
  api.decorateRequest('caller', null);
  api.addHook('onRequest', authorise(operations, countFailure));
  api.addHook('onSend', async (_request, reply) => {
    void reply.header('cache-control', 'no-store');
  });
  siteRoutes(api, operations);
  guardRoutes(api, operations);
  accountRoutes(api, operations);
  privacyRoutes(api, operations);
  routeRoutes(api, operations);
  groupRoutes(api, operations);
  configRoutes(api, operations);
  syncRoutes(api, operations);
  reconcileRoutes(api, operations);
  networkRoutes(api, operations);
  viewRoutes(api, operations);
  logRoutes(api, operations);
  heldRoutes(api, operations);
  proofRoutes(api, operations);
  recoveryRoutes(api, operations);
  runRoutes(api, operations);
  backupRoutes(api, operations);
  await api.register(async (scope) => {
    signalRoutes(asApi(scope), operations, nowMs);
  });
  const hidden = { schema: { hide: true }, config: { access: 'nobody' as const } };
  api.get('/openapi.json', hidden, async () => api.swagger());
}

function failureCounter(app: FastifyInstance): CountFailure {
  const limit = app.createRateLimit(FAILURES);
  return async (request) => {
    const counted = await limit(request);
    return !counted.isAllowed && counted.isExceeded;
  };
}

const asApi = (scope: FastifyInstance): Api => scope.withTypeProvider();

const description = (version: string) => ({
  openapi: '3.1.0',
  info: { title: 'Rollcall hub', version },
  components: {
    securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } },
  },
  security: [{ token: [] }],
});
