/**
 * The golden fixtures against the real connector, in order, on a fresh site.
 *
 * ROLLCALL_RECORD_FIXTURES=1 writes down what the connector answers instead; read the difference
 * before you commit it.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  FIXTURES_FOLDER,
  type Fixture,
  readFixtures,
  readSignalFixture,
} from '#contract/fixtures.ts';
import { ConnectAnswerSchema } from '#contract/messages.ts';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import { applicationPassword, ask, basic } from './connected-site.ts';
import { BEST_AND_OLDEST } from './engines.ts';

const RECORD = process.env['ROLLCALL_RECORD_FIXTURES'] !== undefined;

describe.each(BEST_AND_OLDEST)('$name', ({ options }) => {
  let site: Site;
  let credential = { user: '', password: '' };
  beforeAll(async () => {
    const connector = fileURLToPath(new URL('..', import.meta.url));
    site = await startSite({ ...options, name: 'fixtures', connector });
    await activatePlugin(site);
    await site.php(`wp_update_user( array( 'ID' => 1, 'user_email' => 'admin@fixtures.test' ) );`);
  });
  afterAll(async () => {
    await site?.stop();
  });

  const GIVEN = {
    'an edit': `wp_set_current_user( 1 ); wp_update_user( array( 'ID' => 3, 'description' => 'Edited here' ) ); Rollcall_Capture::settle_now();`,
    'a deletion': `wp_set_current_user( 1 ); require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user( 3 ); Rollcall_Capture::settle_now();`,
  } as const;

  /** Differs from site to site, from run to run; the contract's schemas look after its form. */
  const VOLATILE = new Set(
    'address at bcrypt_cost clock connector database entry epoch head home ip message name password php registered rest_url row signals store url wordpress'.split(
      ' ',
    ),
  );
  /** The site's own stamps are made now. */
  const isOwnStamp = (value: unknown): boolean =>
    Array.isArray(value) &&
    value.length === 2 &&
    value[1] === 7 &&
    Number(value[0]) > 1_700_000_100_000;

  function steady(value: unknown): unknown {
    if (isOwnStamp(value)) return ['now', 7];
    if (Array.isArray(value)) return value.map(steady);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        VOLATILE.has(key) && typeof inner !== 'object' ? typeof inner : steady(inner),
      ]),
    );
  }

  async function play(fixture: Fixture): Promise<{ status: number; body: unknown }> {
    if (fixture.given !== undefined) await site.php(GIVEN[fixture.given]);
    const headers =
      fixture.as === 'hub'
        ? basic(credential.user, credential.password)
        : basic(site.adminLogin, await applicationPassword(site, site.adminLogin));
    const answer = await ask(site, fixture.route, fixture.request, { headers });
    if (fixture.route === 'connect') credential = ConnectAnswerSchema.parse(answer.body).credential;
    return answer;
  }

  it.each(readFixtures())('$name: $about', async (fixture) => {
    const { status, body } = await play(fixture);
    if (RECORD) {
      const { name, ...rest } = fixture;
      const shown =
        fixture.route === 'connect'
          ? {
              ...ConnectAnswerSchema.parse(body),
              credential: { user: credential.user, password: 'abcdefghijklmnopqrstuvwx' },
            }
          : body;
      const text = JSON.stringify({ ...rest, status, answer: shown }, null, 2);
      writeFileSync(new URL(name, FIXTURES_FOLDER), `${text}\n`);
      return;
    }
    expect(status).toBe(fixture.status);
    expect(steady(body)).toEqual(steady(fixture.answer));
  });

  it('signal.json: the connector signs as the fixture says', async () => {
    const { secret, t, body, signature } = readSignalFixture();
    const made = await site.php(`echo Rollcall_Signal::signature( '${body}', '${secret}', ${t} );`);
    expect(made).toBe(signature);
  });
});
