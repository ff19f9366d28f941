/** Privileged roles from outside: who agrees to them, and what is never agreed to. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { WriteOperation } from '#contract/messages.ts';
import { GuardAnswerSchema, StatusAnswerSchema } from '#contract/messages.ts';
import { signIn } from '#lab/sign-in.ts';
import {
  type ConnectedSite,
  erase,
  fields,
  HUB,
  parsed,
  past,
  resultsOf,
  startConnectedSite,
  write,
} from './connected-site.ts';

let hub: ConnectedSite;
beforeAll(async () => {
  hub = await startConnectedSite('consents');
});
afterAll(async () => {
  await hub?.stop();
});

const ROLE = 'role:administrator';
const named = (...roles: string[]) => ({ account: roles, roles });
const ADMIN = named('administrator');
const php = (code: string): Promise<string> => hub.site.php(code);
const consents = async () =>
  parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB })).sites[0]?.consents;
const warnings = async () =>
  parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB })).warnings.map(
    ({ code }) => code,
  );
/** Past every cache, as WordPress reads it at the next request. */
const rolesOf = (id: number) => php(`echo implode( ',', ( new WP_User( ${id} ) )->roles );`);
let second = 90;
/** Each later than the one before. */
const later = (): number => {
  second -= 1;
  return past(second);
};

/** Somebody who is there, with a label. */
async function somebody(
  login: string,
  role: string,
  more = '',
): Promise<{ uid: string; id: number }> {
  const { uid } = write();
  const id = await php(`
    $id = wp_insert_user( array( 'user_login' => '${login}', 'user_pass' => 'x', 'user_email' => '${login}@example.com', 'role' => '${role}' ) );
    $user = new WP_User( $id ); ${more}
    Rollcall_Ledger::label( $id, '${uid}' ); Rollcall_Capture::settle_now(); echo $id;`);
  return { uid, id: Number(id) };
}

const change = (
  who: { uid: string; id: number },
  values: Parameters<typeof fields>[0],
  privileged: WriteOperation['privileged'] = ADMIN,
): WriteOperation => ({
  ...write({ ...who, create: null, fields: fields(values, Date.now()) }),
  privileged,
});

beforeEach(() => php('Rollcall_Consent::forget();'));

test('T167: whatever a hub names, an administrator is neither made nor changed before somebody on the site has agreed', async () => {
  const boss = await somebody('boss', 'administrator');
  const plain = await somebody('plain', 'subscriber');
  const made = await hub.one({
    ...write({
      login: 'made',
      fields: fields({ email: 'made@example.com', [ROLE]: true }, later()),
    }),
    privileged: ADMIN,
  });
  expect(resultsOf(made)[ROLE]).toBe('role.not_consented');
  expect(await rolesOf(made.id ?? 0)).toBe('');
  expect((await hub.one(change(boss, { last_name: 'X' }))).reason).toBe('account.not_consented');
  const end = { ...erase({ ...boss }), privileged: ADMIN };
  expect((await hub.one(end)).reason).toBe('account.not_consented');
  expect(resultsOf(await hub.one(change(plain, { [ROLE]: true })))[ROLE]).toBe(
    'role.not_consented',
  );
  // As a set it is the same.
  const many = Array.from({ length: 30 }, (_, i) => ({
    ...write({
      login: `many${i}`,
      fields: fields({ email: `many${i}@example.com`, [ROLE]: true }, later()),
    }),
    privileged: ADMIN,
  }));
  const { receipts } = await hub.apply(many);
  expect(new Set(receipts.map((one) => resultsOf(one)[ROLE]))).toEqual(
    new Set(['role.not_consented']),
  );
  const count = `echo count( get_users( array( 'role' => 'administrator' ) ) );`;
  expect(await php(count)).toBe('2');
  // No request of a hub consents; it only takes back.
  const guard = { hub: HUB, blog: 1, consents: ['administrator'], grantable: ['administrator'] };
  await hub.post('guard', guard);
  expect(await consents()).toEqual([]);

  await hub.site.wp('rollcall', 'privileged', 'allow', 'administrator');
  const listed = await hub.site.wp('rollcall', 'privileged', 'list', '--format=json');
  expect(JSON.parse(listed)).toMatchObject([
    { role: 'administrator', allowed: 'yes', can: expect.stringContaining('manage_options') },
    { role: 'editor', allowed: 'no' },
  ]);
  expect(await consents()).toEqual(['administrator']);
  expect((await hub.one(change(boss, { last_name: 'Known' }))).result).toBe('updated');
  expect(resultsOf(await hub.one(change(plain, { [ROLE]: true })))[ROLE]).toBe('applied');
  expect((await hub.one(change(boss, { last_name: 'No' }, named('editor')))).reason).toBe(
    'target.privileged_account',
  );
  const again = many.map((one) => ({ ...one, fields: fields({ [ROLE]: true }, Date.now()) }));
  const given = await hub.apply(again.slice(0, 26));
  expect(new Set(given.receipts.map((one) => resultsOf(one)[ROLE]))).toEqual(new Set(['applied']));
  await php(
    `foreach ( get_users( array( 'search' => 'many*' ) ) as $one ) { $one->set_role( 'subscriber' ); }`,
  );
});

test('T168: a role that can do more than when it was agreed to comes no more, until somebody agrees again', async () => {
  await php(`add_role( 'clerk', 'Clerk', array( 'read' => true, 'edit_users' => true ) );
    add_role( 'reader', 'Reader', array( 'read' => true ) );`);
  const clerk = await somebody('clerk', 'clerk');
  const other = await somebody('other', 'subscriber');
  const clerks = named('clerk');
  const refused = await hub.site.wpTry('rollcall', 'privileged', 'allow', 'reader');
  expect(refused.exitCode).toBe(1);
  await hub.site.wp('rollcall', 'privileged', 'allow', 'clerk');
  expect((await hub.one(change(clerk, { last_name: 'A' }, clerks))).result).toBe('updated');
  expect(resultsOf(await hub.one(change(other, { 'role:clerk': true }, clerks)))).toEqual({
    'role:clerk': 'applied',
  });
  // What is harmless does not matter, and neither does what it loses.
  await php(`get_role( 'clerk' )->add_cap( 'edit_posts' );`);
  expect(await consents()).toEqual(['clerk']);
  await php(`get_role( 'clerk' )->add_cap( 'manage_options' );`);
  expect(await consents()).toEqual([]);
  expect(await warnings()).toEqual(['role.outgrown_consent']);
  expect((await hub.one(change(clerk, { last_name: 'B' }, clerks))).reason).toBe(
    'account.not_consented',
  );
  expect(
    resultsOf(await hub.one(change(other, { 'role:clerk': false, nickname: 'o' }, clerks))),
  ).toEqual({});
  await php(`get_role( 'clerk' )->remove_cap( 'manage_options' );`);
  expect(await consents()).toEqual(['clerk']);
  expect(
    resultsOf(await hub.one(change(other, { 'role:clerk': false }, clerks)))['role:clerk'],
  ).toBe('applied');
});

test('T169: power that a person has by themselves, or by a role that the route does not name, is never covered', async () => {
  await php(`Rollcall_Consent::allow( 1, array( 'administrator', 'editor' ) );`);
  const own = await somebody('own', 'administrator', `$user->add_cap( 'export' );`);
  const both = await somebody('both', 'administrator', `$user->add_role( 'editor' );`);
  const bad = await somebody(
    'bad',
    'administrator',
    `update_user_meta( $id, $user->cap_key, 'x' );`,
  );
  for (const who of [own, bad]) {
    expect(
      (await hub.one(change(who, { last_name: 'No' }, named('administrator', 'editor')))).reason,
    ).toBe('target.privileged_account');
  }
  expect((await hub.one(change(both, { last_name: 'No' }))).reason).toBe(
    'target.privileged_account',
  );
  expect((await hub.account(both.id)).privileged_by).toEqual({
    roles: { '1': ['administrator', 'editor'] },
    other: false,
  });
  expect((await hub.account(own.id)).privileged_by?.other).toBe(true);
  const all = named('administrator', 'editor');
  expect((await hub.one(change(both, { last_name: 'Yes' }, all))).result).toBe('updated');
  // The route's word for roles is not its word for the account, and the other way round.
  const half = { account: ['administrator', 'editor'], roles: [] };
  expect(resultsOf(await hub.one(change(both, { 'role:editor': false }, half)))).toEqual({
    'role:editor': 'role.not_grantable',
  });
});

test('T217: a role that stands among somebody’s as not granted counts, as it does for WordPress', async () => {
  await php(`Rollcall_Consent::allow( 1, array( 'editor' ) );`);
  const off = await somebody(
    'off',
    'subscriber',
    `update_user_meta( $id, $user->cap_key, array( 'administrator' => false ) );`,
  );
  expect(await php(`echo user_can( ${off.id}, 'promote_users' ) ? 'can' : 'can not';`)).toBe('can');
  expect((await hub.account(off.id)).privileged_by).toEqual({
    roles: { '1': ['administrator'] },
    other: false,
  });
  const unnamed = await hub.one(change(off, { last_name: 'No' }, named('editor')));
  expect(unnamed.reason).toBe('target.privileged_account');
});

test('T170: of many administrators who are demoted, stripped and deleted at once, one stays', async () => {
  await php(`Rollcall_Consent::allow( 1, array( 'administrator' ) );
    foreach ( get_users( array( 'role' => 'administrator', 'fields' => 'ID' ) ) as $id ) {
      if ( $id > 1 ) { ( new WP_User( $id ) )->set_role( 'subscriber' ); } }`);
  const uids = await php(`$out = array();
    for ( $i = 0; $i < 30; $i++ ) {
      $id = 0 === $i ? 1 : wp_insert_user( array( 'user_login' => "chief$i", 'user_pass' => 'x', 'user_email' => "chief$i@example.com", 'role' => 'administrator' ) );
      $uid = wp_generate_uuid4(); Rollcall_Ledger::label( $id, $uid ); $out[] = array( 'id' => $id, 'uid' => $uid ); }
    Rollcall_Capture::settle_now(); echo wp_json_encode( $out );`);
  const chiefs: { id: number; uid: string }[] = JSON.parse(uids);
  const at = (i: number) => chiefs[i] ?? { id: 0, uid: '' };
  const gone: [number, number] = [Date.now() + 1_000, 3];
  const { receipts } = await hub.apply([
    ...chiefs.slice(2).map((who) => change(who, { [ROLE]: false })),
    { ...erase({ ...at(1), how: 'strip', gone }), privileged: ADMIN },
    change(at(0), { [ROLE]: false }),
    { ...erase({ ...at(0), gone }), privileged: ADMIN },
  ]);
  expect(new Set(receipts.slice(0, 28).map((one) => resultsOf(one)[ROLE]))).toEqual(
    new Set(['applied']),
  );
  expect(receipts.slice(28).map((one) => one.reason ?? resultsOf(one)[ROLE])).toEqual([
    'applied',
    'target.last_administrator',
    'target.last_administrator',
  ]);
  expect(
    await php(
      `echo implode( ',', get_users( array( 'role' => 'administrator', 'fields' => 'ID' ) ) );`,
    ),
  ).toBe('1');
});

test('T176: consent is given on a page that shows what the role can do, by whoever could give the role, and ends with the binding', async () => {
  const { visitor: admin } = await signIn(hub.site, hub.site.adminLogin, hub.site.adminPassword);
  const page = '/wp-admin/admin.php?page=rollcall';
  const shown = await (await admin.request(page)).text();
  expect(shown).toContain('promote_users, ');
  const form = await admin.form(page, 'rollcall-guard');
  const send = (given: Record<string, string>) =>
    admin.submit('/wp-admin/admin-post.php', { ...form, ...given });
  await php(`get_role( 'editor' )->add_cap( 'promote_users' );`);
  // The page had not shown that.
  await send({ 'consented[]': 'editor' });
  expect(await consents()).toEqual([]);
  await php(`get_role( 'editor' )->remove_cap( 'promote_users' );`);
  await send({ 'consented[]': 'editor' });
  expect(await consents()).toEqual(['editor']);
  await send({});
  expect(await consents()).toEqual([]);
  await php(`add_role( 'keeper', 'Keeper', array( 'read' => true, 'manage_options' => true ) );
    wp_insert_user( array( 'user_login' => 'keeper', 'user_pass' => 'x', 'user_email' => 'keeper@example.com', 'role' => 'keeper' ) );
    Rollcall_Consent::allow( 1, array( 'editor' ) );`);
  const { visitor: keeper } = await signIn(hub.site, 'keeper', 'x');
  const theirs = await keeper.form(page, 'rollcall-guard');
  const tried = { ...theirs, 'consented[]': 'administrator' };
  await keeper.submit('/wp-admin/admin-post.php', tried);
  expect(await consents()).toEqual([]);

  await php(`Rollcall_Consent::allow( 1, array( 'editor', 'administrator' ) );`);
  const answer = await hub.post('guard', { hub: HUB, blog: 1, revoke: ['editor'] });
  expect(parsed(GuardAnswerSchema, answer).consents).toEqual(['administrator']);
  const bound = `$s = get_site_option( 'rollcall_settings' ); $s['hub_id'] = `;
  const save = `update_site_option( 'rollcall_settings', $s );`;
  const other = `${bound}'99999999-9999-4999-8999-999999999999'; ${save}`;
  await php(other);
  expect(await php(`echo count( Rollcall_Consent::roles( 1 ) );`)).toBe('0');
  await php(`${bound}'${HUB.id}'; ${save}`);
  expect(await consents()).toEqual(['administrator']);
  expect(
    await php(
      `Rollcall_Settings::unbind(); ${bound}'${HUB.id}'; ${save} echo count( Rollcall_Consent::roles( 1 ) );`,
    ),
  ).toBe('0');
});
