<?php
/**
 * A page of the sites of this network, as a list table of WordPress.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

require_once ABSPATH . 'wp-admin/includes/class-wp-list-table.php';

/**
 * List of sites.
 */
final class Rollcall_Network_Sites_Table extends WP_List_Table {

	const PLURAL = 'rollcall-sites';

	const PER_PAGE = 50;

	/**
	 * Members of each site.
	 *
	 * @var array<int,int>
	 */
	private $members = array();

	/**
	 * A new one.
	 */
	public function __construct() {
		parent::__construct(
			array(
				'singular' => 'rollcall-site',
				'plural'   => self::PLURAL,
				'ajax'     => false,
			)
		);
	}

	/**
	 * Reads this page.
	 *
	 * @return void
	 */
	public function prepare_items() {
		$network = get_current_network_id();
		$ids     = Rollcall_Network_Sites::ids( $network );
		$this->set_pagination_args(
			array(
				'total_items' => count( $ids ),
				'per_page'    => self::PER_PAGE,
			)
		);
		$page          = array_slice( $ids, ( $this->get_pagenum() - 1 ) * self::PER_PAGE, self::PER_PAGE );
		$this->items   = Rollcall_Network_Sites::all( $network, $page );
		$this->members = Rollcall_Network_Sites::members( $network, $page );

		$this->_column_headers = array( $this->get_columns(), array(), array(), 'name' );
	}

	/**
	 * Columns.
	 *
	 * @return array<string,string>
	 */
	public function get_columns() {
		return array(
			'cb'           => '<input type="checkbox">',
			'name'         => __( 'Name', 'rollcall-connector' ),
			'url'          => __( 'URL', 'rollcall-connector' ),
			'default_role' => __( 'Default role', 'rollcall-connector' ),
			'members'      => __( 'Members', 'rollcall-connector' ),
			'closed'       => __( 'Status', 'rollcall-connector' ),
		);
	}

	/**
	 * What can be done with those that are ticked.
	 *
	 * @return array<string,string>
	 */
	protected function get_bulk_actions() {
		$actions = array();
		if ( current_user_can( Rollcall_Network_Page::ACTS ) ) {
			$actions['fill'] = __( 'Fill', 'rollcall-connector' );
		}
		if ( current_user_can( Rollcall_Network_Page::SETS ) ) {
			$actions['exclude'] = __( 'Exclude', 'rollcall-connector' );
			$actions['include'] = __( 'Take in again', 'rollcall-connector' );
		}
		return $actions;
	}

	/**
	 * The box.
	 *
	 * @param array $site Site.
	 * @return string
	 */
	protected function column_cb( $site ) {
		/* translators: %s: name of a site. */
		$label = sprintf( __( 'Select %s', 'rollcall-connector' ), self::name( $site ) );
		return '<label class="screen-reader-text" for="rollcall-site-' . (int) $site['blog'] . '">' . esc_html( $label ) . '</label><input type="checkbox" name="sites[]" id="rollcall-site-' . (int) $site['blog'] . '" value="' . (int) $site['blog'] . '">';
	}

	/**
	 * Any other column.
	 *
	 * @param array  $site   Site.
	 * @param string $column Column.
	 * @return string
	 */
	protected function column_default( $site, $column ) {
		switch ( $column ) {
			case 'name':
				return '<strong>' . esc_html( self::name( $site ) ) . '</strong>';
			case 'url':
				return '<a href="' . esc_url( $site['url'] ) . '">' . esc_html( $site['url'] ) . '</a>';
			case 'members':
				return esc_html( number_format_i18n( $this->members[ $site['blog'] ] ) );
			case 'closed':
				return esc_html( Rollcall_Network_Shown::status( $site['closed'] ) );
		}
		return esc_html( $site[ $column ] );
	}

	/**
	 * Name of a site, or its number.
	 *
	 * @param array $site Site.
	 * @return string
	 */
	private static function name( array $site ) {
		/* translators: %d: number of a site. */
		return '' === $site['name'] ? sprintf( __( 'Site %d', 'rollcall-connector' ), $site['blog'] ) : $site['name'];
	}
}
