<?php
/**
 * Proofs that an account's owner is who the hub thinks: each site's own half of them.
 *
 * Does: answers `/proofs`: takes up a half, has the link mailed, forgets it again; confirms one, and queues the
 *   account so that the hub hears of it.
 * Does not: know the other half, or what follows once both have come.
 * Always true: no account that can administer the site is asked or confirmed; asked again, nothing is mailed
 *   again; a half is confirmed for the very account that it was asked for (Rollcall_Proof_Bond).
 * On failure: a half that could not be taken up is refused with its reason.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Halves of proofs.
 */
final class Rollcall_Proofs {

	/** A half lasts seven days at most. */
	const LONGEST_MS = 604800000;

	/** Mail servers are slow: after so many seconds the rest is left for the next request. */
	const SECONDS = 15;

	/**
	 * Answers a request. There may be fewer results than orders.
	 *
	 * @param array $request ProofsRequest.
	 * @return array ProofsAnswer.
	 */
	public static function answer( array $request ) {
		Rollcall_Tables::use_writer();
		Rollcall_Proof_Store::tidy();
		$until   = microtime( true ) + Rollcall_Limits::seconds( self::SECONDS );
		$results = array();
		foreach ( $request['proofs'] as $order ) {
			if ( $results && microtime( true ) > $until ) {
				break;
			}
			$result    = isset( $order['cancel'] ) ? self::cancel( $order ) : self::ask( $order );
			$results[] = array(
				'id'     => $order['id'],
				'half'   => $order['half'],
				'result' => false === strpos( $result, '.' ) ? $result : 'refused',
			) + ( false === strpos( $result, '.' ) ? array() : array( 'reason' => $result ) );
		}
		Rollcall_Proof_Store::tidy();
		return array( 'results' => $results );
	}

	/**
	 * Adds to the states of accounts which halves were confirmed on them.
	 *
	 * @param array<int,array> $states As Rollcall_States makes them, with fields.
	 * @return array<int,array>
	 */
	public static function tell( array $states ) {
		foreach ( Rollcall_Proof_Store::confirmed() as $proof ) {
			$id = $proof['id'];
			if ( isset( $states[ $id ] ) && Rollcall_Proof_Bond::holds( $proof, $states[ $id ] ) ) {
				$states[ $id ]['proofs'][] = array( 'half' => $proof['half'] ) + ( null === $proof['verifier'] ? array() : array( 'verifier' => $proof['verifier'] ) );
			}
		}
		return $states;
	}

	/**
	 * Confirms a half, if it still holds. The account's row is opened first: a request that is killed in
	 * between leaves something for the hub to read.
	 *
	 * @param array       $proof    A half.
	 * @param string|null $verifier Verifier of the password, for that kind.
	 * @return bool
	 */
	public static function confirm( array $proof, $verifier = null ) {
		$id     = (int) $proof['id'];
		$states = Rollcall_Home::matches() ? Rollcall_States::of( array( $id ) ) : array();
		if ( ! isset( $states[ $id ] ) || ! Rollcall_Proof_Bond::holds( $proof, $states[ $id ] ) ) {
			return false;
		}
		Rollcall_Capture::mark( $id, true );
		return Rollcall_Proof_Store::change(
			array(
				'confirmed' => true,
				'verifier'  => $verifier,
			) + $proof
		);
	}

	/**
	 * Forgets a half, confirmed or not.
	 *
	 * @param array $order ProofCancel.
	 * @return string
	 */
	private static function cancel( array $order ) {
		$proof = Rollcall_Proof_Store::get( strtolower( $order['half'] ) );
		if ( $proof && $proof['id'] === $order['id'] ) {
			Rollcall_Proof_Store::drop( $proof['half'] );
		}
		return 'cancelled';
	}

	/**
	 * Takes up a half.
	 *
	 * @param array $order ProofAsk.
	 * @return string `asked`, `already`, or the reason of a refusal.
	 */
	private static function ask( array $order ) {
		$id     = $order['id'];
		$states = Rollcall_States::of( array( $id ) );
		$reason = self::refusal( $order, isset( $states[ $id ] ) ? $states[ $id ] : null );
		if ( null !== $reason ) {
			return $reason;
		}
		$kept = Rollcall_Proof_Store::get( strtolower( $order['half'] ) );
		if ( $kept && ( $kept['id'] !== $id || $kept['kind'] !== $order['kind'] ) ) {
			return 'identity.label_mismatch';
		}
		if ( $kept && $kept['sent'] ) {
			return 'already';
		}
		if ( ! $kept && ! Rollcall_Proof_Store::has_room( $id ) ) {
			return 'proof.too_many';
		}
		return self::take_up( self::half( $order, $states[ $id ] ), null !== $kept );
	}

	/**
	 * Why an account is not asked.
	 *
	 * @param array      $order ProofAsk.
	 * @param array|null $state State of the account.
	 * @return string|null
	 */
	private static function refusal( array $order, $state ) {
		$now = Rollcall_Settings::now_ms();
		if ( $order['ends_ms'] <= $now || $order['ends_ms'] > $now + self::LONGEST_MS ) {
			return 'request.invalid';
		}
		if ( ! $state ) {
			// The hub's own account has no state either.
			return Rollcall_Settings::service_user_id() === $order['id'] ? 'target.hub_account' : 'target.account_missing';
		}
		if ( $state['login'] !== $order['login'] ) {
			return 'identity.label_mismatch';
		}
		$refused = Rollcall_Guard::account( $order['id'], false );
		if ( null !== $refused || 'mail' !== $order['kind'] ) {
			return $refused;
		}
		if ( '' === $state['email'] ) {
			return 'email.missing';
		}
		return null === Rollcall_Proof_Bond::password_stamp( $state ) ? 'account.busy' : null;
	}

	/**
	 * A half as it is kept.
	 *
	 * @param array $order ProofAsk.
	 * @param array $state State of the account.
	 * @return array
	 */
	private static function half( array $order, array $state ) {
		return array(
			'half'      => strtolower( $order['half'] ),
			'hub'       => Rollcall_Settings::hub_id(),
			'id'        => $order['id'],
			'kind'      => $order['kind'],
			'salt'      => $order['salt'],
			'other'     => array_intersect_key( $order['other'], array_flip( array( 'site', 'url', 'registered' ) ) ),
			'ends'      => $order['ends_ms'],
			'token'     => '',
			'sent'      => 'password' === $order['kind'],
			'verifier'  => null,
			'confirmed' => false,
		) + Rollcall_Proof_Bond::of( $state );
	}

	/**
	 * Keeps a half, and has its link mailed.
	 *
	 * @param array $proof A half.
	 * @param bool  $again It is there already: a request ended before it had mailed.
	 * @return string
	 */
	private static function take_up( array $proof, $again ) {
		if ( 'mail' !== $proof['kind'] ) {
			return Rollcall_Proof_Store::put( $proof ) ? 'asked' : 'already';
		}
		if ( ! Rollcall_Proof_Mail::may_send() ) {
			return 'proof.mail_limit';
		}
		$token          = bin2hex( random_bytes( 32 ) );
		$proof['token'] = hash( 'sha256', $token );
		if ( ! ( $again ? Rollcall_Proof_Store::change( $proof ) : Rollcall_Proof_Store::put( $proof ) ) ) {
			return 'already';
		}
		if ( ! Rollcall_Proof_Mail::send( $proof, $token ) ) {
			Rollcall_Proof_Store::drop( $proof['half'] );
			return 'proof.mail_failed';
		}
		// Has somebody been quick enough to confirm it meanwhile, that stands.
		Rollcall_Proof_Store::change( array( 'sent' => true ) + $proof );
		return 'asked';
	}
}
