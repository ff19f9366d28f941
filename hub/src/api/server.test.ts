import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../errors.ts';
import { createHubLog } from './hub-log.ts';
import { buildServer } from './server.ts';
import { type FakeOperations, fakeOperations, TOKENS } from './test/fake-operations.ts';

let operations: FakeOperations;
let app: FastifyInstance;
let lines: string[];

beforeEach(async () => {
  operations = fakeOperations();
  lines = [];
  const log = createHubLog({ level: 'trace', stream: { write: (line) => lines.push(line) } });
  app = await buildServer({ operations, log, version: '0.1.0' });
});
afterEach(() => app.close());

const ask = (options: InjectOptions, token: string | null = TOKENS.owner) =>
  app.inject({
    ...options,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...options.headers,
    },
  });

const newSite = {
  url: 'shop.test',
  name: 'Shop',
  user: 'admin',
  appPassword: 'abcd EFGH 1234 ijkl MNOP 5678',
};

describe('every route', () => {
  it.each([
    ['GET', '/api/v1/sites', undefined, ['sites']],
    ['POST', '/api/v1/sites', newSite, ['addSite', newSite]],
    ['POST', '/api/v1/sites/My%20Shop/test', undefined, ['testSite', 'My Shop']],
    [
      'PATCH',
      '/api/v1/sites/Shop',
      { status: 'paused' },
      ['changeSite', 'Shop', { status: 'paused' }],
    ],
    ['POST', '/api/v1/sites/Shop/copy', {}, ['siteCopied', 'Shop', 'owner']],
    ['DELETE', '/api/v1/sites/Shop', undefined, ['removeSite', 'Shop', { force: false }, 'owner']],
    ['GET', '/api/v1/routes', undefined, ['routes']],
    [
      'POST',
      '/api/v1/routes',
      { source: 'Shop', target: 'Blog' },
      ['addRoute', { source: 'Shop', target: 'Blog', both: false }],
    ],
    ['PATCH', '/api/v1/routes/1', { status: 'active' }, ['changeRoute', 1, { status: 'active' }]],
    ['DELETE', '/api/v1/routes/1', undefined, ['removeRoute', 1]],
    ['GET', '/api/v1/config', undefined, ['config']],
    [
      'POST',
      '/api/v1/config/diff',
      { config: { rollcall: 1 } },
      ['diffConfig', { config: { rollcall: 1 }, remove: false }],
    ],
    [
      'PUT',
      '/api/v1/config',
      { config: { rollcall: 1 }, revision: 'r-1' },
      ['applyConfig', { config: { rollcall: 1 }, remove: false, revision: 'r-1' }, 'owner'],
    ],
    ['GET', '/api/v1/groups', undefined, ['groups']],
    [
      'POST',
      '/api/v1/groups',
      { name: 'Brands', members: [{ site: 'Shop' }] },
      ['addGroup', { name: 'Brands', members: [{ site: 'Shop', way: 'both' }] }],
    ],
    ['GET', '/api/v1/groups/Brands', undefined, ['group', 'Brands']],
    [
      'PATCH',
      '/api/v1/groups/Brands',
      { status: 'paused' },
      ['changeGroup', 'Brands', { status: 'paused' }],
    ],
    ['DELETE', '/api/v1/groups/Brands', undefined, ['removeGroup', 'Brands']],
    [
      'POST',
      '/api/v1/groups/Brands/members',
      { members: [{ site: 'Shop', way: 'gives' }] },
      ['addMembers', 'Brands', { members: [{ site: 'Shop', way: 'gives' }] }],
    ],
    ['DELETE', '/api/v1/groups/Brands/members/Shop', undefined, ['removeMember', 'Brands', 'Shop']],
    [
      'POST',
      '/api/v1/groups/Brands/exceptions',
      { source: 'Shop', target: 'Blog', status: 'none' },
      ['exceptRoute', 'Brands', { source: 'Shop', target: 'Blog', both: false, status: 'none' }],
    ],
    [
      'POST',
      '/api/v1/syncs/plan',
      { from: 'Shop', to: ['Blog'], accounts: { by: 'all' } },
      ['planSync', { from: 'Shop', to: ['Blog'], accounts: { by: 'all' } }, 'owner'],
    ],
    [
      'POST',
      '/api/v1/syncs',
      { from: 'Shop', to: ['Blog'], accounts: { by: 'roles', roles: ['customer'] } },
      [
        'startSync',
        { from: 'Shop', to: ['Blog'], accounts: { by: 'roles', roles: ['customer'] } },
        'owner',
      ],
    ],
    ['GET', '/api/v1/syncs/run-1', undefined, ['sync', 'run-1']],
    ['GET', '/api/v1/syncs?limit=5', undefined, ['syncs', { limit: 5 }]],
    [
      'GET',
      '/api/v1/syncs/run-1/accounts?what=hold&state=left&after=x',
      undefined,
      ['syncSteps', 'run-1', { what: 'hold', state: 'left', after: 'x' }],
    ],
    [
      'POST',
      '/api/v1/syncs/run-1/start',
      { links: 'all' },
      ['startPlanned', 'run-1', { links: 'all' }],
    ],
    ['POST', '/api/v1/syncs/run-1/pause', undefined, ['pauseSync', 'run-1']],
    ['POST', '/api/v1/syncs/run-1/resume', undefined, ['resumeSync', 'run-1']],
    ['POST', '/api/v1/syncs/run-1/cancel', undefined, ['cancelSync', 'run-1']],
    [
      'POST',
      '/api/v1/syncs/run-1/undo',
      { removeCreated: true },
      ['undoSync', 'run-1', { removeCreated: true }, 'owner'],
    ],
    [
      'GET',
      '/api/v1/log?status=held,failed&limit=5',
      undefined,
      ['log', { status: ['held', 'failed'], limit: 5 }],
    ],
    ['GET', '/api/v1/log/export?reason=a.b', undefined, ['exportLog', { reason: 'a.b' }]],
    ['POST', '/api/v1/log/retry', { rows: [7] }, ['retry', { rows: [7] }, 'owner']],
    ['GET', '/api/v1/log/settings', undefined, ['logSettings']],
    ['PATCH', '/api/v1/log/settings', { days: 7 }, ['changeLogSettings', { days: 7 }]],
    [
      'PATCH',
      '/api/v1/log/settings/Shop',
      { on: false },
      ['changeSiteLog', 'Shop', { on: false }, 'owner'],
    ],
    ['GET', '/api/v1/status?look=true', undefined, ['status', { look: true }]],
    ['GET', '/api/v1/explain?site=Shop&login=anna', undefined, ['explain', 'Shop', 'anna']],
    ['GET', '/api/v1/doctor', undefined, ['doctor']],
    [
      'GET',
      '/api/v1/sites/Shop/guard?address=203.0.113.9',
      undefined,
      ['guard', 'Shop', { address: '203.0.113.9' }],
    ],
    [
      'PATCH',
      '/api/v1/sites/Shop/guard',
      { readOnly: true, revokeRoles: ['author'] },
      ['tightenGuard', 'Shop', { readOnly: true, revokeRoles: ['author'] }, 'owner'],
    ],
    [
      'GET',
      '/api/v1/account?site=Shop&login=anna',
      undefined,
      ['account', { site: 'Shop', login: 'anna' }],
    ],
    [
      'GET',
      '/api/v1/privacy/records?site=Shop&login=anna',
      undefined,
      ['personRecords', { site: 'Shop', login: 'anna' }],
    ],
    [
      'POST',
      '/api/v1/privacy/erase',
      { site: 'Shop', login: 'anna' },
      ['erasePerson', { site: 'Shop', login: 'anna' }, 'owner'],
    ],
    ['GET', '/api/v1/privacy/erasures', undefined, ['erasures']],
    [
      'POST',
      '/api/v1/privacy/erasures/decide',
      { erasures: [1], decision: 'release' },
      ['decideErasures', { erasures: [1], decision: 'release' }, 'owner'],
    ],
    [
      'PATCH',
      '/api/v1/account',
      { site: 'Shop', login: 'anna', stopOutgoing: true },
      ['switchAccount', { site: 'Shop', login: 'anna', stopOutgoing: true }, 'owner'],
    ],
    [
      'GET',
      '/api/v1/site-events?site=Shop&limit=5',
      undefined,
      ['siteEvents', { site: 'Shop', limit: 5 }],
    ],
    ['GET', '/api/v1/held/d-1', undefined, ['showHeld', 'd-1']],
    ['POST', '/api/v1/held/d-1/resolve', { as: 'link' }, ['resolveHeld', 'd-1', 'link', 'owner']],
    ['GET', '/api/v1/held?reason=a.b', undefined, ['held', { reason: 'a.b' }]],
    [
      'POST',
      '/api/v1/held/decide',
      { deliveries: ['d-1'], decision: 'release' },
      ['decideHeld', { deliveries: ['d-1'], decision: 'release' }, 'owner'],
    ],
    [
      'POST',
      '/api/v1/links',
      { site: 'Shop', login: 'anna', otherSite: 'Blog', otherLogin: 'anna2' },
      [
        'proveLink',
        { site: 'Shop', login: 'anna', otherSite: 'Blog', otherLogin: 'anna2' },
        'owner',
      ],
    ],
    [
      'POST',
      '/api/v1/links/ask',
      { site: 'Shop', login: 'anna', otherSite: 'Blog', otherLogin: 'anna2', kind: 'mail' },
      [
        'askForProof',
        { site: 'Shop', login: 'anna', otherSite: 'Blog', otherLogin: 'anna2', kind: 'mail' },
        'owner',
      ],
    ],
    ['GET', '/api/v1/links/asked', undefined, ['askedProofs']],
    ['POST', '/api/v1/links/asked/p-1/withdraw', {}, ['withdrawProof', 'p-1', 'owner']],
    ['POST', '/api/v1/sites/Shop/restored', {}, ['siteRestored', 'Shop', 'owner']],
    [
      'POST',
      '/api/v1/sites/Shop/rewritten',
      { take: 'others' },
      ['siteRewritten', 'Shop', { take: 'others' }, 'owner'],
    ],
    ['POST', '/api/v1/sites/Shop/rotate', {}, ['rotateSite', 'Shop', 'owner']],
    [
      'POST',
      '/api/v1/site-checks',
      { url: 'a.test', name: 'A', user: 'ann', password: ' typed ' },
      ['checkSite', { url: 'a.test', name: 'A', user: 'ann', password: ' typed ' }],
    ],
    [
      'POST',
      '/api/v1/site-approvals',
      { url: 'a.test', name: 'A' },
      ['startApproval', { url: 'a.test', name: 'A' }, 'owner'],
    ],
    ['GET', '/api/v1/site-approvals/a-1', undefined, ['approval', 'a-1', 'owner']],
    ['GET', '/api/v1/recovery', undefined, ['planRecovery']],
    ['POST', '/api/v1/recovery', {}, ['recoverHub', 'owner']],
    ['POST', '/api/v1/backups', undefined, ['backUp']],
    ['GET', '/api/v1/recovery/labels', undefined, ['rebuildFromLabels', null]],
    ['POST', '/api/v1/recovery/labels', {}, ['rebuildFromLabels', 'owner']],
    ['GET', '/api/v1/alarms', undefined, ['alarms', {}]],
    [
      'POST',
      '/api/v1/alarms/answer',
      { site: 'Shop', answer: 'recreate', logins: ['anna'] },
      ['answerAlarms', { site: 'Shop', answer: 'recreate', logins: ['anna'] }, 'owner'],
    ],
    ['POST', '/api/v1/runs', {}, ['runUntilIdle', { waitMs: 30_000 }]],
    ['GET', '/readyz', undefined, ['ready']],
  ] as const)(
    '%s %s calls its operation with what was sent',
    async (method, url, payload, call) => {
      const answer = await ask(payload === undefined ? { method, url } : { method, url, payload });
      expect(answer.statusCode).toBe(200);
      expect(operations.calls).toEqual([call]);
    },
  );

  it('is described by the schemas that check it', async () => {
    const answer = await ask({ url: '/api/v1/openapi.json' }, null);
    const described = answer.json();
    const paths = Object.keys(described.paths);
    expect(paths).toContain('/api/v1/sites/{site}/test');
    expect(paths).toContain('/api/v1/signals/{installation}');
    const adding = described.paths['/api/v1/sites'].post;
    const body = adding.requestBody.content['application/json'].schema;
    expect(body.required).toEqual(['url', 'name', 'user']);
    expect(adding.responses['4XX'].content['application/json'].schema.required).toEqual(['error']);
  });
});

describe('the login for a site', () => {
  it.each([
    [{}],
    [{ appPassword: 'a', password: 'b' }],
    [{ appPassword: 'a', install: true }],
    [{ password: '' }],
    [{ password: 'x'.repeat(5000) }],
    [{ password: ['a'] }],
  ])('%j is refused with a sentence, and nobody is asked', async (login) => {
    const payload = { url: 'a.test', name: 'A', user: 'ann', ...login };
    for (const url of ['/api/v1/sites', '/api/v1/site-checks']) {
      const answer = await ask({ method: 'POST', url, payload });
      expect([answer.statusCode, answer.json().error.code]).toEqual([400, 'request.invalid']);
    }
    expect(operations.calls).toEqual([]);
  });
});

describe('who may', () => {
  it('nobody without a token', async () => {
    const answer = await ask({ url: '/api/v1/sites' }, null);
    expect(answer.statusCode).toBe(401);
    expect(answer.json().error.code).toBe('auth.required');
  });

  it.each(['nonsense', 'Basic b3duZXI6', 'Bearer', `Bearer ${'x'.repeat(2000)}`])(
    'nobody with “%s”',
    async (authorization) => {
      const answer = await ask({ url: '/api/v1/sites', headers: { authorization } }, null);
      expect(answer.statusCode).toBe(401);
      expect(operations.calls).toEqual([]);
    },
  );

  it.each([
    ['viewer', 'GET', '/api/v1/sites', 200],
    ['viewer', 'POST', '/api/v1/sites/Shop/test', 403],
    ['operator', 'POST', '/api/v1/sites/Shop/test', 200],
    ['operator', 'POST', '/api/v1/sites/Shop/copy', 403],
    ['operator', 'DELETE', '/api/v1/sites/Shop', 403],
    ['owner', 'DELETE', '/api/v1/sites/Shop', 200],
    ['operator', 'POST', '/api/v1/sites/Shop/rotate', 403],
    ['operator', 'POST', '/api/v1/site-approvals', 403],
    ['operator', 'GET', '/api/v1/site-approvals/a-1', 403],
    ['operator', 'POST', '/api/v1/site-checks', 403],
    ['viewer', 'GET', '/api/v1/recovery', 200],
    ['viewer', 'POST', '/api/v1/recovery', 403],
    ['operator', 'POST', '/api/v1/backups', 403],
    ['operator', 'POST', '/api/v1/recovery/labels', 403],
  ] as const)('a %s gets for %s %s: %i', async (role, method, url, status) => {
    expect((await ask({ method, url }, TOKENS[role])).statusCode).toBe(status);
  });

  it('a token is asked for before the body is read', async () => {
    const answer = await ask(
      { method: 'POST', url: '/api/v1/sites', payload: '{broken', headers: json },
      'wrong-token-0000',
    );
    expect(answer.statusCode).toBe(401);
  });

  it('many wrong tokens are refused, a right one still gets in', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 25; i += 1) {
      statuses.push((await ask({ url: '/api/v1/sites' }, `wrong-${i}`)).statusCode);
    }
    expect(statuses.slice(0, 20).every((status) => status === 401)).toBe(true);
    expect(statuses.at(-1)).toBe(429);
    expect((await ask({ url: '/api/v1/sites' })).statusCode).toBe(200);
  });
});

const json = { 'content-type': 'application/json' };

describe('bad input gets a code, a sentence and the next step', () => {
  it.each<[string, InjectOptions, number, string]>([
    [
      'broken JSON',
      { method: 'POST', url: '/api/v1/sites', payload: '{x', headers: json },
      400,
      'request.invalid',
    ],
    ['no body', { method: 'POST', url: '/api/v1/sites', headers: json }, 400, 'request.invalid'],
    [
      'prototype pollution',
      { method: 'POST', url: '/api/v1/sites', payload: '{"__proto__":{"x":1}}', headers: json },
      400,
      'request.invalid',
    ],
    [
      'another content type',
      {
        method: 'POST',
        url: '/api/v1/sites',
        payload: 'a=b',
        headers: { 'content-type': 'text/csv' },
      },
      415,
      'request.wrong_type',
    ],
    [
      'too large',
      { method: 'POST', url: '/api/v1/sites', payload: { ...newSite, url: 'x'.repeat(2e6) } },
      413,
      'request.too_large',
    ],
    ['a list', { method: 'POST', url: '/api/v1/sites', payload: [] }, 400, 'request.invalid'],
    [
      'a number',
      { method: 'POST', url: '/api/v1/sites', payload: { ...newSite, name: 5 } },
      400,
      'request.invalid',
    ],
    [
      'a comma in a name',
      { method: 'POST', url: '/api/v1/sites', payload: { ...newSite, name: 'a,b' } },
      400,
      'request.invalid',
    ],
    [
      'an unknown member',
      { method: 'POST', url: '/api/v1/sites', payload: { ...newSite, x: 1 } },
      400,
      'request.invalid',
    ],
    [
      'no change',
      { method: 'PATCH', url: '/api/v1/sites/Shop', payload: {} },
      400,
      'request.invalid',
    ],
    [
      'a route that is no number',
      { method: 'DELETE', url: '/api/v1/routes/one' },
      400,
      'request.invalid',
    ],
    ['an unknown status', { url: '/api/v1/log?status=lost' }, 400, 'request.invalid'],
    ['a limit of zero', { url: '/api/v1/log?limit=0' }, 400, 'request.invalid'],
    ['a date that is none', { url: '/api/v1/log?since=yesterday' }, 400, 'request.invalid'],
    ['an unknown name', { method: 'DELETE', url: '/api/v1/sites/Nowhere' }, 404, 'site.unknown'],
    ['an unknown address', { url: '/api/v1/nothing' }, 404, 'request.not_found'],
    ['an unknown method', { method: 'PUT', url: '/api/v1/sites' }, 404, 'request.not_found'],
    ['a broken address', { url: '/api/v1/sites/%ff%/test' }, 400, 'request.invalid'],
    [
      'an endless address',
      { method: 'POST', url: `/api/v1/sites/${'x'.repeat(3000)}/test` },
      400,
      'request.invalid',
    ],
  ])('%s', async (_, options, status, code) => {
    const answer = await ask(options);
    expect([answer.statusCode, answer.json().error?.code]).toEqual([status, code]);
    const { message, next, id } = answer.json().error;
    expect(message).toMatch(/^[“A-Z].*\.$/u);
    expect(next.length).toBeGreaterThan(5);
    expect(id).toMatch(/^[0-9a-f]{12}$/u);
    expect(answer.body).not.toMatch(/node_modules|\.ts:|at .+\(/u);
  });

  it('names the place', async () => {
    const payload = { ...newSite, name: '' };
    const answer = await ask({ method: 'POST', url: '/api/v1/sites', payload });
    expect(answer.json().error.message).toMatch(/^“name”: /u);
  });
});

describe('what goes wrong inside', () => {
  it('is said without any of its text, and found again by its id', async () => {
    operations.on({
      sites: () => Promise.reject(new Error('relation "people" of anna@shop.test')),
    });
    const answer = await ask({ url: '/api/v1/sites' });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('people');
    const { code, id } = answer.json().error;
    expect(code).toBe('internal.fault');
    expect(lines.some((line) => line.includes(id) && line.includes('relation'))).toBe(true);
  });

  it('keeps the status and the next step of a fault', async () => {
    operations.on({
      addSite: () => Promise.reject(new Fault('site.tls', 'No secure connection.')),
    });
    const answer = await ask({ method: 'POST', url: '/api/v1/sites', payload: newSite });
    expect(answer.statusCode).toBe(422);
    expect(answer.json().error).toMatchObject({
      code: 'site.tls',
      message: 'No secure connection.',
      next: 'Renew or repair the site’s certificate.',
    });
  });

  it('an answer of another shape never gets out', async () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- wrong on purpose
    operations.on({ status: async () => ({ secret: 'x' }) as never });
    const answer = await ask({ url: '/api/v1/status' });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
  });
});

it('says whether it is alive and whether it can work', async () => {
  operations.on({ ready: () => Promise.reject(new Error('down')) });
  expect((await ask({ url: '/healthz' }, null)).json()).toEqual({ ok: true });
  const ready = await ask({ url: '/readyz' }, null);
  expect([ready.statusCode, ready.json()]).toEqual([503, { ready: false }]);
});
