/**
 * Marks: where hub and each installation stood together last.
 *
 * Always true: an offer is stored before it is given out, and leaves the list only when its request
 * was answered or the site is known to hold a later one. So what a site holds is always in the list,
 * unless the site or this store went back.
 */
import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Mark } from '#contract/messages.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Marks, Rewound } from '../sync/ports.ts';
import { refuseInside } from './in-transaction.ts';
import type { Database } from './open-database.ts';
import type { StoredMarks, Tables } from './tables.ts';

/**
 * A site that is down for days is asked again and again, and never answers: from so many unanswered
 * offers on the last one is offered again, or the list would grow for ever.
 */
const MOST_UNANSWERED = 8;
const ID_BYTES = 8;
const NONE: StoredMarks = { confirmed: null, sent: [] };

export function createMarks({ kysely }: Database): Marks {
  const outside = (what: string): Kysely<Tables> => {
    refuseInside(`Marks.${what}`);
    return kysely;
  };
  return {
    offer: async (id) => {
      const { confirmed, sent } = await change(outside('offer'), id, withOffer);
      const next = sent.at(-1);
      if (next === undefined) throw new Error('an offer was just stored');
      return { held: [confirmed, ...sent.slice(0, -1)], next };
    },
    settle: async (id, offered, held) => {
      await change(outside('settle'), id, (marks) => settled(marks, offered, held));
    },
    judge: async (id, held) => judged(await read(outside('judge'), id), held),
    reset: async (id, held) => {
      await change(outside('reset'), id, () => ({ confirmed: held, sent: [] }));
    },
  };
}

function withOffer({ confirmed, sent }: StoredMarks): StoredMarks {
  if (sent.length >= MOST_UNANSWERED) return { confirmed, sent };
  const n = (sent.at(-1)?.n ?? confirmed?.n ?? 0) + 1;
  return { confirmed, sent: [...sent, { n, id: randomBytes(ID_BYTES).toString('hex') }] };
}

function settled({ confirmed, sent }: StoredMarks, offered: Mark, held: Mark | null): StoredMarks {
  const newest = held !== null && held.n > (confirmed?.n ?? 0) ? held : confirmed;
  return {
    confirmed: newest,
    sent: sent.filter((mark) => mark.id !== offered.id && mark.n > (newest?.n ?? 0)),
  };
}

/** Counts are given once: one that is beyond what was confirmed comes from a later life of this hub. */
function judged({ confirmed, sent }: StoredMarks, held: Mark | null): Rewound | null {
  if ([confirmed, ...sent].some((mark) => mark?.id === held?.id)) return null;
  return held !== null && held.n > (confirmed?.n ?? 0) ? 'hub' : 'site';
}

async function read(db: Kysely<Tables>, id: InstallationId): Promise<StoredMarks> {
  const row = await db
    .selectFrom('installations')
    .select('marks')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.marks ?? NONE;
}

async function change(
  db: Kysely<Tables>,
  id: InstallationId,
  to: (marks: StoredMarks) => StoredMarks,
): Promise<StoredMarks> {
  return db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('installations')
      .select('marks')
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    const marks = to(row?.marks ?? NONE);
    await tx
      .updateTable('installations')
      .set({ marks: JSON.stringify(marks) })
      .where('id', '=', id)
      .execute();
    return marks;
  });
}
