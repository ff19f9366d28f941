/** An edit on Blog goes back to Shop, and on to Academy, which only ever hears of Blog. */
import { has } from '../claim.ts';
import type { Step } from '../stage.ts';
import { enter, openProfile } from '../visit.ts';
import { FIRST_PASSWORD, LOGIN } from './anna.ts';

export const editsProfile: Step = {
  title: 'Anna edits her profile on Blog',
  async play(stage) {
    const visitor = await enter(stage.at('Blog').site, LOGIN, FIRST_PASSWORD);
    const profile = await openProfile(visitor);
    const edited = await stage.does('Blog', 'Anna saves her profile: last name, website', () =>
      profile.save({ last_name: 'Lind', url: 'https://anna.test' }),
    );
    const claim = has(LOGIN, { lastName: 'Lind', website: 'https://anna.test' });
    await Promise.all([
      stage.arrives('Shop', claim, edited),
      stage.arrives('Academy', claim, edited),
    ]);
  },
};
