<?php
/**
 * The counts of a preview as a table: what an action would do on each site.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Table of counts.
 */
final class Rollcall_Network_Counts {

	/**
	 * Shows it, with the sums.
	 *
	 * @param array[] $sites As Rollcall_Network_Preview gives them.
	 * @return void
	 */
	public static function show( array $sites ) {
		echo '<table class="widefat striped" id="rollcall-counts"><thead><tr>';
		foreach ( array( __( 'Site', 'rollcall-connector' ), __( 'To add', 'rollcall-connector' ), __( 'To change', 'rollcall-connector' ), __( 'Unchanged', 'rollcall-connector' ), __( 'Left alone', 'rollcall-connector' ) ) as $head ) {
			echo '<th scope="col">' . esc_html( $head ) . '</th>';
		}
		echo '</tr></thead><tbody>';
		foreach ( $sites as $site ) {
			self::row( self::name( $site['blog'] ), $site );
		}
		echo '</tbody>';
		if ( count( $sites ) > 1 ) {
			echo '<tfoot>';
			self::row( __( 'Together', 'rollcall-connector' ), Rollcall_Network_Shown::sum( $sites ) );
			echo '</tfoot>';
		}
		echo '</table>';
	}

	/**
	 * The sums in a sentence.
	 *
	 * @param array[] $sites As Rollcall_Network_Preview gives them.
	 * @return void
	 */
	public static function sum( array $sites ) {
		$sum = array_map( 'number_format_i18n', array_diff_key( Rollcall_Network_Shown::sum( $sites ), array( 'skipped' => 0 ) ) );
		/* translators: 1: memberships to begin, 2: memberships to change, 3: memberships as they are. */
		echo '<p><strong>' . esc_html( sprintf( __( 'To add: %1$s, to change: %2$s, unchanged: %3$s.', 'rollcall-connector' ), $sum['add'], $sum['change'], $sum['unchanged'] ) ) . '</strong></p>';
	}

	/**
	 * Sentences, one below the other.
	 *
	 * @param array $skipped Reason => number.
	 * @return void
	 */
	public static function skipped( array $skipped ) {
		foreach ( Rollcall_Network_Shown::skipped( $skipped ) as $sentence ) {
			echo esc_html( $sentence ) . '<br>';
		}
	}

	/**
	 * One row.
	 *
	 * @param string $name Of what.
	 * @param array  $site Counts.
	 * @return void
	 */
	private static function row( $name, array $site ) {
		printf( '<tr><th scope="row">%1$s</th><td>%2$s</td><td>%3$s</td><td>%4$s</td><td>', esc_html( $name ), esc_html( number_format_i18n( $site['add'] ) ), esc_html( number_format_i18n( $site['change'] ) ), esc_html( number_format_i18n( $site['unchanged'] ) ) );
		self::skipped( $site['skipped'] );
		echo '</td></tr>';
	}

	/**
	 * Name of a site.
	 *
	 * @param int $blog Site.
	 * @return string
	 */
	public static function name( $blog ) {
		$name = wp_specialchars_decode( (string) get_blog_option( $blog, 'blogname' ), ENT_QUOTES );
		/* translators: %d: number of a site. */
		return '' === $name ? sprintf( __( 'Site %d', 'rollcall-connector' ), $blog ) : $name;
	}
}
