import { expect, test } from 'vitest';
import { newOffset } from './clock-offset.ts';

const AT = 1_800_000_000_000;

test.each([
  { what: 'equal clocks, an answer at once', clock: AT, offset_ms: 0, waited: 20, is: null },
  { what: 'equal clocks, asked late', clock: AT + 2_990, offset_ms: 0, waited: 3_000, is: null },
  { what: 'equal clocks, answered late', clock: AT + 10, offset_ms: 0, waited: 3_000, is: null },
  { what: 'what a network does', clock: AT - 200, offset_ms: 0, waited: 20, is: null },
  { what: 'a site that is late', clock: AT - 60_000, offset_ms: 0, waited: 20, is: 60_010 },
  { what: 'one that knows it', clock: AT - 60_000, offset_ms: 60_000, waited: 20, is: null },
  { what: 'one that was set right', clock: AT, offset_ms: 60_000, waited: 2_000, is: 1_000 },
  { what: 'a hub whose clock went back', clock: AT, offset_ms: 0, waited: -5_000, is: null },
])('T214: the offset of a clock: $what', ({ clock, offset_ms, waited, is }) => {
  expect(newOffset({ clock, offset_ms }, AT, AT + waited)).toBe(is);
});
