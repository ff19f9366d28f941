/** Whether an account that is read again may be created where it is missing. Of those queued before nobody knows. */
export const statements: readonly string[] = [
  `alter table refreshes add column creates boolean not null default true`,
];
