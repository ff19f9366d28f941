/**
 * Golden fixtures of the routes below `network/`: one history on a fresh network, in order. Each answer is what a real
 * connector gave (network-conformance.wordpress.test.ts proves it on every run).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { FIXTURES_FOLDER } from './fixtures.ts';
import { NETWORK_ROUTES } from './network-messages.ts';

export type NetworkRoute = keyof typeof NETWORK_ROUTES;
const isRoute = (name: string): name is NetworkRoute => Object.hasOwn(NETWORK_ROUTES, name);

const FixtureSchema = z.object({
  about: z.string(),
  route: z.string().refine(isRoute),
  request: z.unknown(),
  status: z.int(),
  answer: z.unknown(),
});
export type NetworkFixture = z.infer<typeof FixtureSchema> & { readonly name: string };

export const readNetworkFixtures = (): readonly NetworkFixture[] =>
  readdirSync(FIXTURES_FOLDER)
    .filter((name) => /^network-\d\d-.+\.json$/u.test(name))
    .sort()
    .map((name) => ({
      name,
      ...FixtureSchema.parse(JSON.parse(readFileSync(new URL(name, FIXTURES_FOLDER), 'utf8'))),
    }));
