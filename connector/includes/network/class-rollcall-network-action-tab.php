<?php
/**
 * Actions in Network Admin: chosen, counted, begun.
 *
 * Does: makes an action of what was typed; shows what it would do, site by site; begins it, for WP-Cron to work on.
 * Always true: counting writes nothing; what is begun is what was shown, and checked again.
 * On failure: a sentence above the form, which keeps what was typed.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Tab of actions.
 */
final class Rollcall_Network_Action_Tab {

	const ACTION  = 'rollcall_network_begin';
	const PREVIEW = 'rollcall_network_preview';

	/** Fields of the form, as they are at first. */
	const FIELDS = array(
		'what'   => 'fill',
		'from'   => '',
		'adds'   => '',
		'sites'  => '',
		'people' => '',
		'back'   => '',
	);

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'network_admin_edit_' . self::ACTION, array( __CLASS__, 'begin' ) );
	}

	/**
	 * The form, or the counts.
	 *
	 * @return void
	 */
	public static function show() {
		$fields          = self::FIELDS;
		$fields['sites'] = str_replace( ',', "\n", Rollcall_Network_Page::asked( 'sites' ) );
		// phpcs:ignore WordPress.Security.NonceVerification.Missing -- checked below.
		if ( ! isset( $_POST['what'] ) ) {
			self::form( $fields );
			return;
		}
		Rollcall_Network_Page::only( Rollcall_Network_Page::ACTS, self::PREVIEW );
		foreach ( $fields as $name => $value ) {
			$fields[ $name ] = Rollcall_Network_Page::sent( $name );
		}
		$spec = self::spec( $fields );
		$page = is_wp_error( $spec ) ? $spec : Rollcall_Network_Preview::page( $spec, (int) Rollcall_Network_Page::sent( 'after' ) );
		if ( is_wp_error( $page ) ) {
			Rollcall_Network_Page::notice( 'error', $page->get_error_message() );
			self::form( $fields );
			return;
		}
		self::preview( $spec, $page, $fields );
	}

	/**
	 * Begins what was shown.
	 *
	 * @return void
	 */
	public static function begin() {
		Rollcall_Network_Page::only( Rollcall_Network_Page::ACTS, self::ACTION );
		$spec = json_decode( Rollcall_Network_Page::sent( 'spec' ), true );
		$run  = Rollcall_Network_Runs::begin( Rollcall_Network_Page::sent( 'id' ), get_current_network_id(), is_array( $spec ) ? $spec : array(), 'cron', wp_get_current_user()->user_login );
		$run  = Rollcall_Network_Page::or_end( $run );
		wp_safe_redirect( Rollcall_Network_Page::url( 'runs', array( 'run' => $run['id'] ) ) );
		exit;
	}

	/**
	 * An action of what was typed.
	 *
	 * @param array $fields Fields.
	 * @return array|WP_Error
	 */
	private static function spec( array $fields ) {
		$network = get_current_network_id();
		$spec    = array(
			'action'   => $fields['what'],
			'add_back' => '' !== $fields['back'],
		);
		$sites   = Rollcall_Network_Typed::sites( $network, Rollcall_Network_Typed::words( $fields['sites'] ) );
		$people  = Rollcall_Network_Typed::people( Rollcall_Network_Typed::words( $fields['people'] ) );
		$from    = 'copy' === $fields['what'] ? Rollcall_Network_Typed::sites( $network, array( trim( $fields['from'] ) ) ) : array();
		foreach ( array( $sites, $people, $from ) as $given ) {
			if ( is_wp_error( $given ) ) {
				return $given;
			}
		}
		$spec += array_filter( compact( 'sites', 'people' ) );
		if ( $from ) {
			$spec['from']        = $from[0];
			$spec['memberships'] = '' === $fields['adds'] ? 'existing' : 'all';
		}
		return Rollcall_Network_Spec::checked( $network, $spec );
	}

	/**
	 * The form.
	 *
	 * @param array $fields What is in it.
	 * @return void
	 */
	private static function form( array $fields ) {
		echo '<h2>' . esc_html__( 'Choose', 'rollcall-connector' ) . '</h2>';
		echo '<form id="rollcall-network-action" method="post" action="' . esc_url( Rollcall_Network_Page::url( 'action' ) ) . '">';
		wp_nonce_field( self::PREVIEW );
		echo '<table class="form-table" role="presentation"><tr><th scope="row">' . esc_html__( 'What', 'rollcall-connector' ) . '</th><td><fieldset><legend class="screen-reader-text">' . esc_html__( 'What', 'rollcall-connector' ) . '</legend>';
		self::box( 'radio', 'what', 'fill', __( 'Fill: add people to the sites where they are no members yet, each with the site’s default role', 'rollcall-connector' ), 'copy' !== $fields['what'] );
		self::box( 'radio', 'what', 'copy', __( 'Copy roles from one site to others', 'rollcall-connector' ), 'copy' === $fields['what'] );
		echo '</fieldset></td></tr>';
		self::text( 'from', __( 'Copy from', 'rollcall-connector' ), __( 'Number, address or folder of the site.', 'rollcall-connector' ), $fields['from'] );
		echo '<tr><th scope="row">' . esc_html__( 'Copy to', 'rollcall-connector' ) . '</th><td>';
		self::box( 'checkbox', 'adds', '1', __( 'Also to sites where they are no members yet', 'rollcall-connector' ), '' !== $fields['adds'] );
		echo '</td></tr>';
		self::lines( 'sites', __( 'Sites', 'rollcall-connector' ), __( 'Numbers, addresses or folders, one a line. Leave it empty for all sites.', 'rollcall-connector' ), $fields['sites'] );
		self::lines( 'people', __( 'People', 'rollcall-connector' ), __( 'Logins or e-mail addresses, one a line. Leave it empty for everybody.', 'rollcall-connector' ), $fields['people'] );
		echo '<tr><th scope="row">' . esc_html__( 'Add back', 'rollcall-connector' ) . '</th><td>';
		self::box( 'checkbox', 'back', '1', __( 'Add those, too, whom a person has taken off a site', 'rollcall-connector' ), '' !== $fields['back'] );
		echo '</td></tr></table>';
		submit_button( __( 'Preview', 'rollcall-connector' ), 'primary', '', true, array( 'id' => 'rollcall-preview' ) );
		echo '</form>';
	}

	/**
	 * What the action would do.
	 *
	 * @param array $spec   Action.
	 * @param array $page   Page of the preview.
	 * @param array $fields What was typed.
	 * @return void
	 */
	private static function preview( array $spec, array $page, array $fields ) {
		echo '<h2>' . esc_html__( 'Preview', 'rollcall-connector' ) . '</h2><p>' . esc_html( Rollcall_Network_Shown::action( $spec ) ) . '</p>';
		Rollcall_Network_Counts::sum( $page['sites'] );
		echo '<form id="rollcall-network-begin" method="post" action="' . esc_url( network_admin_url( 'edit.php?action=' . self::ACTION ) ) . '">';
		wp_nonce_field( self::ACTION );
		printf( '<input type="hidden" name="id" value="%1$s"><input type="hidden" name="spec" value="%2$s">', esc_attr( wp_generate_uuid4() ), esc_attr( wp_json_encode( $spec ) ) );
		echo '<p>';
		submit_button( __( 'Start', 'rollcall-connector' ), 'primary', '', false );
		echo ' <a class="button" href="' . esc_url( Rollcall_Network_Page::url( 'action' ) ) . '">' . esc_html__( 'Choose again', 'rollcall-connector' ) . '</a></p></form>';
		if ( null !== $page['after'] ) {
			echo '<p>' . esc_html__( 'There are more sites than could be counted at once: these are the counts of some of them.', 'rollcall-connector' ) . '</p>';
			self::again( $fields, __( 'Count the next sites', 'rollcall-connector' ), $page['after'] );
		}
		Rollcall_Network_Counts::show( $page['sites'] );
	}

	/**
	 * A button that counts on.
	 *
	 * @param array  $fields What was typed.
	 * @param string $label  Label.
	 * @param int    $after  Site.
	 * @return void
	 */
	private static function again( array $fields, $label, $after ) {
		echo '<form method="post" action="' . esc_url( Rollcall_Network_Page::url( 'action' ) ) . '">';
		wp_nonce_field( self::PREVIEW );
		foreach ( $fields + array( 'after' => $after ) as $name => $value ) {
			printf( '<input type="hidden" name="%1$s" value="%2$s">', esc_attr( $name ), esc_attr( $value ) );
		}
		submit_button( $label, 'secondary', '', false );
		echo '</form>';
	}

	/**
	 * A row with a text field.
	 *
	 * @param string $name  Name.
	 * @param string $label Label.
	 * @param string $hint  What it may be.
	 * @param string $value Value.
	 * @return void
	 */
	private static function text( $name, $label, $hint, $value ) {
		printf( '<tr><th scope="row"><label for="rollcall-%1$s">%2$s</label></th><td><input type="text" class="regular-text" id="rollcall-%1$s" name="%1$s" value="%3$s" aria-describedby="rollcall-%1$s-hint"><p class="description" id="rollcall-%1$s-hint">%4$s</p></td></tr>', esc_attr( $name ), esc_html( $label ), esc_attr( $value ), esc_html( $hint ) );
	}

	/**
	 * A row with lines.
	 *
	 * @param string $name  Name.
	 * @param string $label Label.
	 * @param string $hint  What it may be.
	 * @param string $value Value.
	 * @return void
	 */
	private static function lines( $name, $label, $hint, $value ) {
		printf( '<tr><th scope="row"><label for="rollcall-%1$s">%2$s</label></th><td><textarea rows="5" cols="50" id="rollcall-%1$s" name="%1$s" aria-describedby="rollcall-%1$s-hint">%3$s</textarea><p class="description" id="rollcall-%1$s-hint">%4$s</p></td></tr>', esc_attr( $name ), esc_html( $label ), esc_textarea( $value ), esc_html( $hint ) );
	}

	/**
	 * A check box, or a radio button.
	 *
	 * @param string $type  checkbox or radio.
	 * @param string $name  Name.
	 * @param string $value Value.
	 * @param string $label Label.
	 * @param bool   $on    Is it on?
	 * @return void
	 */
	private static function box( $type, $name, $value, $label, $on ) {
		printf( '<label><input type="%1$s" name="%2$s" value="%3$s"%4$s> %5$s</label><br>', esc_attr( $type ), esc_attr( $name ), esc_attr( $value ), checked( $on, true, false ), esc_html( $label ) );
	}
}
