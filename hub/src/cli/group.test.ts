/** `rollcall group`: what is shown, and what is not understood before the hub is asked. */
import { expect, test } from 'vitest';
import * as samples from '../api/test/samples.ts';
import { EXIT } from './exit-codes.ts';
import { fakeHub } from './test/fake-hub.ts';

const hub = fakeHub();

test('a group is shown with its members, rules, exceptions, and who shares accounts', async () => {
  const sharing = [['Shop', 'Outlet']];
  hub.operations.on({ group: async () => ({ ...samples.group, sharing }) });
  expect(await hub.rollcall('group', 'show', 'Brands')).toBe(EXIT.ok);
  expect(hub.terminal.written.out).toBe(`Group Brands (active): 3 members, 3 routes
  Give and take  Shop, Blog
  Only give      none
  Only take      Archive
  Rules          meta billing_*
  Exception      Blog → Archive: no route
  No route among Shop, Outlet: they share their accounts
`);
});

test.each([
  ['a site twice', ['add', 'G', '--members', 'Shop,Blog', '--takes', 'shop'], 'named twice'],
  ['no site', ['add-member', 'G'], 'No site is named'],
  ['nothing to change', ['change', 'G'], 'Nothing to change is named'],
  ['nothing that differs', ['except', 'G', 'A', 'B'], 'Nothing that differs is named'],
  ['two states at once', ['except', 'G', 'A', 'B', '--none', '--paused'], 'cannot be used with'],
  [
    'rules of its own and none',
    ['except', 'G', 'A', 'B', '--like-group', '--no-creates'],
    'name no rules with it',
  ],
])('%s is not understood', async (_, args, sentence) => {
  expect(await hub.rollcall('group', ...args)).toBe(EXIT.usage);
  expect(hub.terminal.written.err).toContain(sentence);
  expect(hub.operations.calls).toEqual([]);
});
