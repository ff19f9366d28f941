/** Routes say what becomes of a login that is taken; those that there are go on holding it. */
export const statements: readonly string[] = [
  `update routes set rules = '{"loginTaken":"hold"}'::jsonb || rules`,
];
