<?php
/**
 * Asks an administrator in wp-admin what happened to a site that stands where it was not connected.
 *
 * Does: shows one notice with its buttons, and passes the answer on: *moved*, *copy*, *the database moved*.
 * Does not: decide anything, or show itself to people who may not answer.
 * Always true: every answer needs the capability and a nonce; *copy* needs that something speaks for it.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The question, and its answer.
 */
final class Rollcall_Moved_Notice {

	const ACTION = 'rollcall_moved';

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'admin_notices', array( __CLASS__, 'show' ) );
		add_action( 'network_admin_notices', array( __CLASS__, 'show' ) );
		add_action( 'admin_post_' . self::ACTION, array( __CLASS__, 'answer' ) );
	}

	/**
	 * The notice, where there is something to ask or to say.
	 *
	 * @return void
	 */
	public static function show() {
		if ( ! self::may_answer() || ! Rollcall_Settings::is_bound() ) {
			return;
		}
		if ( ! Rollcall_Home::matches() ) {
			self::ask( self::sentence(), array( 'moved', 'copy' ) );
		} elseif ( null !== Rollcall_Address::brought_back_from() ) {
			self::ask( self::sentence(), array() );
		} elseif ( Rollcall_Store::has_moved() ) {
			self::ask( self::sentence(), array( 'database', 'copy' ) );
		}
	}

	/**
	 * What happened, in a sentence or two; '' when nothing did.
	 *
	 * @return string
	 */
	public static function sentence() {
		if ( ! Rollcall_Home::matches() ) {
			return sprintf(
				/* translators: 1: address now, 2: address when it was connected. */
				__( 'This site stands at %1$s and was connected at %2$s. Rollcall stays silent here until somebody says which it is: did the site move, or is this a copy of it?', 'rollcall-connector' ),
				Rollcall_Home::now(),
				Rollcall_Home::connected()
			);
		}
		$from = Rollcall_Address::brought_back_from();
		if ( null !== $from ) {
			return sprintf(
				/* translators: %s: address. */
				__( 'The database of this site stood at %s meanwhile and was brought back here. Rollcall waits until an operator of the hub says “rollcall site restored” for it; edits made at the other address then yield to those of the other sites.', 'rollcall-connector' ),
				$from
			);
		}
		if ( Rollcall_Store::has_moved() ) {
			return __( 'The database of this site lies at another place than when it was connected. Rollcall goes on. Did the site move to another server, or is this a copy of it?', 'rollcall-connector' );
		}
		return '';
	}

	/**
	 * Takes the answer.
	 *
	 * @return void
	 */
	public static function answer() {
		if ( ! self::may_answer() ) {
			wp_die( esc_html__( 'You are not allowed to do that.', 'rollcall-connector' ), 403 );
		}
		check_admin_referer( self::ACTION );
		if ( isset( $_POST['moved'] ) && Rollcall_Settings::is_bound() ) {
			Rollcall_Address::say_moved();
		} elseif ( isset( $_POST['database'] ) && Rollcall_Settings::is_bound() && Rollcall_Home::matches() ) {
			Rollcall_Store::stand_here();
		} elseif ( isset( $_POST['copy'] ) && Rollcall_Address::may_be_copy() ) {
			Rollcall_Address::say_copy();
		}
		wp_safe_redirect( add_query_arg( 'saved', '1', admin_url( 'admin.php?page=' . Rollcall_Admin::PAGE ) ) );
		exit;
	}

	/**
	 * Prints the notice.
	 *
	 * @param string   $sentence What happened.
	 * @param string[] $answers  Any of moved, copy, database.
	 * @return void
	 */
	private static function ask( $sentence, $answers ) {
		$labels = array(
			'moved'    => __( 'It moved: go on here', 'rollcall-connector' ),
			'database' => __( 'It moved: stop warning', 'rollcall-connector' ),
			'copy'     => __( 'It is a copy: forget the connection here', 'rollcall-connector' ),
		);
		echo '<div class="notice notice-error"><p>' . esc_html( $sentence ) . '</p>';
		if ( $answers ) {
			echo '<form id="rollcall-moved" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><p>';
			echo '<input type="hidden" name="action" value="' . esc_attr( self::ACTION ) . '">';
			wp_nonce_field( self::ACTION, '_wpnonce', true );
			foreach ( $answers as $answer ) {
				printf( '<button type="submit" class="button" name="%1$s" value="1">%2$s</button> ', esc_attr( $answer ), esc_html( $labels[ $answer ] ) );
			}
			echo '</p></form>';
		}
		echo '</div>';
	}

	/**
	 * May the current person answer? It is about the whole installation.
	 *
	 * @return bool
	 */
	private static function may_answer() {
		return Rollcall_Shared_Option::may_be_set();
	}
}
