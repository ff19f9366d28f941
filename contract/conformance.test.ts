import { describe } from 'vitest';
import { fakeSiteUnderTest } from './conformance/fake-site-under-test.ts';
import { describeConformance } from './conformance.ts';

describe('the site in memory', () => {
  describeConformance(async () => fakeSiteUnderTest());
});
