/** Of which network a site is, and why it takes nothing just now. */
export const statements: readonly string[] = [
  `alter table sites add column network integer`,
  `alter table sites add column closed text
    check (closed in ('archived', 'spam', 'deleted', 'ended'))`,
];
