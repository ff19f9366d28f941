/**
 * Something that a step says is so on a site, and how to look whether it is.
 *
 * Always true: looking asks WordPress itself on that site, and changes nothing there.
 */
import { signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { type Account, accountOn } from './account-on.ts';

export interface Claim {
  /** As it is printed when it holds, and as what was expected when it does not. */
  readonly says: string;
  look(site: Site): Promise<Finding>;
}

export interface Finding {
  readonly holds: boolean;
  /** What is there instead. */
  readonly found: string;
}

type Shown = Exclude<keyof Account, 'id' | 'hash'>;
type Expected = Readonly<Partial<Record<Shown, string>>>;

const SHOWN: readonly (readonly [Shown, string])[] = [
  ['email', 'e-mail'],
  ['role', 'role'],
  ['firstName', 'first name'],
  ['lastName', 'last name'],
  ['website', 'website'],
  ['phone', 'phone'],
  ['about', 'about'],
];

function describe(values: Expected): string {
  const named = SHOWN.flatMap(([key, word]) => {
    const value = values[key];
    return value === undefined ? [] : [`${word} ${value === '' ? '(empty)' : value}`];
  });
  return named.join(', ');
}

/** The account is there and has these values; others don't matter. */
export function has(login: string, expected: Expected): Claim {
  return {
    says: `${login} has ${describe(expected)}`,
    async look(site) {
      const account = await accountOn(site, login);
      if (account === null) return { holds: false, found: `there is no ${login}` };
      const named = SHOWN.filter(([key]) => expected[key] !== undefined);
      const seen = Object.fromEntries(named.map(([key]) => [key, account[key]]));
      const holds = named.every(([key]) => account[key] === expected[key]);
      return { holds, found: `${login} has ${describe(seen)}` };
    },
  };
}

export function isGone(login: string): Claim {
  return {
    says: `${login} is gone`,
    async look(site) {
      const account = await accountOn(site, login);
      return { holds: account === null, found: `${login} is there, account ${account?.id ?? 0}` };
    },
  };
}

/** Through wp-login.php. */
export function signsIn(login: string, password: string, says: string): Claim {
  return {
    says,
    async look(site) {
      const { ok, message } = await signIn(site, login, password);
      return { holds: ok, found: `wp-login.php says: ${message}` };
    },
  };
}

export function isTurnedAway(login: string, password: string, says: string): Claim {
  return {
    says,
    async look(site) {
      const { ok } = await signIn(site, login, password);
      return { holds: !ok, found: 'it still signs in' };
    },
  };
}
