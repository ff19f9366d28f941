/** What the exit codes of `rollcall` mean. Scripts rely on them: never change one. */
export const EXIT = {
  /** Done, and what was asked for holds. */
  ok: 0,
  /** Refused or failed, or what was asked for does not hold (not idle, a check that failed). */
  failed: 1,
  /** The command or one of its values is not understood; nothing was done. */
  usage: 2,
  /** No hub answers, or it can't be started. */
  hub: 3,
  /** The token is missing or may not do this. */
  forbidden: 4,
  /** A fault in Rollcall itself. */
  fault: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
