/** Adopt runs: what stands against each account on the other site, and what a person decided about it. */
export const statements: readonly string[] = [
  `alter table sync_runs add column only_there integer`,
  `alter table sync_steps add column pair text, add column sides jsonb, add column decision text`,
  `create index sync_steps_pairs on sync_steps (run, pair, wp_id, target) where pair is not null`,
];
