import { describe } from 'vitest';
import { OlderSite } from '#hub/sync/test/older-site.ts';
import { fakeSiteUnderTest } from './conformance/fake-site-under-test.ts';
import { describeConformance } from './conformance.ts';
import { CONTRACT_VERSION } from './version.ts';

describe('the site in memory', () => {
  describeConformance(async () => fakeSiteUnderTest());
});

describe('the site in memory with a connector of the version before', () => {
  describeConformance(async () => fakeSiteUnderTest(OlderSite), CONTRACT_VERSION - 1);
});
