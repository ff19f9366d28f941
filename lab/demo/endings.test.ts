import { expect, test } from 'vitest';
import { createEndings } from './endings.ts';

test('the last thing begun ends first, and nothing ends twice', async () => {
  const ended: string[] = [];
  const endings = createEndings();
  for (const name of ['site', 'hub']) {
    await endings.begin(
      async () => name,
      async (started) => ended.push(started),
    );
  }
  await endings.run();
  await endings.run();
  expect(ended).toEqual(['hub', 'site']);
});

test('what is still starting is ended once it has started, and nothing begins after that', async () => {
  const ended: string[] = [];
  const endings = createEndings();
  let started = (_name: string): void => {};
  const end = async (name: string) => ended.push(name);
  const starting = endings.begin(() => new Promise<string>((resolve) => (started = resolve)), end);
  const running = endings.run();
  await expect(endings.begin(async () => 'late', end)).rejects.toThrow('told to end');
  expect(ended).toEqual([]);
  started('slow');
  await Promise.all([starting, running]);
  expect(ended).toEqual(['slow']);
});

test('a failing end keeps no other from ending, and what never started needs none', async () => {
  const ended: string[] = [];
  const endings = createEndings();
  endings.add(async () => ended.push('first'));
  endings.add(async () => {
    throw new Error('stuck');
  });
  const failing = endings.begin(
    async () => {
      throw new Error('no such program');
    },
    async () => ended.push('never'),
  );
  await expect(failing).rejects.toThrow('no such program');
  await expect(endings.run()).rejects.toThrow('stuck');
  expect(ended).toEqual(['first']);
});
