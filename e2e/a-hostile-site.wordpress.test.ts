/**
 * One site of three lies. Its administrator owns it, so everything that it says is theirs to choose; two
 * honest sites, as real WordPress, are compared row by row with what they were before.
 */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApplyRequestSchema, ChangeRowSchema, LabelsRequestSchema } from '#contract/messages.ts';
import { LyingSite, Raw, type Told } from '#hub/wordpress/test/lying-site.ts';
import { signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { createAccount, person, REST_MS, type Stage, startStage } from './stage.ts';

const LAIR_KEY = 3;
const YEAR_9999 = 253_402_300_799_000;
/** Signs in with “rollcall-trial”. */
const HASH = '$P$ASvogy9FJ/Rn7niZpJFdmGzCOl1ALQ/';
const CLI = new URL('../bin/rollcall.mjs', import.meta.url).pathname;

let stage: Stage;
let shop: Site;
let blog: Site;
let lair: LyingSite;
/** Of an honest person, on shop and blog. */
let olga: string;

beforeAll(async () => {
  lair = new LyingSite('lair', LAIR_KEY);
  await lair.start();
  stage = await startStage({ sites: ['shop', 'blog'], routes: ['shop=blog'] });
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
  await createAccount(shop, 'olga', { firstName: 'Olga' });
  await stage.hub.rest();
  olga = (await stage.hub.log('&account=olga'))[0]?.uid ?? '';
  await connectLair();
  const meta = ['phone'];
  const roles = ['subscriber', 'author'];
  await stage.hub.route('lair', 'shop', { both: true, rules: { meta, roles } });
  for (const login of ACCOMPLICES) {
    lair.site.register({ login, email: `${login}@lair.test`, password: HASH });
  }
  await stage.hub.rest();
  expect(Object.keys((await everybody())['blog'] ?? {})).toEqual(
    expect.arrayContaining([...ACCOMPLICES]),
  );
});
afterAll(async () => {
  await stage?.end();
  await lair?.stop();
});

const connectLair = (): Promise<unknown> =>
  stage.hub.call('POST', '/sites', {
    url: lair.url,
    name: 'lair',
    user: 'admin',
    appPassword: 'abcd efgh ijkl mnop qrst uvwx',
  });

/** They registered on the lair, honestly, and are on both other sites since then. */
const ACCOMPLICES = [
  'claimant',
  'holder',
  'prophet',
  'mess',
  'loader',
  'climber',
  'chief',
  'echo',
  'printer',
] as const;
const accomplice = (login: (typeof ACCOMPLICES)[number]): number => {
  const account = lair.site.byLogin(login);
  if (account === undefined) throw new Error(`no ${login} on the lair`);
  return account.id;
};

/** What was told is learned, and everything that follows from it is done. */
async function settled(): Promise<void> {
  await waitUntil(async () => lair.site.tellFirst.length === 0, REST_MS);
  await stage.hub.rest();
}

interface Rows {
  readonly [site: string]: Readonly<Record<string, unknown>>;
}

/**
 * Every row of every account of both honest sites, by login, but the hub's own: a number rises there with
 * each exchange. Sessions come by signing in.
 */
async function everybody(): Promise<Rows> {
  const read = async (site: Site): Promise<Readonly<Record<string, unknown>>> =>
    JSON.parse(
      await site.php(`global $wpdb; $out = array();
        foreach ( $wpdb->get_results( "SELECT * FROM $wpdb->users WHERE user_login <> 'rollcall-hub'", ARRAY_A ) as $row ) {
          $out[ $row['user_login'] ] = array( $row, $wpdb->get_results( $wpdb->prepare( "SELECT meta_key, meta_value
            FROM $wpdb->usermeta WHERE user_id = %d AND meta_key <> 'session_tokens' ORDER BY meta_key, umeta_id", $row['ID'] ), ARRAY_A ) );
        }
        echo wp_json_encode( $out );`),
    );
  return { shop: await read(shop), blog: await read(blog) };
}

const reasonsOf = async (login: string): Promise<ReadonlySet<string | null>> =>
  new Set((await stage.hub.log(`&account=${login}`)).map((row) => row.reason));

const lairNow = async () => (await stage.hub.status(false)).sites.find((s) => s.name === 'lair');
/** The lair is looked for again at once, not when it has backed off. */
const goOn = () => stage.hub.call('POST', '/sites/lair/test');

async function inTrouble(code: string): Promise<void> {
  await waitUntil(async () => (await lairNow())?.trouble?.code === code, REST_MS);
}

const withFields = (row: Told, fields: Readonly<Record<string, unknown>>) => ({
  ...row,
  account: {
    ...row.account,
    fields: {
      ...row.account.fields,
      ...Object.fromEntries(
        Object.entries(fields).map(([name, v]) => [name, { v, s: [Date.now(), LAIR_KEY] }]),
      ),
    },
  },
});

const ended = (gone: object) => (row: Told) => ({
  ...row,
  account: undefined,
  kind: 'delete',
  gone,
});

test('T501: a site that says its account is another site’s person gets nothing of that person', async () => {
  const id = accomplice('claimant');
  const stranger = 9001;
  const before = await everybody();
  const born = [Date.now(), LAIR_KEY];
  lair.tell(
    id,
    (row) => ({
      ...withFields(row, { first_name: 'Owned' }),
      account: { ...row.account, uid: olga },
    }),
    (row) => ({
      ...row,
      kind: 'create',
      account: {
        ...row.account,
        id: stranger,
        uid: olga,
        login: 'olga',
        email: 'olga@people.test',
        born,
      },
    }),
    ended({ id, uid: olga, login: 'claimant', stamp: born }),
    ended({ id: stranger + 1, uid: olga, login: 'olga', stamp: born }),
  );
  await settled();
  expect(await everybody()).toEqual(before);
  expect(await reasonsOf('claimant')).toContain('identity.label_mismatch');
  expect(await reasonsOf('olga')).toContain('identity.label_mismatch');
});

test('T502: receipts that name other persons’ accounts, things never sent or the far future attach nobody to anybody', async () => {
  const id = accomplice('holder');
  const before = await everybody();
  lair.lie('apply', (honest, asked) => {
    const { operations } = ApplyRequestSchema.parse(asked);
    const receipts = operations.flatMap((operation) => {
      const { op } = operation;
      const fields = operation.kind === 'write' ? operation.fields : {};
      const told = Object.fromEntries(
        Object.keys(fields).map((name) => [name, { s: [YEAR_9999, 1], r: 'applied' }]),
      );
      const receipt = { op, result: 'created', id, login: 'olga', fields: told };
      return [receipt, { ...receipt, result: 'deleted' }, receipt];
    });
    const never = { op: 'never-sent', result: 'created', id, login: 'olga', fields: {} };
    return { ...honest, receipts: [never, ...receipts], done: 1000 };
  });
  await createAccount(shop, 'nina', { firstName: 'Nina' });
  await waitUntil(async () => (await heldOf('nina')).length > 0, REST_MS);
  await stage.hub.settled(['shop', 'blog']);
  expect(await heldOf('nina')).toMatchObject([
    { target: 'lair', reason: 'identity.label_mismatch' },
  ]);
  lair.lie('apply');
  lair.site.edit(id, { last_name: 'Hand' });
  await stage.hub.rest();
  expect(await person(shop, 'nina')).toMatchObject({ firstName: 'Nina', lastName: '' });
  expect(await person(blog, 'nina')).toMatchObject({ firstName: 'Nina', lastName: '' });
  expect(await person(shop, 'holder')).toMatchObject({ lastName: 'Hand' });
  expect(others(await everybody(), ['holder', 'nina'])).toEqual(others(before, ['holder']));
});

interface Held {
  readonly delivery: string;
  readonly login: string;
  readonly target: string;
  readonly reason: string;
}
const heldOf = async (login: string): Promise<readonly Held[]> =>
  (await stage.hub.call<{ held: Held[] }>('GET', '/held')).held.filter(
    (row) => row.login === login,
  );

/** Without these persons. */
const others = (rows: Rows, logins: readonly string[]): Rows =>
  Object.fromEntries(
    Object.entries(rows).map(([site, all]) => [
      site,
      Object.fromEntries(Object.entries(all).filter(([login]) => !logins.includes(login))),
    ]),
  );

test('T503: stamps of the year 9999, of long ago and in another site’s name win nothing, now or later', async () => {
  const id = accomplice('prophet');
  const before = await everybody();
  const stamped = (v: string, s: readonly number[]) => (row: Told) => ({
    ...row,
    account: { ...row.account, fields: { ...row.account.fields, first_name: { v, s } } },
  });
  lair.tell(
    id,
    stamped('Future', [YEAR_9999, LAIR_KEY]),
    stamped('Past', [1, LAIR_KEY]),
    stamped('Before', [0, LAIR_KEY]),
    ended({ id: 4711, uid: null, login: 'prophet', stamp: [YEAR_9999, LAIR_KEY] }),
  );
  await settled();
  expect(await everybody()).toEqual(before);
  expect(await reasonsOf('prophet')).toContain('stamp.in_future');
  // In another site's name: it is the lair's own word, and comes to that site, too.
  const now = Date.now();
  lair.tell(id, (row) => ({
    ...row,
    account: {
      ...row.account,
      fields: {
        ...row.account.fields,
        first_name: { v: 'In one name', s: [now, 1] },
        last_name: { v: 'In the other', s: [now, 2] },
      },
    },
  }));
  await settled();
  for (const site of [shop, blog]) {
    expect(await person(site, 'prophet')).toMatchObject({
      firstName: 'In one name',
      lastName: 'In the other',
    });
  }
  await blog.wp('user', 'update', 'prophet', '--first_name=Present');
  await stage.hub.rest();
  expect(await person(shop, 'prophet')).toMatchObject({ firstName: 'Present' });
  expect(others(await everybody(), ['prophet'])).toEqual(others(before, ['prophet']));
});

test('T504: answers of wrong types or forms teach nothing, and the others go on', async () => {
  const id = accomplice('mess');
  const before = await everybody();
  const good = lair.site.readAsRow(id);
  const { account = null } = good;
  const broken: readonly unknown[] = [
    { ...good, account: { ...account, fields: { first_name: { v: 'x', s: [-1, LAIR_KEY] } } } },
    { ...good, account: { ...account, fields: { first_name: { v: 'x', s: [1.5, LAIR_KEY] } } } },
    { ...good, account: { ...account, fields: { first_name: { s: [1, LAIR_KEY] } } } },
    { ...good, account: { ...account, id: '1 or 1=1' } },
    { ...good, row: '../../etc' },
  ];
  for (const row of broken) expect(ChangeRowSchema.safeParse(row).success).toBe(false);
  expect(ChangeRowSchema.safeParse(good).success).toBe(true);
  lair.lie('changes', (honest) => ({ ...honest, rows: [broken[0]] }));
  await inTrouble('site.bad_answer');
  lair.lie('changes', () => new Raw(`{"rows":${'['.repeat(100_000)}`));
  await goOn();
  await inTrouble('site.bad_answer');
  await shop.wp('user', 'update', 'olga', '--last_name=Goes On');
  await waitUntil(async () => (await person(blog, 'olga'))?.lastName === 'Goes On', REST_MS);
  lair.lie('changes');
  await goOn();
  await stage.hub.rest();
  expect(others(await everybody(), ['olga'])).toEqual(others(before, ['olga']));
});

test('T505: objects in serialised text, values of other kinds, hashes that never end and metas of 10 MB stay where they are', async () => {
  const id = accomplice('loader');
  const before = await everybody();
  const object = 'O:8:"stdClass":1:{s:1:"a";i:1;}';
  lair.tell(id, (row) =>
    withFields(row, {
      first_name: object,
      description: `a:1:{i:0;${object}}`,
      display_name: 5,
      url: ['https://lair.test'],
      locale: true,
      password: `$wp$2y$31$${'a'.repeat(53)}`,
      'meta:phone': [object],
      'meta:wp_capabilities': ['a:1:{s:13:"administrator";b:1;}'],
      'meta:session_tokens': ['x'],
      'role:administrator': true,
      last_name: 'Fine',
    }),
  );
  await settled();
  expect(await person(shop, 'loader')).toMatchObject({ lastName: 'Fine', firstName: '' });
  expect(await person(blog, 'loader')).toMatchObject({ lastName: 'Fine', firstName: '' });
  expect([...(await reasonsOf('loader'))]).toEqual(
    expect.arrayContaining(['value.serialized', 'value.malformed', 'password.unverifiable']),
  );
  const withoutIt = async () =>
    JSON.parse(JSON.stringify(await everybody()).replaceAll('"Fine"', '""'));
  expect(await withoutIt()).toEqual(before);

  lair.tell(id, (row) => withFields(row, { 'meta:phone': ['x'.repeat(10_000_000)] }));
  await settled();
  expect(await reasonsOf('loader')).toContain('value.too_large');
  expect(await withoutIt()).toEqual(before);
});

test('T506: a site that gives more than was asked, the same again and again, or one epoch after another keeps nobody busy', async () => {
  const id = accomplice('echo');
  const before = await everybody();
  const row = lair.site.readAsRow(id);
  lair.lie('changes', (honest) => ({ ...honest, rows: Array.from({ length: 501 }, () => row) }));
  await inTrouble('site.bad_answer');

  for (const page of [
    { rows: [], more: true },
    { rows: [row], more: true },
  ]) {
    lair.lie('changes', (honest) => ({ ...honest, ...page }));
    await goOn();
    await waitUntil(async () => (await lairNow())?.trouble === null, REST_MS);
    const began = (await lairNow())?.lastPulledAt;
    lair.asked.length = 0;
    await waitUntil(async () => (await lairNow())?.lastPulledAt !== began, REST_MS);
    expect(lair.asked.filter((route) => route === 'changes').length).toBeLessThan(20);
  }

  let flips = 0;
  lair.lie('changes', (honest) => {
    flips += 1;
    return { ...honest, epoch: `epoch-${flips}`, rows: [row] };
  });
  await inTrouble('source.rewound');
  lair.lie('changes', (honest) => ({ ...honest, epoch: 'x\u0000y' }));
  await connectLair();
  await inTrouble('site.bad_answer');
  lair.lie('changes');
  await goOn();
  await stage.hub.rest();
  expect(await everybody()).toEqual(before);
});

test('T507: a site that says it is another one’s users table takes nobody’s place', async () => {
  const impostor = new LyingSite('impostor', LAIR_KEY + 1);
  await impostor.start();
  const store = (await shop.php('echo Rollcall_Tables::store_id();')).trim();
  const sitesNow = async () =>
    (await stage.hub.call<{ sites: object[] }>('GET', '/sites')).sites.map((site) => ({
      ...site,
      // They are asked again and again meanwhile.
      lastPulledAt: null,
    }));
  const before = await sitesNow();
  impostor.lie('status', (honest) => ({ ...honest, store }));
  impostor.lie('connect', (honest) => ({
    ...honest,
    status: Object.assign({}, honest['status'], { store }),
  }));
  const body = {
    url: impostor.url,
    name: 'impostor',
    user: 'admin',
    appPassword: 'abcd efgh ijkl mnop',
  };
  const answer = await stage.hub.raw('POST', '/sites', body);
  expect([answer.status, await answer.json()]).toMatchObject([
    409,
    { error: { code: 'site.already_added' } },
  ]);
  expect(await sitesNow()).toEqual(before);
  await impostor.stop();
});

test('T508: roles that became privileged, and persons who did, by a role or by themselves, are not touched', async () => {
  const [climber, chief] = [accomplice('climber'), accomplice('chief')];
  await shop.php(`get_role( 'author' )->add_cap( 'manage_options' );
    $chief = get_user_by( 'login', 'chief' )->ID; global $wpdb;
    $wpdb->update( $wpdb->usermeta, array( 'meta_value' => serialize( array( 'subscriber' => true, 'edit_users' => true ) ) ),
      array( 'user_id' => $chief, 'meta_key' => $wpdb->prefix . 'capabilities' ) ); wp_cache_flush();`);
  const before = await everybody();
  lair.site.edit(climber, { 'role:author': true });
  lair.tell(climber, (row) => ({
    ...row,
    account: {
      ...row.account,
      privileged: false,
      roles: { 1: { administrator: { v: true, s: [Date.now(), LAIR_KEY] } } },
    },
  }));
  lair.site.edit(chief, {
    email: 'owner@lair.test',
    first_name: 'Chief',
    password: HASH.replace('S', 'T'),
  });
  await settled();
  lair.site.remove(chief);
  await settled();
  expect(await everybody()).toEqual(before);
  expect(await reasonsOf('climber')).toContain('role.not_grantable');
  expect(await reasonsOf('chief')).toContain('target.privileged_account');
  await shop.php(`get_role( 'author' )->remove_cap( 'manage_options' );`);
});

const STEERS = '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202Egnp.exe\u2066';
const SCRIPT = '<script>alert(1)</script><img src=x onerror=alert(2)>';
/** Pages are read one after the other: ROLLCALL_FLOOD=100000 tries a hundred thousand. */
const FLOOD = Number(process.env['ROLLCALL_FLOOD'] ?? 2_000);
const FLOOD_MS = 60_000 + FLOOD * 20;

test('T509, T510: a flood of accounts ends at the door, held to be released or rejected; what their names hold is shown and not obeyed', async () => {
  const there = await everybody();
  const stamp: [number, number] = [Date.now(), LAIR_KEY];
  const at = (v: unknown) => ({ v, s: stamp });
  const bot = (number: number): unknown => ({
    row: `ab${number.toString(16).padStart(14, '0')}`,
    rev: 1,
    kind: 'create',
    at: Date.now(),
    blog: 1,
    actor: { kind: 'visitor', login: STEERS },
    account: {
      id: 100_000 + number,
      uid: null,
      label_ok: true,
      login: number === 7 ? `bot-7${STEERS}` : number === 8 ? `bot-8${SCRIPT}` : `bot-${number}`,
      email: `bot-${number}@lair.test`,
      registered: '2026-11-21 12:00:00',
      born: stamp,
      privileged: false,
      switches: { stop_outgoing: false, reject_incoming: false },
      fields: {
        email: at(`bot-${number}@lair.test`),
        password: at(HASH),
        display_name: at(SCRIPT + STEERS),
        nickname: at(SCRIPT),
        description: at(`${SCRIPT}<a href="javascript:alert(3)">x</a>`),
      },
      unreadable: { [`meta:${STEERS}`]: STEERS },
      roles: { 1: { subscriber: at(true), [SCRIPT]: at(true) } },
    },
  });
  let page = 0;
  lair.lie('labels', (_, asked) => ({
    results: LabelsRequestSchema.parse(asked).labels.map(({ id }) => ({ id, result: 'labelled' })),
  }));
  lair.lie('changes', (honest) => {
    const from = page * 500;
    if (from >= FLOOD) return honest;
    page += 1;
    return {
      ...honest,
      rows: Array.from({ length: 500 }, (_, one) => bot(from + one)),
      more: true,
    };
  });
  const held = async () => (await stage.hub.status(false)).held;
  await waitUntil(async () => (await held()) >= FLOOD - 200, FLOOD_MS, 500);
  lair.lie('changes');
  await stage.hub.rest(FLOOD_MS);
  const now = await everybody();
  const came = Object.keys(now['shop'] ?? {}).filter((login) => login.startsWith('bot-'));
  expect(came.length).toBeGreaterThan(150);
  expect(came.length).toBeLessThanOrEqual(200);
  expect(others(now, came)).toEqual(there);
  expect(JSON.stringify([now['shop'], now['blog']])).not.toMatch(/<script|onerror|javascript:/u);

  const visitor = await signIn(shop, shop.adminLogin, shop.adminPassword);
  const list = await visitor.visitor.request('/wp-admin/users.php?s=bot-1');
  expect(await list.text()).not.toMatch(/<script>alert|onerror=alert|javascript:alert/u);
  for (const [shows, ...command] of [
    ['bot-', 'logs', '--limit', '1000'],
    ['bot-', 'held', 'list'],
  ] as const) {
    const shown = await rollcall(command);
    expect(shown).toMatch(new RegExp(shows, 'u'));
    expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  }

  const waiting = await heldFor('source.creation_limit');
  expect(waiting.length).toBeGreaterThan(900);
  const wanted = waiting.find((row) => row.login === 'bot-400')?.delivery ?? '';
  await stage.hub.call('POST', '/held/decide', { deliveries: [wanted], decision: 'release' });
  await stage.hub.rest();
  expect(await person(blog, 'bot-400')).not.toBeNull();
  expect(await rollcall(['held', 'reject', '--reason', 'source.creation_limit'])).toMatch(
    /decided/u,
  );
  expect(await heldFor('source.creation_limit')).toEqual([]);
  expect(await person(blog, 'bot-401')).toBeNull();
}, 3_000_000);

const heldFor = async (reason: string): Promise<readonly Held[]> =>
  (await stage.hub.call<{ held: Held[] }>('GET', `/held?reason=${reason}`)).held;

function rollcall(args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1', CI: '' };
    const { url, token } = stage.hub;
    const child = spawn(process.execPath, [CLI, ...args, '--url', url, '--token', token], { env });
    let shown = '';
    child.stdout.on('data', (data: Buffer) => {
      shown += data.toString('utf8');
    });
    child.stderr.on('data', (data: Buffer) => {
      shown += data.toString('utf8');
    });
    child.on('close', () => resolve(shown));
  });
}

test('T511: a site that says all its accounts are gone empties no other one', async () => {
  const before = await everybody();
  const bots = Object.keys(before['shop'] ?? {}).filter((login) => /^bot-\d+$/u.test(login));
  const rows = bots.map((login) => ({
    row: `cd${login.slice('bot-'.length).padStart(14, '0')}`,
    rev: 1,
    kind: 'delete',
    at: Date.now(),
    blog: 1,
    actor: { kind: 'cli' },
    gone: {
      id: 100_000 + Number(login.slice('bot-'.length)),
      uid: null,
      login,
      stamp: [Date.now(), LAIR_KEY],
    },
  }));
  let told = false;
  lair.lie('changes', (honest) => {
    if (told) return honest;
    told = true;
    return { ...honest, rows };
  });
  await waitUntil(async () => (await heldFor('delete.over_limit')).length === bots.length, REST_MS);
  lair.lie('changes');
  await stage.hub.rest();
  expect(await everybody()).toEqual(before);
});

test('and in all this nobody was made an administrator', async () => {
  for (const site of [shop, blog]) {
    const admins = await site.wp('user', 'list', '--role=administrator', '--field=user_login');
    expect(admins.trim().split('\n')).toEqual([site.adminLogin]);
  }
});
