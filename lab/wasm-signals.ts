/**
 * A must-use plugin, by file name, with which sites in WebAssembly signal.
 *
 * Does not: touch anything that Rollcall reads or writes.
 */

/**
 * The connector signals only where PHP can finish the answer first, as PHP-FPM can; PHP in WebAssembly can't. A
 * visitor of the lab may well wait a moment longer: asking three such sites every second instead would keep two processors busy.
 * Defined as late as can be, so that the connector still says truly that the hub must ask, too.
 */
const PLUGIN = `<?php
/* Plugin Name: Signals from PHP in WebAssembly */
add_action( 'shutdown', function () {
	if ( ! function_exists( 'fastcgi_finish_request' ) ) {
		function fastcgi_finish_request() {
			return true;
		}
	}
}, PHP_INT_MAX - 1 );
add_filter( 'http_request_args', function ( $args, $url ) {
	// Not waited for, one in ten is lost on its way out of WebAssembly.
	return strpos( $url, '/api/v1/signals/' ) ? array( 'blocking' => true, 'timeout' => 5 ) + $args : $args;
}, 10, 2 );
`;

export const WASM_SIGNALS: Readonly<Record<string, string>> = { 'lab-signals.php': PLUGIN };
