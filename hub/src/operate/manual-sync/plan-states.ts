/** A page of accounts, planned as the run asks for it. */
import type { AccountState } from '#contract/account-state.ts';
import type { OperationPorts } from '../ports.ts';
import { pairPage } from './adopt/pair-page.ts';
import { type PlanFor, type Planned, planPage } from './plan-page.ts';

export const planStates = (
  ports: OperationPorts,
  planFor: PlanFor,
  states: readonly AccountState[],
): Promise<readonly Planned[]> =>
  planFor.adopt === undefined
    ? planPage(ports, planFor, states)
    : pairPage(ports, { ...planFor, adopt: planFor.adopt }, states);
