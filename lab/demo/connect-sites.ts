/**
 * Connects the sites to the hub and sets the routes, through the hub's API, as an operator would.
 *
 * Always true: each site is connected with a real Application Password of its administrator, used once: the hub
 *   trades it for a credential of its own.
 */
import { RouteListSchema } from '#hub/api/schemas/route.ts';
import { AddedSiteSchema } from '#hub/api/schemas/site.ts';
import { AT_ONCE, inSeconds, type Screen } from './screen.ts';
import type { DemoHub } from './start-hub.ts';
import type { DemoSite, Title } from './start-sites.ts';

const ROUTES: readonly { source: Title; target: Title; both: boolean }[] = [
  { source: 'Shop', target: 'Blog', both: true },
  { source: 'Blog', target: 'Academy', both: false },
];

export async function connectSites(
  hub: DemoHub,
  sites: readonly DemoSite[],
  screen: Screen,
): Promise<void> {
  const sinceMs = performance.now();
  await screen.during('connecting the sites', connectAll(hub, sites), AT_ONCE);
  await screen.during('setting the routes', routeAll(hub));
  screen.entry(
    'done',
    'Routes',
    'Shop ⇄ Blog, Blog → Academy',
    inSeconds(performance.now() - sinceMs),
  );
}

async function connectAll(hub: DemoHub, sites: readonly DemoSite[]): Promise<void> {
  const passwords = await Promise.all(sites.map(applicationPassword));
  // One after the other, so that the keys of the sites are in the order of the list.
  for (const [index, { site, title }] of sites.entries()) {
    const appPassword = passwords[index] ?? '';
    const body = { url: site.url, name: title, user: site.adminLogin, appPassword };
    await hub.api.send('POST', '/sites', body, AddedSiteSchema);
  }
}

async function routeAll(hub: DemoHub): Promise<void> {
  for (const { source, target, both } of ROUTES) {
    const rules = { meta: ['phone'] };
    await hub.api.send('POST', '/routes', { source, target, both, rules }, RouteListSchema);
  }
}

function applicationPassword({ site }: DemoSite): Promise<string> {
  const command = ['user', 'application-password', 'create', site.adminLogin];
  return site.wp(...command, 'Rollcall demo', '--porcelain');
}
