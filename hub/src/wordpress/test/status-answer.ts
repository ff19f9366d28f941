/** A `/status` answer as a connected single site gives it. */
import type { StatusAnswer } from '#contract/messages.ts';

export const statusAnswer: StatusAnswer = {
  contract: 2,
  connector: '0.1.0',
  wordpress: '7.1.1',
  php: '8.3.1',
  database: 'SQLite 3.45',
  multisite: false,
  store: 'f00d',
  home: 'shop.test',
  sites: [
    {
      blog: 1,
      name: 'Shop',
      url: 'https://shop.test',
      rest_url: 'https://shop.test/wp-json/',
      roles: { subscriber: { name: 'Subscriber', privileged: false } },
      default_role: 'subscriber',
      grantable: ['subscriber'],
      read_only: false,
    },
  ],
  clock: 1_700_000_000_000,
  offset_ms: 0,
  epoch: 'e1',
  head: 4,
  mark: null,
  backlog: 0,
  bound: null,
  signals: true,
  bcrypt_cost: 10,
  verifies: { phpass: true, wp_bcrypt: true },
  woocommerce: false,
  accounts: 3,
  warnings: [],
};
