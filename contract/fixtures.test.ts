import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ROUTES, readFixtures, readSignalFixture } from './fixtures.ts';
import { RestErrorSchema, SignalSchema } from './messages.ts';

const fixtures = readFixtures();

describe.each(fixtures)('$name', ({ route, status, request, answer }) => {
  const [requestSchema, answerSchema] = ROUTES[route];

  it('has a request that the contract takes, unless it is there to be refused', () => {
    expect(requestSchema.safeParse(request).success).toBe(status !== 400);
  });

  it('has an answer that the contract takes, with nothing that it does not know', () => {
    const schema = status === 200 ? answerSchema : RestErrorSchema;
    expect(schema.parse(answer)).toEqual(answer);
  });
});

it('every route has a fixture', () => {
  expect([...new Set(fixtures.map(({ route }) => route))].sort()).toEqual(Object.keys(ROUTES));
});

it('the signal is signed over time and body', () => {
  const { secret, t, body, signature } = readSignalFixture();
  const mac = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
  expect(signature).toBe(`t=${t},v1=${mac}`);
  expect(SignalSchema.parse(JSON.parse(body))).toEqual({ epoch: '47c71e4114ddd669', head: 12 });
});
