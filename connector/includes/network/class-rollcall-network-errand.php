<?php
/**
 * Errands: what is to be written to a site with code of its own is done in a process of that site, so that its
 * plugins and its theme hear.
 *
 * Does: asks the site's own REST address to work on a page of a run, or on what triggers have noted; signs that.
 * Does not: carry data. An errand names rows of the tables, and only what these say is done. It speaks for no account.
 * Always true: whether it was done is read from the tables, not from the answer. The key lies in the network's
 *   options and is never told. Only WordPress's cron waits for an errand, and not for long.
 * On failure: the site is not asked again for some minutes, and the caller does the work itself; what was not heard
 *   is told (Rollcall_Network_Unheard).
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Sender of errands.
 */
final class Rollcall_Network_Errand {

	const ROUTE = 'network/errand';

	/** Network option with the key. */
	const OPTION = 'rollcall_network_key';

	/** An errand is good for so long, in ms. */
	const LIFE_MS = 60000;

	/** Seconds over the time that the site works: to start, and to answer. */
	const GRACE_S = 5;

	/** Less is not worth the start of a process, in seconds. */
	const LEAST_S = 2;

	/**
	 * Works on a page of a run: there, where the site has code of its own; here, where it has none or can't be asked.
	 *
	 * @param object $row     Row of the run.
	 * @param int    $blog    Its next site.
	 * @param float  $seconds At most so long, roughly.
	 * @param bool   $waits   May this process wait for another one?
	 * @return bool False: it is left to a process that may.
	 */
	public static function page( $row, $blog, $seconds, $waits ) {
		$until = microtime( true ) + $seconds;
		if ( Rollcall_Network_Own_Code::of( $blog ) ) {
			if ( ! $waits ) {
				return false;
			}
			// An errand only where there is something to write.
			if ( Rollcall_Network_Passing::at( $row, $seconds ) ) {
				return true;
			}
			$row   = Rollcall_Network_Runs::row( $row->id );
			$moved = static function () use ( $row ) {
				$now = Rollcall_Network_Runs::row( $row->id );
				// Or somebody else is at it.
				return self::place( $row ) !== self::place( $now ) || '' !== $now->token;
			};
			if ( self::send( $blog, array( 'run' => $row->id ), $seconds, $moved ) ) {
				return true;
			}
		}
		Rollcall_Network_Runs::page( $row->id, $blog, max( 0, $until - microtime( true ) ) );
		return true;
	}

	/**
	 * Has a site with code of its own do what triggers have noted.
	 *
	 * @param object[] $rows    Rows of what is due.
	 * @param int      $blog    Site.
	 * @param float    $seconds At most so long, roughly.
	 * @param callable $nothing Tells whether nothing is to be written there any more.
	 * @return bool Whether it is done there.
	 */
	public static function due( array $rows, $blog, $seconds, $nothing ) {
		$named = array();
		foreach ( $rows as $row ) {
			$named[] = array( (int) $row->seq, (int) $row->rev );
		}
		return self::send(
			$blog,
			array( 'due' => $named ),
			$seconds,
			static function () use ( $rows, $blog, $nothing ) {
				return ! Rollcall_Network_Due::are_behind( $rows, $blog ) || $nothing();
			}
		);
	}

	/**
	 * Was an errand signed with the key of a network?
	 *
	 * @param string $errand  As it came.
	 * @param string $mac     Its signature.
	 * @param int    $network Network.
	 * @return bool
	 */
	public static function is_signed( $errand, $mac, $network ) {
		$key = self::key( $network );
		return '' !== $key && hash_equals( hash_hmac( 'sha256', $errand, $key ), $mac );
	}

	/**
	 * Sends an errand and waits for it.
	 *
	 * @param int      $blog    Site.
	 * @param array    $work    What to do.
	 * @param float    $seconds At most so long, roughly.
	 * @param callable $done    Tells whether it was done.
	 * @return bool
	 */
	private static function send( $blog, array $work, $seconds, $done ) {
		$network = get_current_network_id();
		$url     = Rollcall_Network_Announcer::on_site(
			$blog,
			static function () {
				return get_rest_url( null, Rollcall_Rest::ROUTE_NAMESPACE . '/' . self::ROUTE );
			}
		);
		if ( Rollcall_Network_Unheard::stands( $network, $blog, $url ) ) {
			return false;
		}
		$seconds = max( self::LEAST_S, $seconds );
		$errand  = (string) wp_json_encode(
			array(
				'network' => $network,
				'blog'    => (int) $blog,
				'until'   => Rollcall_Network_Runs::now() + self::LIFE_MS,
				'seconds' => $seconds,
			) + $work
		);
		$mac     = hash_hmac( 'sha256', $errand, self::made_key( $network ) );
		list( $answered, $why ) = self::post( $url, $errand, $mac, $seconds );
		if ( null === $why && ! $done() ) {
			// Somebody else answers under that address: the original of this copy, say.
			$why = __( 'another installation answered', 'rollcall-connector' );
		} elseif ( ! $answered && $done() ) {
			// It came there, and listeners take longer than we wait.
			$why = null;
		}
		null === $why ? Rollcall_Network_Unheard::forget( $network, $blog, $url ) : Rollcall_Network_Unheard::note( $network, $blog, $url, $why, ! $answered );
		return null === $why;
	}

	/**
	 * Posts an errand.
	 *
	 * @param string $url     Address.
	 * @param string $errand  Errand.
	 * @param string $mac     Its signature.
	 * @param float  $seconds How long the site works.
	 * @return array{0:bool,1:?string} Did anything answer? Why it was not done; null: it says that it was.
	 */
	private static function post( $url, $errand, $mac, $seconds ) {
		$answer = wp_remote_post(
			$url,
			array(
				'body'        => (string) wp_json_encode( compact( 'errand', 'mac' ) ),
				'headers'     => array( 'Content-Type' => 'application/json' ),
				'timeout'     => $seconds + self::GRACE_S,
				'redirection' => 0,
				// As WordPress's cron asks itself: certificates for a local address are often nobody's.
				'sslverify'   => apply_filters( 'https_local_ssl_verify', false ), // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
			)
		);
		if ( is_wp_error( $answer ) ) {
			return array( false, $answer->get_error_message() );
		}
		$status = (int) wp_remote_retrieve_response_code( $answer );
		$says   = json_decode( wp_remote_retrieve_body( $answer ), true );
		if ( 200 !== $status || ! is_array( $says ) || ! isset( $says['done'] ) || $says['done'] !== $mac ) {
			/* translators: %d: number of an HTTP status. */
			return array( true, sprintf( __( 'HTTP status %d', 'rollcall-connector' ), $status ) );
		}
		return array( true, null );
	}

	/**
	 * Where a run stands; the same as before: nobody has been at it.
	 *
	 * @param object|null $row Row of the run.
	 * @return string
	 */
	private static function place( $row ) {
		return $row ? implode( ' ', array( $row->state, $row->place, $row->after, $row->counts, $row->faults, $row->lease_ms ) ) : '';
	}

	/**
	 * The key of a network; made where there is none.
	 *
	 * @param int $network Network.
	 * @return string
	 */
	private static function made_key( $network ) {
		if ( '' === self::key( $network ) ) {
			Rollcall_Option_Row::change(
				self::OPTION,
				static function ( array $kept ) {
					return $kept + array( 'key' => bin2hex( random_bytes( 32 ) ) );
				},
				$network
			);
		}
		return self::key( $network );
	}

	/**
	 * The key of a network, past every cache.
	 *
	 * @param int $network Network.
	 * @return string Empty: none yet.
	 */
	private static function key( $network ) {
		$kept = maybe_unserialize( Rollcall_Option_Row::read( self::OPTION, $network ) );
		return isset( $kept['key'] ) ? (string) $kept['key'] : '';
	}
}
