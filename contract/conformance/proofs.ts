/**
 * Conformance: halves of proofs, from being asked for to being forgotten.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { LONGEST_PROOF_MS, type ProofOrder } from '#contract/messages.ts';
import { edit, NOBODY, stamped, write } from './operations.ts';
import type { Rehearsal } from './rehearsal.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const SALT = '5a'.repeat(32);

type Ask = Exclude<ProofOrder, { cancel: true }>;

export function describeProofs(at: () => Rehearsal): void {
  const ask = (who: { id: number; login: string }, change: Partial<Ask> = {}): Ask => ({
    id: who.id,
    login: who.login,
    half: randomUUID(),
    kind: 'mail',
    other: { site: 'There', url: 'https://there.test', registered: '2020-01-02 03:04:05' },
    salt: null,
    ends_ms: Date.now() + DAY_MS,
    ...change,
  });
  const password = { kind: 'password', salt: SALT } as const;
  const send = async (...orders: readonly ProofOrder[]) => {
    const results = await at().site.port.proofs(at().site.connection, orders);
    expect(results.map(({ id, half }) => [id, half])).toEqual(
      orders.map(({ id, half }) => [id, half]),
    );
    return results.map(({ result, reason }) => reason ?? result);
  };
  const forget = ({ id, half }: Ask): ProofOrder => ({ id, half, cancel: true });

  describe('a proof', () => {
    it('by mail is asked once, told of once its person has confirmed, stamps nothing, and is forgotten', async () => {
      const { id, login } = await at().member();
      const [one, other] = [ask({ id, login }), ask({ id, login }, password)];
      const mails = await at().site.mails();
      expect(await send(one, other, one)).toEqual(['asked', 'asked', 'already']);
      expect(await at().site.mails()).toBe(mails + at().site.mailsPerLink);
      const before = await at().state(id);
      expect(before.proofs).toBeUndefined();
      expect(await at().rowsOf(login)).toEqual([]);
      await at().people({ do: 'confirm', login });
      const { kind, account } = await at().rowOf(login);
      expect([kind, account]).toEqual(['update', { ...before, proofs: [{ half: one.half }] }]);
      expect(await send(one, forget(one), forget(one), forget(other))).toEqual([
        'already',
        'cancelled',
        'cancelled',
        'cancelled',
      ]);
      expect(await at().state(id)).toEqual(before);
    });

    it('by password comes with a verifier: the same for one salt and password, and the first stays', async () => {
      const people = [await at().member(), await at().member(), await at().member()] as const;
      const [here, there, wrong] = people;
      await at().people(
        edit(here.login, { password: 'Open sesame' }),
        edit(there.login, { password: 'Open sesame' }),
        edit(wrong.login, { password: 'Open barley' }),
      );
      expect(await send(...people.map((who) => ask(who, password)))).toEqual([
        'asked',
        'asked',
        'asked',
      ]);
      const verifiers = async () =>
        (await at().states(...people.map(({ id }) => id))).map(
          ({ proofs }) => proofs?.[0]?.verifier,
        );
      expect(await verifiers()).toEqual([undefined, undefined, undefined]);
      await at().people(
        { do: 'sign in', login: here.login, password: 'Open sesame' },
        { do: 'sign in', login: there.login, password: 'Open sesame' },
        { do: 'sign in', login: wrong.login, password: 'Open barley' },
        edit(here.login, { password: 'Another by now' }),
        { do: 'sign in', login: here.login, password: 'Another by now' },
      );
      const [a = '', b, c] = await verifiers();
      expect(a).toMatch(/^\S{40,255}$/u);
      expect(a).not.toContain('sesame');
      expect([b, c === a]).toEqual([a, false]);
    });

    it('by mail ends with a change of the address or the password, also one from elsewhere', async () => {
      const people = [await at().member(), await at().member(), await at().member()] as const;
      const [mover, changer, guest] = people;
      await send(...people.map((who) => ask(who)));
      await at().people({ do: 'confirm', login: mover.login });
      expect((await at().state(mover.id)).proofs).toHaveLength(1);
      await at().people(
        edit(mover.login, { email: `${mover.login}@moved.test` }),
        edit(changer.login, { password: 'Something new' }),
      );
      const coming = stamped({ email: `${guest.login}@moved.test` }, Date.now() + 2_000);
      await at().receipt(write(guest, coming));
      await at().people(
        ...[changer, guest].map(({ login }) => ({ do: 'confirm', login }) as const),
      );
      const states = await at().states(...people.map(({ id }) => id));
      expect(states.map(({ proofs }) => proofs)).toEqual([undefined, undefined, undefined]);
    });

    it('is refused where the account is another, nobody, or can administer the site, and for too long', async () => {
      const who = await at().member();
      const mails = await at().site.mails();
      expect(
        await send(
          ask(await at().administrator()),
          ask(await at().administrator(), password),
          ask({ id: NOBODY, login: who.login }),
          ask({ id: who.id, login: 'somebody-else' }),
          ask(who, { ends_ms: Date.now() - 60_000 }),
          ask(who, { ends_ms: Date.now() + LONGEST_PROOF_MS + DAY_MS }),
        ),
      ).toEqual([
        'target.privileged_account',
        'target.privileged_account',
        'target.account_missing',
        'identity.label_mismatch',
        'request.invalid',
        'request.invalid',
      ]);
      expect(await at().site.mails()).toBe(mails);
    });
  });
}
