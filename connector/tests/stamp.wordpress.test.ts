import { afterAll, beforeAll, expect, it } from 'vitest';
import { StampAnswerSchema } from '#contract/messages.ts';
import {
  type ConnectedSite,
  fault,
  fields,
  HERE,
  HUB,
  parsed,
  past,
  startConnectedSite,
  THERE,
  write,
} from './connected-site.ts';

let hub: ConnectedSite;
beforeAll(async () => {
  hub = await startConnectedSite('stamp');
});
afterAll(async () => {
  await hub?.stop();
});

const stamp = async (order: Record<string, unknown>): Promise<string | undefined> => {
  const stamps = [{ blog: 1, fields: ['first_name'], at_least: 0, ...order }];
  const answer = await hub.post('stamp', { hub: HUB, stamps });
  return parsed(StampAnswerSchema, answer).results[0]?.result;
};

it('stamps named fields anew, with the values that they have, and captures the account', async () => {
  const operation = write({
    fields: fields(
      { email: 's@example.com', first_name: 'Stamped', 'role:author': true },
      past(50),
    ),
  });
  const { id = 0 } = await hub.one(operation);
  const atLeast = Date.now() + 20_000;
  const order = {
    id,
    uid: operation.uid,
    fields: ['first_name', 'role:author', 'meta:phone', 'meta:unwatched'],
    at_least: atLeast,
  };
  expect(await stamp(order)).toBe('stamped');
  const { rows } = await hub.changes();
  expect(rows.map(({ kind, actor }) => [kind, actor.kind])).toEqual([['update', 'hub']]);
  const account = rows[0]?.account;
  const now = [atLeast, HERE];
  expect(account?.fields?.['first_name']).toEqual({ v: 'Stamped', s: now });
  expect(account?.fields?.['meta:phone']).toEqual({ v: [], s: now });
  expect(account?.roles?.['1']?.['author']).toEqual({ v: true, s: now });
  expect(account?.fields?.['email']?.s[1]).toBe(THERE);
  expect(Object.keys(account?.fields ?? {})).not.toContain('meta:unwatched');
});

it('never stamps more than a minute ahead, nor below what the account holds', async () => {
  const operation = write();
  const { id = 0 } = await hub.one(operation);
  expect(await stamp({ id, uid: operation.uid, at_least: Date.now() + 86_400_000 })).toBe(
    'stamped',
  );
  const first = (await hub.account(id)).fields?.['first_name']?.s[0] ?? 0;
  expect(first).toBeLessThanOrEqual(Date.now() + 61_000);
  expect(await stamp({ id, uid: operation.uid })).toBe('stamped');
  expect((await hub.account(id)).fields?.['first_name']?.s).toEqual([first + 1, HERE]);
});

it('leaves alone who is not meant, and who is being saved', async () => {
  const [one, other] = [write(), write()];
  const { id = 0 } = await hub.one(one);
  await hub.one(other);
  expect(await stamp({ id, uid: other.uid })).toBe('mismatch');
  expect(await stamp({ id: 999_999, uid: write().uid })).toBe('missing');
  await hub.site.php(`Rollcall_Outbox::open( ${id}, 'update' );`);
  expect(await stamp({ id, uid: one.uid })).toBe('busy');
  expect((await hub.account(id)).fields?.['first_name']?.s[1]).toBe(THERE);
});

it('refuses what is no field', async () => {
  const stamps = [{ id: 1, uid: write().uid, blog: 1, fields: ['user_pass'], at_least: 0 }];
  expect(fault(await hub.post('stamp', { hub: HUB, stamps }))).toEqual([400, 'request.invalid']);
});
