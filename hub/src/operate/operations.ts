/** All operations of the API over the engine's ports. */
import type { Operations } from '../api/operations.ts';
import { installationId } from '../model/ids.ts';
import { acceptSignal } from './accept-signal.ts';
import { account, switchAccount } from './accounts.ts';
import { addSite, checkSite } from './add-site.ts';
import { answerAlarms } from './alarms/answer-alarms.ts';
import { listAlarms } from './alarms/list-alarms.ts';
import { approval, approvalCame, approvalRejected, startApproval } from './approve-site.ts';
import { changeSite, siteMoved, testSite } from './change-site.ts';
import { applyConfig, compareConfig, showConfig } from './config/apply-config.ts';
import { doctor } from './doctor.ts';
import { explain } from './explain.ts';
import {
  addGroup,
  addMembers,
  changeGroup,
  exceptRoute,
  removeGroup,
  removeMember,
} from './groups/change-groups.ts';
import { listGroups, showGroup } from './groups/view-groups.ts';
import { decideHeld, listHeld } from './held.ts';
import { viewSites } from './list-sites.ts';
import { changeLogSettings, changeSiteLog, logSettings } from './log-settings.ts';
import { takeDecisions } from './manual-sync/adopt/take-decisions.ts';
import { listOnlyThere } from './manual-sync/adopt/view-adopt.ts';
import { listSteps, listSyncs, viewSync } from './manual-sync/list-syncs.ts';
import { planSync } from './manual-sync/plan-sync.ts';
import { cancelSync, pauseSync, resumeSync, startPlanned } from './manual-sync/steer.ts';
import { undoSync } from './manual-sync/undo-sync.ts';
import { networkOperations } from './networks/operations.ts';
import type { OperationPorts } from './ports.ts';
import { decideErasures, listErasures } from './privacy/decide-erasures.ts';
import { erasePerson, personRecords } from './privacy/person-records.ts';
import { askForProof } from './proofs/ask-for-proof.ts';
import { listProofs, withdrawProof } from './proofs/list-proofs.ts';
import { proveLink } from './prove-link.ts';
import { siteRestored, siteRewritten } from './read-anew.ts';
import { exportLog, readLog } from './read-log.ts';
import { readSiteEvents } from './read-site-events.ts';
import { rebuildFromLabels } from './rebuild-from-labels.ts';
import { listDrift, listReconciles, viewReconcile } from './reconcile/list-reconciles.ts';
import { cancelReconcile, startReconcile } from './reconcile/start-reconcile.ts';
import { planRecovery, recoverHub } from './recover-hub.ts';
import { removeSite } from './remove-site.ts';
import { resolveHeld, showHeld } from './resolve-held.ts';
import { retry } from './retry.ts';
import { rotateSite } from './rotate-credential.ts';
import { addRoute, changeRoute, listRoutes, removeRoute } from './routes.ts';
import { siteCopied } from './site-copied.ts';
import { guard, tightenGuard } from './site-guard.ts';
import { runUntilIdle, status } from './status.ts';

export function buildOperations(ports: OperationPorts): Operations {
  return {
    addSite: (site) => addSite(ports, site),
    checkSite: (site) => checkSite(ports, site),
    startApproval: (wanted, by) => startApproval(ports, wanted, by),
    approval: (id, by) => approval(ports, id, by),
    approvalCame: (secret, approved) => approvalCame(ports, secret, approved),
    approvalRejected: (secret) => approvalRejected(ports, secret),
    sites: () => viewSites(ports),
    testSite: (name) => testSite(ports, name),
    changeSite: (name, change) => changeSite(ports, name, change),
    rotateSite: (name, by) => rotateSite(ports, name, by),
    siteMoved: (name, move, by) => siteMoved(ports, name, move, by),
    guard: (name, query) => guard(ports, name, query),
    tightenGuard: (name, change, by) => tightenGuard(ports, name, change, by),
    account: (query) => account(ports, query),
    erasures: () => listErasures(ports),
    decideErasures: (decision) => decideErasures(ports, decision),
    personRecords: (query) => personRecords(ports, query),
    erasePerson: (query, by) => erasePerson(ports, query, by),
    switchAccount: (change, by) => switchAccount(ports, change, by),
    siteCopied: (name, by) => siteCopied(ports, name, by),
    removeSite: (name, options, by) => removeSite(ports, name, options, by),
    siteRestored: (name, by) => siteRestored(ports, name, by),
    siteRewritten: (name, rewritten, by) => siteRewritten(ports, name, rewritten, by),
    planRecovery: () => planRecovery(ports),
    recoverHub: (by) => recoverHub(ports, by),
    rebuildFromLabels: (by) => rebuildFromLabels(ports, by),
    siteEvents: (query) => readSiteEvents(ports, query),
    alarms: (query) => listAlarms(ports, query),
    answerAlarms: (answer, by) => answerAlarms(ports, answer, by),
    addRoute: (route) => addRoute(ports, route),
    routes: () => listRoutes(ports),
    changeRoute: (id, change) => changeRoute(ports, id, change),
    removeRoute: (id) => removeRoute(ports, id),
    addGroup: (group) => addGroup(ports, group),
    groups: () => listGroups(ports),
    group: (name) => showGroup(ports, name),
    changeGroup: (name, change) => changeGroup(ports, name, change),
    removeGroup: (name) => removeGroup(ports, name),
    addMembers: (name, members) => addMembers(ports, name, members),
    removeMember: (name, site) => removeMember(ports, name, site),
    exceptRoute: (name, except) => exceptRoute(ports, name, except),
    config: () => showConfig(ports),
    diffConfig: (wanted) => compareConfig(ports, wanted),
    applyConfig: (wanted, by) => applyConfig(ports, wanted, by),
    planSync: (request, by) => planSync(ports, request, by, { starts: false }),
    startSync: (request, by) => planSync(ports, request, by, { starts: true }),
    sync: (id) => viewSync(ports, id),
    syncs: (query) => listSyncs(ports, query),
    syncSteps: (id, query) => listSteps(ports, id, query),
    decideSync: (id, decided) => takeDecisions(ports, id, decided),
    onlyThere: (id, query) => listOnlyThere(ports, id, query),
    startPlanned: (id, start) => startPlanned(ports, id, start),
    pauseSync: (id) => pauseSync(ports, id),
    resumeSync: (id) => resumeSync(ports, id),
    cancelSync: (id) => cancelSync(ports, id),
    undoSync: (id, undo, by) => undoSync(ports, id, undo, by),
    startReconcile: (request, by) => startReconcile(ports, request, by),
    reconcile: (id) => viewReconcile(ports, id),
    reconciles: (query) => listReconciles(ports, query),
    driftRows: (id, query) => listDrift(ports, id, query),
    cancelReconcile: (id) => cancelReconcile(ports, id),
    ...networkOperations(ports),
    log: (query) => readLog(ports, query),
    exportLog: (filter) => exportLog(ports, filter),
    retry: (wanted, by) => retry(ports, wanted, by),
    logSettings: () => logSettings(ports),
    changeLogSettings: (change) => changeLogSettings(ports, change),
    changeSiteLog: (site, change, by) => changeSiteLog(ports, site, change, by),
    status: (options) => status(ports, options),
    explain: (site, login) => explain(ports, site, login),
    doctor: () => doctor(ports),
    held: (query) => listHeld(ports, query),
    decideHeld: (decision, by) => decideHeld(ports, decision, by),
    showHeld: (delivery) => showHeld(ports, delivery),
    resolveHeld: (delivery, as, by) => resolveHeld(ports, { delivery, as, by }),
    proveLink: (link, by) => proveLink(ports, link, by),
    askForProof: (wanted, by) => askForProof(ports, wanted, by),
    askedProofs: () => listProofs(ports),
    withdrawProof: (id, by) => withdrawProof(ports, id, by),
    backUp: () => ports.hub.backUp(),
    runUntilIdle: (options) => runUntilIdle(ports, options),
    signalSecret: (installation) => ports.registry.signalSecret(installationId(installation)),
    acceptSignal: (installation, signal) =>
      acceptSignal(ports, installationId(installation), signal),
    verifyToken: (token) => ports.hub.verifyToken(token),
    ready: () => ports.hub.ready(),
  };
}
