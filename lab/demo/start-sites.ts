/**
 * The three WordPress sites of the demo, from npm packages alone.
 *
 * Does: fetch and install WordPress where that was never done; start the sites side by side; install the connector,
 *   open registration.
 * Always true: each site is ended with the demo, also one that was still starting then.
 * On failure: throws what went wrong, with the output of the program that failed.
 */
import { fetchWordPress } from '#lab/fetch-wordpress.ts';
import { type Site, type SiteOptions, startSite } from '#lab/start-site.ts';
import { wasmTemplate } from '#lab/wasm-template.ts';
import type { Endings } from './endings.ts';
import { AT_ONCE, inSeconds, type Screen } from './screen.ts';
import { SITE_PLUGINS } from './site-plugins.ts';

/** What was there already is looked up in less. */
const NOTICEABLE_MS = 1000;

export const TITLES = ['Shop', 'Blog', 'Academy'] as const;
export type Title = (typeof TITLES)[number];

export interface DemoSite {
  /** As WordPress and the hub call it. */
  readonly title: Title;
  readonly site: Site;
}

const CONNECTOR = new URL('../../connector', import.meta.url).pathname;

export async function startSites(screen: Screen, endings: Endings): Promise<DemoSite[]> {
  const once = (text: string, prepare: () => Promise<unknown>): Promise<void> =>
    tellIfSlow(
      screen,
      text,
      endings.begin(prepare, async () => {}),
    );
  await once('fetching WordPress 7.1', fetchWordPress);
  await once('installing WordPress 7.1', () => wasmTemplate(false));
  const starting = TITLES.map((title) => start(title, screen, endings));
  // Wait for all of them: an error of one must not leave others half started.
  const settled = await Promise.allSettled(starting);
  return settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

/** Done the first time only, and then shown. */
async function tellIfSlow(screen: Screen, text: string, work: Promise<unknown>): Promise<void> {
  const sinceMs = performance.now();
  await screen.during(`${text}, the first time only`, work, { afterMs: NOTICEABLE_MS });
  const tookMs = performance.now() - sinceMs;
  if (tookMs > NOTICEABLE_MS) screen.entry('done', 'Once', text, inSeconds(tookMs));
}

async function start(title: Title, screen: Screen, endings: Endings): Promise<DemoSite> {
  const sinceMs = performance.now();
  const options: SiteOptions = {
    name: title.toLowerCase(),
    engine: 'wasm',
    connector: CONNECTOR,
    muPlugins: SITE_PLUGINS,
  };
  const starting = endings.begin(
    () => startSite(options),
    (site) => site.stop(),
  );
  const site = await screen.during(`starting ${title}`, starting, AT_ONCE);
  await screen.during(`installing the connector on ${title}`, prepare(site, title));
  const took = inSeconds(performance.now() - sinceMs);
  screen.entry('done', title, `WordPress ${site.version}, ${site.url}`, took);
  return { title, site };
}

async function prepare(site: Site, title: Title): Promise<void> {
  await site.wp('plugin', 'activate', 'rollcall-connector');
  await site.php(
    `update_option( 'blogname', '${title}' ); update_option( 'users_can_register', '1' );`,
  );
}
