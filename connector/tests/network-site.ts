/**
 * A network of the lab with the connector in it, and no hub: what the tests of memberships inside a network start from.
 *
 * Does: make sites and people, read everybody's roles as WordPress sees them, drive runs.
 * Always true: nothing of the connector is called past the classes that its own faces call.
 */
import { expect } from 'vitest';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { CONNECTOR } from './connected-site.ts';
import { BEST } from './engines.ts';

export interface Counts {
  readonly total: number;
  readonly done: number;
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly removed: number;
  readonly kept: number;
  readonly left: Readonly<Record<string, number>>;
}

export interface Run {
  readonly id: string;
  readonly state: string;
  readonly next: number | null;
  readonly counts: Counts;
}

export interface NetworkSite {
  readonly site: Site;
  /** Runs PHP and gives its last word as JSON. */
  json<T>(code: string): Promise<T>;
  /** login → roles on each site, `-` where it is no member; sites in their order. */
  members(logins?: readonly string[]): Promise<Record<string, string>>;
  settings(part: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Carries a whole run out. */
  run(spec: object, id?: string): Promise<Run>;
  control(id: string, to: string): Promise<Run>;
  /** Waits until people have these roles, and nothing is due. */
  become(expected: Record<string, string>): Promise<void>;
  stop(): Promise<void>;
}

/** PHP of an array. */
export const php = (value: unknown): string => `json_decode( '${JSON.stringify(value)}', true )`;

const DRIVE =
  "while ( $run['next'] ) { $run = Rollcall_Network_Runs::page( $run['id'], $run['next'], 20 ); } echo wp_json_encode( $run );";

/** Sites: 1 main, then one for each slug. */
export async function startNetwork(
  name: string,
  slugs: readonly string[],
  muPlugins: Readonly<Record<string, string>> = {},
): Promise<NetworkSite> {
  const site = await startSite({
    ...BEST.options,
    name,
    multisite: true,
    connector: CONNECTOR,
    muPlugins,
  });
  await activatePlugin(site);
  await site.php(`$_SERVER['REMOTE_ADDR'] = '127.0.0.1';
    foreach ( ${php(slugs)} as $slug ) { wpmu_create_blog( get_network()->domain, "/$slug/", $slug, 1 ); }`);
  const json = async <T>(code: string): Promise<T> => {
    const out = await site.php(code);
    try {
      const value: T = JSON.parse(out);
      return value;
    } catch {
      throw new Error(out);
    }
  };
  const members: NetworkSite['members'] = (logins = []) =>
    json(`$all = array(); $blogs = Rollcall_Network_Sites::ids( 1 );
      foreach ( get_users( array( 'blog_id' => 0, 'login__in' => ${php(logins)} ) ) as $user ) {
        $roles = array();
        foreach ( $blogs as $blog ) {
          $roles[] = is_user_member_of_blog( $user->ID, $blog ) ? implode( '+', ( new WP_User( $user->ID, '', $blog ) )->roles ) : '-';
        }
        $all[ $user->user_login ] = implode( ' ', $roles );
      }
      echo wp_json_encode( $all );`);
  return {
    site,
    json,
    members,
    settings: (part) =>
      json(
        `$now = Rollcall_Network_Settings::change( 1, ${php(part)} ); echo wp_json_encode( is_wp_error( $now ) ? array( 'refused' => $now->get_error_message() ) : $now );`,
      ),
    run: (spec, id) =>
      json(
        `$run = Rollcall_Network_Runs::begin( ${id === undefined ? 'wp_generate_uuid4()' : `'${id}'`}, 1, ${php(spec)}, 'cli', 'test' ); ${DRIVE}`,
      ),
    control: (id, to) =>
      json(
        `$run = Rollcall_Network_Runs::control( '${id}', '${to}' ); if ( is_wp_error( $run ) ) { echo wp_json_encode( array( 'state' => $run->get_error_data()['reason'] ) ); return; } ${DRIVE}`,
      ),
    async become(expected) {
      const logins = Object.keys(expected);
      const due = () => json<number>('echo Rollcall_Network_Due::count();');
      await waitUntil(async () => {
        // In WebAssembly nothing goes on after the answer: WP-Cron would do the rest.
        if (site.engine === 'wasm') await site.php("do_action( 'rollcall_network_turn' );");
        const now = await members(logins);
        return (
          JSON.stringify(sorted(now)) === JSON.stringify(sorted(expected)) && (await due()) === 0
        );
      }, 30_000).catch(async () => expect(await members(logins)).toEqual(expected));
      expect(await due()).toBe(0);
    },
    stop: () => site.stop(),
  };
}

const sorted = (record: Record<string, string>): [string, string][] =>
  Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
