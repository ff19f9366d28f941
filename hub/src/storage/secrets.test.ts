import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findKey, secretsOf } from './secrets.ts';

const key = randomBytes(32);
const secrets = secretsOf(key);
const unreadable = expect.objectContaining({ code: 'secret.unreadable' });

test('I12: what was sealed opens again, for its purpose alone', () => {
  const sealed = secrets.seal('delivery.password:1', 'häsh');
  expect(sealed).toMatch(/^v1\.[\w-]+$/u);
  expect(sealed).not.toContain('häsh');
  expect(secrets.open('delivery.password:1', sealed)).toBe('häsh');
  expect(() => secrets.open('delivery.password:2', sealed)).toThrow(unreadable);
  expect(() => secretsOf(randomBytes(32)).open('delivery.password:1', sealed)).toThrow(unreadable);
});

test('one text is never sealed the same way twice', () => {
  expect(secrets.seal('p', 'same')).not.toBe(secrets.seal('p', 'same'));
});

test('what was cut short, changed or is of another version does not open', () => {
  const sealed = secrets.seal('p', 'text');
  const flipped = sealed.slice(0, -2) + (sealed.endsWith('A') ? 'BB' : 'AA');
  for (const wrong of ['', 'v1.', sealed.slice(0, 30), flipped, `v2${sealed.slice(2)}`]) {
    expect(() => secrets.open('p', wrong)).toThrow(unreadable);
  }
});

test('a key is taken as hex, as base64, or made of any long enough text', () => {
  const of = (secretKey: string) => findKey({ secretKey }, false);
  expect(of(key.toString('hex'))).toEqual(key);
  expect(of(key.toString('base64'))).toEqual(key);
  expect(of(key.toString('base64url'))).toEqual(key);
  const phrase = of('correct horse battery staple');
  expect(phrase).toHaveLength(32);
  expect(of('correct horse battery staple')).toEqual(phrase);
  expect(() => of('too short')).toThrow(unreadable);
  expect(() => findKey({}, true)).toThrow(unreadable);
});

test('a key file is made for a new store only, and then kept', () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'rollcall-key-'));
  try {
    expect(() => findKey({ dataFolder }, false)).toThrow(unreadable);
    const made = findKey({ dataFolder }, true);
    expect(findKey({ dataFolder }, false)).toEqual(made);
    expect(findKey({ dataFolder }, true)).toEqual(made);
  } finally {
    rmSync(dataFolder, { recursive: true, force: true });
  }
});
