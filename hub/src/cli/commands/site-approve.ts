/** `rollcall site add --approve`: an administrator approves in the browser; this waits for it. */
import {
  type ApprovalView,
  ApprovalViewSchema,
  type StartApproval,
  StartedApprovalSchema,
} from '../../api/schemas/site.ts';
import type { ApiClient } from '../api-client.ts';
import { type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { exitFor, Failure } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { visible } from '../visible.ts';

/** How often the hub is asked whether somebody approved. */
const LOOK_EVERY_MS = 1_000;

export async function addByApproval(
  wanted: StartApproval,
  options: HubOptions,
  context: CommandContext,
): Promise<void> {
  const hub = hubOf(context, options);
  const view = await waitForApproval(wanted, hub, context.terminal);
  show(context, options, view, () => `${visible(view.name)} is connected.\n`);
}

/** @throws Failure unless it is connected in the end */
export async function waitForApproval(
  wanted: StartApproval,
  hub: ApiClient,
  terminal: Terminal,
): Promise<ApprovalView> {
  const started = await hub.send('POST', '/site-approvals', wanted, StartedApprovalSchema);
  // Standard output is for what came of it.
  terminal.err(
    `Open this address where you are signed in as an administrator of ${wanted.name}, and approve:\n${visible(started.approveUrl)}\n`,
  );
  terminal.progress('Waiting for the approval …');
  let view: ApprovalView;
  do {
    await terminal.pause(LOOK_EVERY_MS);
    view = await hub.get(`/site-approvals/${encodeURIComponent(started.id)}`, ApprovalViewSchema);
  } while (['open', 'connecting'].includes(view.state) && !terminal.isInterrupted);
  terminal.progress('');
  if (view.state !== 'connected') throw ended(view);
  return view;
}

const SENTENCES: Partial<Record<ApprovalView['state'], string>> = {
  open: 'Nobody has approved yet.',
  connecting: 'The site is still being connected.',
  rejected: 'The administrator did not approve.',
  expired: 'Nobody approved in time.',
};

function ended({ state, fault }: ApprovalView): Failure {
  if (fault !== null) return new Failure({ ...fault, exit: exitFor(fault.code) });
  return new Failure({
    code: `approve.${state}`,
    message: SENTENCES[state] ?? 'The site was not connected.',
    next: 'Start again with “--approve”, or connect with “--user” and “--app-password” or “--password”.',
    exit: EXIT.failed,
  });
}
