<?php
/**
 * The whitelist in wp-admin: a tab of “User Sync”.
 *
 * Does: shows and saves entries, declared proxies and the switch; “Check” tells which entry an address and a URL
 * match.
 * Does not: guard wp-admin itself, so nobody can lock themselves out here.
 * Always true: every change needs the right to set what the whole installation shares, and a nonce; a page with one bad
 * row saves nothing.
 * On failure: a notice says which row, or whom the whitelist would shut out.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Whitelist page.
 */
final class Rollcall_Whitelist_Page {

	const TAB    = 'whitelist';
	const ACTION = 'rollcall_whitelist';

	/** Empty rows at the end, to be filled in. */
	const SPARE_ROWS = 3;

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'admin_post_' . self::ACTION, array( __CLASS__, 'save' ) );
	}

	/**
	 * May the current person see and change it? It is the installation's.
	 *
	 * @return bool
	 */
	public static function is_allowed() {
		return Rollcall_Shared_Option::may_be_set();
	}

	/**
	 * Address of the page.
	 *
	 * @param array $more Further arguments.
	 * @return string
	 */
	public static function url( $more = array() ) {
		return add_query_arg( $more + array( 'tab' => self::TAB ), admin_url( 'admin.php?page=' . Rollcall_Admin::PAGE ) );
	}

	/**
	 * What is below the tabs.
	 *
	 * @return void
	 */
	public static function show() {
		self::notices();
		echo '<p>' . esc_html__( 'When it is on, this site answers Rollcall requests only from the addresses below, and takes changes only from the sites below. It guards Rollcall’s own requests and nothing else; wp-admin stays open.', 'rollcall-connector' ) . '</p>';
		echo '<form id="rollcall-whitelist" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '">';
		echo '<input type="hidden" name="action" value="' . esc_attr( self::ACTION ) . '">';
		wp_nonce_field( self::ACTION );
		echo '<p><label><input type="checkbox" name="on" value="1"' . checked( Rollcall_Whitelist::is_on(), true, false ) . '> ' . esc_html__( 'Use the whitelist', 'rollcall-connector' ) . '</label></p>';
		self::table( Rollcall_Whitelist::entries() );
		echo '<p><label for="rollcall-proxies">' . esc_html__( 'Proxies in front of this site, one address or range a line. X-Forwarded-For is believed past these only.', 'rollcall-connector' ) . '</label><br>';
		echo '<textarea id="rollcall-proxies" name="proxies" rows="3" cols="50" class="code">' . esc_textarea( implode( "\n", Rollcall_Whitelist::proxies() ) ) . '</textarea></p>';
		submit_button( __( 'Save changes', 'rollcall-connector' ) );
		echo '</form>';
		self::check();
	}

	/**
	 * Saves the page.
	 *
	 * @return void
	 */
	public static function save() {
		if ( ! self::is_allowed() ) {
			wp_die( esc_html__( 'You are not allowed to do that.', 'rollcall-connector' ), 403 );
		}
		check_admin_referer( self::ACTION );
		$rows    = isset( $_POST['entries'] ) && is_array( $_POST['entries'] ) ? wp_unslash( $_POST['entries'] ) : array(); // phpcs:ignore WordPress.Security.ValidatedSanitizedInput
		$proxies = isset( $_POST['proxies'] ) && is_string( $_POST['proxies'] ) ? wp_unslash( $_POST['proxies'] ) : ''; // phpcs:ignore WordPress.Security.ValidatedSanitizedInput
		wp_safe_redirect( self::url( self::store( $rows, $proxies, isset( $_POST['on'] ) ) ) );
		exit;
	}

	/**
	 * Stores what was typed, all or nothing.
	 *
	 * @param array  $rows    Rows: name, url, ip, active.
	 * @param string $proxies Lines.
	 * @param bool   $on      The switch.
	 * @return array Arguments for the page: `saved`, or what is wrong.
	 */
	private static function store( $rows, $proxies, $on ) {
		$entries = array();
		foreach ( array_values( $rows ) as $i => $row ) {
			$row = array_map( 'strval', array_filter( (array) $row, 'is_scalar' ) );
			if ( '' === trim( implode( '', array_diff_key( $row, array( 'active' => 1 ) ) ) ) ) {
				continue;
			}
			$entry = Rollcall_Whitelist::clean( $row );
			if ( null === $entry ) {
				return array( 'wrong_row' => $i + 1 );
			}
			$entries[] = $entry;
		}
		$ranges = array();
		foreach ( preg_split( '/[\s,]+/', $proxies, -1, PREG_SPLIT_NO_EMPTY ) as $line ) {
			$range = Rollcall_Ip_Range::range( $line );
			if ( null === $range ) {
				return array( 'wrong_proxy' => 1 );
			}
			$ranges[] = $range;
		}
		if ( count( $entries ) > Rollcall_Whitelist::MOST || count( $ranges ) > Rollcall_Whitelist::MOST ) {
			return array( 'too_many' => 1 );
		}
		if ( $on && ! Rollcall_Whitelist::is_on() && null !== Rollcall_Whitelist::why_not_on( $entries, Rollcall_Whitelist::hub_address() ) ) {
			return array( 'would_refuse' => 1 );
		}
		Rollcall_Whitelist::save(
			array(
				'on'      => $on,
				'entries' => $entries,
				'proxies' => $ranges,
			)
		);
		return array( 'saved' => 1 );
	}

	/**
	 * What became of the last save.
	 *
	 * @return void
	 */
	private static function notices() {
		// phpcs:disable WordPress.Security.NonceVerification.Recommended
		if ( isset( $_GET['saved'] ) ) {
			self::notice( 'success', __( 'Saved.', 'rollcall-connector' ) );
		} elseif ( isset( $_GET['wrong_row'] ) ) {
			/* translators: %d: number of a row. */
			self::notice( 'error', sprintf( __( 'Nothing was saved: row %d needs an address like 203.0.113.9, a range like 203.0.113.0/24 or 2001:db8::/32, or the URL of a site.', 'rollcall-connector' ), absint( $_GET['wrong_row'] ) ) );
		} elseif ( isset( $_GET['wrong_proxy'] ) ) {
			self::notice( 'error', __( 'Nothing was saved: a proxy is neither an address nor a range.', 'rollcall-connector' ) );
		} elseif ( isset( $_GET['too_many'] ) ) {
			/* translators: %d: a number. */
			self::notice( 'error', sprintf( __( 'Nothing was saved: there may be %d entries.', 'rollcall-connector' ), Rollcall_Whitelist::MOST ) );
		} elseif ( isset( $_GET['would_refuse'] ) ) {
			/* translators: %s: an internet address. */
			self::notice( 'error', sprintf( __( 'Nothing was saved: the hub calls from %s, and no active entry has that address. The whitelist would shut it out.', 'rollcall-connector' ), (string) Rollcall_Whitelist::hub_address() ) );
		}
		// phpcs:enable
		if ( Rollcall_Whitelist::is_on() && null !== Rollcall_Whitelist::hub_address() && null === Rollcall_Whitelist::entry_of_address( Rollcall_Whitelist::hub_address(), Rollcall_Whitelist::entries() ) ) {
			/* translators: %s: an internet address. */
			self::notice( 'warning', sprintf( __( 'The hub last called from %s, and no active entry has that address.', 'rollcall-connector' ), Rollcall_Whitelist::hub_address() ) );
		}
	}

	/**
	 * One notice.
	 *
	 * @param string $kind     success, warning or error.
	 * @param string $sentence Sentence.
	 * @return void
	 */
	private static function notice( $kind, $sentence ) {
		printf( '<div class="notice notice-%1$s"><p>%2$s</p></div>', esc_attr( $kind ), esc_html( $sentence ) );
	}

	/**
	 * The entries.
	 *
	 * @param array[] $entries Entries.
	 * @return void
	 */
	private static function table( $entries ) {
		$blank = array_fill(
			0,
			self::SPARE_ROWS,
			array(
				'name'   => '',
				'url'    => '',
				'ip'     => '',
				'active' => true,
			)
		);
		echo '<table class="widefat striped"><thead><tr>';
		foreach ( array( __( 'Name', 'rollcall-connector' ), __( 'Site URL', 'rollcall-connector' ), __( 'Address or range', 'rollcall-connector' ), __( 'Active', 'rollcall-connector' ) ) as $head ) {
			echo '<th scope="col">' . esc_html( $head ) . '</th>';
		}
		echo '</tr></thead><tbody>';
		foreach ( array_merge( $entries, $blank ) as $i => $entry ) {
			echo '<tr>';
			self::cell( $i, 'name', __( 'Name', 'rollcall-connector' ), $entry['name'], '' );
			self::cell( $i, 'url', __( 'Site URL', 'rollcall-connector' ), $entry['url'], 'shop.example.com' );
			self::cell( $i, 'ip', __( 'Address or range', 'rollcall-connector' ), $entry['ip'], '203.0.113.0/24' );
			printf(
				'<td><input type="checkbox" name="entries[%1$d][active]" value="1" aria-label="%2$s"%3$s></td>',
				(int) $i,
				esc_attr__( 'Active', 'rollcall-connector' ),
				checked( $entry['active'], true, false )
			);
			echo '</tr>';
		}
		echo '</tbody></table><p class="description">' . esc_html__( 'Empty a row to remove it.', 'rollcall-connector' ) . '</p>';
	}

	/**
	 * One field of an entry.
	 *
	 * @param int    $i     Row.
	 * @param string $name  Field.
	 * @param string $label Label for screen readers.
	 * @param string $value Value.
	 * @param string $hint  What it may look like.
	 * @return void
	 */
	private static function cell( $i, $name, $label, $value, $hint ) {
		printf(
			'<td><input type="text" class="regular-text" name="entries[%1$d][%2$s]" value="%3$s" placeholder="%4$s" aria-label="%5$s"></td>',
			(int) $i,
			esc_attr( $name ),
			esc_attr( $value ),
			esc_attr( $hint ),
			esc_attr( $label )
		);
	}

	/**
	 * “Check”: which entry matches?
	 *
	 * @return void
	 */
	private static function check() {
		// phpcs:disable WordPress.Security.NonceVerification.Recommended
		$address = isset( $_GET['check_address'] ) && is_string( $_GET['check_address'] ) ? sanitize_text_field( wp_unslash( $_GET['check_address'] ) ) : '';
		$url     = isset( $_GET['check_url'] ) && is_string( $_GET['check_url'] ) ? sanitize_text_field( wp_unslash( $_GET['check_url'] ) ) : '';
		// phpcs:enable
		echo '<h2>' . esc_html__( 'Check', 'rollcall-connector' ) . '</h2>';
		if ( null !== Rollcall_Whitelist::hub_address() ) {
			/* translators: %s: an internet address. */
			echo '<p>' . esc_html( sprintf( __( 'The hub last called from %s.', 'rollcall-connector' ), Rollcall_Whitelist::hub_address() ) ) . '</p>';
		}
		echo '<form method="get" action="' . esc_url( admin_url( 'admin.php' ) ) . '">';
		echo '<input type="hidden" name="page" value="' . esc_attr( Rollcall_Admin::PAGE ) . '"><input type="hidden" name="tab" value="' . esc_attr( self::TAB ) . '">';
		echo '<label>' . esc_html__( 'Address', 'rollcall-connector' ) . ' <input type="text" name="check_address" value="' . esc_attr( $address ) . '"></label> ';
		echo '<label>' . esc_html__( 'Site URL', 'rollcall-connector' ) . ' <input type="text" name="check_url" value="' . esc_attr( $url ) . '"></label> ';
		submit_button( __( 'Check', 'rollcall-connector' ), 'secondary', '', false );
		echo '</form>';
		if ( '' !== $address || '' !== $url ) {
			self::found( $address, $url );
		}
	}

	/**
	 * What “Check” found.
	 *
	 * @param string $address Address, or nothing.
	 * @param string $url     URL, or nothing.
	 * @return void
	 */
	private static function found( $address, $url ) {
		$found = Rollcall_Tighten::check(
			array(
				'address' => $address,
				'url'     => $url,
			),
			Rollcall_Whitelist::entries()
		);
		foreach ( array_filter( compact( 'address', 'url' ) ) as $what => $asked ) {
			$name = $found[ $what ];
			/* translators: 1: an address or URL, 2: name of an entry. */
			$sentence = null === $name ? sprintf( __( '%s: no active entry.', 'rollcall-connector' ), $asked ) : sprintf( __( '%1$s: “%2$s”.', 'rollcall-connector' ), $asked, $name );
			echo '<p class="rollcall-found">' . esc_html( $sentence ) . '</p>';
		}
	}
}
