/** Text of sites on its way to a terminal. */
import { expect, it } from 'vitest';
import * as samples from '../api/test/samples.ts';
import { fakeHub } from './test/fake-hub.ts';
import { onlyOurs, visible, visibleJson } from './visible.ts';

const hub = fakeHub();

const ATTACKS = [
  'colour \u001b[31mred\u001b[0m',
  'screen \u001b[2J\u001b[H',
  'title \u001b]0;owned\u0007',
  'link \u001b]8;;https://evil.test\u001b\\click\u001b]8;;\u001b\\',
  'clipboard \u001b]52;c;ZWNobyBvd25lZA==\u0007',
  'eight-bit \u009b31m \u009d0;owned\u009c',
  'over\rwritten',
  'back\u0008\u0008\u0008',
  'line\nbreak\u2028other\u2029third\u0085fourth',
  'turned \u202egnp.exe\u202c \u2066x\u2069 \u200f\u061c',
  'unseen \u200b\u2060\ufeff\u{e0041}\u{e007f}',
  'bell\u0007 and nothing\u0000',
] as const;
const STEERS =
  /[\p{Cc}\u2028\u2029\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF\u{E0000}-\u{E007F}]/u;

it.each(ATTACKS)('T722: “%s” is shown, not obeyed', (text) => {
  expect(visible(text)).not.toMatch(STEERS);
  const colours = ['\u001b[31m', '\u001b[0m', '\n'];
  const gated = colours.reduce((rest, ours) => rest.replaceAll(ours, ''), onlyOurs(text));
  expect(gated).not.toMatch(STEERS);
  const json = visibleJson({ text });
  expect(json).not.toMatch(STEERS);
  expect(JSON.parse(json)).toEqual({ text });
});

it('names of people stay as they are', () => {
  for (const name of ['José Łukasz', '山田太郎', 'محمد', 'क्‍ष', '👩‍👩‍👧', 'می‌خواهم']) {
    expect(visible(name)).toBe(name);
  }
});

it('T722: no command lets text of a site steer the terminal', async () => {
  const evil = ATTACKS.join(' ');
  const where = { code: 'site.refused', message: evil };
  const site = { ...samples.site, name: evil, url: `https://${evil}`, trouble: where };
  const row = {
    ...samples.logRow,
    login: evil,
    actor: evil,
    path: [evil],
    target: evil,
    message: evil,
    fields: [evil],
    reason: evil,
  };
  const { explanation, held, status, siteTest } = samples;
  const party = held.here && { ...held.here, login: evil, name: evil, email: evil, roles: [evil] };
  hub.operations.on({
    sites: async () => [site],
    addSite: async () => ({ sites: [site], renewed: false, warnings: [where] }),
    testSite: async () => ({
      ...siteTest,
      site: evil,
      wordpress: evil,
      php: evil,
      ok: false,
      fault: { ...where, next: evil },
      warnings: [where],
    }),
    log: async () => ({ rows: [row] }),
    showHeld: async () => ({ ...held, login: evil, source: evil, here: party, inTheWay: party }),
    held: async () => ({
      held: [
        { ...held, login: evil, target: evil, message: evil, fields: [evil], inTheWay: party },
      ],
      next: evil,
    }),
    status: async () => ({
      ...status,
      sites: status.sites.map((one) => ({
        ...one,
        name: evil,
        url: evil,
        trouble: null,
        warnings: [where],
      })),
    }),
    siteEvents: async () => [
      { ...samples.siteEvent, site: evil, message: evil, by: evil, next: evil },
    ],
    doctor: async () => ({
      ok: false,
      checks: [
        {
          ...samples.check,
          level: 'problem',
          subject: evil,
          what: evil,
          message: evil,
          next: evil,
        },
      ],
    }),
    explain: async () => ({
      ...explanation,
      login: evil,
      accounts: explanation.accounts.map((account) => ({ ...account, login: evil, site: evil })),
      unproven: [{ site: evil, login: evil, by: 'email', next: evil }],
      proofs: [{ ...samples.proof, by: evil, halves: [] }],
      log: [row],
    }),
  });
  for (const command of [
    ['site', 'list'],
    ['site', 'test', 'Shop'],
    ['logs'],
    ['logs', '--csv'],
    ['held', 'list'],
    ['held', 'show', 'd-1'],
    ['status'],
    ['doctor'],
    ['site', 'history'],
    ['explain', 'Shop', 'anna'],
  ]) {
    for (const more of [[], ['--json']]) {
      hub.at({});
      await hub.rollcall(...command, ...more);
      const shown = hub.terminal.written.out + hub.terminal.written.err;
      expect(shown.length).toBeGreaterThan(100);
      expect([command, shown.replaceAll(/\r?\n/gu, '').match(STEERS)?.[0]]).toEqual([
        command,
        undefined,
      ]);
      // A line break of the site's is no line break here.
      expect(shown).not.toMatch(/^break/mu);
    }
  }
});
