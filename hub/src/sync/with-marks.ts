/**
 * Sees when a site, or this hub, went back to an earlier state: a backup was put back.
 *
 * Does: give every request that changes or tells anything a mark; the site keeps the newest one,
 * and refuses a request that expects another.
 * Does not: decide what is done about it.
 * Always true: a lost answer raises no alarm: what was offered counts as possibly held. Requests
 * that cross each other are simply made again.
 * On failure: throws `Fault` `source.rewound` or `hub.rewound`; the site has done nothing then.
 */
import { type Mark, type MarkOffer, MarkSchema } from '#contract/messages.ts';
import { Fault } from '../errors.ts';
import type { InstallationId } from '../model/ids.ts';
import { reasonSentence } from '../reasons.ts';
import type { Connection, Marks, Rewound, SitePort } from './ports.ts';

/** Three requests are under way to one site at most (a pull and two lanes): more is no crossing. */
const TRIES = 10;

export function withMarks(site: SitePort, marks: Marks): SitePort {
  const marked = async <Answer extends { readonly mark: Mark | null }>(
    { installation }: Connection,
    ask: (mark: MarkOffer) => Promise<Answer>,
  ): Promise<Answer> => {
    for (let tried = 1; ; tried += 1) {
      const offer = await marks.offer(installation);
      try {
        const answer = await ask(offer);
        await marks.settle(installation, offer.next, answer.mark);
        return answer;
      } catch (fault) {
        if (!(fault instanceof Fault) || fault.code !== 'site.mark_mismatch') throw fault;
        await refuseRewound(marks, installation, offer.next, heldIn(fault));
        if (tried === TRIES) throw fault;
      }
    }
  };
  return {
    status: (connection) => site.status(connection),
    changes: (connection, request) =>
      marked(connection, (mark) => site.changes(connection, { ...request, mark })),
    accounts: (connection, request) => site.accounts(connection, request),
    digests: (connection, request) => site.digests(connection, request),
    labels: (connection, labels) => site.labels(connection, labels),
    apply: (connection, request) =>
      request.dryRun
        ? site.apply(connection, request)
        : marked(connection, (mark) => site.apply(connection, { ...request, mark })),
    settings: (connection, settings) => site.settings(connection, settings),
    stamp: (connection, stamps) => site.stamp(connection, stamps),
    outside: (connection, request) => site.outside(connection, request),
    guard: (connection, request) => site.guard(connection, request),
    switches: (connection, orders) => site.switches(connection, orders),
    erase: (connection, orders) => site.erase(connection, orders),
    proofs: (connection, orders) => site.proofs(connection, orders),
    newCredential: (connection) => site.newCredential(connection),
    disconnect: (connection) => site.disconnect(connection),
  };
}

async function refuseRewound(
  marks: Marks,
  installation: InstallationId,
  offered: Mark,
  held: Mark | null,
): Promise<void> {
  await marks.settle(installation, offered, null);
  const who = await marks.judge(installation, held);
  if (who !== null) throw rewoundFault(who);
}

function rewoundFault(who: Rewound): Fault {
  const code = who === 'site' ? 'source.rewound' : 'hub.rewound';
  return new Fault(code, reasonSentence(code));
}

function heldIn(fault: Fault): Mark | null {
  const parsed = MarkSchema.safeParse(fault.detail['mark']);
  return parsed.success ? parsed.data : null;
}
