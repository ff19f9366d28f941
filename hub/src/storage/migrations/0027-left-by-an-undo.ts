/** What an undo of a network's run left that nobody had touched; of those before nothing is known. */
export const statements: readonly string[] = [
  `update network_runs set counts = '{"left": {}}'::jsonb || counts`,
];
