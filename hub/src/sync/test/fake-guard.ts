/**
 * The guard of the site in memory, as Rollcall_Tighten and Rollcall_Whitelist of the connector keep it.
 *
 * Always true: the hub only tightens it; what is refused changes nothing.
 */
import type { GuardAnswer } from '#contract/messages.ts';
import { Fault } from '../../errors.ts';
import type { SitePort } from '../ports.ts';

type Wanted = Parameters<SitePort['guard']>[1];
type Entry = GuardAnswer['whitelist']['entries'][number];

/** From where the hub calls, as the site sees it. */
const CALLER = '203.0.113.9';
const HUB: Entry = { name: 'The hub', url: '', ip: CALLER, active: true };

export class FakeGuard {
  readOnly = false;
  revoked: readonly string[] = [];
  /** Privileged roles that somebody on the site has agreed to. */
  consents: readonly string[] = [];
  whitelistOn = false;
  entries: readonly Entry[] = [HUB];
  private readonly name: string;
  private readonly roles: readonly string[];
  private readonly known: readonly string[];

  constructor(name: string, roles: readonly string[], known: readonly string[]) {
    this.name = name;
    this.roles = roles;
    this.known = known;
  }

  grantable(): readonly string[] {
    return this.roles.filter((role) => !this.revoked.includes(role));
  }

  /** What an administrator of the site does: all is as it was, and these sites are on the list. */
  open(urls: readonly string[]): void {
    this.readOnly = false;
    this.revoked = [];
    this.consents = [];
    this.whitelistOn = false;
    this.entries = [HUB, ...urls.map((url) => ({ name: url, url, ip: '', active: true }))];
  }

  refusal({ url }: { readonly url: string }): string | null {
    if (this.readOnly) return 'target.read_only';
    return this.whitelistOn && this.entryOf(url) === null ? 'whitelist.source' : null;
  }

  answer({ blog, readOnly, revoke = [], whitelist, sources = [], check }: Wanted): GuardAnswer {
    if ((readOnly === false && this.readOnly) || (whitelist === false && this.whitelistOn)) {
      throw this.refused('target.guard_kept');
    }
    if (revoke.some((role) => !this.known.includes(role))) {
      throw new Fault('role.unknown', `${this.name} does not know the role`);
    }
    const out = sources.filter((url) => this.entryOf(url) === null);
    if (whitelist === true && !this.whitelistOn && out.length > 0) {
      throw this.refused('whitelist.would_refuse');
    }
    this.readOnly ||= readOnly === true;
    this.revoked = [...this.revoked, ...revoke];
    this.consents = this.consents.filter((role) => !revoke.includes(role));
    this.whitelistOn ||= whitelist === true;
    return {
      blog,
      read_only: this.readOnly,
      grantable: [...this.grantable()],
      consents: [...this.consents],
      whitelist: { on: this.whitelistOn, entries: [...this.entries], proxies: [] },
      caller: { address: CALLER, entry: HUB.name },
      sources: sources.map((url) => ({ url, entry: this.entryOf(url) })),
      ...(check === undefined
        ? {}
        : {
            check: {
              address: check.address === CALLER ? HUB.name : null,
              url: this.entryOf(check.url),
            },
          }),
    };
  }

  private entryOf(url: string): string | null {
    const bare = (text: string) => text.replace(/^https?:\/\/(www\.)?/u, '').replace(/\/$/u, '');
    const found = this.entries.find((entry) => entry.url !== '' && bare(entry.url) === bare(url));
    return found?.name ?? null;
  }

  private refused(reason: string): Fault {
    return new Fault('site.guard_refused', `${this.name} keeps its guard`, { detail: { reason } });
  }
}
