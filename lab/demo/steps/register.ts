/** Somebody registers on Shop and exists on the others; the password is chosen by the mailed link. */
import { register } from '#lab/sign-in.ts';
import { has, signsIn } from '../claim.ts';
import type { Step } from '../stage.ts';
import { choosePassword } from '../visit.ts';
import { EMAIL, FIRST_PASSWORD, LOGIN } from './anna.ts';

export const registers: Step = {
  title: 'Anna registers on Shop, and is a person on every site',
  async play(stage) {
    const { site } = stage.at('Shop');
    const born = await stage.does('Shop', 'Anna sends WordPress’s own registration form', () =>
      register(site, LOGIN, EMAIL),
    );
    const there = has(LOGIN, { email: EMAIL, role: 'subscriber' });
    await Promise.all([stage.arrives('Blog', there, born), stage.arrives('Academy', there, born)]);

    const chosen = await stage.does('Shop', 'Anna chooses a password by the link in her mail', () =>
      choosePassword(site, EMAIL, FIRST_PASSWORD),
    );
    const claim = signsIn(LOGIN, FIRST_PASSWORD, 'anna signs in with it');
    await stage.arrives('Blog', claim, chosen);
  },
};
