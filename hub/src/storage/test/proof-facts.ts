/** Conformance: proofs of links, of which each account confirms its own half. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { wordPressId } from '../../model/ids.ts';
import type { NewProof, Proof } from '../../model/proof.ts';
import { addPlace, type Place, type World } from './world.ts';

const verifier = (letter: string): string => `$2y$12$${letter.repeat(53)}`;

export function proofFacts(world: () => World): void {
  const proofs = () => world().storage.proofs;
  const end = (id: string, ended: string) =>
    world().storage.store.transaction((tx) => tx.endProof(id, ended));

  async function proofOf(
    change: Partial<NewProof> = {},
  ): Promise<{ proof: NewProof; one: Place; two: Place }> {
    const [one, two] = [await addPlace(world().storage), await addPlace(world().storage)];
    const half = ({ installation, site }: Place, wpId: number, login: string) => {
      const registered = '2024-05-06 07:08:09';
      return { installation, site, wpId: wordPressId(wpId), login, registered, half: randomUUID() };
    };
    const endsMs = (await world().storage.store.nowMs()) + 60_000;
    const proof: NewProof = {
      id: randomUUID(),
      kind: 'mail',
      startedBy: 'ann',
      endsMs,
      salt: null,
      halves: [half(one, 7, 'lisa'), half(two, 9, 'old-lisa')],
      ...change,
    };
    return { proof, one, two };
  }

  const confirmed = async (id: string): Promise<(boolean | string)[]> =>
    ((await proofs().find(id))?.halves ?? []).map(
      ({ confirmedMs, verifier: told }) => told ?? confirmedMs !== null,
    );

  test('a proof comes back as it was opened, and is open once for a pair', async () => {
    const { proof } = await proofOf();
    const opened = await proofs().open(proof);
    expect(opened).toMatchObject({ ...proof, ended: null });
    expect(opened.halves[0]).toMatchObject({ asked: false, confirmedMs: null, forgotten: false });
    const [one, two] = proof.halves;
    const again = { ...proof, id: randomUUID(), halves: [two, one] as const };
    expect((await proofs().open(again)).id).toBe(proof.id);
    expect(await proofs().find('no id')).toBeNull();
    // One of another kind is another question, and so is one after the end of the first.
    const fresh = (half: (typeof proof.halves)[0]) => ({ ...half, half: randomUUID() });
    const others = { ...again, halves: [fresh(two), fresh(one)] as const };
    const salted = { ...others, kind: 'password' as const, salt: 'ab'.repeat(32) };
    expect(await proofs().open(salted)).toMatchObject({ id: again.id, salt: salted.salt });
    expect(await end(proof.id, 'proof.withdrawn')).toBe(true);
    const third = { ...again, id: randomUUID(), halves: [fresh(one), fresh(two)] as const };
    expect((await proofs().open(third)).id).toBe(third.id);
  });

  test('a half counts for its own account on its own installation alone', async () => {
    const { proof, one, two } = await proofOf();
    await proofs().open(proof);
    const [mine, theirs] = proof.halves;
    const confirm = (place: Place, wpId: number, half: string) =>
      proofs().confirm(place.installation, [{ wpId, half }]);
    expect(await confirm(one, 7, theirs.half)).toBe(0);
    expect(await confirm(one, 9, theirs.half)).toBe(0);
    expect(await confirm(one, 8, mine.half)).toBe(0);
    expect(await confirm(one, 7, randomUUID())).toBe(0);
    expect(await confirm(one, 7, "x'; --")).toBe(0);
    expect(await confirmed(proof.id)).toEqual([false, false]);
    expect(await confirm(one, 7, mine.half)).toBe(1);
    expect(await confirm(one, 7, mine.half)).toBe(0);
    expect(await confirmed(proof.id)).toEqual([true, false]);
    expect(await confirm(two, 9, theirs.half)).toBe(1);
  });

  test('of passwords the first verifier counts, and none that no hash is', async () => {
    const { proof, one, two } = await proofOf({ kind: 'password', salt: 'ab'.repeat(32) });
    await proofs().open(proof);
    const tell = (place: Place, side: 0 | 1, told?: string) => {
      const { wpId, half } = proof.halves[side];
      const said = { wpId, half, ...(told === undefined ? {} : { verifier: told }) };
      return proofs().confirm(place.installation, [said]);
    };
    // What crypt() says when it can't: for every password the same.
    expect([await tell(one, 0), await tell(one, 0, '*0'), await tell(two, 1, '*0')]).toEqual([
      0, 0, 0,
    ]);
    expect(await tell(one, 0, verifier('a'))).toBe(1);
    expect(await tell(one, 0, verifier('b'))).toBe(0);
    expect(await confirmed(proof.id)).toEqual([verifier('a'), false]);
    const { rows } = await sql<{ verifier: string }>`select verifier from proof_halves
      where proof = ${proof.id} and verifier is not null`.execute(world().storage.database.kysely);
    expect(rows[0]?.verifier).toMatch(/^v1\./u);
    expect(await end(proof.id, 'proof.passwords_differ')).toBe(true);
    expect(await confirmed(proof.id)).toEqual([true, false]);
  });

  test('what ended, or whose time is over, is confirmed by nobody and ends once', async () => {
    const { proof, one } = await proofOf();
    await proofs().open(proof);
    expect(await end(proof.id, 'proof.withdrawn')).toBe(true);
    expect(await end(proof.id, 'proven')).toBe(false);
    const [mine] = proof.halves;
    const said = [{ wpId: 7, half: mine.half }];
    expect(await proofs().confirm(one.installation, said)).toBe(0);
    expect((await proofs().find(proof.id))?.ended).toBe('proof.withdrawn');

    const late = await proofOf({ endsMs: (await world().storage.store.nowMs()) - 1 });
    await proofs().open(late.proof);
    const [half] = late.proof.halves;
    expect(await proofs().confirm(late.one.installation, [{ wpId: 7, half: half.half }])).toBe(0);
  });

  test('an installation is concerned until it has forgotten its half, or the time is over', async () => {
    const { proof, one, two } = await proofOf();
    await proofs().open(proof);
    const ids = async (place: Place): Promise<Proof['id'][]> =>
      (await proofs().concerning(place.installation)).map(({ id }) => id);
    await proofs().noteAsked(proof.halves[0].half);
    expect((await proofs().find(proof.id))?.halves.map(({ asked }) => asked)).toEqual([
      true,
      false,
    ]);
    await end(proof.id, 'proof.withdrawn');
    expect([await ids(one), await ids(two)]).toEqual([[proof.id], [proof.id]]);
    await proofs().noteForgotten(proof.halves[0].half);
    expect([await ids(one), await ids(two)]).toEqual([[], [proof.id]]);
  });

  test('a site that is removed ends what is open there', async () => {
    const { proof, one, two } = await proofOf();
    await proofs().open(proof);
    await world().storage.registry.removeInstallation(one.installation);
    expect((await proofs().find(proof.id))?.ended).toBe('site.removed');
    expect(await proofs().concerning(one.installation)).toEqual([]);
    expect(await proofs().concerning(two.installation)).toHaveLength(1);
  });
}
