/**
 * What a step plays on, and its two verbs: somebody does something on a site; something is so on a site.
 *
 * Does: print what happened where and in how many ms, counted from the moment WordPress had answered the person.
 * Does not: take the hub's word for it: WordPress on the site is asked, whenever the log tells of news for it.
 * On failure: throws `StepFailed` with what was expected and what was found, within the limit.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LogPageSchema, type LogRow } from '#hub/api/schemas/log.ts';
import type { Outcome } from '#lab/sign-in.ts';
import { waitUntil } from '#lab/wait-until.ts';
import type { Claim, Finding } from './claim.ts';
import { inMs, type Screen } from './screen.ts';
import type { DemoHub } from './start-hub.ts';
import type { DemoSite, Title } from './start-sites.ts';

/** A change takes one to five seconds here; a busy machine gets patience. */
const LIMIT_MS = 90_000;
/** The hub works in this very process: looking more often would slow down what is looked at. */
const LOOK_MS = 50;

export interface Step {
  readonly title: string;
  play(stage: Stage): Promise<void>;
}

/** When WordPress had answered somebody, and the newest row of the Sync Log before that. */
export interface Moment {
  readonly ms: number;
  readonly row: number;
}

export class StepFailed extends Error {
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super(`expected: ${expected}; found: ${found}`);
    this.name = 'StepFailed';
    this.expected = expected;
    this.found = found;
  }
}

export class Stage {
  readonly screen: Screen;
  readonly #hub: DemoHub;
  readonly #sites: readonly DemoSite[];

  constructor(parts: { screen: Screen; hub: DemoHub; sites: readonly DemoSite[] }) {
    this.screen = parts.screen;
    this.#hub = parts.hub;
    this.#sites = parts.sites;
  }

  at(title: Title): DemoSite {
    const found = this.#sites.find((entry) => entry.title === title);
    if (found === undefined) throw new Error(`the demo has no site ${title}`);
    return found;
  }

  /** A person's act on a site. */
  async does(title: Title, says: string, act: () => Promise<Outcome>): Promise<Moment> {
    this.screen.entry('does', title, says);
    const row = await this.#newestRow();
    const outcome = await this.screen.during(`${title}: ${says}`, act());
    if (outcome.ok) return { ms: performance.now(), row };
    throw new StepFailed(
      `WordPress on ${title} takes it`,
      outcome.message === '' ? 'it did not, and said nothing' : `it says: ${outcome.message}`,
    );
  }

  /** Waits until the claim holds on the site, and prints after how many ms it did. */
  async arrives(title: Title, claim: Claim, since: Moment): Promise<void> {
    const work = this.#lookAgain(title, claim, since.row);
    const finding = await this.screen.during(`${title}: ${claim.says}`, work);
    this.#say(title, claim, finding, performance.now() - since.ms);
  }

  /** The claim holds on the site now. */
  async holds(title: Title, claim: Claim): Promise<void> {
    const work = claim.look(this.at(title).site);
    this.#say(title, claim, await this.screen.during(`${title}: ${claim.says}`, work));
  }

  /** Waits for a row of the Sync Log, and prints it as `says` tells. */
  async logged(
    is: (row: LogRow) => boolean,
    says: (row: LogRow) => string,
    since: Moment,
  ): Promise<void> {
    let found: LogRow | undefined;
    const waiting = until(async () => {
      found = (await this.#rowsAfter(since.row)).find(is);
      return found !== undefined;
    });
    await this.screen.during('the Sync Log', waiting);
    if (found === undefined) throw new StepFailed('a row in the Sync Log that says so', 'none');
    this.screen.entry('done', 'Hub', says(found), inMs(performance.now() - since.ms));
  }

  log(): Promise<LogRow[]> {
    return this.#rows('limit=1000');
  }

  #say(title: Title, claim: Claim, finding: Finding, ms?: number): void {
    if (!finding.holds) throw new StepFailed(`${title}: ${claim.says}`, finding.found);
    this.screen.entry('done', title, claim.says, ms === undefined ? '' : inMs(ms));
  }

  /** Looks whenever the log has news for the site; the last word is WordPress's, also without any. */
  async #lookAgain(title: Title, claim: Claim, row: number): Promise<Finding> {
    const { site } = this.at(title);
    let last = row;
    let finding: Finding | undefined;
    await until(async () => {
      const rows = await this.#rowsAfter(last);
      last = rows.at(-1)?.id ?? last;
      if (rows.some((row) => row.target === title)) finding = await claim.look(site);
      return finding?.holds === true;
    });
    return finding?.holds === true ? finding : claim.look(site);
  }

  #rowsAfter(row: number): Promise<LogRow[]> {
    return this.#rows(`limit=1000&after=${row}`);
  }

  /** Its id; 0 while there is none. */
  async #newestRow(): Promise<number> {
    return (await this.#rows('limit=1'))[0]?.id ?? 0;
  }

  async #rows(query: string): Promise<LogRow[]> {
    return (await this.#hub.api.get(`/log?${query}`, LogPageSchema)).rows;
  }
}

/** Until it is so, or the limit is reached: the caller says what was found then. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + LIMIT_MS;
  const ends = async (): Promise<boolean> =>
    performance.now() > endMs || (await isSo()) || (await delay(LOOK_MS, false));
  await waitUntil(ends, 2 * LIMIT_MS);
}
