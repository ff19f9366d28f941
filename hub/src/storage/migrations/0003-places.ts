/**
 * Where things were seen. `installations.news` is {copy?: {home, atMs}, found?: {from, atMs}}: a copy
 * that woke up elsewhere, and the address before it was found at another one of its own.
 * `hub_meta.started_folder`: the file system's own number of the data folder, which a copy of the folder
 * does not have.
 */
export const statements: readonly string[] = [
  `alter table installations add column news jsonb`,
  `alter table hub_meta add column started_folder text`,
];
