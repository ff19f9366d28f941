/**
 * Golden fixtures: requests and answers that hub and connector must both accept.
 *
 * Does: read contract/fixtures; say which schemas a route has.
 * Always true: the numbered fixtures are one history on a fresh site, in order; each answer is what
 * a real connector gave (connector/tests/fixtures.wordpress.test.ts proves it on every run).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import {
  AccountsAnswerSchema,
  AccountsRequestSchema,
  ApplyAnswerSchema,
  ApplyRequestSchema,
  ChangesAnswerSchema,
  ChangesRequestSchema,
  ConnectAnswerSchema,
  ConnectRequestSchema,
  CredentialAnswerSchema,
  CredentialRequestSchema,
  DigestsAnswerSchema,
  DigestsRequestSchema,
  DisconnectAnswerSchema,
  DisconnectRequestSchema,
  EraseAnswerSchema,
  EraseRequestSchema,
  GuardAnswerSchema,
  GuardRequestSchema,
  LabelsAnswerSchema,
  LabelsRequestSchema,
  OutsideAnswerSchema,
  OutsideRequestSchema,
  ProofsAnswerSchema,
  ProofsRequestSchema,
  SettingsAnswerSchema,
  SettingsRequestSchema,
  StampAnswerSchema,
  StampRequestSchema,
  StatusAnswerSchema,
  StatusRequestSchema,
  SwitchesAnswerSchema,
  SwitchesRequestSchema,
} from './messages.ts';

export const ROUTES = {
  accounts: [AccountsRequestSchema, AccountsAnswerSchema],
  apply: [ApplyRequestSchema, ApplyAnswerSchema],
  changes: [ChangesRequestSchema, ChangesAnswerSchema],
  connect: [ConnectRequestSchema, ConnectAnswerSchema],
  credential: [CredentialRequestSchema, CredentialAnswerSchema],
  digests: [DigestsRequestSchema, DigestsAnswerSchema],
  disconnect: [DisconnectRequestSchema, DisconnectAnswerSchema],
  erase: [EraseRequestSchema, EraseAnswerSchema],
  guard: [GuardRequestSchema, GuardAnswerSchema],
  labels: [LabelsRequestSchema, LabelsAnswerSchema],
  outside: [OutsideRequestSchema, OutsideAnswerSchema],
  proofs: [ProofsRequestSchema, ProofsAnswerSchema],
  settings: [SettingsRequestSchema, SettingsAnswerSchema],
  stamp: [StampRequestSchema, StampAnswerSchema],
  status: [StatusRequestSchema, StatusAnswerSchema],
  switches: [SwitchesRequestSchema, SwitchesAnswerSchema],
} as const satisfies Record<string, readonly [z.ZodType, z.ZodType]>;

export type Route = keyof typeof ROUTES;
const isRoute = (name: string): name is Route => Object.hasOwn(ROUTES, name);

const FixtureSchema = z.object({
  about: z.string(),
  route: z.string().refine(isRoute),
  as: z.enum(['administrator', 'hub']),
  /** What happens on the site before the request is made. */
  given: z.enum(['an edit', 'a deletion']).optional(),
  request: z.unknown(),
  status: z.int(),
  answer: z.unknown(),
});
export type Fixture = z.infer<typeof FixtureSchema> & { readonly name: string };

export const SignalFixtureSchema = z.object({
  about: z.string(),
  secret: z.string(),
  t: z.int(),
  body: z.string(),
  signature: z.string(),
});

export const FIXTURES_FOLDER = new URL('fixtures/', import.meta.url);

export function readFixtures(): readonly Fixture[] {
  return readdirSync(FIXTURES_FOLDER)
    .filter((name) => /^\d\d-.+\.json$/.test(name))
    .sort()
    .map((name) => ({ name, ...FixtureSchema.parse(readJson(name)) }));
}

export const readSignalFixture = (): z.infer<typeof SignalFixtureSchema> =>
  SignalFixtureSchema.parse(readJson('signal.json'));

const readJson = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(name, FIXTURES_FOLDER), 'utf8'));
