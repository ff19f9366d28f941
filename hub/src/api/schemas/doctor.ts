/** Everything that can be checked, with the next step for what is wrong. */
import { z } from 'zod';

export const CheckSchema = z.object({
  /** `hub`, or the name of a site. */
  subject: z.string(),
  what: z.string(),
  level: z.enum(['ok', 'warning', 'problem']),
  code: z.string().nullable(),
  message: z.string(),
  next: z.string().nullable(),
});
export type Check = z.infer<typeof CheckSchema>;

export const DiagnosisSchema = z.object({ ok: z.boolean(), checks: z.array(CheckSchema) });
export type Diagnosis = z.infer<typeof DiagnosisSchema>;
