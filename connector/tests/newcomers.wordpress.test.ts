/** Accounts that came about past every hook, and which of them are told of. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BEST_AND_OLDEST } from './engines.ts';
import { type ReadSite, readSite } from './read-site.ts';

describe.each(BEST_AND_OLDEST)('$name', ({ options }) => {
  let home: ReadSite;

  beforeAll(async () => {
    home = await readSite({ name: 'newcomers', ...options });
  });
  afterAll(() => home?.site.stop());

  /** As a restore or an import by SQL makes accounts: no hook hears of it. */
  const bySql = (login: string) =>
    home.php(
      `$GLOBALS['wpdb']->insert( $GLOBALS['wpdb']->users, array( 'user_login' => '${login}', 'user_pass' => 'x', 'user_nicename' => '${login}', 'user_email' => '${login}@people.test', 'user_registered' => '2026-01-02 03:04:05', 'display_name' => 'By SQL' ) ); echo $GLOBALS['wpdb']->insert_id;`,
    );
  /** Twice: a minute may be running for those before. */
  async function aMinuteLater() {
    for (let minute = 0; minute < 2; minute += 1) {
      await home.changes();
      await home.php(
        `$fact = json_decode( Rollcall_Facts::get( 'newcomers' ), true ); $fact['since'] -= 61000; Rollcall_Facts::set( 'newcomers', wp_json_encode( $fact ) );`,
      );
    }
    return home.drain();
  }

  it('who was there before the site was connected is no newcomer', async () => {
    expect(await aMinuteLater()).toEqual([]);
  });

  it('T126: a password set on an account that nobody has read goes out with the account', async () => {
    const id = Number(await bySql('unread'));
    // WordPress 6.1 tells of it by nothing but a cleaned cache.
    await home.php(`wp_set_password( 'brand new', ${id} );`);
    const rows = await aMinuteLater();
    expect(rows).toMatchObject([{ account: { login: 'unread' } }]);
    const { account } = rows[0] ?? {};
    expect(account?.born[0]).toBeGreaterThan(0);
    expect(account?.fields?.['password']?.s).toEqual(account?.born);
    expect(account?.fields?.['password']?.v).toBe(
      await home.php(`echo get_userdata( ${id} )->user_pass;`),
    );
    expect(await aMinuteLater()).toEqual([]);
  });

  it('who is being made at that moment is left to the request that makes them', async () => {
    const id = Number(await bySql('in-the-making'));
    await home.changes();
    await home.php(
      `Rollcall_Outbox::open( ${id}, 'create' ); $GLOBALS['wpdb']->query( "UPDATE " . Rollcall_Tables::outbox() . " SET opened_ms = opened_ms" );`,
    );
    expect(await aMinuteLater()).toEqual([]);
    expect(await home.backlog()).toBe(1);
    await home.php(
      `Rollcall_Capture::open( ${id}, array(), true ); update_user_meta( ${id}, 'first_name', 'Whole' );`,
    );
    expect(await home.drain()).toMatchObject([
      { kind: 'create', account: { fields: { first_name: { v: 'Whole' } } } },
    ]);
  });

  it('too many at once are held, and told of in the status', async () => {
    for (let index = 0; index < 8; index += 1) await bySql(`many${index}`);
    expect(await aMinuteLater()).toEqual([]);
    const { warnings } = await home.status();
    expect(warnings.map(({ code }) => code)).toContain('source.rewritten_outside');
  });
});
