/** A delete on Shop ends the account on the others, and nobody else's. */
import { accountOn } from '../account-on.ts';
import { type Claim, isGone } from '../claim.ts';
import type { Stage, Step } from '../stage.ts';
import { deleteInAdmin, enterAsAdmin } from '../visit.ts';
import { LOGIN } from './anna.ts';

const OTHERS = ['Blog', 'Academy'] as const;

export const deletesAccount: Step = {
  title: 'Shop’s administrator deletes Anna’s account',
  async play(stage) {
    const { site } = stage.at('Shop');
    const administrators = await Promise.all(OTHERS.map((title) => untouched(stage, title)));
    const admin = await enterAsAdmin(site);
    const gone = await stage.does('Shop', 'the administrator deletes it under Users', async () => {
      const account = await accountOn(site, LOGIN);
      if (account === null) return { ok: false, message: `there is no ${LOGIN}` };
      return deleteInAdmin(admin, account.id);
    });
    await Promise.all(OTHERS.map((title) => stage.arrives(title, isGone(LOGIN), gone)));
    for (const [index, title] of OTHERS.entries()) {
      const claim = administrators[index];
      if (claim !== undefined) await stage.holds(title, claim);
    }
  },
};

/** The administrator is, to the last letter, who they are now. */
async function untouched(stage: Stage, title: (typeof OTHERS)[number]): Promise<Claim> {
  const { site } = stage.at(title);
  const before = JSON.stringify(await accountOn(site, site.adminLogin));
  return {
    says: 'its administrator is untouched',
    async look() {
      const now = await accountOn(site, site.adminLogin);
      const found = now === null ? 'no administrator' : 'the administrator’s account has changed';
      return { holds: JSON.stringify(now) === before, found };
    },
  };
}
