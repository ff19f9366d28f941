<?php
/**
 * Tells other plugins which memberships began, changed or ended: the actions that core fires.
 *
 * Does: drops what caches knew, then fires the role actions, `add_user_to_blog` and `clean_user_cache` in
 *   core's order, on the site that it is about.
 * Does not: fire the actions of single rows of usermeta. Sends no mail.
 * Always true: everything is in the database when the first of them fires; no trigger of ours hears them.
 * On failure: what a listener throws ends the events of that account alone, and is noted in PHP's log.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Announcer of memberships.
 */
final class Rollcall_Network_Announcer {

	/** Core's own listener that needs to hear of a set only once. */
	const ONCE = 'wp_cache_set_users_last_changed';

	/** How often it is noted how far the telling is. */
	const SO_FAR_S = 1.0;

	const ROLE_ACTIONS = array( 'add_user_role', 'remove_user_role', 'set_user_role' );

	/**
	 * Tells.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param array                   $pairs  Account => { was: ?string, now: ?string }, as stored; null: no membership.
	 * @param callable|null           $so_far Is given the account that was told last, about each second.
	 * @return void
	 */
	public static function tell( $target, array $pairs, $so_far = null ) {
		if ( ! $pairs ) {
			return;
		}
		$ids = array_keys( $pairs );
		self::drop_caches( $target->blog, $ids );
		Rollcall_Network_Triggers::while_writing(
			static function () use ( $target, $pairs, $ids, $so_far ) {
				self::on_site(
					$target->blog,
					static function () use ( $target, $pairs, $ids, $so_far ) {
						$primed = self::strangers_listen();
						if ( $primed ) {
							cache_users( $ids );
						}
						self::fire_all( $target, $pairs, $so_far );
						if ( $primed && ! wp_using_ext_object_cache() ) {
							wp_cache_delete_multiple( $ids, 'users' );
						}
					}
				);
			}
		);
		self::drop_caches( $target->blog, $ids );
	}

	/**
	 * Runs something on a site.
	 *
	 * @param int      $blog Site.
	 * @param callable $work What to run.
	 * @return mixed What it gives.
	 */
	public static function on_site( $blog, $work ) {
		if ( get_current_blog_id() === (int) $blog ) {
			return $work();
		}
		switch_to_blog( $blog );
		try {
			return $work();
		} finally {
			restore_current_blog();
		}
	}

	/**
	 * Drops what caches know of memberships.
	 *
	 * @param int   $blog Site.
	 * @param int[] $ids  Accounts.
	 * @return void
	 */
	public static function drop_caches( $blog, array $ids ) {
		wp_cache_delete_multiple( $ids, 'user_meta' );
		wp_cache_delete( $blog . '_user_count', 'blog-details' );
		if ( function_exists( self::ONCE ) ) {
			call_user_func( self::ONCE );
		} else {
			wp_cache_set( 'last_changed', microtime(), 'users' );
		}
	}

	/**
	 * Fires all.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param array                   $pairs  See tell().
	 * @param callable|null           $so_far See tell().
	 * @return void
	 */
	private static function fire_all( $target, array $pairs, $so_far ) {
		$removed = array();
		foreach ( self::ROLE_ACTIONS as $action ) {
			$priority = has_action( $action, self::ONCE );
			if ( false !== $priority ) {
				remove_action( $action, self::ONCE, $priority );
				$removed[ $action ] = $priority;
			}
		}
		$cleans = self::stranger_listens( 'clean_user_cache' );
		$known  = array();
		$since  = microtime( true );
		try {
			foreach ( $pairs as $id => $pair ) {
				$kind = $pair['was'] . "\n" . $pair['now'];
				if ( ! isset( $known[ $kind ] ) ) {
					$known[ $kind ] = array( self::roles( $target, $pair['was'] ), self::roles( $target, $pair['now'] ) );
				}
				self::fire( $id, $target->blog, null === $pair['was'], null === $pair['now'], $known[ $kind ][0], $known[ $kind ][1], $cleans );
				if ( $so_far && microtime( true ) - $since > self::SO_FAR_S ) {
					$so_far( $id );
					$since = microtime( true );
				}
			}
		} finally {
			foreach ( $removed as $action => $priority ) {
				add_action( $action, self::ONCE, $priority, 1 );
			}
		}
	}

	/**
	 * Fires what belongs to one account.
	 *
	 * @param int      $id     Account.
	 * @param int      $blog   Site.
	 * @param bool     $begins Did the membership begin?
	 * @param bool     $ends   Did it end?
	 * @param string[] $was    Roles before.
	 * @param string[] $now    Roles after.
	 * @param bool     $cleans Does anybody hear `clean_user_cache`?
	 * @return void
	 */
	private static function fire( $id, $blog, $begins, $ends, array $was, array $now, $cleans ) {
		// phpcs:disable WordPress.NamingConventions.PrefixAllGlobals
		try {
			foreach ( $ends ? array() : array_diff( $was, $now ) as $role ) {
				/** This action is documented in wp-includes/class-wp-user.php */
				do_action( 'remove_user_role', $id, $role );
			}
			$first = $now ? $now[0] : '';
			$more  = array_diff( $now, $was );
			if ( $begins && $more ) {
				// As add_user_to_blog() does, then WP_User::add_role() for the others.
				do_action( 'add_user_role', $id, $first );
				do_action( 'set_user_role', $id, $first, array() );
				do_action( 'add_user_to_blog', $id, $first, $blog );
				$more = array_diff( $more, array( $first ) );
			}
			foreach ( $more as $role ) {
				/** This action is documented in wp-includes/class-wp-user.php */
				do_action( 'add_user_role', $id, $role );
			}
			if ( ! $begins && ! $ends ) {
				/** This action is documented in wp-includes/class-wp-user.php */
				do_action( 'set_user_role', $id, $first, $was );
			}
			if ( $cleans ) {
				/** This action is documented in wp-includes/user.php */
				do_action( 'clean_user_cache', $id, get_userdata( $id ) );
			}
		} catch ( Throwable $fault ) {
			self::complain( $fault );
		}
		// phpcs:enable
	}

	/**
	 * For whoever reads the log of PHP.
	 *
	 * @param Throwable $fault What another plugin threw.
	 * @return void
	 */
	public static function complain( $fault ) {
		if ( function_exists( 'error_log' ) ) {
			error_log( 'Rollcall Connector: ' . Rollcall_Rest::describe( $fault ) ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions
		}
	}

	/**
	 * Roles of a stored membership.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param string|null             $stored As stored.
	 * @return string[]
	 */
	private static function roles( $target, $stored ) {
		return null === $stored ? array() : $target->roles_in( (array) maybe_unserialize( $stored ) );
	}

	/**
	 * Does any plugin but this one listen? Most of them look the account up.
	 *
	 * @return bool
	 */
	public static function strangers_listen() {
		foreach ( array_merge( self::ROLE_ACTIONS, array( 'add_user_to_blog', 'clean_user_cache' ) ) as $action ) {
			if ( self::stranger_listens( $action ) ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Does any plugin but this one listen to an action?
	 *
	 * @param string $action Action.
	 * @return bool
	 */
	private static function stranger_listens( $action ) {
		global $wp_filter;
		foreach ( isset( $wp_filter[ $action ] ) ? $wp_filter[ $action ]->callbacks : array() as $callbacks ) {
			foreach ( $callbacks as $one ) {
				$callback = is_array( $one['function'] ) ? $one['function'][0] : $one['function'];
				if ( self::ONCE !== $callback && ( ! is_string( $callback ) || 0 !== strpos( $callback, 'Rollcall_' ) ) ) {
					return true;
				}
			}
		}
		return false;
	}
}
