/**
 * A source on which requests can be killed or held in the middle, and what is compared afterwards.
 *
 * Does: a must-use plugin that obeys the header `X-Fault: kill|hold HOOK NTH[, …]`, before
 * any other plugin hears the hook (after the connector: `HOOK NTH late`); makes rows of the outbox
 * older; reads accounts whole.
 * Always true: a kill is SIGKILL to PHP itself, so nothing of PHP or WordPress runs after it. In
 * WebAssembly, which has no signals, PHP exits without its shutdown actions.
 */

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';

const REACHED_LIMIT_MS = 30_000;

export const FAULTS = {
  'a-fault.php': `<?php
function rollcall_test_fault( $what, $hook, $nth, $place = 'first' ) {
	add_filter( $hook, static function ( $value = null ) use ( $what, $nth ) {
		static $count = 0;
		if ( ++$count !== (int) $nth ) { return $value; }
		if ( 'kill' === $what ) {
			if ( function_exists( 'posix_kill' ) ) { posix_kill( getmypid(), 9 ); }
			remove_all_actions( 'shutdown' );
			exit;
		}
		rollcall_test_hold();
		return $value;
	}, 'first' === $place ? PHP_INT_MIN : 10 );
}
if ( isset( $_SERVER['HTTP_X_FAULT'] ) ) {
	foreach ( explode( ', ', $_SERVER['HTTP_X_FAULT'] ) as $fault ) { rollcall_test_fault( ...explode( ' ', $fault ) ); }
}
// A visitor's request that does what a test has written into a file.
if ( isset( $_SERVER['HTTP_X_RUN'] ) ) {
	add_action( 'wp_loaded', static function () {
		require_once ABSPATH . 'wp-admin/includes/user.php';
		include WP_CONTENT_DIR . '/' . basename( $_SERVER['HTTP_X_RUN'] );
		exit;
	} );
}
function rollcall_test_hold() {
	$hold = WP_CONTENT_DIR . '/hold';
	for ( $i = 0; is_dir( $hold ) && $i < 2400; $i++ ) {
		@touch( $hold . '/reached' );
		usleep( 25000 );
		clearstatcache();
	}
}
`,
};

/** Runs PHP in a visitor's request, beside whatever else the site does; answers what it printed. */
export async function visit(site: Site, code: string): Promise<string> {
  const file = `run-${randomUUID()}.php`;
  await writeFile(`${site.dir}/wp-content/${file}`, `<?php\n${code}`);
  const response = await site.request('/', { headers: { 'x-run': file } });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`the visitor saw ${response.status}: ${text}`);
  return text;
}

/** Holds what says `hold` until it is let go; `reached` resolves once somebody stands there. */
export async function hold(site: Site): Promise<{ reached(): Promise<void>; go(): Promise<void> }> {
  const folder = `${site.dir}/wp-content/hold`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  return {
    reached: () => waitUntil(async () => existsSync(`${folder}/reached`), REACHED_LIMIT_MS),
    async go() {
      // Away at once: who is held may be touching a file in it.
      await rename(folder, `${folder}-over`);
      await rm(`${folder}-over`, { recursive: true });
    },
  };
}

/**
 * Every open row was opened half a minute earlier; then somebody else's change makes the site signal.
 * Answers how many there were.
 */
export async function letTimePass(site: Site): Promise<number> {
  const changed = await site.php(
    `echo $GLOBALS['wpdb']->query( 'UPDATE ' . Rollcall_Tables::outbox() . " SET opened_ms = opened_ms - 31000 WHERE state = 'open'" );
      Rollcall_Capture::mark( 1, true );`,
  );
  return Number(changed);
}

export interface Kept {
  readonly roles: readonly string[];
  readonly [field: string]: unknown;
}

/** Everything of every account that is no administrator's, by login; without ids and the hub's own account. */
export async function accountsOf(site: Site): Promise<Record<string, Kept>> {
  return JSON.parse(
    await site.php(`$all = array();
      foreach ( get_users( array( 'orderby' => 'login' ) ) as $u ) {
        if ( user_can( $u, 'rollcall_hub' ) || in_array( 'administrator', $u->roles, true ) ) { continue; }
        $one = array( 'roles' => array_values( $u->roles ) );
        sort( $one['roles'] );
        foreach ( array( 'user_email', 'user_url', 'user_pass', 'user_registered', 'display_name', 'first_name', 'last_name', 'nickname', 'description', 'locale' ) as $field ) { $one[ $field ] = $u->$field; }
        foreach ( array( 'phone', 'tags' ) as $key ) { $one[ $key ] = get_user_meta( $u->ID, $key ); }
        $all[ $u->user_login ] = $one;
      }
      echo wp_json_encode( (object) $all );`),
  );
}
