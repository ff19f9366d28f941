/** The steps of the demo, in their order. Each builds on what the one before has left. */
import type { Step } from '../stage.ts';
import { changesPassword } from './change-password.ts';
import { changesRole } from './change-role.ts';
import { deletesAccount } from './delete-account.ts';
import { editsBoth } from './edit-both.ts';
import { editsProfile } from './edit-profile.ts';
import { registers } from './register.ts';

export const STEPS: readonly Step[] = [
  registers,
  editsProfile,
  editsBoth,
  changesPassword,
  changesRole,
  deletesAccount,
];
