<?php
/**
 * What wp_insert_user() and wp_update_user() would write, worked out without writing it.
 *
 * Does: puts values through core's `pre_user_*` filters and its rules for what is left empty, in core's
 * order; gives columns of the users table, and core's own metas.
 * Does not: make nicenames unique (Rollcall_Set_Nicenames), or look up addresses and logins.
 * Always true: it follows wp-includes/user.php of WordPress 6.1 to 7.1. What it does not know, or a filter
 * that makes something else of a value than was sent, goes one by one.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Rows of a set.
 */
final class Rollcall_Set_Rows {

	/** Core's metas that hold a field, in core's order. */
	const NAMES = array( 'nickname', 'first_name', 'last_name', 'description' );

	/** Core's other metas, and what they are where nobody chose. `locale` is a field again. */
	const DEFAULTS = array(
		'rich_editing'         => 'true',
		'syntax_highlighting'  => 'true',
		'infinite_scrolling'   => 'true',
		'comment_shortcuts'    => 'false',
		'admin_color'          => 'modern',
		'use_ssl'              => '0',
		'show_admin_bar_front' => 'true',
		'locale'               => '',
	);

	/**
	 * Does this WordPress keep only what is known here? A later one may bring more.
	 *
	 * @return bool
	 */
	public static function knows_core() {
		static $knows = null;
		if ( null === $knows ) {
			$knows = array() === array_diff( self::core_keys(), self::NAMES, array_keys( self::DEFAULTS ) );
		}
		return $knows;
	}

	/**
	 * Works out an account that is created.
	 *
	 * @param Rollcall_Set_Job $job The job.
	 * @return void
	 * @throws Rollcall_One_By_One When something is unusual.
	 */
	public static function create( $job ) {
		$userdata = Rollcall_Account_Creator::userdata( $job->operation );
		$filtered = self::filtered( $userdata, $userdata['user_login'], false );
		foreach ( Rollcall_Account_Writer::CORE as $name => $key ) {
			if ( isset( $job->winners[ $name ] ) && wp_slash( $job->winners[ $name ] ) !== ( array_key_exists( $key, $filtered['meta'] ) ? $filtered['meta'][ $key ] : $filtered['row'][ $key ] ) ) {
				throw new Rollcall_One_By_One();
			}
		}
		$hash = isset( $job->winners['password'] ) ? $job->winners['password'] : Rollcall_Account_Creator::cheap_hash( $userdata['user_pass'] );
		$row  = array(
			'user_pass'           => $hash,
			'user_nicename'       => $filtered['row']['user_nicename'],
			'user_email'          => $filtered['row']['user_email'],
			'user_url'            => $filtered['row']['user_url'],
			'user_registered'     => $userdata['user_registered'],
			'user_activation_key' => '',
			'display_name'        => $filtered['row']['display_name'],
		);
		// The hash is none of core's business; everything else has slashes here.
		$row = array( 'user_pass' => $hash ) + wp_unslash( $row );
		$row = $row + array( 'user_login' => $job->operation['create']['login'] );

		$job->userdata  = $userdata;
		$job->core_meta = $filtered['meta'];
		/** This filter is documented in wp-includes/user.php */
		$job->row = self::columns( apply_filters( 'wp_pre_insert_user_data', $row, false, null, $userdata ) ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		if ( ! isset( $job->row['user_login'], $job->row['user_nicename'] ) || $job->row['user_login'] !== $row['user_login'] || $job->row['user_pass'] !== $hash ) {
			throw new Rollcall_One_By_One();
		}
	}

	/**
	 * Works out an account that changes. `$job->user` is the account as it is.
	 *
	 * @param Rollcall_Set_Job $job  The job.
	 * @param array            $core Field → text, that differ.
	 * @return void
	 * @throws Rollcall_One_By_One When something is unusual.
	 */
	public static function update( $job, $core ) {
		$asked = array( 'ID' => $job->id );
		foreach ( $core as $name => $value ) {
			$asked[ Rollcall_Account_Writer::CORE[ $name ] ] = wp_slash( $value );
		}
		$before = $job->user->to_array();
		foreach ( array_merge( self::core_keys(), self::contact_keys( $job->user ) ) as $key ) {
			$before[ $key ] = get_user_meta( $job->id, $key, true );
		}
		$before = add_magic_quotes( $before );
		if ( isset( $asked['user_email'] ) && $before['user_email'] !== $asked['user_email'] ) {
			/** This filter is documented in wp-includes/user.php */
			apply_filters( 'send_email_change_email', true, $before, $asked ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		}
		$userdata = array_merge( $before, $asked );
		$filtered = self::filtered( $userdata, wp_unslash( $userdata['user_login'] ), true );
		$old      = $job->user->data;
		$sent     = isset( $asked['user_email'] ) ? $asked['user_email'] : $before['user_email'];
		// Quotes in addresses: WordPress's versions differ in what they compare.
		if ( $filtered['row']['user_nicename'] !== $old->user_nicename || $filtered['row']['user_email'] !== $sent || $sent !== wp_unslash( $sent ) || addslashes( $sent ) !== $sent ) {
			throw new Rollcall_One_By_One();
		}
		$row = wp_unslash(
			array(
				'user_pass'           => $old->user_pass,
				'user_nicename'       => $filtered['row']['user_nicename'],
				'user_email'          => $filtered['row']['user_email'],
				'user_url'            => $filtered['row']['user_url'],
				'user_registered'     => $userdata['user_registered'],
				'user_activation_key' => $userdata['user_activation_key'],
				'display_name'        => $filtered['row']['display_name'],
			)
		);
		if ( is_multisite() ) {
			$row['spam'] = empty( $userdata['spam'] ) ? 0 : (bool) $userdata['spam'];
		}
		/** This filter is documented in wp-includes/user.php */
		$row = apply_filters( 'wp_pre_insert_user_data', $row, true, $job->id, $userdata ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		if ( $sent !== $old->user_email ) {
			$row['user_activation_key'] = '';
		}
		$job->asked     = $asked;
		$job->userdata  = $userdata;
		$job->core_meta = $filtered['meta'];
		$job->row       = self::columns( $row );
	}

	/**
	 * Values through core's filters. All with slashes, as core hands them to its filters.
	 *
	 * @param array  $userdata As wp_insert_user() gets it.
	 * @param string $login    Login.
	 * @param bool   $update   Whether the account exists.
	 * @return array row: column → value; meta: key → value.
	 * @throws Rollcall_One_By_One When core would not take it.
	 */
	private static function filtered( $userdata, $login, $update ) {
		// phpcs:disable WordPress.NamingConventions.PrefixAllGlobals -- Filters of wp-includes/user.php.
		$given   = static function ( $key ) use ( $userdata ) {
			return empty( $userdata[ $key ] ) ? '' : $userdata[ $key ];
		};
		$login   = trim( apply_filters( 'pre_user_login', sanitize_user( $login, true ) ) );
		$illegal = array_map( 'strtolower', (array) apply_filters( 'illegal_user_logins', array() ) );
		if ( '' === $login || mb_strlen( $login ) > 60 || in_array( strtolower( $login ), $illegal, true ) || ( ! $update && $login !== $userdata['user_login'] ) ) {
			throw new Rollcall_One_By_One();
		}
		$nicename = '' === $given( 'user_nicename' ) ? mb_substr( $login, 0, 50 ) : sanitize_user( $userdata['user_nicename'], true );
		$row      = array(
			'user_nicename' => apply_filters( 'pre_user_nicename', sanitize_title( $nicename ) ),
			'user_email'    => apply_filters( 'pre_user_email', $given( 'user_email' ) ),
			'user_url'      => apply_filters( 'pre_user_url', $given( 'user_url' ) ),
		);
		$meta     = array(
			'nickname'   => apply_filters( 'pre_user_nickname', '' === $given( 'nickname' ) ? $login : $userdata['nickname'] ),
			'first_name' => apply_filters( 'pre_user_first_name', $given( 'first_name' ) ),
			'last_name'  => apply_filters( 'pre_user_last_name', $given( 'last_name' ) ),
		);
		$shown    = $given( 'display_name' );
		if ( '' === $shown ) {
			$shown = $update ? $login : self::display_name( $meta, $login );
		}
		$row['display_name'] = apply_filters( 'pre_user_display_name', $shown );
		$meta['description'] = apply_filters( 'pre_user_description', $given( 'description' ) );
		// phpcs:enable
		foreach ( self::core_keys() as $key ) {
			if ( isset( self::DEFAULTS[ $key ] ) ) {
				$meta[ $key ] = 'locale' === $key && isset( $userdata['locale'] ) ? $userdata['locale'] : self::other( $key, $given( $key ) );
			}
		}
		if ( '' === $row['user_nicename'] || mb_strlen( $row['user_nicename'] ) > 50 || mb_strlen( $row['user_url'] ) > 100 ) {
			throw new Rollcall_One_By_One();
		}
		return array(
			'row'  => $row,
			'meta' => $meta,
		);
	}

	/**
	 * The name that core shows where none was given.
	 *
	 * @param array  $meta  First and last name.
	 * @param string $login Login.
	 * @return string
	 */
	private static function display_name( $meta, $login ) {
		if ( $meta['first_name'] && $meta['last_name'] ) {
			// phpcs:ignore WordPress.WP.I18n -- Core's own text, in core's own language files.
			return sprintf( _x( '%1$s %2$s', 'Display name based on first name and last name' ), $meta['first_name'], $meta['last_name'] );
		}
		foreach ( array( 'first_name', 'last_name' ) as $name ) {
			if ( $meta[ $name ] ) {
				return $meta[ $name ];
			}
		}
		return $login;
	}

	/**
	 * One of core's other metas.
	 *
	 * @param string $key   Key.
	 * @param mixed  $given What the account has, '' when nothing.
	 * @return string
	 */
	private static function other( $key, $given ) {
		switch ( $key ) {
			case 'comment_shortcuts':
				return '' === $given || 'false' === $given ? 'false' : 'true';
			case 'use_ssl':
				return '' === $given ? '0' : '1';
			case 'admin_color':
				$default = version_compare( $GLOBALS['wp_version'], '7.0-alpha', '>=' ) ? self::DEFAULTS[ $key ] : 'fresh';
				return preg_replace( '|[^a-z0-9 _.\-@]|i', '', '' === $given ? $default : $given );
		}
		return '' === $given ? self::DEFAULTS[ $key ] : $given;
	}

	/**
	 * Keys of core's own metas, those of contact methods left out.
	 *
	 * @return string[]
	 */
	private static function core_keys() {
		static $keys = null;
		if ( null === $keys ) {
			$keys = array_values( array_diff( _get_additional_user_keys( new WP_User() ), self::contact_keys( null ) ) );
		}
		return $keys;
	}

	/**
	 * Keys of contact methods.
	 *
	 * @param WP_User|null $user The account.
	 * @return string[]
	 */
	private static function contact_keys( $user ) {
		return array_map( 'strval', array_keys( wp_get_user_contact_methods( $user ) ) );
	}

	/**
	 * Columns, if the table can hold them as they are: WordPress drops a row that it can't.
	 *
	 * @param mixed $row Column → value.
	 * @return array
	 * @throws Rollcall_One_By_One When not.
	 */
	private static function columns( $row ) {
		global $wpdb;
		if ( ! is_array( $row ) || ! $row ) {
			throw new Rollcall_One_By_One();
		}
		foreach ( $row as $column => $value ) {
			if ( is_string( $value ) && preg_match( '/[\x80-\xff]/', $value ) && $wpdb->strip_invalid_text_for_column( $wpdb->users, $column, $value ) !== $value ) {
				throw new Rollcall_One_By_One();
			}
		}
		return $row;
	}
}
