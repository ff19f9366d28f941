import type { Site } from './site.ts';

/**
 * Activates a plugin with WordPress's own function: WP-CLI, which does the same, takes seconds the first time in
 * WebAssembly.
 *
 * Throws what WordPress says when it can't.
 *
 * @param file of the plugin, below wp-content/plugins
 */
export async function activatePlugin(
  site: Site,
  file = 'rollcall-connector/rollcall-connector.php',
): Promise<void> {
  const network = site.multisite ? 'true' : 'false';
  const said = await site.php(
    `require_once ABSPATH . 'wp-admin/includes/plugin.php';
    $done = activate_plugin( '${file}', '', ${network} );
    echo is_wp_error( $done ) ? $done->get_error_message() : 'active';`,
  );
  if (said !== 'active') throw new Error(`${file} on ${site.name}: ${said}`);
}
