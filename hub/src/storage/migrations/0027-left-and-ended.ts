/**
 * What an undo of a network's run left that nobody had touched; of those before nothing is known. And since when a
 * site counts as ended: it may be listed again, and what came about there since then has left by no route.
 */
export const statements: readonly string[] = [
  `update network_runs set counts = '{"left": {}}'::jsonb || counts`,
  `alter table sites add column ended_at_ms bigint`,
];
