/**
 * Must-use plugins that the demo puts into its sites, by file name.
 *
 * Does not: touch anything that Rollcall reads or writes.
 */
import { WASM_SIGNALS } from '../wasm-signals.ts';

/** The way WordPress itself offers for more contact fields in a profile. */
const PHONE = `<?php
/* Plugin Name: A phone number in every profile */
add_filter( 'user_contactmethods', function ( $methods ) {
	return $methods + array( 'phone' => 'Phone' );
} );
`;

export const SITE_PLUGINS: Readonly<Record<string, string>> = {
  'demo-phone.php': PHONE,
  ...WASM_SIGNALS,
};
