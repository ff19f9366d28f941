/**
 * Large batches are written as sets, small ones one by one: the same operations must end in the same
 * accounts, the same stamps and the same receipts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Operation, Receipt, WriteOperation } from '#contract/messages.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import {
  CONNECTOR,
  type ConnectedSite,
  connectedSite,
  countsWhile,
  fields,
  GOOD_HASH,
  newcomers,
  past,
  STRANGERS,
  startConnectedSite,
  THERE,
  write,
} from './connected-site.ts';
import { BEST_AND_OLDEST } from './engines.ts';

const GONE = '0c1d5a0e-7f63-4d0e-9a52-0d9f0c1f3b11';
/** Below this many the connector goes one by one (Rollcall_Apply_Set::LEAST). */
const SMALL = 20;

const AccountSchema = z.object({
  user: z.record(z.string(), z.unknown()),
  meta: z.array(z.tuple([z.string(), z.string().nullable()])),
  ledger: z.record(z.string(), z.unknown()).nullable(),
  outbox: z.record(z.string(), z.unknown()).nullable(),
});
const DumpSchema = z.object({
  accounts: z.record(z.string(), AccountSchema),
  tombstones: z.array(z.record(z.string(), z.unknown())),
});
type Dump = z.infer<typeof DumpSchema>;

/** Everything that an apply may touch, by login; ids, random hashes and moments left out. */
const DUMP = `
  global $wpdb;
  $known = array( '${GOOD_HASH}', '$P$ASvogy9FJ/Rn7niZpJFdmGzCOl1ALQ/' );
  $out = array( 'accounts' => new stdClass(), 'tombstones' => $wpdb->get_results( 'SELECT uid, stamp_ms, stamp_key, login FROM ' . Rollcall_Tables::tombstones() . ' ORDER BY uid' ) );
  $now = function ( $stamp ) { return 7 === (int) $stamp[1] && $stamp[0] > 0 ? array( 'now', 7 ) : array( (int) $stamp[0], (int) $stamp[1] ); };
  foreach ( $wpdb->get_results( "SELECT * FROM $wpdb->users" ) as $user ) {
    $id = $user->ID;
    $known_pass = in_array( $user->user_pass, $known, true );
    $ledger = $wpdb->get_row( 'SELECT * FROM ' . Rollcall_Tables::accounts() . " WHERE user_id = $id", ARRAY_A );
    if ( $ledger ) {
      $entries = json_decode( $ledger['fields'], true );
      ksort( $entries );
      foreach ( $entries as $name => &$entry ) { $entry = array( $now( $entry ), 'password' === $name && ! $known_pass ? '' : $entry[2] ); }
      unset( $entry, $ledger['user_id'], $ledger['rev'] );
      $ledger['fields'] = $entries;
    }
    $outbox = $wpdb->get_row( 'SELECT kind, state, blog, actor, overwritten FROM ' . Rollcall_Tables::outbox() . " WHERE user_id = $id", ARRAY_A );
    if ( $outbox ) { $outbox['overwritten'] = array_map( $now, (array) json_decode( (string) $outbox['overwritten'], true ) ); ksort( $outbox['overwritten'] ); }
    $user->user_url = str_replace( home_url(), 'home', $user->user_url );
    $user->user_pass = $known_pass ? $user->user_pass : 'another';
    unset( $user->ID );
    $out['accounts']->{$user->user_login} = array( 'user' => $user, 'ledger' => $ledger, 'outbox' => $outbox,
      'meta' => $wpdb->get_results( "SELECT meta_key, meta_value FROM $wpdb->usermeta WHERE user_id = $id AND meta_key NOT IN ( 'session_tokens', '_application_passwords' ) ORDER BY umeta_id", ARRAY_N ) );
  }
  echo wp_json_encode( $out );`;

async function dumpOf(site: Site): Promise<Dump> {
  return DumpSchema.parse(JSON.parse(await site.php(DUMP)));
}

/** People who were there before, in every state that an operation may find them in. */
const PEOPLE = `
  $make = function ( $login, $more = array() ) {
    return wp_insert_user( array_merge( array( 'user_login' => $login, 'user_email' => $login . '@there.test', 'user_pass' => 'x', 'first_name' => 'Before', 'last_name' => 'Before', 'role' => 'subscriber' ), $more ) );
  };
  global $wpdb;
  add_role( 'forum', 'Forum', array( 'read' => true, 'level_3' => true ) );
  for ( $i = 0; $i < 30; $i++ ) {
    $id = $make( "old$i", array( 'role' => $i % 3 ? 'author' : 'contributor', 'description' => "It's <b>\\"$i\\"</b>" ) );
    add_user_meta( $id, 'phone', "0$i" );
    if ( $i % 2 ) { add_user_meta( $id, 'tags', 'one' ); add_user_meta( $id, 'tags', array( 'two', $i ) ); }
    if ( 0 === $i % 7 ) { ( new WP_User( $id ) )->add_role( 'forum' ); delete_user_meta( $id, 'rich_editing' ); }
  }
  $make( 'in.the-way' ); $make( 'In The Way' ); $make( 'umlaut', array( 'user_email' => 'adele@there.test' ) );
  $make( 'an-editor', array( 'role' => 'editor' ) ); $make( 'busy' ); $make( 'rejects' ); $make( 'relabelled' ); $make( 'by-sql' ); $make( 'reset' );
  $wpdb->update( $wpdb->users, array( 'user_activation_key' => '1:asked-for' ), array( 'user_login' => 'reset' ) );
  Rollcall_Capture::settle_now();
  echo wp_json_encode( $wpdb->get_results( "SELECT user_login, ID FROM $wpdb->users", OBJECT_K ) );`;

const IdsSchema = z.record(z.string(), z.object({ ID: z.coerce.number() }));

interface World {
  readonly uidOf: ReadonlyMap<string, string>;
  readonly idOf: ReadonlyMap<string, number>;
}

async function prepare(hub: ConnectedSite): Promise<World> {
  const ids = IdsSchema.parse(JSON.parse(await hub.site.php(PEOPLE)));
  const idOf = new Map(Object.entries(ids).map(([login, { ID }]) => [login, ID]));
  const uidOf = new Map([...idOf.keys()].map((login) => [login, write().uid]));
  const labels = [...idOf].filter(([login]) => login !== 'admin' && login !== 'rollcall-hub');
  const sent = Buffer.from(
    JSON.stringify(labels.map(([login, id]) => [id, uidOf.get(login)])),
  ).toString('base64');
  const id = (login: string): number => idOf.get(login) ?? 0;
  await hub.site.php(`global $wpdb;
    foreach ( json_decode( base64_decode( '${sent}' ), true ) as $label ) { Rollcall_Ledger::label( $label[0], $label[1] ); }
    $wpdb->query( 'DELETE FROM ' . Rollcall_Tables::outbox() );
    Rollcall_Ledger::set_switches( ${id('rejects')}, array( 'reject_incoming' => true ) );
    Rollcall_Capture::settle_now();
    $wpdb->query( 'DELETE FROM ' . Rollcall_Tables::outbox() );
    foreach ( array( 'old8', 'old9' ) as $login ) { wp_update_user( array( 'ID' => get_user_by( 'login', $login )->ID, 'first_name' => 'Untold', 'role' => 'contributor' ) ); }
    Rollcall_Capture::settle_now();
    $wpdb->update( $wpdb->users, array( 'user_registered' => '2001-01-01 00:00:00' ), array( 'ID' => ${id('relabelled')} ) );
    $wpdb->update( $wpdb->users, array( 'display_name' => 'By SQL' ), array( 'ID' => ${id('by-sql')} ) );
    Rollcall_Tombstones::put( '${GONE}', array( 5, 3 ), 999, 'long-gone' );`);
  return { uidOf, idOf };
}

const LONG_AGO = 0;

/** Some 120 operations, hardly two of them alike. */
function awkward({ uidOf, idOf }: World): Operation[] {
  const operations: Operation[] = [];
  const on = (login: string, values: WriteOperation['fields'], change = {}): void => {
    operations.push(
      write({
        uid: uidOf.get(login) ?? '',
        id: idOf.get(login) ?? null,
        create: null,
        fields: values,
        ...change,
      }),
    );
  };
  const create = (
    login: string,
    values: Record<string, WriteOperation['fields'][string]['v']> = {},
    change: Partial<WriteOperation> = {},
    seconds = 60,
  ): void => {
    operations.push(
      write({
        login,
        fields: fields(
          { email: `${login.replaceAll(/[^a-z0-9.-]/giu, '')}@new.test`, ...values },
          past(seconds),
        ),
        ...change,
      }),
    );
  };
  const defaultRole = (login: string): Partial<WriteOperation> => ({
    create: { login, registered: '2019-05-06 07:08:09', born: [0, THERE], default_role: true },
  });

  for (let i = 0; i < 30; i += 1) {
    create(`new${i}`, {
      first_name: `Ä${i} "quoted" O'Neil \\ back`,
      last_name: '🦊 \u00a0Fox',
      'meta:phone': [`+49 ${i}`],
      'meta:tags': ['a', ['x', 1, [true, null, 1.5]], { z: { 'ö\\"': [] }, a: '' }, 'b\\"c'],
      'role:author': true,
      ...(i % 2 ? { password: GOOD_HASH } : {}),
      ...(i % 3 ? { 'role:subscriber': true, 'role:contributor': false } : {}),
      ...(i % 5 === 0 ? { description: `line\n<script>${i}</script> <b>bold</b>` } : {}),
      ...(i % 7 === 0 ? { nickname: '', display_name: '' } : {}),
      ...(i % 4 === 0 ? { locale: 'de_DE', url: 'https://ä.test/?a=1&b=2' } : {}),
    });
  }
  // Nicenames: clashes within the batch, with what is there, and at their greatest length.
  for (const login of [
    'in_the_way',
    'in the.way',
    'Clash.One',
    'clash one',
    'clash-one',
    'clash_one',
  ]) {
    create(login, {
      email: `${login.replaceAll(/\W/gu, '')}${login.length}${login.charCodeAt(2)}@clash.test`,
    });
  }
  create('x'.repeat(60));
  create(`${'x'.repeat(55)}other`);
  create('clash-one-2', { email: 'clash12@clash.test' });
  // In the way of each other, and of people who are there.
  create('twice', { email: 'twice@clash.test' });
  create('TWICE', { email: 'other@clash.test' });
  create('thrice', { email: 'Twice@clash.test' });
  create('old1', { email: 'old-one@clash.test' });
  create('not-old', { email: 'OLD2@there.test' });
  create('accent', { email: 'adéle@there.test' });
  create('rollcall-hub', { email: 'hub@clash.test' });
  // Refused.
  create('b<i>ad</i>');
  create('y'.repeat(61));
  create('badmail', { email: 'a b@example.com' });
  create('badmail2', { email: '' });
  operations.push(write({ login: 'nomail', fields: fields({ first_name: 'No' }, past(9)) }));
  operations.push(write({ create: null }));
  operations.push(write({ create: null, id: 987_654 }));
  create(
    'unborn',
    {},
    {
      create: { login: 'unborn', registered: '', born: [Date.now() + 9e6, 3], default_role: false },
    },
  );
  create('gone', {}, { uid: GONE });
  create('partly', {
    'meta:session_tokens': ['x'],
    'meta:unwatched': ['x'],
    'meta:city': ['O:8:"stdClass":0:{}'],
    'meta:tags': [],
    'role:administrator': true,
    'role:nonsense': true,
    'role:forum': true,
    password: 'plaintext',
    'ext:points': 1,
  });
  create('default-role', { 'role:editor': true }, defaultRole('default-role'));
  create('default-role-too', {}, defaultRole('default-role-too'));
  create(
    'from-before',
    { first_name: 'Old' },
    defaultRole('from-before'),
    Date.now() / 1_000 - LONG_AGO,
  );
  create('wp_', { 'meta:phone': ['1', '2'], 'meta:city': [['deep', ['er']]] });
  create('0', { email: 'zero@clash.test', first_name: '0', display_name: '0' });
  create('123', { email: 'number@clash.test' });

  // Changes: one of each kind, alone and together. Newer than what the site has just captured itself.
  const now = past(-55);
  for (let i = 0; i < 20; i += 1) {
    on(`old${i}`, {
      ...fields({ first_name: `New ${i} '"\\`, 'meta:phone': [`neu ${i}`] }, now),
      ...(i % 2
        ? fields({ 'meta:tags': i % 4 === 1 ? [] : ['three', ['x'], { z: 1, a: '2' }] }, now)
        : {}),
      ...(i % 3 ? fields({ 'role:author': false, 'role:contributor': true }, now) : {}),
      ...(i % 5 ? {} : fields({ email: `Moved${i}@there.test`, password: GOOD_HASH }, now)),
      ...(i % 4 ? {} : fields({ last_name: 'Never wins' }, 0)),
      ...(i % 6
        ? {}
        : fields({ description: ' <em>kept</em> <script>gone</script> ', display_name: '' }, now)),
      ...(i % 7 ? {} : fields({ 'role:forum': false, locale: 'fr_FR', url: '' }, now)),
    });
  }
  on('old20', fields({ last_name: 'Too old' }, 1_000));
  on('old21', fields({ 'role:editor': true, 'meta:wp_capabilities': ['x'] }, now));
  on('old22', fields({ first_name: 'Before', 'role:author': true }, now));
  on('old23', fields({ email: 'old24@there.test', last_name: 'Goes on' }, now));
  on('old24', fields({ email: 'free@there.test' }, now));
  on('old25', fields({ email: 'old24@there.test' }, now));
  on('old26', fields({ email: 'OLD26@there.test' }, now));
  on('old26', fields({ first_name: 'Again', email: 'old26@new.test' }, now + 1));
  create('takes-free', { email: 'free@there.test' });
  create('takes-old26', { email: 'old26@there.test' });
  on('old27', fields({ password: '$P$ASvogy9FJ/Rn7niZpJFdmGzCOl1ALQ/' }, now));
  on('old28', fields({ nickname: '', first_name: '0' }, now));
  on('old29', fields({ last_name: 'Future' }, Date.now() + 9e6));
  on('old1', fields({ first_name: 'Second of one person' }, now + 5));
  on('busy', fields({ first_name: 'Later' }, now));
  on('reset', fields({ email: 'reset@new.test' }, now));
  on('rejects', fields({ first_name: 'No' }, now));
  on('an-editor', fields({ first_name: 'No' }, now));
  on('relabelled', fields({ first_name: 'No' }, now));
  on('by-sql', fields({ display_name: 'Loses', first_name: 'Wins' }, now));
  on('old2', fields({ first_name: 'Wrong id' }, now), { id: idOf.get('old3') });
  operations.push(
    write({ fields: fields({ first_name: 'Wrong uid' }, now), id: idOf.get('old4') ?? 0 }),
  );
  const again = operations[3];
  if (again !== undefined) operations.push({ ...again, op: 'again' });
  return operations;
}

const plain = (receipt: Receipt): unknown => {
  const { id: _, ...rest } = receipt;
  const { found } = rest;
  const steady = JSON.stringify(rest, (key, value: unknown) =>
    Array.isArray(value) && value.length === 2 && value[1] === 7 && value[0] !== 0
      ? ['now', 7]
      : key === 'id'
        ? 0
        : value,
  );
  return { ...JSON.parse(steady), found: found === undefined ? undefined : { ...found, id: 0 } };
};

describe.each(BEST_AND_OLDEST)('$name', (engine) => {
  let single: ConnectedSite;
  let sets: ConnectedSite;
  let copy: Site;
  let operations: Operation[];
  const receipts: { single: Receipt[]; sets: Receipt[] } = { single: [], sets: [] };

  beforeAll(async () => {
    single = await startConnectedSite('single', engine);
    const world = await prepare(single);
    operations = awkward(world);
    copy = await startSite({
      name: 'sets',
      from: await single.site.snapshot(),
      connector: CONNECTOR,
      muPlugins: STRANGERS,
    });
    // A copy at another address says nothing until a person has spoken.
    await copy.php('Rollcall_Address::say_moved();');
    sets = connectedSite(copy, single.credential);
    const open = `Rollcall_Outbox::open( ${world.idOf.get('busy')}, 'update' );`;
    await single.site.php(open);
    for (let at = 0; at < operations.length; at += SMALL) {
      receipts.single.push(...(await single.apply(operations.slice(at, at + SMALL))).receipts);
    }
    await sets.site.php(open);
    receipts.sets.push(...(await sets.apply(operations)).receipts);
  });
  afterAll(async () => {
    await Promise.all([single?.stop(), copy?.stop()]);
  });

  it('gives the same receipts', () => {
    expect(receipts.sets.map(plain)).toEqual(receipts.single.map(plain));
    const results = new Set(receipts.sets.map(({ result }) => result));
    expect([...results].sort()).toEqual([
      'altered',
      'busy',
      'conflict',
      'created',
      'refused',
      'unchanged',
      'updated',
    ]);
  });

  it('writes the same rows', async () => {
    const [one, other] = [await dumpOf(single.site), await dumpOf(sets.site)];
    expect(Object.keys(other.accounts).sort()).toEqual(Object.keys(one.accounts).sort());
    for (const [login, account] of Object.entries(one.accounts)) {
      expect({ login, ...other.accounts[login] }).toEqual({ login, ...account });
    }
    expect(other.tombstones).toEqual(one.tombstones);
    // Edits that nobody had been told of, and that lost.
    const lost = (login: string) =>
      Object.keys(other.accounts[login]?.outbox?.['overwritten'] ?? {});
    expect(lost('old8')).toEqual(['1/role:author', '1/role:contributor', 'first_name']);
    expect(lost('old9')).toEqual(['first_name']);
    expect(lost('old10')).toEqual([]);
  });

  it('repeated changes nothing', async () => {
    const before = await dumpOf(sets.site);
    const { receipts: again } = await sets.apply(operations);
    expect(
      again.filter(({ result }) => ['created', 'updated', 'altered', 'failed'].includes(result)),
    ).toEqual([]);
    expect(await dumpOf(sets.site)).toEqual(before);
  });

  it('has other plugins told once everything is there', async () => {
    const operations = newcomers(60, 'told');
    const counts = await countsWhile(sets, () => sets.apply(operations));
    // Sets of 25 and of 35: those who are told of the first find all of its set.
    expect(counts).toHaveLength(60);
    expect(new Set(counts).size).toBe(2);
    const total = await sets.site.php(
      `global $wpdb; echo get_user_count() - $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->users" );`,
    );
    expect(total).toBe('0');
  });

  it('what a listener throws fails that operation alone', async () => {
    const operations = newcomers(30, 'thrown');
    const guilty = operations[4];
    if (guilty !== undefined) {
      Object.assign(guilty.fields, fields({ last_name: 'Throw at birth' }, past(60)));
    }
    const { receipts: first } = await sets.apply(operations);
    expect(first.filter(({ result }) => result === 'created')).toHaveLength(29);
    expect(first[4]).toMatchObject({ result: 'failed', reason: 'target.error' });
    expect(first[4]?.message).not.toContain('secret');
    // All of it had been written, so a repetition has nothing left to do but to say so.
    const { receipts: second } = await sets.apply(operations);
    expect(second.map(({ result }) => result === 'unchanged')).toEqual(
      second.map((_, i) => i !== 4),
    );
    expect(second[4]?.result).toBe('created');
  });

  it('a batch that a fatal error ended is finished by its repetition', async () => {
    const operations = newcomers(30, 'fatal');
    await sets.option('test_die', 'fatal7');
    await expect(sets.apply(operations)).rejects.toThrow();
    const { receipts: again } = await sets.apply(operations);
    // A first small set had come to its end.
    expect(again.map(({ result }) => result)).toEqual(
      again.map((_, i) => (i < 5 ? 'unchanged' : 'created')),
    );
    const account = await sets.account(again[9]?.id ?? 0);
    expect(account.roles?.['1']?.['author']?.v).toBe(true);
    expect(account.fields?.['meta:tags']?.v).toEqual(['9', ['x']]);
    const { receipts: third } = await sets.apply(operations);
    expect(third.map(({ result }) => result)).toEqual(third.map(() => 'unchanged'));
    const left = await sets.site.php(
      `global $wpdb; echo $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->usermeta WHERE meta_key = 'rollcall_creating'" );`,
    );
    expect(left).toBe('0');
  });

  it('leaves nothing old in a cache, under no name', async () => {
    const operations = newcomers(26, 'cached');
    await sets.apply(operations);
    const change = operations.map((operation, i) => ({
      ...operation,
      create: null,
      fields: fields({ email: `renewed${i}@new.test`, first_name: 'Renewed' }, past(30)),
    }));
    const sent = Buffer.from(JSON.stringify({ dry_run: false, operations: change })).toString(
      'base64',
    );
    const seen = await sets.site.php(`
      $before = get_user_by( 'email', 'cached3@new.test' );
      $id = $before->ID; get_user_meta( $id, 'first_name', true ); get_user_by( 'login', 'cached3' );
      Rollcall_Apply::answer( json_decode( base64_decode( '${sent}' ), true ) );
      echo wp_json_encode( array(
        get_user_by( 'email', 'cached3@new.test' ), get_user_by( 'email', 'renewed3@new.test' )->ID === $id,
        get_user_by( 'login', 'cached3' )->user_email, get_user_meta( $id, 'first_name', true ), get_user_by( 'slug', 'cached3' )->user_email ) );`);
    expect(JSON.parse(seen)).toEqual([
      false,
      true,
      'renewed3@new.test',
      'Renewed',
      'renewed3@new.test',
    ]);
  });

  it('leaves no notice of PHP behind', async () => {
    expect(await sets.site.debugLog()).toBe('');
  });
});
