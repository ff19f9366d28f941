/**
 * A lab site with the connector active and bound to a hub that is only this test, to capture and read on.
 *
 * Does: connect through the real route, speak the contract with the credential it got, parse every answer.
 * Does not: hide an error: an answer that is not as the contract says fails the test.
 */
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import type { AccountState } from '#contract/account-state.ts';
import {
  AccountsAnswerSchema,
  type ChangeRow,
  type ChangesAnswer,
  ChangesAnswerSchema,
  ConnectAnswerSchema,
  LabelsAnswerSchema,
  SettingsAnswerSchema,
  type StatusAnswer,
  StatusAnswerSchema,
} from '#contract/messages.ts';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { type Site, type SiteOptions, startSite } from '#lab/start-site.ts';

const HUB = { id: '0b7f5a52-3d0e-4b53-9d5c-5f2f6f2d8a10', term: 1 };
/** Site keys: the main site's, and a network's second site's. */
const KEYS = { '1': 11, '2': 12 };

export interface ReadSite {
  readonly site: Site;
  readonly serviceLogin: string;
  php(code: string): Promise<string>;
  changes(ask?: object): Promise<ChangesAnswer>;
  /** A page of states; `next` is left out. */
  accounts(ask?: object): Promise<AccountState[]>;
  page(ask: object): Promise<z.infer<typeof AccountsAnswerSchema>>;
  /** The state of one account, by its login. */
  account(login: string): Promise<AccountState>;
  /** One result per label. */
  labels(labels: object[]): Promise<string[]>;
  settings(change: object): Promise<void>;
  status(): Promise<StatusAnswer>;
  /** How many rows wait. */
  backlog(): Promise<number>;
  /** Reads and acknowledges everything that waits. */
  drain(): Promise<ChangeRow[]>;
}

export async function readSite(
  options: SiteOptions & { readonly watch?: readonly string[] },
): Promise<ReadSite> {
  const { watch = ['phone', 'billing_city'], ...rest } = options;
  const connector = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
  const site = await startSite({ connector, ...rest });
  await activatePlugin(site);
  if (site.multisite) await site.wp('site', 'create', '--slug=second');
  const password = await site.php(
    "list( $p ) = WP_Application_Passwords::create_new_application_password( 1, array( 'name' => 'connect' ) ); echo $p;",
  );
  const { credential } = await post(
    site,
    'connect',
    { user: site.adminLogin, password },
    {
      hub: { ...HUB, name: 'Test hub' },
      keys: site.multisite ? KEYS : { '1': KEYS['1'] },
      signal: null,
      meta: watch,
      revoke_caller: false,
    },
    ConnectAnswerSchema,
  );
  const ask = <T>(route: string, body: object, schema: z.ZodType<T>): Promise<T> =>
    post(site, route, credential, { hub: HUB, ...body }, schema);
  const changes = (more: object = {}) =>
    ask('changes', { ack: [], limit: 100, ...more }, ChangesAnswerSchema);
  const page = (more: object) =>
    ask('accounts', { after: 0, limit: 1000, detail: 'state', ...more }, AccountsAnswerSchema);
  const accounts = async (more: object = {}) => (await page(more)).accounts;
  const status = () => ask('status', {}, StatusAnswerSchema);
  return {
    site,
    serviceLogin: credential.user,
    php: (code) => site.php(code),
    changes,
    accounts,
    page,
    async account(login) {
      const [account] = await accounts({ logins: [login] });
      if (!account) throw new Error(`no account ${login}`);
      return account;
    },
    async labels(labels) {
      const { results } = await ask('labels', { labels }, LabelsAnswerSchema);
      return results.map(({ result }) => result);
    },
    async settings(change) {
      await ask('settings', change, SettingsAnswerSchema);
    },
    status,
    backlog: async () => (await status()).backlog,
    async drain() {
      const seen: ChangeRow[] = [];
      // What is found out while reading raises its row again, so one round may not be enough.
      for (let { rows } = await changes(); rows.length; ) {
        seen.push(...rows);
        ({ rows } = await changes({ ack: rows.map(({ row, rev }) => [row, rev]) }));
      }
      return seen;
    },
  };
}

async function post<T>(
  site: Site,
  route: string,
  credential: { user: string; password: string },
  body: object,
  schema: z.ZodType<T>,
): Promise<T> {
  const basic = Buffer.from(`${credential.user}:${credential.password}`).toString('base64');
  const response = await site.request(`/?rest_route=/rollcall/v1/${route}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Basic ${basic}` },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${route}: ${response.status} ${text}`);
  return schema.parse(JSON.parse(text));
}
