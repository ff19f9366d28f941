/** Two edits of different fields at one moment on two sites: both survive everywhere. */
import { has } from '../claim.ts';
import type { Step } from '../stage.ts';
import { enter, openProfile } from '../visit.ts';
import { FIRST_PASSWORD, LOGIN } from './anna.ts';

export const editsBoth: Step = {
  title: 'Two edits at the same moment, on two sites: both survive',
  async play(stage) {
    // Both forms are open before either is saved, as with two people at two screens.
    const [onShop, onBlog] = await Promise.all(
      (['Shop', 'Blog'] as const).map(async (title) =>
        openProfile(await enter(stage.at(title).site, LOGIN, FIRST_PASSWORD)),
      ),
    );
    if (onShop === undefined || onBlog === undefined) throw new Error('two forms were opened');
    const about = 'Knits';
    const [shopDone, blogDone] = await Promise.all([
      stage.does('Shop', 'saves her first name', () => onShop.save({ first_name: 'Maria' })),
      stage.does('Blog', 'saves her phone and biography', () =>
        onBlog.save({ phone: '555-0100', description: about }),
      ),
    ]);
    const both = has(LOGIN, { firstName: 'Maria', phone: '555-0100', about });
    const since = shopDone.ms > blogDone.ms ? shopDone : blogDone;
    await Promise.all(
      (['Shop', 'Blog', 'Academy'] as const).map((title) => stage.arrives(title, both, since)),
    );
  },
};
