/** A harmless role travels. One that gives power over a site does not, and the log says why. */
import type { Site } from '#lab/start-site.ts';
import type { Visitor } from '#lab/visitor.ts';
import { accountOn } from '../account-on.ts';
import { has } from '../claim.ts';
import type { Stage, Step } from '../stage.ts';
import { enterAsAdmin, openProfile } from '../visit.ts';
import { LOGIN } from './anna.ts';

export const changesRole: Step = {
  title: 'Shop’s administrator changes Anna’s role',
  async play(stage) {
    const { site } = stage.at('Shop');
    const admin = await enterAsAdmin(site);
    const contributor = has(LOGIN, { role: 'contributor' });
    const made = await stage.does('Shop', 'the administrator makes her a contributor', () =>
      saveRole(site, admin, 'contributor'),
    );
    await Promise.all([
      stage.arrives('Blog', contributor, made),
      stage.arrives('Academy', contributor, made),
    ]);
    await refuseEditor(stage, site, admin);
    await travelsAgain(stage, site, admin);
  },
};

/** The refusal is a row of the Sync Log, and WordPress on Blog knows nothing of it. */
async function refuseEditor(stage: Stage, site: Site, admin: Visitor): Promise<void> {
  const made = await stage.does('Shop', 'the administrator makes her an editor', () =>
    saveRole(site, admin, 'editor'),
  );
  await stage.logged(
    (row) => row.target === 'Blog' && row.reason === 'account.privileged',
    (row) => `${row.status}, ${row.reason ?? ''}: ${row.message ?? ''}`,
    made,
  );
  await stage.holds('Blog', has(LOGIN, { role: 'contributor' }));
}

/** What she lost while she was an editor is told now, too: she is no contributor any more, anywhere. */
async function travelsAgain(stage: Stage, site: Site, admin: Visitor): Promise<void> {
  const subscriber = has(LOGIN, { role: 'subscriber' });
  const made = await stage.does('Shop', 'the administrator makes her a subscriber', () =>
    saveRole(site, admin, 'subscriber'),
  );
  await Promise.all([
    stage.arrives('Blog', subscriber, made),
    stage.arrives('Academy', subscriber, made),
  ]);
}

async function saveRole(site: Site, admin: Visitor, role: string) {
  const account = await accountOn(site, LOGIN);
  if (account === null) return { ok: false, message: `there is no ${LOGIN}` };
  return (await openProfile(admin, account.id)).save({ role });
}
