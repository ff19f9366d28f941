/** Everything that can be checked, with the next step for what is wrong. Changes nothing. */
import type { Check, Diagnosis } from '../api/schemas/doctor.ts';
import { FAULTS, Fault, type FaultCode, isFaultCode } from '../errors.ts';
import { reasonSentence } from '../reasons.ts';
import type { Installation, SiteRecord } from '../sync/ports.ts';
import { ANSWERS } from './alarms/list-alarms.ts';
import { backupCheck } from './backup-check.ts';
import { olderWarning, unable } from './older-connectors.ts';
import type { OperationPorts } from './ports.ts';
import { signOnChecks } from './sign-on-checks.ts';
import { day, NEWS_MS, standing, whatToDo } from './what-stands.ts';

/** A site's clock may be this far off before stamps of different sites mislead people. */
const CLOCK_WARNING_MS = 5_000;

export async function doctor(ports: OperationPorts): Promise<Diagnosis> {
  const checks: Check[] = [await storeCheck(ports)];
  const installations = await ports.registry.installations();
  const sites = await ports.registry.sites();
  if (sites.length === 0) {
    checks.push(
      warning(
        'hub',
        'sites',
        null,
        'No site is connected yet.',
        '“rollcall site add” connects one.',
      ),
    );
  }
  for (const installation of installations.filter(({ state }) => state !== 'removed')) {
    const site = sites.find((entry) => entry.installation === installation.id);
    if (site !== undefined) checks.push(...(await siteChecks(ports, installation, site)));
  }
  const active = installations.filter(({ state }) => state === 'active').map(({ id }) => id);
  checks.push(...closedChecks(sites), ...(await signOnChecks(ports, sites, new Set(active))));
  checks.push(
    ...(await routeChecks(ports)),
    ...(await unableChecks(ports)),
    ...(await heldChecks(ports)),
    ...(sites.length === 0 ? [] : [await backupCheck(ports)]),
    ...(await failingChecks(ports)),
    ...(await alarmChecks(ports)),
    ...(await linkChecks(ports)),
  );
  return { ok: checks.every((check) => check.level !== 'problem'), checks };
}

async function storeCheck({ hub }: OperationPorts): Promise<Check> {
  return (await hub.ready())
    ? good('hub', 'store', 'The store answers and the workers run.')
    : problem('hub', 'store', 'database.unreachable', 'The store does not answer.');
}

async function siteChecks(
  { registry, site: port, store }: OperationPorts,
  installation: Installation,
  site: SiteRecord,
): Promise<Check[]> {
  const checks: Check[] = [];
  try {
    const nowMs = await store.nowMs();
    const status = await port.status(await registry.connection(installation.id));
    checks.push(
      good(
        site.name,
        'connection',
        `WordPress ${status.wordpress}, PHP ${status.php}, connector ${status.connector}; answered in ${Math.round(status.roundTripMs)} ms.`,
      ),
    );
    const off = Math.abs(nowMs + status.roundTripMs / 2 - (status.clock + status.offset_ms));
    if (off > CLOCK_WARNING_MS + status.roundTripMs) {
      const sentence = `The site’s clock is off by ${Math.round(off / 1000)} s.`;
      checks.push(
        warning(
          site.name,
          'clock',
          null,
          sentence,
          'The hub corrects for it; set the server’s clock all the same.',
        ),
      );
    }
    if (status.bound !== null && !status.bound.home_matches) {
      checks.push(
        problem(
          site.name,
          'address',
          'site.moved',
          `The site runs at ${status.home} and was connected at ${installation.home}.`,
        ),
      );
    }
    if (!status.signals) {
      checks.push(
        good(
          site.name,
          'signals',
          'The host can’t answer a visitor first and signal after: the site is polled.',
        ),
      );
    }
    if (status.sites.some(({ blog, read_only }) => blog === site.blog && read_only)) {
      const sentence = 'The site prohibits incoming changes: what goes there is refused.';
      checks.push({ ...good(site.name, 'guard', sentence), code: 'target.read_only' });
    }
    for (const { code, message } of olderWarning(status.contract)) {
      checks.push(warning(site.name, 'connector', code, message, UPDATE));
    }
    for (const { code, message } of status.warnings) {
      // Told by the hub itself, below.
      if (code === installation.trouble?.code) continue;
      checks.push(warning(site.name, 'site', code, message, whatToDo(code, site.name)));
    }
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    checks.push(problem(site.name, 'connection', fault.code, fault.message));
  }
  checks.push(...(await newsChecks({ registry, store }, installation, site)));
  if (installation.trouble !== null) {
    const { code, message } = installation.trouble;
    const stopped = installation.state === 'attention';
    checks.push({
      subject: site.name,
      what: stopped ? 'attention' : 'last fault',
      level: stopped ? 'problem' : 'warning',
      code,
      message,
      next: nextOf(code),
    });
  }
  return checks;
}

/** Each kind once: a network may have hundreds of sites. */
function closedChecks(sites: readonly SiteRecord[]): Check[] {
  const ended = sites.filter(({ closed }) => closed === 'ended');
  const shut = sites.filter(({ closed }) => closed != null && closed !== 'ended');
  const names = (some: readonly SiteRecord[]) => some.map(({ name }) => `“${name}”`).join(', ');
  return [
    ...ended.map(({ name }) => {
      const sentence = 'The site no longer exists on its network; its routes carry nothing.';
      const next = `“rollcall site remove "${name}"” takes it and its routes out of the hub.`;
      return warning(name, 'network', 'site.ended', sentence, next);
    }),
    ...(shut.length === 0
      ? []
      : [
          {
            ...good(
              'hub',
              'networks',
              `Closed on their network, so what goes there waits: ${names(shut)}.`,
            ),
            code: 'site.closed',
          },
        ]),
  ];
}

async function newsChecks(
  { registry, store }: Pick<OperationPorts, 'registry' | 'store'>,
  installation: Installation,
  site: SiteRecord,
): Promise<Check[]> {
  const news = await registry.news(installation.id);
  const nowMs = await store.nowMs();
  const checks = standing(installation, news, nowMs)
    // The site itself has just said so, or could not be asked.
    .filter(({ code }) => code === 'installation.copied')
    .map(({ code, message }) =>
      warning(site.name, 'copy', code, message, whatToDo(code, site.name, news.copy?.home)),
    );
  if (news.found !== null && nowMs - news.found.atMs < NEWS_MS) {
    const sentence = `Spoken to at ${installation.restUrl} since ${day(news.found.atMs)}; before, ${news.found.from} redirected there.`;
    checks.push({ ...good(site.name, 'address', sentence), code: 'installation.found_again' });
  }
  return checks;
}

async function routeChecks({ registry, arrangements }: OperationPorts): Promise<Check[]> {
  const { routes, sites } = await registry.topology();
  if (routes.length === 0 && sites.size > 1) {
    return [
      warning(
        'hub',
        'routes',
        null,
        'No route is set: nothing is synced.',
        '“rollcall route add SOURCE TARGET” sets one.',
      ),
    ];
  }
  const groupNames = await arrangements.groupNames();
  const paused = routes.filter((route) => route.status === 'paused');
  const single = paused.filter((route) => !groupNames.has(route.id));
  return [
    ...pausedGroups(paused.flatMap((route) => groupNames.get(route.id) ?? [])),
    ...single.map((route) => {
      const way = `${sites.get(route.source)?.name ?? ''} → ${sites.get(route.target)?.name ?? ''}`;
      return warning(
        'hub',
        'routes',
        'route.paused',
        `The route ${way} is paused.`,
        `“rollcall route resume ${route.id}” lets it go on.`,
      );
    }),
  ];
}

/** Rules that were set before the connector was put back, or that came with a group. */
async function unableChecks({ registry }: OperationPorts): Promise<Check[]> {
  const { routes, sites } = await registry.topology();
  const contracts = new Map((await registry.installations()).map((one) => [one.id, one.contract]));
  const end = (key: SiteRecord['key']) => {
    const site = sites.get(key);
    const contract = site === undefined ? undefined : contracts.get(site.installation);
    return site === undefined || contract === undefined ? null : { name: site.name, contract };
  };
  const lacking = routes.flatMap(({ source, target, rules }) => {
    const [from, to] = [end(source), end(target)];
    return from === null || to === null ? [] : unable(from, to, rules);
  });
  const sentences = lacking.map(
    ({ at, what }) => `A rule asks for what the connector on “${at}” can’t do yet: ${what}.`,
  );
  return [...new Set(sentences)].map((sentence) =>
    warning('hub', 'routes', 'connector.update_due', sentence, UPDATE),
  );
}

/** A group may have thousands of routes: it is told of once. @param names for each paused route its group */
function pausedGroups(names: readonly string[]): Check[] {
  return [...new Set(names)].map((group) => {
    const count = names.filter((name) => name === group).length;
    return warning(
      'hub',
      'routes',
      'route.paused',
      `Routes of the group “${group}” are paused: ${count}.`,
      `“rollcall group show ${group}” tells whether it is the group (“group resume”) or an exception.`,
    );
  });
}

async function heldChecks({ views, erasures }: OperationPorts): Promise<Check[]> {
  const held = (await erasures.list(MOST_ERASURES)).filter(({ state }) => state === 'held');
  const beside = (['erasure.over_limit', 'erasure.privileged'] as const)
    .map((reason) => ({ reason, count: held.filter((one) => one.reason === reason).length }))
    .filter(({ count }) => count > 0);
  return [...(await views.heldByReason()), ...beside].map((found) =>
    warning(
      'hub',
      'held',
      found.reason,
      `${found.count} held: ${reasonSentence(found.reason)}`,
      found.reason.startsWith('erasure.')
        ? 'See “rollcall privacy list”.'
        : 'Decide about what is held.',
    ),
  );
}
/** The newest; what is older was decided about, or will not be. */
const MOST_ERASURES = 1_000;

/** What fails again and again while its site is well: one account, not the site. */
async function failingChecks({ registry, views }: OperationPorts): Promise<Check[]> {
  const sites = await registry.sites();
  return (await views.backlog())
    .filter(({ failing }) => failing > 0)
    .map(({ installation, failing }) =>
      warning(
        sites.find((site) => site.installation === installation)?.name ?? '',
        'deliveries',
        'target.error',
        `${failing} on the way there failed again and again.`,
        '“rollcall logs” shows whose; repair what fails there, then “rollcall site test” tries at once.',
      ),
    );
}

async function alarmChecks({ registry, views }: OperationPorts): Promise<Check[]> {
  const sites = await registry.sites();
  return (await views.alarmsByKind()).map(({ installation, alarm, count }) =>
    warning(
      sites.find((site) => site.installation === installation)?.name ?? '',
      'alarms',
      alarm,
      `${count} under an alarm: ${reasonSentence(alarm)}`,
      `“rollcall alarm list” shows them; answer with “rollcall alarm answer”: ${(ANSWERS[alarm] ?? []).join(' or ')}.`,
    ),
  );
}

/** Nothing is wrong with an older account of the same address; a person may want to know. */
async function linkChecks({ views, proofs, store }: OperationPorts): Promise<Check[]> {
  const waiting = await views.linkCount();
  const nowMs = await store.nowMs();
  const open = (await proofs.list()).filter(
    ({ ended, endsMs }) => ended === null && endsMs > nowMs,
  );
  if (waiting === 0 && open.length === 0) return [];
  const half = open.filter(({ halves }) => halves.some(({ confirmedMs }) => confirmedMs !== null));
  const message = `${waiting} links wait for proof; ${open.length} proofs are open, ${half.length} of them confirmed on one side.`;
  const next =
    open.length > 0
      ? '“rollcall proof list” shows them.'
      : 'See “rollcall explain”; “rollcall link” with --mail or --password asks the person.';
  return [{ ...good('hub', 'links', message), next }];
}

const UPDATE = FAULTS['site.connector_too_old'].next;

const nextOf = (code: string): string | null =>
  isFaultCode(code)
    ? FAULTS[code].next
    : 'Say what happened to the site: restored, copied or moved.';

const good = (subject: string, what: string, message: string): Check => ({
  subject,
  what,
  level: 'ok',
  code: null,
  message,
  next: null,
});
const warning = (
  subject: string,
  what: string,
  code: string | null,
  message: string,
  next: string,
): Check => ({
  subject,
  what,
  level: 'warning',
  code,
  message,
  next,
});
const problem = (subject: string, what: string, code: FaultCode, message: string): Check => ({
  subject,
  what,
  level: 'problem',
  code,
  message,
  next: FAULTS[code].next,
});
