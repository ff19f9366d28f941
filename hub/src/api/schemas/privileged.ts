/** What is missing before a privileged role comes along a route. */
import { z } from 'zod';
import { RoleNameSchema, SiteNameSchema } from './words.ts';

export const PrivilegedNeedSchema = z.object({
  /** As the target gives it. */
  role: RoleNameSchema,
  route: z.int().positive(),
  source: SiteNameSchema,
  target: SiteNameSchema,
  /** The route names it (`privilegedRoles`). */
  named: z.boolean(),
  /** Somebody on the target has agreed that it may come. */
  consented: z.boolean(),
  /** By the target’s role map it would come for a role that gives no power on the source: it never does. */
  raised: z.boolean(),
  /** What to do, for people. */
  steps: z.array(z.string()),
});
export type PrivilegedNeed = z.infer<typeof PrivilegedNeedSchema>;
