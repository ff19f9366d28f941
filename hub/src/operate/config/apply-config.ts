/** The configuration as a document: shown, compared, and applied in one transaction. */
import type {
  AppliedConfig,
  ApplyConfig,
  ConfigDiff,
  ConfigView,
  DiffConfig,
} from '../../api/schemas/config.ts';
import { Fault } from '../../errors.ts';
import type { Arrangement, Rearranged } from '../../model/arrangement.ts';
import { groupId } from '../../model/ids.ts';
import type { Reason } from '../../reasons.ts';
import { tryNow } from '../change-site.ts';
import { tellEnds } from '../groups/tell-ends.ts';
import { operatorNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { removeSite } from '../remove-site.ts';
import { diffConfig, diffRoutes } from './diff-config.ts';
import { exportConfig } from './export-config.ts';
import { type PlannedConfig, planConfig } from './plan-config.ts';

export async function showConfig({ arrangements }: OperationPorts): Promise<ConfigView> {
  const { revision, now } = await arrangements.read();
  return { revision, config: exportConfig(now) };
}

export async function compareConfig(
  ports: OperationPorts,
  { config, remove }: DiffConfig,
): Promise<ConfigDiff> {
  const { revision, now } = await ports.arrangements.read();
  const planned = planConfig(now, config, { remove, newGroupId: () => groupId(ports.newId()) });
  return { revision, ...differences(now, planned), problems: planned.problems };
}

/**
 * Nothing of it, when anything of it is wrong, or somebody has changed anything since the revision. Sites
 * that go are told after it, one by one: that can't be taken back, nor be part of a transaction.
 */
export async function applyConfig(
  ports: OperationPorts,
  { config, remove, revision }: ApplyConfig,
  by: string,
): Promise<AppliedConfig> {
  const { arrangements } = ports;
  let planned: PlannedConfig | null = null;
  const done = await arrangements.change((now, present) => {
    if (present !== revision) {
      const sentence = 'Sites, routes or groups were changed since the differences were shown.';
      throw new Fault('config.changed', sentence);
    }
    planned = planConfig(now, config, { remove, newGroupId: () => groupId(ports.newId()) });
    refuse(planned);
    // Where nothing is said to differ nothing is written, not even an order.
    const { changes } = differences(now, planned);
    return changes.length === 0 ? now : planned.next;
  });
  await tell(ports, done, by);
  const notRemoved = await removeSites(ports, done, by);
  const { revision: next } = await arrangements.read();
  if (planned === null) throw new Fault('internal.fault', 'No plan was made.');
  return { revision: next, ...differences(done.before, planned), notRemoved };
}

/** More of them are in the comparison. */
const PROBLEMS_TOLD = 3;

function refuse({ problems }: PlannedConfig): void {
  if (problems.length === 0) return;
  const told = problems.slice(0, PROBLEMS_TOLD).map(({ path, message }) => `${path}: ${message}`);
  const more =
    problems.length > PROBLEMS_TOLD ? ` And ${problems.length - PROBLEMS_TOLD} more.` : '';
  throw new Fault('config.refused', `${told.join(' ')}${more}`);
}

function differences(
  now: Arrangement,
  { next, toConnect, notInFile }: PlannedConfig,
): Omit<ConfigDiff, 'revision' | 'problems'> {
  return {
    changes: diffConfig(exportConfig(now), exportConfig(next)),
    routes: diffRoutes(now, next),
    toConnect: [...toConnect],
    notInFile: notInFile.map(({ name }) => name),
  };
}

async function tell(ports: OperationPorts, done: Rearranged, by: string): Promise<void> {
  const was = new Map(done.before.sites.map((site) => [site.key, site]));
  for (const { key, installation, name, log, status } of done.after.sites) {
    const before = was.get(key);
    if (before !== undefined && before.log.on !== log.on) {
      await ports.registry.noteEvent(installation, {
        code: 'log.switched' satisfies Reason,
        message: `The Sync Log of ${name} was switched ${log.on ? 'on' : 'off'}.`,
        actor: operatorNamed(by),
      });
    }
    if (status === 'active' && before?.status === 'paused') await tryNow(ports, installation);
  }
  await tellEnds(ports, done);
}

/** Each as `site remove` does it: one that can't be told stays, without a route. */
async function removeSites(
  ports: OperationPorts,
  { before, after }: Rearranged,
  by: string,
): Promise<string[]> {
  const kept = new Set(after.sites.map(({ installation }) => installation));
  const gone = new Map(
    before.sites
      .filter(({ installation }) => !kept.has(installation))
      .map((site) => [site.installation, site.name]),
  );
  const stay: string[] = [];
  for (const name of gone.values()) {
    try {
      await removeSite(ports, name, { force: false }, by);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      stay.push(name);
    }
  }
  return stay;
}
