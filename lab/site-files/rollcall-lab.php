<?php
/**
 * Plugin Name: Rollcall lab
 * Description: Keeps a test site on this machine: no requests to other hosts, no cron, no mail leaves; mails are kept for the tests to read.
 */

defined( 'ABSPATH' ) || exit;

// Other hosts don't answer here, and update checks would hold a request for seconds.
add_filter(
	'pre_http_request',
	function ( $response, $args, $url ) {
		$host = wp_parse_url( $url, PHP_URL_HOST );
		if ( in_array( $host, array( '127.0.0.1', 'localhost' ), true ) ) {
			return $response;
		}
		return new WP_Error( 'rollcall_lab_blocked', "The lab blocks requests to {$host}." );
	},
	PHP_INT_MAX,
	3
);
// The other sites of the lab live on this very host and on odd ports.
add_filter( 'http_request_host_is_external', '__return_true' );
add_filter(
	'http_allowed_safe_ports',
	function ( $ports, $host, $url ) {
		$ports[] = (int) wp_parse_url( $url, PHP_URL_PORT );
		return $ports;
	},
	10,
	3
);

foreach ( array( 'update_core', 'update_plugins', 'update_themes' ) as $rollcall_lab_check ) {
	add_filter(
		"pre_site_transient_{$rollcall_lab_check}",
		function () {
			return (object) array(
				'last_checked'    => time(),
				'version_checked' => get_bloginfo( 'version' ),
				'updates'         => array(),
				'response'        => array(),
				'translations'    => array(),
			);
		}
	);
}
add_filter( 'automatic_updater_disabled', '__return_true' );
add_filter( 'admin_email_check_interval', '__return_zero' );

// Last, so that a mail which another plugin stops (the connector, while it applies) is not counted as sent.
add_filter(
	'pre_wp_mail',
	function ( $sent, $mail ) {
		if ( null !== $sent ) {
			return $sent;
		}
		$line = wp_json_encode(
			array(
				'to'      => implode( ', ', (array) $mail['to'] ),
				'subject' => $mail['subject'],
				'message' => $mail['message'],
			)
		);
		file_put_contents( WP_CONTENT_DIR . '/rollcall-lab-mails.jsonl', $line . "\n", FILE_APPEND );
		return true;
	},
	PHP_INT_MAX,
	2
);

// WordPress 6.1 loses the colon of the host's port when a network creates a site.
add_filter(
	'wp_normalize_site_data',
	function ( $data ) {
		if ( defined( 'DOMAIN_CURRENT_SITE' ) && isset( $data['domain'] ) && str_replace( ':', '', DOMAIN_CURRENT_SITE ) === $data['domain'] ) {
			$data['domain'] = DOMAIN_CURRENT_SITE;
		}
		return $data;
	}
);
