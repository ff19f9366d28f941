/** Passwords travel as hashes, and sign in on every version of WordPress that they come to. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ConnectedSite,
  fields,
  GOOD_HASH,
  GOOD_PASSWORD,
  past,
  resultsOf,
  signsIn,
  startConnectedSite,
  write,
} from './connected-site.ts';
import { BEST_AND_OLDEST } from './engines.ts';

describe.each(BEST_AND_OLDEST)('$name', (engine) => {
  let hub: ConnectedSite;
  beforeAll(async () => {
    hub = await startConnectedSite('passwords', engine);
  });
  afterAll(async () => {
    await hub?.stop();
  });
  const php = (code: string): Promise<string> => hub.site.php(code);

  describe('a password', () => {
    it('T505: is stored as the hash that it is, and only if it signs in here, in a bearable time', async () => {
      const { uid, ...operation } = write();
      const { id = 0, login = '' } = await hub.one({ uid, ...operation });
      const bcrypt = (
        await php(`echo password_hash( 'plain bcrypt', PASSWORD_BCRYPT, array( 'cost' => 4 ) );`)
      ).trim();
      const phpass = '$P$ASvogy9FJ/Rn7niZpJFdmGzCOl1ALQ/';
      let seconds = 40;
      for (const [hash, plain] of [
        [GOOD_HASH, GOOD_PASSWORD],
        [bcrypt, 'plain bcrypt'],
        [phpass, GOOD_PASSWORD],
      ] as const) {
        seconds -= 1;
        const receipt = await hub.one(
          write({ uid, id, create: null, fields: fields({ password: hash }, past(seconds)) }),
        );
        expect(resultsOf(receipt)).toEqual({ password: 'applied' });
        expect((await hub.account(id)).fields?.['password']?.v).toBe(hash);
        expect(await signsIn(hub.site, login, plain)).toBe('yes');
        expect(await signsIn(hub.site, login, 'something else')).toBe('no');
      }
      for (const hash of [
        'plaintext',
        '',
        '$argon2id$v=19$m=65536,t=4,p=1$c29tZXNhbHQ$aGFzaA',
        `${GOOD_HASH}x`,
        `${GOOD_HASH}\n`,
        // Well formed, and at 2^31 rounds one attempt to sign in would last for a day.
        `$wp$2y$31$${'a'.repeat(53)}`,
        `$2y$16$${'a'.repeat(53)}`,
        `$P$S${'a'.repeat(30)}`,
        '5f4dcc3b5aa765d61d8327deb882cf99',
      ]) {
        const receipt = await hub.one(
          write({ uid, id, create: null, fields: fields({ password: hash }, past(1)) }),
        );
        expect(receipt).toMatchObject({ result: 'refused', reason: 'password.unverifiable' });
      }
    });
  });

  describe('signing in with a hash from a newer WordPress', () => {
    it('weakens nothing: whoever says no afterwards is heard, and other hashes stay other hashes', async () => {
      const verdicts = JSON.parse(
        await php(`
        $hash = '$wp$2y$04$WtuXNvJs3rOLsuKJTKIyxOilHAqih5s6E/CK26CRZi3gFYke.a4vu';
        $out = array( 'right' => wp_check_password( 'rollcall-trial', $hash ), 'wrong' => wp_check_password( 'x', $hash ), 'empty' => wp_check_password( '', '' ),
          'cut' => wp_check_password( 'rollcall-trial', substr( $hash, 0, 40 ) ), 'long' => wp_check_password( str_repeat( 'x', 5000 ), $hash ) );
        add_filter( 'check_password', '__return_false' );
        $out['vetoed'] = wp_check_password( 'rollcall-trial', $hash );
        echo wp_json_encode( $out );`),
      );
      expect(verdicts).toEqual({
        right: true,
        wrong: false,
        empty: expect.anything(),
        cut: false,
        long: false,
        vetoed: false,
      });
    });
  });
});
