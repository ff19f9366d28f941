import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Carried, type CarriedFields, mergeCarried } from './carried.ts';
import { siteKey } from './ids.ts';
import { compareStamps, type Stamp } from './stamp.ts';

const stampArb: fc.Arbitrary<Stamp> = fc
  .tuple(fc.nat({ max: 4 }), fc.integer({ min: 1, max: 3 }))
  .map(([ms, site]) => [ms, siteKey(site)]);

/** A stamp names one edit, so equal stamps carry equal values; their paths may differ. */
const carriedArb: fc.Arbitrary<Carried> = fc
  .tuple(stampArb, fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }))
  .map(([stamp, path]) => ({ value: String(stamp), stamp, path: path.map(siteKey) }));

const fieldsArb: fc.Arbitrary<CarriedFields> = fc
  .dictionary(fc.constantFrom('email', 'meta:phone', 'role:author'), carriedArb)
  .map((fields) => new Map(Object.entries(fields)));

test('I1: merging is commutative', () => {
  fc.assert(
    fc.property(fieldsArb, fieldsArb, (a, b) => {
      expect(mergeCarried(a, b)).toEqual(mergeCarried(b, a));
    }),
  );
});

test('I1: merging is associative', () => {
  fc.assert(
    fc.property(fieldsArb, fieldsArb, fieldsArb, (a, b, c) => {
      expect(mergeCarried(mergeCarried(a, b), c)).toEqual(mergeCarried(a, mergeCarried(b, c)));
    }),
  );
});

test('I1: merging is idempotent', () => {
  fc.assert(
    fc.property(fieldsArb, fieldsArb, (a, b) => {
      const merged = mergeCarried(a, b);
      expect(mergeCarried(a, a)).toEqual(a);
      expect(mergeCarried(merged, b)).toEqual(merged);
    }),
  );
});

test('I1: every field keeps the newest of its stamps, and none is lost', () => {
  fc.assert(
    fc.property(fieldsArb, fieldsArb, (a, b) => {
      const merged = mergeCarried(a, b);
      expect(new Set(merged.keys())).toEqual(new Set([...a.keys(), ...b.keys()]));
      for (const [field, { stamp }] of merged) {
        for (const side of [a.get(field), b.get(field)]) {
          if (side !== undefined)
            expect(compareStamps(stamp, side.stamp)).toBeGreaterThanOrEqual(0);
        }
      }
    }),
  );
});
