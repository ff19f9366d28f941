/** Every migration in order. A number is never used again, a released one never edited. */
import { statements as firstStore } from './0001-first-store.ts';
import { statements as marks } from './0002-marks.ts';
import { statements as places } from './0003-places.ts';
import { statements as publicSitesAndActors } from './0004-public-sites-and-actors.ts';
import { statements as creations } from './0005-creations.ts';
import { statements as proofs } from './0006-proofs.ts';
import { statements as siteEvents } from './0007-site-events.ts';
import { statements as refreshesThatCreate } from './0008-refreshes-that-create.ts';
import { statements as pagesOfHeld } from './0009-pages-of-held.ts';
import { statements as siteRules } from './0010-site-rules.ts';
import { statements as logSettings } from './0011-log-settings.ts';
import { statements as syncRuns } from './0012-sync-runs.ts';
import { statements as approvalsAndVersions } from './0013-approvals-and-versions.ts';
import { statements as adoptRuns } from './0014-adopt-runs.ts';
import { statements as reconciles } from './0015-reconciles.ts';
import { statements as groups } from './0016-groups.ts';
import { statements as loginTaken } from './0018-login-taken.ts';
import { statements as standing } from './0019-standing.ts';
import { statements as erasures } from './0020-erasures.ts';
import { statements as privilegedBy } from './0021-privileged-by.ts';
import { statements as unconfirmed } from './0022-unconfirmed.ts';
import { statements as networkRuns } from './0024-network-runs.ts';
import { statements as sitesOfNetworks } from './0025-sites-of-networks.ts';
import { statements as lastBackup } from './0026-last-backup.ts';
import { statements as leftByAnUndo } from './0027-left-by-an-undo.ts';
import { statements as sinceWhenEnded } from './0029-since-when-ended.ts';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly statements: readonly string[];
}

export const MIGRATIONS: readonly Migration[] = [
  { number: 1, name: 'first-store', statements: firstStore },
  { number: 2, name: 'marks', statements: marks },
  { number: 3, name: 'places', statements: places },
  { number: 4, name: 'public-sites-and-actors', statements: publicSitesAndActors },
  { number: 5, name: 'creations', statements: creations },
  { number: 6, name: 'proofs', statements: proofs },
  { number: 7, name: 'site-events', statements: siteEvents },
  { number: 8, name: 'refreshes-that-create', statements: refreshesThatCreate },
  { number: 9, name: 'pages-of-held', statements: pagesOfHeld },
  { number: 10, name: 'site-rules', statements: siteRules },
  { number: 11, name: 'log-settings', statements: logSettings },
  { number: 12, name: 'sync-runs', statements: syncRuns },
  { number: 13, name: 'approvals-and-versions', statements: approvalsAndVersions },
  { number: 14, name: 'adopt-runs', statements: adoptRuns },
  { number: 15, name: 'reconciles', statements: reconciles },
  { number: 16, name: 'groups', statements: groups },
  { number: 18, name: 'login-taken', statements: loginTaken },
  { number: 19, name: 'standing', statements: standing },
  { number: 20, name: 'erasures', statements: erasures },
  { number: 21, name: 'privileged-by', statements: privilegedBy },
  { number: 22, name: 'unconfirmed', statements: unconfirmed },
  { number: 24, name: 'network-runs', statements: networkRuns },
  { number: 25, name: 'sites-of-networks', statements: sitesOfNetworks },
  { number: 26, name: 'last-backup', statements: lastBackup },
  { number: 27, name: 'left-by-an-undo', statements: leftByAnUndo },
  { number: 29, name: 'since-when-ended', statements: sinceWhenEnded },
];
