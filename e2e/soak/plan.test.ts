import { expect, test } from 'vitest';
import { reachOf } from './graph.ts';
import { planSoak } from './plan.ts';

const OPTIONS = { seed: 7, minutes: 10, sites: 5 };
const plan = planSoak(OPTIONS);
const rounds = [...plan.rough, ...plan.calm];
const people = rounds.flatMap((round) => round.people);

test('the same seed gives the same deeds, faults and kills; another seed gives others', () => {
  expect(planSoak(OPTIONS)).toEqual(plan);
  expect(planSoak({ ...OPTIONS, seed: 8 }).rough).not.toEqual(plan.rough);
});

test('everybody does everything, and everything goes wrong', () => {
  const kinds = new Set(people.map(({ deed }) => deed.kind));
  expect([...kinds].toSorted()).toEqual(['edit', 'password', 'register', 'remove', 'role']);
  expect(people.some(({ deed }) => deed.kind === 'edit' && deed.killed === true)).toBe(true);
  expect(new Set(people.map(({ site }) => site))).toEqual(new Set(plan.names));
  expect(new Set(plan.rough.flatMap(({ fault }) => fault?.name ?? [])).size).toBe(8);
  expect(plan.rough.filter(({ kill }) => kill).length).toBeGreaterThan(20);
  expect(plan.calm.some(({ kill, fault }) => kill || fault !== null)).toBe(false);
});

test('no two edits carry the same value, and nobody is edited once removed', () => {
  const values = people.flatMap(({ deed }) => (deed.kind === 'edit' ? deed.value : []));
  expect(new Set(values).size).toBe(values.length);
  const removed = new Set<string>();
  for (const { deed } of people) {
    expect(removed).not.toContain(deed.login);
    if (deed.kind === 'remove') removed.add(deed.login);
  }
});

test('however long it lasts, no more are removed than go without a person', () => {
  const long = planSoak({ ...OPTIONS, minutes: 240 });
  const removed = [...long.rough, ...long.calm].flatMap((round) =>
    round.people.filter(({ deed }) => deed.kind === 'remove'),
  );
  expect(removed.length).toBeLessThan(100);
});

test('every graph hangs together, with ways both ways and one way', () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const { edges, names } = planSoak({ seed, minutes: 0.1, sites: 5 });
    const both = edges.map((edge) => ({ ...edge, both: true }));
    expect(reachOf(both, names[0] ?? '').size).toBe(names.length);
    expect(new Set(edges.map((edge) => edge.both))).toEqual(new Set([true, false]));
  }
});
