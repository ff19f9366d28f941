/** What somebody does next, by chance. */
import { type Deed, ROLES, SCALARS } from './deed.ts';
import type { Random } from './random.ts';

export interface Chosen {
  readonly site: string;
  readonly deed: Deed;
}

/** What may happen to whom depends on what happened before, never on a clock. */
export class DeedChooser {
  private readonly random: Random;
  private count = 0;
  private removed = 0;
  /** Login → the site that it was registered on. */
  private readonly living = new Map<string, string>();
  /** Not to be removed: an edit whose request was killed is stamped when it is found. */
  private readonly lateStamped = new Set<string>();
  private readonly sites: readonly string[];
  private readonly reach: (site: string) => ReadonlySet<string>;

  constructor(
    random: Random,
    sites: readonly string[],
    reach: (site: string) => ReadonlySet<string>,
  ) {
    this.random = random;
    this.sites = sites;
    this.reach = reach;
  }

  get removals(): number {
    return this.removed;
  }

  register(site = this.random.pick(this.sites)): Chosen {
    this.count += 1;
    const login = `p${this.count}`;
    this.living.set(login, site);
    return { site, deed: { kind: 'register', login, password: `password ${this.count}` } };
  }

  /** @param options what else than edits may happen */
  next(options: { readonly removes: boolean; readonly kills: boolean }): Chosen {
    const dice = this.random.below(100);
    if (dice < 7 || this.living.size < 3) return this.register();
    const login = this.random.pick([...this.living.keys()]);
    if (dice < 18 && options.removes && !this.lateStamped.has(login)) return this.remove(login);
    const site = this.whereIs(login);
    if (dice < 18) return { site, deed: { kind: 'role', login, role: this.random.pick(ROLES) } };
    this.count += 1;
    if (dice < 26) {
      return { site, deed: { kind: 'password', login, password: `changed ${this.count}` } };
    }
    return { site, deed: this.edit(login, options.kills && dice > 96) };
  }

  /** The same field of one account at the same moment, on two sites where it is on two. */
  sameField(): readonly Chosen[] {
    const login = this.random.pick([...this.living.keys()]);
    const sites = [...this.reach(this.living.get(login) ?? '')];
    const field = this.random.pick(SCALARS.filter((name) => name !== 'email'));
    return sites.slice(0, 2).map((site) => {
      this.count += 1;
      return { site, deed: { kind: 'edit', login, field, value: valueFor(field, this.count) } };
    });
  }

  private edit(login: string, killed: boolean): Deed {
    const field = this.random.pick(SCALARS);
    const value = valueFor(field, this.count);
    if (!killed) return { kind: 'edit', login, field, value };
    this.lateStamped.add(login);
    return { kind: 'edit', login, field, value, killed };
  }

  /** On its own site, so that everybody hears of it; nothing more happens to the account. */
  private remove(login: string): Chosen {
    const site = this.living.get(login) ?? '';
    this.living.delete(login);
    this.removed += 1;
    return { site, deed: { kind: 'remove', login } };
  }

  private whereIs(login: string): string {
    return this.random.pick([...this.reach(this.living.get(login) ?? '')]);
  }
}

function valueFor(field: (typeof SCALARS)[number], count: number): string {
  if (field === 'email') return `edit${count}@people.test`;
  return field === 'url' ? `https://edit.test/${count}` : `Edit ${count}`;
}
