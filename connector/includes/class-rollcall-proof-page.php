<?php
/**
 * The page behind a mailed link.
 *
 * Does: shows, on wp-login.php, which other account it is about and what follows, and confirms.
 * Does not: confirm by being opened: mail scanners open links.
 * Always true: confirmed is only by a POST with its nonce, by whoever is signed in to that very account and has
 *   the token of its mail. The address of the page is told to no other site, and no cache keeps it.
 * On failure: one sentence; nothing has changed.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Page of a half.
 */
final class Rollcall_Proof_Page {

	const ACTION = 'rollcall_link';

	/**
	 * Hooks in. Customers are kept out of wp-admin by shops, and not from here.
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'login_form_' . self::ACTION, array( __CLASS__, 'serve' ) );
	}

	/**
	 * Serves the page.
	 *
	 * @return void
	 */
	public static function serve() {
		self::send_headers();
		$half  = self::word( 'half', '/^[0-9a-f-]{36}$/D' );
		$token = self::word( 'token', '/^[0-9a-f]{64}$/D' );
		if ( ! is_user_logged_in() ) {
			wp_safe_redirect( wp_login_url( Rollcall_Proof_Mail::link( $half, $token ) ) );
			exit;
		}
		$proof = self::found( $half, $token );
		if ( null === $proof ) {
			self::show( self::over() );
		} elseif ( get_current_user_id() !== (int) $proof['id'] ) {
			/* translators: %s: login. */
			self::show( sprintf( __( 'You are signed in as “%s”, and this link was mailed to another account of this site. Sign out, and open the link once more.', 'rollcall-connector' ), wp_get_current_user()->user_login ) );
		} elseif ( $proof['confirmed'] ) {
			self::show( self::thanks( $proof ) );
		} elseif ( self::is_confirmed_now( $half ) ) {
			self::show( Rollcall_Proofs::confirm( $proof ) ? self::thanks( $proof ) : self::over() );
		} else {
			self::ask( $proof, $token );
		}
		exit;
	}

	/**
	 * Keeps the address of this page to this page.
	 *
	 * @return void
	 */
	private static function send_headers() {
		nocache_headers();
		header( 'Referrer-Policy: no-referrer' );
		defined( 'DONOTCACHEPAGE' ) || define( 'DONOTCACHEPAGE', true );
		add_action(
			'login_head',
			static function () {
				// Behind WordPress's own, which is less strict: the last one counts.
				echo '<meta name="referrer" content="no-referrer" />' . "\n";
			},
			PHP_INT_MAX
		);
	}

	/**
	 * A half that this token opens, and that still holds.
	 *
	 * @param string $half  Id of a half.
	 * @param string $token Token.
	 * @return array|null
	 */
	private static function found( $half, $token ) {
		$proof = Rollcall_Home::matches() ? Rollcall_Proof_Store::get( $half ) : null;
		if ( ! $proof || '' === $proof['token'] || ! hash_equals( $proof['token'], hash( 'sha256', $token ) ) ) {
			return null;
		}
		$states = Rollcall_States::of( array( $proof['id'] ) );
		return Rollcall_Proof_Bond::holds( $proof, isset( $states[ $proof['id'] ] ) ? $states[ $proof['id'] ] : null ) ? $proof : null;
	}

	/**
	 * Was the button pressed?
	 *
	 * @param string $half Id of a half.
	 * @return bool
	 */
	private static function is_confirmed_now( $half ) {
		$nonce = isset( $_POST['_wpnonce'] ) && is_string( $_POST['_wpnonce'] ) ? sanitize_key( wp_unslash( $_POST['_wpnonce'] ) ) : '';
		return isset( $_SERVER['REQUEST_METHOD'] ) && 'POST' === $_SERVER['REQUEST_METHOD'] && (bool) wp_verify_nonce( $nonce, self::ACTION . $half );
	}

	/**
	 * Asks.
	 *
	 * @param array  $proof A half.
	 * @param string $token Its token.
	 * @return void
	 */
	private static function ask( array $proof, $token ) {
		$host = Rollcall_Proof_Mail::host_of( $proof['other'] );
		/* translators: 1: login, 2: name of this site. */
		$here = sprintf( __( 'You are signed in as “%1$s” at “%2$s”.', 'rollcall-connector' ), wp_get_current_user()->user_login, wp_specialchars_decode( get_option( 'blogname' ), ENT_QUOTES ) );
		/* translators: 1: host of another site, 2: the name that it gives itself, 3: date. */
		$other = sprintf( __( 'At %1$s (“%2$s”) there is an account, too. It has been there since %3$s.', 'rollcall-connector' ), $host, $proof['other']['site'], Rollcall_Proof_Mail::since( $proof['other'] ) );
		$then  = __( 'If you confirm here and there, the two are linked: whoever can sign in to either of them can then change both, with address and password. Confirm only if both are yours.', 'rollcall-connector' );
		login_header( __( 'Is the other account yours, too?', 'rollcall-connector' ) );
		?>
		<form method="post" action="<?php echo esc_url( site_url( 'wp-login.php?action=' . self::ACTION, 'login_post' ) ); ?>" name="rollcall-link" id="rollcall-link">
			<p><?php echo esc_html( $here ); ?></p><br />
			<p><?php echo esc_html( $other ); ?></p><br />
			<p><?php echo esc_html( $then ); ?></p><br />
			<input type="hidden" name="half" value="<?php echo esc_attr( $proof['half'] ); ?>" />
			<input type="hidden" name="token" value="<?php echo esc_attr( $token ); ?>" />
			<?php wp_nonce_field( self::ACTION . $proof['half'], '_wpnonce', false ); ?>
			<p class="submit"><input type="submit" class="button button-primary button-large" value="<?php esc_attr_e( 'Both are mine: link them', 'rollcall-connector' ); ?>" /></p>
		</form>
		<?php
		login_footer();
	}

	/**
	 * Says one sentence.
	 *
	 * @param string $sentence Text.
	 * @return void
	 */
	private static function show( $sentence ) {
		login_header( __( 'Is the other account yours, too?', 'rollcall-connector' ), '<p class="message">' . esc_html( $sentence ) . '</p>' );
		login_footer();
	}

	/** For a link that opens nothing any more. */
	private static function over() {
		return __( 'This link opens nothing any more: it has ended, was withdrawn, or the address or password of the account has changed since. Nothing has happened.', 'rollcall-connector' );
	}

	/**
	 * For one that was confirmed.
	 *
	 * @param array $proof A half.
	 * @return string
	 */
	private static function thanks( array $proof ) {
		/* translators: %s: host of another site. */
		return sprintf( __( 'Confirmed here. The accounts are linked once the link that %s mails you is confirmed there, too.', 'rollcall-connector' ), Rollcall_Proof_Mail::host_of( $proof['other'] ) );
	}

	/**
	 * A word from the request.
	 *
	 * @param string $name Name.
	 * @param string $form What it looks like.
	 * @return string '' when it doesn't.
	 */
	private static function word( $name, $form ) {
		// phpcs:ignore WordPress.Security.NonceVerification, WordPress.Security.ValidatedSanitizedInput
		$word = isset( $_REQUEST[ $name ] ) && is_string( $_REQUEST[ $name ] ) ? $_REQUEST[ $name ] : '';
		return preg_match( $form, $word ) ? $word : '';
	}
}
