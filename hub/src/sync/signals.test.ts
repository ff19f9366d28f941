import { expect, test } from 'vitest';
import { signalsArrive, wasUntold } from './signals.ts';

test('a site counts as signalling once a signal has come', () => {
  expect(signalsArrive({ lastSignalMs: null })).toBe(false);
  expect(signalsArrive({ lastSignalMs: 5 })).toBe(true);
});

test('something new without a signal since the pull before: its signals no longer arrive', () => {
  const before = { lastSignalMs: 100, lastPulledMs: 200 };
  expect(wasUntold(before, { lastSignalMs: 100 })).toBe(true);
  expect(wasUntold(before, { lastSignalMs: 300 })).toBe(false);
  expect(wasUntold({ lastSignalMs: null, lastPulledMs: null }, { lastSignalMs: null })).toBe(false);
});
