/**
 * A real site with the connector, connected to a hub that is this test.
 *
 * Does: start a site of the lab, activate and connect the connector, speak rollcall/v1 to it.
 * Does not: hide anything: answers are parsed with the contract's schemas, faults are given as they came.
 * Always true: every request carries the hub's credential in `X-Rollcall-Authorization` or `Authorization`, as asked.
 * On failure: throws what the site answered.
 */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import {
  type AccountsAnswer,
  AccountsAnswerSchema,
  type ApplyAnswer,
  ApplyAnswerSchema,
  type ChangesAnswer,
  ChangesAnswerSchema,
  ConnectAnswerSchema,
  type DeleteOperation,
  type Operation,
  type Receipt,
  RestErrorSchema,
  type WriteOperation,
} from '#contract/messages.ts';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import { BEST, type Engine } from './engines.ts';

export const HUB = { id: '11111111-1111-4111-8111-111111111111', term: 1 } as const;
/** Key of the site under test, and of the site that changes come from. */
export const HERE = 7;
export const THERE = 3;
/** bcrypt of WordPress ≥ 6.8 of `GOOD_PASSWORD`, at the lowest cost. */
export const GOOD_PASSWORD = 'rollcall-trial';
export const GOOD_HASH = '$wp$2y$04$WtuXNvJs3rOLsuKJTKIyxOilHAqih5s6E/CK26CRZi3gFYke.a4vu';

/** What other plugins might do on a site; each is switched on by an option. */
export const STRANGERS = {
  'stranger.php': `<?php
add_filter( 'pre_user_first_name', function ( $name ) { return get_option( 'test_alter' ) ? strtoupper( $name ) : $name; } );
add_action( 'profile_update', function ( $id ) {
	if ( get_option( 'test_side_effect' ) ) { update_user_meta( $id, 'city', 'Side ' . get_option( 'test_side_effect' ) ); }
	if ( get_option( 'test_die_midway' ) ) { delete_option( 'test_die_midway' ); exit; }
	if ( get_option( 'test_noise' ) ) { echo '<b>Notice</b>'; }
	if ( 'Throw' === get_user_meta( $id, 'last_name', true ) ) { throw new RuntimeException( 'secret text' ); }
	if ( get_option( 'test_mail' ) ) { wp_mail( 'somebody@example.com', 'Hello', 'Hello' ); }
} );
add_action( 'user_register', function ( $id ) {
	global $wpdb;
	$die = get_option( 'test_die' );
	if ( '1' === $die || ( $die && get_userdata( $id )->user_login === $die ) ) { delete_option( 'test_die' ); exit; }
	if ( get_option( 'test_count' ) ) {
		$GLOBALS['test_counts'][] = (int) $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->users" );
		update_option( 'test_counts', $GLOBALS['test_counts'], false );
	}
	if ( 'Throw at birth' === get_user_meta( $id, 'last_name', true ) ) { throw new RuntimeException( 'secret text' ); }
} );
add_filter( 'wp_pre_insert_user_data', function ( $row, $update, $id ) {
	global $wpdb;
	if ( $update && get_option( 'test_meanwhile' ) ) {
		// As another request does it: past this one's caches and hooks.
		$wpdb->update( $wpdb->users, array( 'user_pass' => 'theirs', 'user_url' => 'https://theirs.test' ), array( 'ID' => $id ) );
		$wpdb->update( $wpdb->usermeta, array( 'meta_value' => 'Theirs' ), array( 'user_id' => $id, 'meta_key' => 'description' ) );
	}
	return $row;
}, 10, 3 );
add_filter( 'rollcall_apply_budget_seconds', function ( $s ) { return get_option( 'test_no_time' ) ? 0 : $s; } );
`,
};
export const CONNECTOR = fileURLToPath(new URL('..', import.meta.url));

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface ConnectedSite {
  readonly site: Site;
  readonly credential: { readonly user: string; readonly password: string };
  /** Any request, as the hub. */
  post(
    route: string,
    body: unknown,
    init?: { readonly headers?: Record<string, string> },
  ): Promise<Answer>;
  apply(operations: readonly Operation[], dryRun?: boolean): Promise<ApplyAnswer>;
  /** One operation, one receipt. */
  one(operation: Operation, dryRun?: boolean): Promise<Receipt>;
  changes(ack?: readonly (readonly [string, number])[]): Promise<ChangesAnswer>;
  account(id: number): Promise<AccountsAnswer['accounts'][number]>;
  option(name: string, value: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startConnectedSite(
  name: string,
  { options }: Engine = BEST,
): Promise<ConnectedSite> {
  const site = await startSite({ ...options, name, connector: CONNECTOR, muPlugins: STRANGERS });
  await forgetDebugLog(site);
  await activatePlugin(site);
  const { credential } = await connect(site);
  return connectedSite(site, credential);
}

/** The log comes with notices that installing an old WordPress on a new PHP has left. */
export function forgetDebugLog(site: Site): Promise<void> {
  return rm(join(site.dir, 'wp-content', 'debug.log'), { force: true });
}

/** An Application Password of an account of the site. */
export async function applicationPassword(site: Site, login: string): Promise<string> {
  const code = `echo WP_Application_Passwords::create_new_application_password( get_user_by( 'login', '${login}' )->ID, array( 'name' => '${randomUUID()}' ) )[0];`;
  return (await site.php(code)).trim();
}

/** Everything that a caller could have changed: accounts, their meta, posts, the connector's own. */
export const stateOf = (site: Site): Promise<string> =>
  site.php(`global $wpdb;
    $meta = $wpdb->get_results( "SELECT user_id, meta_key, meta_value FROM $wpdb->usermeta WHERE meta_key NOT IN ( 'session_tokens', '_application_passwords' ) ORDER BY umeta_id" );
    echo wp_json_encode( array(
      $wpdb->get_results( "SELECT * FROM $wpdb->users ORDER BY ID" ), $meta,
      (int) $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->posts WHERE post_type IN ( 'post', 'page', 'attachment' ) AND post_status <> 'auto-draft'" ),
      get_site_option( 'rollcall_settings' ), get_site_option( 'rollcall_credential' ),
      get_option( 'blogname' ), get_option( 'users_can_register' ) ) );`);

export const connectRequest = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
  hub: { ...HUB, name: 'Test hub' },
  keys: { '1': HERE },
  signal: null,
  meta: ['phone', 'tags', 'city'],
  revoke_caller: true,
  ...change,
});

export async function connect(
  site: Site,
  change: Record<string, unknown> = {},
): Promise<z.infer<typeof ConnectAnswerSchema>> {
  const password = await applicationPassword(site, site.adminLogin);
  const answer = await ask(site, 'connect', connectRequest(change), {
    headers: basic(site.adminLogin, password),
  });
  return parsed(ConnectAnswerSchema, answer);
}

export const basic = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

export async function ask(
  site: Site,
  route: string,
  body: unknown,
  init: { readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await site.request(`/wp-json/rollcall/v1/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...init.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  try {
    return { status: response.status, headers: response.headers, body: JSON.parse(text) };
  } catch {
    throw new Error(`${route} answered ${response.status} and no JSON: ${text.slice(0, 2_000)}`);
  }
}

export function parsed<Schema extends z.ZodType>(schema: Schema, answer: Answer): z.output<Schema> {
  if (answer.status !== 200) {
    throw new Error(`the site answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
  return schema.parse(answer.body);
}

/** Status and reason of a fault. */
export function fault(answer: Answer): readonly [number, string | undefined] {
  return [answer.status, RestErrorSchema.parse(answer.body).data?.reason];
}

export function connectedSite(
  site: Site,
  credential: { user: string; password: string },
): ConnectedSite {
  const post: ConnectedSite['post'] = (route, body, init) =>
    ask(site, route, body, {
      headers: { ...basic(credential.user, credential.password), ...init?.headers },
    });
  const apply: ConnectedSite['apply'] = async (operations, dryRun = false) =>
    parsed(ApplyAnswerSchema, await post('apply', { hub: HUB, dry_run: dryRun, operations }));
  return {
    site,
    credential,
    post,
    apply,
    async one(operation, dryRun) {
      const { receipts, done } = await apply([operation], dryRun);
      const [receipt] = receipts;
      if (receipt === undefined || done !== 1) throw new Error('no receipt');
      return receipt;
    },
    async changes(ack = []) {
      return parsed(ChangesAnswerSchema, await post('changes', { hub: HUB, ack, limit: 100 }));
    },
    async account(id) {
      const request = { hub: HUB, after: 0, limit: 1, ids: [id], detail: 'state' };
      const [account] = parsed(AccountsAnswerSchema, await post('accounts', request)).accounts;
      if (account === undefined) throw new Error(`no account ${id}`);
      return account;
    },
    async option(name, value) {
      await site.php(`update_option( '${name}', '${value}' );`);
    },
    stop: () => site.stop(),
  };
}

/** What became of each field: why not, or its result. */
export const resultsOf = (receipt: Receipt): Record<string, string> =>
  Object.fromEntries(
    Object.entries(receipt.fields ?? {}).map(([name, { r, why }]) => [name, why ?? r]),
  );

/** So many accounts that are made. */
export const newcomers = (count: number, prefix: string): WriteOperation[] =>
  Array.from({ length: count }, (_, i) =>
    write({
      login: `${prefix}${i}`,
      fields: fields(
        { email: `${prefix}${i}@new.test`, 'meta:tags': [`${i}`, ['x']], 'role:author': true },
        past(60),
      ),
    }),
  );

/** How many accounts there were each time that WordPress told of a new one. */
export async function countsWhile(
  hub: ConnectedSite,
  run: () => Promise<unknown>,
): Promise<number[]> {
  await hub.option('test_count', '1');
  await run();
  await hub.option('test_count', '');
  return JSON.parse(await hub.site.php(`echo wp_json_encode( get_option( 'test_counts' ) );`));
}

/** Does WordPress sign this person in? */
export async function signsIn(site: Site, login: string, password: string): Promise<string> {
  return site.php(
    `echo is_wp_error( wp_authenticate( '${login}', '${password}' ) ) ? 'no' : 'yes';`,
  );
}

type Fields = WriteOperation['fields'];

/** Fields with one stamp of the source. */
export const fields = (
  values: Record<string, Fields[string]['v']>,
  ms: number,
  key = THERE,
): Fields =>
  Object.fromEntries(Object.entries(values).map(([name, v]) => [name, { v, s: [ms, key] }]));

let count = 0;
/** A write operation; creates an account of its own unless told otherwise. */
export function write(
  change: Partial<WriteOperation> & { readonly login?: string } = {},
): WriteOperation {
  count += 1;
  const { login = `person-${count}`, ...rest } = change;
  const born = past(100);
  return {
    kind: 'write',
    op: `delivery-${count}`,
    uid: randomUUID(),
    source: { url: 'https://there.test', key: THERE },
    blog: 1,
    id: null,
    create: { login, registered: '2020-01-02 03:04:05', born: [born, THERE], default_role: false },
    fields: fields({ email: `${login}@example.com`, first_name: 'Anna' }, born),
    ...rest,
  };
}

export function erase(
  change: Partial<DeleteOperation> & { readonly uid: string },
): DeleteOperation {
  count += 1;
  return {
    kind: 'delete',
    op: `delivery-${count}`,
    source: { url: 'https://there.test', key: THERE },
    blog: 1,
    id: null,
    gone: [Date.now(), THERE],
    reassign: null,
    how: 'delete',
    ...change,
  };
}

/** So many seconds ago, ms. */
export const past = (seconds: number): number => Date.now() - seconds * 1_000;
