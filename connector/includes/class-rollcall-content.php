<?php
/**
 * Does an account own content?
 *
 * Does: looks for posts of any type, and links, on every site that the account belongs to.
 * Does not: count what WordPress keeps for itself: revisions, changesets, caches, requests.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Content of accounts.
 */
final class Rollcall_Content {

	/** Post types that nobody would miss with their author. */
	const INTERNAL = array( 'revision', 'customize_changeset', 'oembed_cache', 'user_request' );

	/**
	 * Whether there is any.
	 *
	 * @param int $id Account.
	 * @return bool
	 */
	public static function of( $id ) {
		if ( ! is_multisite() ) {
			return self::here( $id );
		}
		foreach ( get_blogs_of_user( $id, true ) as $blog ) {
			switch_to_blog( (int) $blog->userblog_id );
			try {
				if ( self::here( $id ) ) {
					return true;
				}
			} finally {
				restore_current_blog();
			}
		}
		return false;
	}

	/**
	 * Whether there is any on the current site.
	 *
	 * @param int $id Account.
	 * @return bool
	 */
	private static function here( $id ) {
		global $wpdb;
		$marks = implode( ',', array_fill( 0, count( self::INTERNAL ), '%s' ) );
		return (bool) $wpdb->get_var( $wpdb->prepare( "SELECT ID FROM {$wpdb->posts} WHERE post_author = %d AND post_type NOT IN ($marks) LIMIT 1", array_merge( array( $id ), self::INTERNAL ) ) ) // phpcs:ignore WordPress.DB
			|| (bool) $wpdb->get_var( $wpdb->prepare( "SELECT link_id FROM {$wpdb->links} WHERE link_owner = %d LIMIT 1", $id ) ); // phpcs:ignore WordPress.DB
	}
}
