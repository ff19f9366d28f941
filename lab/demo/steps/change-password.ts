/** A password changed on Shop signs in at the far end of the chain, and the old one does not. */
import { isTurnedAway, signsIn } from '../claim.ts';
import type { Step } from '../stage.ts';
import { enter, openProfile } from '../visit.ts';
import { FIRST_PASSWORD, LOGIN, SECOND_PASSWORD } from './anna.ts';

export const changesPassword: Step = {
  title: 'Anna changes her password on Shop, and signs in on Academy',
  async play(stage) {
    const visitor = await enter(stage.at('Shop').site, LOGIN, FIRST_PASSWORD);
    const profile = await openProfile(visitor);
    const changed = await stage.does('Shop', 'Anna saves a new password in her profile', () =>
      profile.save({ pass1: SECOND_PASSWORD, pass2: SECOND_PASSWORD }),
    );
    const fresh = signsIn(LOGIN, SECOND_PASSWORD, 'the new password signs in at wp-login.php');
    await stage.arrives('Academy', fresh, changed);
    const old = isTurnedAway(LOGIN, FIRST_PASSWORD, 'the old password is turned away');
    await stage.holds('Academy', old);
  },
};
