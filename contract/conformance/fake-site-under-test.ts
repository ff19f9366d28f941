/**
 * The site in memory, as the conformance suite wants it.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  type Field,
  isMeta,
  isRole,
  metaKeyOf,
  roleField,
  roleOf,
  textOf,
} from '#hub/model/field.ts';
import { installationId } from '#hub/model/ids.ts';
import { FakeSite } from '#hub/sync/test/fake-site.ts';
import { type Act, PATTERN, type Present, type SiteUnderTest } from './site-under-test.ts';

const ELDERS = ['elder-1', 'elder-2'];

export function fakeSiteUnderTest(Site: typeof FakeSite = FakeSite): SiteUnderTest {
  const meta = ['phone', 'tags'] as const;
  const fake = new Site({
    key: 7,
    name: 'fake',
    now: () => Date.now(),
    meta: Site === FakeSite ? [...meta, PATTERN] : meta,
  });
  for (const login of ELDERS) fake.settle({ login, email: `${login}@people.test` });
  fake.settle({ login: 'admin', email: 'admin@people.test', role: 'administrator' });
  return {
    port: fake,
    connection: {
      installation: installationId(randomUUID()),
      restUrl: 'https://fake.test/wp-json/',
      publicOnly: true,
      credential: { user: 'hub', password: 'secret' },
      hub: { id: randomUUID(), term: 1 },
    },
    key: fake.key,
    meta,
    elders: ELDERS,
    administrator: 'admin',
    people: async (acts) => {
      for (const act of acts) play(fake, act);
      return new Map([...fake.accountsById.values()].map(({ id, login }) => [login, id]));
    },
    read: async (logins) =>
      new Map(
        logins.flatMap((login) => {
          const present = presentOf(fake, login);
          return present === null ? [] : [[login, present] as const];
        }),
      ),
    mailsPerLink: 0,
    mails: async () => 0,
    stop: async () => {},
  };
}

/** Well formed as phpass makes them, and never twice the same for two passwords. */
const hashOf = (password: string): string =>
  `$P$B${createHash('sha256').update(password).digest('hex').slice(0, 30)}`;

function play(fake: FakeSite, act: Act): void {
  if (act.do === 'register') {
    fake.register(act);
    return;
  }
  const account = fake.byLogin(act.login);
  if (account === undefined) throw new Error(`nobody is called ${act.login}`);
  const { id } = account;
  switch (act.do) {
    case 'edit': {
      const { password, ...changes } = act.changes;
      const hash = password === undefined ? {} : { password: hashOf(password) };
      fake.edit(id, { ...changes, ...hash });
      return;
    }
    case 'meta':
      if (fake.watches(act.key)) fake.edit(id, { [`meta:${act.key}`]: act.rows });
      return;
    case 'role':
      fake.edit(id, { [roleField(act.role)]: act.has });
      return;
    case 'remove':
      fake.remove(id);
      return;
    case 'publish':
      account.hasContent = true;
      return;
    case 'confirm':
      fake.confirmMailed(id);
      return;
    case 'sign in':
      fake.signIn(id, act.password);
      return;
    case 'reject incoming':
      fake.rejectIncoming(id);
      return;
    case 'consent':
      fake.guarding.consents = act.roles;
      return;
    case 'open guard':
      fake.guarding.open(act.urls);
  }
}

function presentOf(fake: FakeSite, login: string): Present | null {
  const account = fake.byLogin(login);
  if (account === undefined) return null;
  const entries = [...account.fields].map(([field, { value }]) => [field, value] as const);
  const named = (wanted: (field: Field) => boolean) => entries.filter(([field]) => wanted(field));
  const plain = named((field) => !isMeta(field) && !isRole(field));
  return {
    id: account.id,
    fields: Object.fromEntries(plain.map(([field, value]) => [field, textOf(value)])),
    meta: Object.fromEntries(
      named(isMeta).map(([field, value]) => [metaKeyOf(field), Array.isArray(value) ? value : []]),
    ),
    roles: named(isRole)
      .filter(([, value]) => value === true)
      .map(([field]) => roleOf(field)),
  };
}
