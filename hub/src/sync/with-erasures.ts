/**
 * Hears which erasures were completed, wherever changes come in: noted before the rows are acknowledged, so that a
 * crash on the way loses none.
 */
import type { Erasures } from '../model/erasure.ts';
import { wordPressId } from '../model/ids.ts';
import type { SitePort } from './ports.ts';

export const withErasures = (site: SitePort, erasures: Erasures): SitePort => ({
  ...site,
  async changes(connection, request) {
    const answer = await site.changes(connection, request);
    const told = answer.rows.flatMap(({ row, kind, erased }) =>
      kind === 'erase' && erased !== undefined
        ? [{ row, wpId: wordPressId(erased.id), login: erased.login, of: erased.of ?? null }]
        : [],
    );
    await erasures.note(connection.installation, told);
    return answer;
  },
});
