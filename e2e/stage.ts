/**
 * Real sites, a real hub and its HTTP API: what every story starts from.
 *
 * Does: start sites with the connector, connect them through the API with a real Application
 * Password, set routes; wait on conditions with limits.
 * Always true: what was started is ended by `end()`, also when a story fails.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogRow } from '#hub/api/schemas/log.ts';
import type { HubStatus } from '#hub/api/schemas/status.ts';
import type { HubOptions, RunningHub } from '#hub/cli/hub-process.ts';
import { startHub } from '#hub/main.ts';
import { doorBefore, type FaultyDoor } from '#lab/faulty-door.ts';
import { type Site, type SiteOptions, startSite } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { WASM_SIGNALS } from '#lab/wasm-signals.ts';

export const CONNECTOR = new URL('../connector', import.meta.url).pathname;

/** Native where it is installed (vitest.config.ts looks), WebAssembly everywhere. */
export const ENGINE: 'native' | 'wasm' =
  process.env['ROLLCALL_LAB_ENGINE'] === 'native' ? 'native' : 'wasm';
/** How long the road may take to come to rest on a machine that does ten other things. */
export const REST_MS = 90_000;

/** Sites in WebAssembly signal here: asked every second, three of them keep two processors busy. */
export const POLL_SECONDS = ENGINE === 'native' ? 1 : 10;
const LOOK_PAUSE_MS = ENGINE === 'native' ? undefined : 500;

/** A site of the stories, with the connector in it. */
export const startStorySite = (options: Omit<SiteOptions, 'connector'>): Promise<Site> =>
  startSite({
    engine: ENGINE,
    ...options,
    connector: CONNECTOR,
    muPlugins: { ...(ENGINE === 'native' ? {} : WASM_SIGNALS), ...options.muPlugins },
  });

export class Hub {
  readonly url: string;
  readonly token: string;

  constructor(running: { url: string; token: string }) {
    this.url = running.url;
    this.token = running.token;
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.raw(method, path, body);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    const answer: T = text === '' ? undefined : JSON.parse(text);
    return answer;
  }

  raw(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** @param url where the hub is to look for it, when not at its own address */
  async connect(site: Site, url = site.url): Promise<void> {
    const appPassword =
      await site.php(`echo WP_Application_Passwords::create_new_application_password(
      get_user_by( 'login', '${site.adminLogin}' )->ID, array( 'name' => 'rollcall-${Date.now()}' ) )[0];`);
    const body = { url, name: site.name, user: site.adminLogin, appPassword };
    await this.call('POST', '/sites', body);
  }

  route(source: string, target: string, options: { both?: boolean; rules?: object } = {}) {
    return this.call<unknown>('POST', '/routes', { source, target, ...options });
  }

  async status(look = true): Promise<HubStatus> {
    return this.call<HubStatus>('GET', `/status${look ? '?look=true' : ''}`);
  }

  /** All is delivered, and every outbox empty that can be asked. Held rows wait for a person and don't count. */
  async rest(limitMs = REST_MS, pauseMs = LOOK_PAUSE_MS): Promise<void> {
    try {
      // The sites are asked only when the hub itself has nothing left to do.
      const rests = async () => isAtRest(await this.status(false)) && isAtRest(await this.status());
      await waitUntil(rests, limitMs, pauseMs);
    } catch (error) {
      throw new Error(`not at rest: ${JSON.stringify(await this.status())}`, { cause: error });
    }
  }

  /** These sites have told everything; what goes to others may still wait. */
  async settled(names: readonly string[], limitMs = REST_MS): Promise<void> {
    await waitUntil(
      async () => {
        const { sites } = await this.status();
        return sites.filter((site) => names.includes(site.name)).every((site) => site.outbox === 0);
      },
      limitMs,
      LOOK_PAUSE_MS,
    );
  }

  async log(query = ''): Promise<LogRow[]> {
    return (await this.call<{ rows: LogRow[] }>('GET', `/log?limit=1000${query}`)).rows;
  }
}

/** A site that fails or is stopped is part of many stories; one about to be tried again is not at rest. */
function isAtRest({ delivered, unasked, sites, now }: HubStatus): boolean {
  const silent = sites.filter(({ name }) => unasked.includes(name));
  return (
    delivered &&
    silent.every(
      ({ lastPulledAt, retryAt }) => lastPulledAt !== null && (retryAt === null || retryAt > now),
    )
  );
}

export interface Stage {
  readonly sites: readonly Site[];
  /** By name. */
  site(name: string): Site;
  /** The door before a site of `doors`. */
  door(name: string): FaultyDoor;
  readonly hub: Hub;
  readonly dataFolder: string;
  /**
   * Ends the hub and starts it again on the same data folder; `hub` is the new one from then on.
   *
   * @param changed what it is given from then on, besides: limits so short that a stage could not start with them
   * @param meanwhile what happens while there is no hub
   */
  restart(changed?: Partial<HubOptions>, meanwhile?: () => Promise<unknown>): Promise<void>;
  end(): Promise<void>;
}

export interface Play {
  readonly sites: readonly (string | Omit<SiteOptions, 'connector'>)[];
  /** `a>b` one way, `a=b` both ways. */
  readonly routes: readonly string[];
  readonly rules?: object;
  /** Sites that the hub reaches only through a door that can misbehave. */
  readonly doors?: readonly string[];
  readonly hub?: Partial<HubOptions>;
}

/**
 * Every story plays between versions of WordPress where there is more than one: the second site of a stage has
 * the oldest that we support, the third the one between.
 */
const versionOf = (index: number): Pick<SiteOptions, 'version'> => {
  const version = ENGINE === 'native' ? ([undefined, '6.1', '6.8'] as const)[index] : undefined;
  return version === undefined ? {} : { version };
};

export async function startStage(play: Play): Promise<Stage> {
  const endings: (() => Promise<void>)[] = [];
  const end = async () => {
    for (let ending = endings.pop(); ending !== undefined; ending = endings.pop()) await ending();
  };
  try {
    const starting = play.sites.map(async (wanted, index) => {
      const options = typeof wanted === 'string' ? { name: wanted } : wanted;
      const site = await startStorySite({ ...versionOf(index), ...options });
      endings.push(() => site.stop());
      return site;
    });
    // Each is ended, also when another one did not start.
    await Promise.allSettled(starting);
    const sites = await Promise.all(starting);
    await Promise.all(sites.map((site) => prepare(site)));
    const doors = new Map<string, FaultyDoor>();
    for (const name of play.doors ?? []) {
      const door = await doorBefore(siteCalled(sites, name));
      doors.set(name, door);
      endings.push(() => door.close());
    }
    const dataFolder = await mkdtemp(join(tmpdir(), 'rollcall-hub-'));
    endings.push(() => rm(dataFolder, { recursive: true, force: true }));
    let options: HubOptions = {
      dataFolder,
      port: 0,
      pollSeconds: POLL_SECONDS,
      settleDeletesSeconds: 1,
      ...play.hub,
    };
    const start = (): Promise<RunningHub> => startHub(options);
    let running = await start();
    endings.push(() => running.stop());
    let hub = new Hub(running);
    await Promise.all(sites.map((site) => hub.connect(site, doors.get(site.name)?.url)));
    for (const route of play.routes) {
      const [source = '', target = ''] = route.split(/[>=]/u);
      await hub.route(source, target, {
        both: route.includes('='),
        ...(play.rules ? { rules: play.rules } : {}),
      });
    }
    await hub.rest();
    return {
      sites,
      site: (name) => siteCalled(sites, name),
      door: (name) => doorCalled(doors, name),
      get hub() {
        return hub;
      },
      dataFolder,
      async restart(changed = {}, meanwhile = async () => {}) {
        await running.stop();
        await meanwhile();
        options = { ...options, ...changed };
        running = await start();
        hub = new Hub(running);
      },
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function siteCalled(sites: readonly Site[], name: string): Site {
  const found = sites.find((site) => site.name === name);
  if (found === undefined) throw new Error(`there is no site “${name}” on this stage`);
  return found;
}

function doorCalled(doors: ReadonlyMap<string, FaultyDoor>, name: string): FaultyDoor {
  const found = doors.get(name);
  if (found === undefined) throw new Error(`there is no door before “${name}” on this stage`);
  return found;
}

/** Activates the connector and opens the registration form. */
export async function prepare(site: Site): Promise<void> {
  // One process of PHP: WP-CLI takes three times as long, and every story starts like this.
  await site.php(`require_once ABSPATH . 'wp-admin/includes/plugin.php';
    $failed = activate_plugin( 'rollcall-connector/rollcall-connector.php' );
    if ( is_wp_error( $failed ) ) { throw new Exception( $failed->get_error_message() ); }
    update_option( 'users_can_register', '1' );`);
}

/** Creates an account through WP-CLI; returns its WordPress id. */
export async function createAccount(
  site: Site,
  login: string,
  options: { email?: string; role?: string; password?: string; firstName?: string } = {},
): Promise<number> {
  const id = await site.wp(
    'user',
    'create',
    login,
    options.email ?? `${login}@people.test`,
    `--role=${options.role ?? 'subscriber'}`,
    `--user_pass=${options.password ?? 'first password'}`,
    ...(options.firstName === undefined ? [] : [`--first_name=${options.firstName}`]),
    '--porcelain',
  );
  return Number(id);
}

/** What WordPress itself says of an account, or null when there is none. */
export interface Person {
  readonly id: number;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly displayName: string;
  readonly description: string;
  readonly url: string;
  readonly roles: readonly string[];
  readonly hash: string;
}

export async function person(site: Site, login: string): Promise<Person | null> {
  const found: Person | null = JSON.parse(
    await site.php(`$u = get_user_by( 'login', ${JSON.stringify(login)} );
      echo wp_json_encode( $u ? array( 'id' => $u->ID, 'email' => $u->user_email,
        'firstName' => $u->first_name, 'lastName' => $u->last_name, 'displayName' => $u->display_name,
        'description' => $u->description, 'url' => $u->user_url,
        'roles' => array_values( $u->roles ), 'hash' => $u->user_pass ) : null );`),
  );
  return found;
}
