/**
 * Floods of new accounts stop at the door: what one source brings beyond this is held for a person,
 * on every target. A sign-up form that robots have found, or a hostile site, must not fill the others.
 */
import type { Holding } from '../model/identity.ts';
import type { InstallationId } from '../model/ids.ts';
import { sitesOf, type Topology } from '../model/route.ts';
import type { Transaction } from './ports.ts';

export interface CreationLimit {
  /** More than so many new accounts of one source… */
  readonly count: number;
  /** …within so many ms are held. */
  readonly withinMs: number;
  /** More than so many within 24 hours are held, where the source itself says nothing. */
  readonly perDay: number;
}

const TEN_MINUTES_MS = 600_000;
/** Shops that run a campaign bring more; `--new-accounts` is for them. */
const USUAL_COUNT = 200;
const DAY_IN_COUNTS = 10;

export const creationLimit = (count = USUAL_COUNT): CreationLimit => ({
  count,
  withinMs: TEN_MINUTES_MS,
  perDay: count * DAY_IN_COUNTS,
});
export const CREATION_LIMIT: CreationLimit = creationLimit();

/** How many more may leave each installation; asked for when the first may. */
export class CreationAllowance {
  private readonly left = new Map<InstallationId, number>();
  private readonly used = new Map<InstallationId, number>();
  private readonly tx: Transaction;
  private readonly limit: CreationLimit;
  private readonly topology: Topology;

  constructor(tx: Transaction, limit: CreationLimit, topology: Topology) {
    this.tx = tx;
    this.limit = limit;
    this.topology = topology;
  }

  /** Only what a source brings by itself counts: neither what passes through it nor what an operator offers. */
  async isUsedUp({ installation, learnedBy, birth }: Holding, offered: boolean): Promise<boolean> {
    if (learnedBy !== 'capture' || birth === null || offered) return false;
    let left = this.left.get(installation);
    if (left === undefined) {
      const { recent, today } = await this.tx.creations(installation, this.limit.withinMs);
      const aDay = ownCap(this.topology, installation) ?? this.limit.perDay;
      left = Math.max(0, Math.min(this.limit.count - recent, aDay - today));
      this.left.set(installation, left);
    }
    return left <= (this.used.get(installation) ?? 0);
  }

  use(installation: InstallationId): void {
    this.used.set(installation, (this.used.get(installation) ?? 0) + 1);
  }

  async remember(): Promise<void> {
    for (const [installation, count] of this.used) {
      await this.tx.noteCreations(installation, count);
    }
  }
}

/** Sites of one network share their accounts: the smallest cap counts. */
function ownCap(topology: Topology, installation: InstallationId): number | null {
  const caps = sitesOf(topology, installation).flatMap(({ rules }) => rules.newAccountsADay ?? []);
  return caps.length === 0 ? null : Math.min(...caps);
}
