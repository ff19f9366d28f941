/** What somebody can do with the demo while it stays up. */
import { ADMIN_LOGIN, ADMIN_PASSWORD } from '#lab/site.ts';
import type { Screen } from './screen.ts';
import type { DemoHub } from './start-hub.ts';
import type { DemoSite } from './start-sites.ts';

export function printWayOn(sites: readonly DemoSite[], hub: DemoHub, screen: Screen): void {
  const { bold, cyan, dim } = screen.colours;
  const data = /[^\w./-]/u.test(hub.dataFolder) ? `"${hub.dataFolder}"` : hub.dataFolder;
  screen.line(bold('Everything stays up. Try it yourself'));
  screen.line();
  for (const { title, site } of sites) {
    screen.line(`  ${title.padEnd(9)}${cyan(`${site.url}/wp-admin/`)}`);
  }
  screen.line(`  ${dim('sign in as'.padEnd(11))}${ADMIN_LOGIN} / ${ADMIN_PASSWORD}`);
  screen.line();
  screen.line(`  ${'Hub API'.padEnd(9)}${cyan(`${hub.url}/api/v1/openapi.json`)}`);
  screen.line();
  screen.line(`  ${dim('The command line, in another terminal, in this folder:')}`);
  for (const command of ['status', 'logs', 'route list', 'site list']) {
    screen.line(`  npx rollcall ${command} --data ${data}`);
  }
  screen.line();
  screen.line(`  Add somebody on Shop under Users, then look at Blog and Academy.`);
  screen.line(`  ${bold('Ctrl-C')} stops everything.`);
}
