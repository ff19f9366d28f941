/**
 * Whatever the road to a target or the target itself does wrong: the site is left in peace for a while, the
 * others go on, the operator sees why, people on the source notice nothing, and afterwards everything is there, once.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Diagnosis } from '#hub/api/schemas/doctor.ts';
import type { SiteTest } from '#hub/api/schemas/site.ts';
import type { SiteStatus } from '#hub/api/schemas/status.ts';
import type { Deed, FaultyDoor } from '#lab/faulty-door.ts';
import { type RestCall, restAs, signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { accountsOf } from './accounts-of.ts';
import { createAccount, ENGINE, type Hub, REST_MS, type Stage, startStage } from './stage.ts';

/** How long the hub waits for an answer where one does not come. A healthy one may take longer on a busy machine. */
const PATIENCE_S = ENGINE === 'native' ? 5 : 20;
/** Who waited for a site that hangs would wait until it no longer does. */
const VISITOR_MS = 30_000;
/** Tries, doubling from a second, times what one try asks; a hub that hammers asks a hundred times as often. */
const PATIENT = 60;

const page = (status: number, headers: Record<string, string> = {}): Deed => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'text/html', ...headers },
  body: '<!DOCTYPE html><title>One moment</title><p>We are not ourselves today.',
});
const json = (status: number, body: string): Deed => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'application/json' },
  body,
});
const UNAUTHORISED = json(
  401,
  '{"code":"incorrect_password","message":"The provided password is an invalid application password.","data":{"status":401}}',
);

let stage: Stage;
let hub: Hub;
let shop: Site;
let blog: Site;
let academy: Site;
let door: FaultyDoor;
let rest: RestCall;
let lastLogId = 0;

beforeAll(async () => {
  stage = await startStage({
    sites: ['shop', 'blog', 'academy'],
    routes: ['shop>blog', 'shop>academy'],
    doors: ['blog'],
  });
  hub = stage.hub;
  [shop, blog, academy] = [stage.site('shop'), stage.site('blog'), stage.site('academy')];
  door = stage.door('blog');
  await createAccount(shop, 'anna', { password: 'her password', firstName: 'Anna' });
  await hub.rest();
  rest = await restAs((await signIn(shop, 'anna', 'her password')).visitor);
});
afterAll(() => stage?.end());

const statusOf = async (name: string): Promise<SiteStatus> => {
  const found = (await hub.status(false)).sites.find((site) => site.name === name);
  if (found === undefined) throw new Error(`no site ${name}`);
  return found;
};

/** Anna edits her profile, as a visitor. */
async function visit(description: string): Promise<void> {
  const started = performance.now();
  const body = JSON.stringify({ description, first_name: `Anna ${description}` });
  const response = await rest('/wp/v2/users/me', { method: 'POST', body });
  expect(response.status).toBe(200);
  expect(performance.now() - started).toBeLessThan(VISITOR_MS);
}

const descriptionOn = (site: Site): Promise<string> =>
  site.php(`echo get_user_by( 'login', 'anna' )->description;`);

/** What the log says of this site since the last time: what came of each change in the end. */
async function outcomes(target: string) {
  const rows = await hub.log(`&after=${lastLogId}`);
  lastLogId = Math.max(lastLogId, ...rows.map((row) => row.id));
  return rows.filter((row) => row.target === target && row.status !== 'failed');
}

/** The operator has repaired it and asks, perhaps twice on a busy machine. */
const askNow = (): Promise<void> =>
  waitUntil(async () => (await hub.call<SiteTest>('POST', '/sites/blog/test')).ok, REST_MS);

async function expectSame(...sites: readonly Site[]): Promise<void> {
  const wanted = await accountsOf(shop);
  for (const site of sites) expect(await accountsOf(site)).toEqual(wanted);
}

async function suffers(deed: Deed | 'down', code: string, minutes = 0): Promise<void> {
  await outcomes('blog');
  door.forget();
  if (deed === 'down') await door.shut();
  else door.place({ deed });
  const words = `while it is ${code} ${lastLogId}`;
  await visit(words);
  await waitUntil(async () => {
    const { trouble, retryAt } = await statusOf('blog');
    const waits = retryAt === null ? 0 : Date.parse(retryAt) - Date.now();
    return trouble?.code === code && waits > minutes * 60_000;
  }, REST_MS);
  // The others go on.
  await waitUntil(async () => {
    const { trouble, pending } = await statusOf('academy');
    return trouble === null && pending === 0 && (await descriptionOn(academy)) === words;
  }, REST_MS);
  expect(await statusOf('blog')).toMatchObject({ pending: 1, state: 'active' });
  const { checks } = await hub.call<Diagnosis>('GET', '/doctor');
  expect(checks).toContainEqual(
    expect.objectContaining({ subject: 'blog', code, next: expect.stringMatching(/\w/u) }),
  );
  expect(door.heard.length).toBeLessThan(PATIENT);

  door.behave();
  await door.open();
  await askNow();
  await hub.rest();
  expect(await statusOf('blog')).toMatchObject({ trouble: null, retryAt: null });
  await expectSame(blog, academy);
  // An answer that was lost, after the site had done it, is no second delivery.
  const arrived = expect.stringMatching(/^(delivered|unchanged)$/u);
  expect(await outcomes('blog')).toMatchObject([{ status: arrived, login: 'anna' }]);
}

/** In WebAssembly each takes ten times as long, and shows nothing else. */
const alsoNative = test.runIf(ENGINE === 'native');

describe('a target that', () => {
  test('T302: is down', () => suffers('down', 'site.unreachable'));
  alsoNative('T302: closes every connection', () =>
    suffers({ kind: 'drop', passOn: false }, 'site.unreachable'),
  );
  alsoNative('T304: is under maintenance', () => suffers(page(503), 'site.server_error'));
  test('T307: shows a page instead of JSON', () => suffers(page(200), 'site.bad_answer'));
  alsoNative('T307: answers with garbage', () =>
    suffers(json(200, '{"receipts":[{"op":7}],"rows":"no"}'), 'site.bad_answer'),
  );
  test('T308: breaks off in the middle', () => suffers({ kind: 'cut' }, 'site.bad_answer'));
  alsoNative('T309: answers without an end', () =>
    suffers({ kind: 'flood', bytes: 1e12 }, 'site.bad_answer'),
  );

  test('T305: no longer takes the credential, or stands behind a firewall, is asked hourly after three tries', async () => {
    await suffers(UNAUTHORISED, 'site.credential_rejected', 30);
    await suffers(page(403), 'site.refused', 30);
  });

  test('T306: asks for fewer requests is asked again when it said', async () => {
    await suffers(page(429, { 'retry-after': '1200' }), 'site.rate_limited', 15);
  });
});

describe('an answer that does not come', () => {
  beforeAll(async () => {
    await stage.restart({ siteTimeoutSeconds: PATIENCE_S });
    hub = stage.hub;
    await hub.rest();
  });

  test('T303: since the target hangs', () =>
    suffers({ kind: 'hang', passOn: false }, 'site.timeout'));

  test('T310: the site has done it and then does not answer in time: it is asked again, and nothing is doubled', async () => {
    await outcomes('blog');
    const lost = door.place({ route: 'apply', times: 1, deed: { kind: 'hang', passOn: true } });
    await createAccount(shop, 'beth', { role: 'author', firstName: 'Beth' });
    await hub.rest();
    expect(lost.met).toBe(1);
    await expectSame(blog, academy);
    expect(await outcomes('blog')).toMatchObject([
      { login: 'beth', action: 'create', status: 'delivered', path: ['shop', 'blog'] },
    ]);
  });
});

describe('an answer that is lost', () => {
  test('T311: in the middle of a chain it is asked for again, and the chain goes on', async () => {
    const { routes } = await hub.call<{ routes: { id: string; target: string }[] }>(
      'GET',
      '/routes',
    );
    const direct = routes.find(({ target }) => target === 'academy');
    await hub.call('DELETE', `/routes/${direct?.id}`);
    await hub.route('blog', 'academy');
    await hub.rest();
    await outcomes('academy');
    const lost = door.place({ route: 'apply', times: 3, deed: { kind: 'drop', passOn: true } });
    await createAccount(shop, 'cleo', { role: 'author', firstName: 'Cleo' });
    await visit('along the chain');
    await hub.rest();
    expect(lost.met).toBe(3);
    await expectSame(blog, academy);
    const path = ['shop', 'blog', 'academy'];
    const rows = await outcomes('academy');
    expect(rows.filter(({ login }) => login === 'cleo')).toMatchObject([
      { action: 'create', status: 'delivered', path },
    ]);
    expect(rows.filter(({ login }) => login === 'anna')).toMatchObject([
      { action: 'update', status: 'delivered', path },
    ]);
  });
});
