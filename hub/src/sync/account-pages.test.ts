/** Lists of accounts come to an end, whatever a site makes up. */
import { expect, test } from 'vitest';
import type { AccountState } from '#contract/account-state.ts';
import { installationId } from '../model/ids.ts';
import { accountPages, BELIEVED_UNASKED, MOST_ACCOUNTS } from './account-pages.ts';
import type { Connection } from './ports.ts';
import { FakeSite } from './test/fake-site.ts';

const ENDLESS = expect.objectContaining({ code: 'site.endless_accounts' });
const ROWS = 500;
const ASKED = { limit: ROWS, detail: 'who' } as const;
const CONNECTION: Connection = {
  installation: installationId(''),
  restUrl: '',
  publicOnly: true,
  credential: { user: '', password: '' },
  hub: { id: 'hub', term: 1 },
};

/** Gives so many accounts, `rows` a page, and says that it has `said`. */
async function giving(count: number, said: number, rows = ROWS) {
  const site = new FakeSite({ key: 1, name: 'lair', now: Date.now });
  const [one] = (await site.accounts(CONNECTION, { after: 0, ...ASKED })).accounts;
  expect(one).toBeUndefined();
  site.settle({ login: 'anna', email: 'anna@x.test' });
  const { accounts, clock, epoch } = await site.accounts(CONNECTION, { after: 0, ...ASKED });
  const page: readonly AccountState[] = Array.from({ length: rows }, () => accounts).flat();
  const status = await site.status(CONNECTION);
  let asked = 0;
  return {
    statusAsked: () => asked,
    status: async () => {
      asked += 1;
      return { ...status, accounts: said };
    },
    accounts: async (_: Connection, { after }: { after: number }) => {
      const next = after + ROWS < count ? after + ROWS : null;
      return { accounts: [...page], next, clock, epoch };
    },
  };
}

async function read(site: Parameters<typeof accountPages>[0]): Promise<number> {
  let count = 0;
  for await (const { accounts } of accountPages(site, CONNECTION, ASKED)) count += accounts.length;
  return count;
}

test('sites of a million accounts are read to their end, and small ones are not asked how many they have', async () => {
  const large = await giving(1_000_000, 1_000_000);
  expect(await read(large)).toBe(1_000_000);
  expect(large.statusAsked()).toBe(1);
  const grown = await giving(1_800_000, 1_000_000);
  expect(await read(grown)).toBe(1_800_000);
  const small = await giving(BELIEVED_UNASKED, 3);
  expect(await read(small)).toBe(BELIEVED_UNASKED);
  expect(small.statusAsked()).toBe(0);
});

test('T560: a list of accounts that goes on beyond what the site says it has, beyond any site, or with empty pages ends the reading', async () => {
  const forever = Number.MAX_SAFE_INTEGER;
  await expect(read(await giving(forever, 40))).rejects.toEqual(ENDLESS);
  await expect(read(await giving(forever, forever))).rejects.toEqual(ENDLESS);
  await expect(read(await giving(forever, 40, 0))).rejects.toEqual(ENDLESS);
  let taken = 0;
  const boasting = await giving(forever, forever);
  await expect(async () => {
    for await (const page of accountPages(boasting, CONNECTION, ASKED))
      taken += page.accounts.length;
  }).rejects.toEqual(ENDLESS);
  expect(taken).toBe(MOST_ACCOUNTS);
});
