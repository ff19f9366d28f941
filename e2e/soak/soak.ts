/**
 * Chance at work on real sites, for as long as one likes: people, outages, faults and kills on five
 * sites in a random graph. In the end everything must have come together.
 *
 * Does: the same deeds in the same order for the same seed; when exactly each of them meets which
 * request is up to the machine.
 * Always true: all that was started is ended.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { doorBefore, type FaultyDoor } from '#lab/faulty-door.ts';
import { freePort } from '#lab/free-port.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import { HubProcess } from '../hub-process.ts';
import { CONNECTOR, ENGINE, type Hub, prepare } from '../stage.ts';
import type { Chosen } from './choose-deed.ts';
import { everybodyOn, perform, ROLES } from './deed.ts';
import { DeedsDone, type LoggedRow, rowsOf } from './deeds-done.ts';
import { type Plan, type PlanOptions, planSoak, type Round } from './plan.ts';
import { befall, KILLED_APPLY } from './site-faults.ts';

export interface SoakOptions extends PlanOptions {
  readonly say: (line: string) => void;
}

export interface SoakResult {
  /** Sentences; none: all is well. */
  readonly wrong: readonly string[];
  /** Edits of which the Sync Log tells nothing. */
  readonly untold: readonly string[];
  readonly deeds: number;
  readonly kills: number;
  readonly faults: number;
}

const REST_MS = 180_000;
/** What a killed request left open counts after half a minute, and is asked for then. */
const OPEN_MS = 35_000;
const SAY_EVERY = 10;
/** A process may grow by so much while nothing but people's edits pass through it. */
const GROWTH_MB = 200;

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const run = new Soak(options);
  try {
    await run.start();
    await run.live();
    return await run.judge();
  } finally {
    await run.end();
  }
}

class Soak {
  private readonly options: SoakOptions;
  private readonly plan: Plan;
  private readonly done: DeedsDone;
  private readonly sites = new Map<string, Site>();
  private readonly doors = new Map<string, FaultyDoor>();
  private readonly endings: (() => Promise<unknown>)[] = [];
  private hub: Hub | null = null;
  private process: HubProcess | null = null;
  private port = 0;
  private openUntilMs = 0;
  private kills = 0;
  private faults = 0;
  private readonly memory: number[] = [];

  constructor(options: SoakOptions) {
    this.options = options;
    this.plan = planSoak(options);
    this.done = new DeedsDone(this.plan.edges);
  }

  async start(): Promise<void> {
    const { say } = this.options;
    say(`graph: ${this.plan.edges.map((e) => `${e.from}${e.both ? '=' : '>'}${e.to}`).join(' ')}`);
    await Promise.all(this.plan.names.map((name) => this.startSite(name)));
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-soak-'));
    this.endings.push(() => rm(folder, { recursive: true, force: true }));
    this.process = new HubProcess(folder);
    this.endings.push(() => this.process?.kill() ?? Promise.resolve());
    this.port = await freePort();
    this.hub = await this.process.start(this.port);
    for (const name of this.plan.names)
      await this.hub.connect(this.site(name), this.door(name).url);
    for (const { from, to, both } of this.plan.edges)
      await this.hub.route(from, to, { both, rules: { meta: ['phone'], roles: ROLES } });
    for (const chosen of this.plan.first) await this.act(chosen);
  }

  async live(): Promise<void> {
    const { minutes, say } = this.options;
    const { rough, calm } = this.plan;
    const rounds = [...rough, ...calm];
    const roundMs = (minutes * 60_000) / rounds.length;
    for (const [count, round] of rounds.entries()) {
      const over = delay(roundMs);
      const worries = await this.worry(round);
      await Promise.all(round.people.map((chosen) => this.act(chosen)));
      await over;
      for (const end of worries) await end();
      if (count >= rough.length) this.memory.push(residentMb(this.process));
      if (count % SAY_EVERY === 0) {
        say(`${count} of ${rounds.length} rounds, ${this.kills} kills, ${this.faults} faults`);
      }
    }
  }

  async judge(): Promise<SoakResult> {
    const { say } = this.options;
    for (const door of this.doors.values()) door.behave();
    say('waiting for everything to come to rest');
    const wrong: string[] = [];
    await this.rest().catch((error: unknown) => wrong.push(String(error)));
    const found = new Map<string, Awaited<ReturnType<typeof everybodyOn>>>();
    for (const name of this.plan.names) found.set(name, await everybodyOn(this.site(name)));
    const log = await this.wholeLog();
    const held = log.filter((row) => row.status === 'held').map((row) => row.login);
    const status = await this.hub?.status();
    if ((status?.held ?? 0) > 0)
      wrong.push(`${status?.held} are held: ${[...new Set(held)].join(' ')}`);
    wrong.push(...this.done.wrongIn(found), ...this.growth());
    const untold = this.done.unaccounted(log);
    for (const row of rowsOf([...wrong, ...untold], log)) say(JSON.stringify(row));
    return { wrong, untold, deeds: this.done.all.length, kills: this.kills, faults: this.faults };
  }

  async end(): Promise<void> {
    for (let end = this.endings.pop(); end !== undefined; end = this.endings.pop())
      await end().catch(() => {});
  }

  private async startSite(name: string): Promise<void> {
    const site = await startSite({
      name,
      engine: ENGINE,
      connector: CONNECTOR,
      muPlugins: { 'killed-apply.php': KILLED_APPLY },
    });
    this.endings.push(() => site.stop());
    await prepare(site);
    const door = await doorBefore(site);
    this.endings.push(() => door.close());
    this.sites.set(name, site);
    this.doors.set(name, door);
  }

  /** @returns what ends that which goes wrong in this round */
  private async worry({ fault, kill }: Round): Promise<(() => Promise<void>)[]> {
    const ends: (() => Promise<void>)[] = [];
    if (fault !== null) {
      const { site } = fault;
      ends.push(await befall({ site: this.site(site), door: this.door(site) }, fault));
      this.faults += 1;
    }
    if (kill) {
      this.kills += 1;
      await this.process?.kill();
      const alive = this.process?.start(this.port);
      ends.push(async () => {
        this.hub = (await alive) ?? null;
      });
    }
    return ends;
  }

  private async act({ site, deed }: Chosen): Promise<void> {
    const fromMs = Date.now();
    if (!(await perform(this.site(site), deed))) return;
    const killed = deed.kind === 'edit' && deed.killed === true;
    if (killed) this.openUntilMs = Date.now() + OPEN_MS;
    const untilMs = killed ? Number.POSITIVE_INFINITY : Date.now();
    this.done.all.push({ site, deed, fromMs, untilMs });
  }

  /** At rest is more than idle once: what one site was told it may have to tell on. */
  private async rest(): Promise<void> {
    await delay(Math.max(0, this.openUntilMs - Date.now()));
    const until = Date.now() + REST_MS;
    for (let calm = 0; calm < 3; ) {
      if (Date.now() > until)
        throw new Error(`not at rest: ${JSON.stringify(await this.hub?.status())}`);
      calm = (await this.hub?.status())?.idle === true ? calm + 1 : 0;
      await delay(500);
    }
  }

  private async wholeLog(): Promise<LoggedRow[]> {
    const all: LoggedRow[] = [];
    for (let after = 0; ; ) {
      const rows = (await this.hub?.log(`&after=${after}`)) ?? [];
      const last = rows.at(-1);
      if (last === undefined) return all;
      all.push(...rows.map((row) => ({ ...row, atMs: Date.parse(row.at) })));
      after = last.id;
    }
  }

  private growth(): string[] {
    const [first, last] = [this.memory[Math.floor(this.memory.length / 4)], this.memory.at(-1)];
    if (first === undefined || last === undefined) return [];
    this.options.say(
      `memory of the hub: ${Math.round(first)} MB, in the end ${Math.round(last)} MB`,
    );
    return last - first > GROWTH_MB ? [`the hub grew from ${first} to ${last} MB`] : [];
  }

  private site(name: string): Site {
    const site = this.sites.get(name);
    if (site === undefined) throw new Error(`no site ${name}`);
    return site;
  }

  private door(name: string): FaultyDoor {
    const door = this.doors.get(name);
    if (door === undefined) throw new Error(`no door before ${name}`);
    return door;
  }
}

/** Linux tells; elsewhere memory is not watched. */
function residentMb(process: HubProcess | null): number {
  try {
    const status = readFileSync(`/proc/${process?.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/u.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
