import { describe, expect, it } from 'vitest';
import { RestErrorSchema } from './messages.ts';
import { readNetworkFixtures } from './network-fixtures.ts';
import { NETWORK_ROUTES } from './network-messages.ts';

const fixtures = readNetworkFixtures();

describe.each(fixtures)('$name', ({ route, status, request, answer }) => {
  const [requestSchema, answerSchema] = NETWORK_ROUTES[route];

  it('has a request that the contract takes, and an answer with nothing that it does not know', () => {
    expect(requestSchema.safeParse(request).success).toBe(true);
    const schema = status === 200 ? answerSchema : RestErrorSchema;
    expect(schema.parse(answer)).toEqual(answer);
  });
});

it('every route of a network has a fixture', () => {
  const named = [...new Set(fixtures.map(({ route }) => route))].sort();
  expect(named).toEqual(Object.keys(NETWORK_ROUTES));
});
