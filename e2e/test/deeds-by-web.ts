/** Deeds in requests of their own, as visitors cause them: a tenth of what WP-CLI takes to start. */
import { randomUUID } from 'node:crypto';
import type { Site } from '#lab/start-site.ts';

const KEY = randomUUID();

/** A must-use plugin of a site on this machine, for as long as the test lasts. */
export const DEEDS_BY_WEB = {
  'deeds-by-web.php': `<?php
add_action( 'wp_loaded', function () {
	if ( ! hash_equals( '${KEY}', $_SERVER['HTTP_X_DEED_KEY'] ?? '' ) ) {
		return;
	}
	eval( file_get_contents( 'php://input' ) );
	exit;
} );`,
};

/** @returns what it printed */
export async function phpByWeb(site: Site, code: string): Promise<string> {
  const init = { method: 'POST', headers: { 'x-deed-key': KEY }, body: code };
  const response = await site.request('/', init);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${site.name} says ${response.status}: ${text}`);
  return text;
}
