/** What deleting the plugin leaves behind: the site's own users, as they were, and nothing else. */
import { expect, it } from 'vitest';
import { BEST } from './engines.ts';
import { readSite } from './read-site.ts';

it.each([BEST])('deleting the plugin leaves nothing of it, on $name', async ({ options }) => {
  const home = await readSite({ name: 'uninstall', ...options });
  try {
    await home.php(
      "wp_insert_user( array( 'user_login' => 'stays', 'user_email' => 'stays@people.test', 'user_pass' => 'x', 'role' => 'author' ) );",
    );
    await home.drain();
    const people = () =>
      home.php(
        `global $wpdb; echo wp_json_encode( array( $wpdb->get_results( "SELECT * FROM $wpdb->users WHERE user_login IN ( 'admin', 'stays' )" ), $wpdb->get_results( "SELECT * FROM $wpdb->usermeta WHERE meta_key <> 'rollcall_creating' AND user_id IN ( 1, ( SELECT ID FROM $wpdb->users WHERE user_login = 'stays' ) ) ORDER BY umeta_id" ) ) );`,
      );
    const before = await people();
    expect(before).toContain('stays@people.test');
    await home.site.wp(
      'plugin',
      'uninstall',
      'rollcall-connector',
      '--deactivate',
      '--skip-delete',
    );
    expect(await people()).toBe(before);
    const left = await home.php(
      `global $wpdb; echo wp_json_encode( array(
        $wpdb->get_col( "SHOW TABLES LIKE '%rollcall%'" ),
        $wpdb->get_col( "SELECT option_name FROM $wpdb->options WHERE option_name LIKE '%rollcall%'" ),
        $wpdb->get_col( "SELECT user_login FROM $wpdb->users WHERE user_login NOT IN ( 'admin', 'stays' )" ),
        $wpdb->get_col( "SELECT meta_key FROM $wpdb->usermeta WHERE meta_key LIKE '%rollcall%'" ),
      ) );`,
    );
    expect(JSON.parse(left)).toEqual([[], [], [], []]);
  } finally {
    await home.site.stop();
  }
});
