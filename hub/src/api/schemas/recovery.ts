/** A site that is not what the hub believed: restored from a backup, or written past WordPress. */
import { z } from 'zod';
import {
  LoginSchema,
  NextSchema,
  PageQuerySchema,
  SiteNameSchema,
  TroubleSchema,
} from './words.ts';

/** What was found when the site was read anew. */
export const RereadSiteSchema = z.object({
  site: z.string(),
  accounts: z.int().nonnegative(),
  /** Hold less than the hub knew; newer values of other sites travel back to them. */
  wentBack: z.int().nonnegative(),
  /** No longer there; nothing is sent to them until a person has answered. */
  vanished: z.int().nonnegative(),
  /** Deleted since the backup, and there again. */
  reappeared: z.int().nonnegative(),
  /** Somebody else than the hub knows. */
  mismatched: z.int().nonnegative(),
});
export type RereadSite = z.infer<typeof RereadSiteSchema>;

/**
 * What becomes of values that were written past WordPress: `edits` takes them as edits made now,
 * `others` lets newer values of other sites win over them, `nothing` leaves them as they are.
 */
export const TAKES = ['edits', 'others', 'nothing'] as const;
export const RewrittenSchema = z.strictObject({ take: z.enum(TAKES) });
export type Rewritten = z.infer<typeof RewrittenSchema>;

export const RewrittenSiteSchema = RereadSiteSchema.extend({
  /** Accounts that the answer was carried out for. */
  changed: z.int().nonnegative(),
});
export type RewrittenSite = z.infer<typeof RewrittenSiteSchema>;

/** One site of a hub that was restored from a backup. */
export const RecoveredSiteSchema = z.object({
  site: z.string(),
  /** `ahead`: it has been spoken to by a later state of this hub. `unknown`: see `fault`. */
  stands: z.enum(['ahead', 'in_step', 'unknown']),
  fault: TroubleSchema.nullable(),
  /** What was found when it was read; null: it was not read, or not to the end. */
  found: z
    .object({
      accounts: z.int().nonnegative(),
      /** Unknown to the hub, and known again by the label that it had given them. */
      takenOver: z.int().nonnegative(),
      vanished: z.int().nonnegative(),
      mismatched: z.int().nonnegative(),
    })
    .nullable(),
});
export type RecoveredSite = z.infer<typeof RecoveredSiteSchema>;
export const RecoverySchema = z.object({ sites: z.array(RecoveredSiteSchema) });
export type Recovery = z.infer<typeof RecoverySchema>;

/** Persons made again of the labels that a lost hub has left on its sites. */
export const RebuiltSchema = z.object({
  /** False: so it would be. */
  done: z.boolean(),
  persons: z.int().nonnegative(),
  /** Of these persons, on all sites. */
  accounts: z.int().nonnegative(),
  /** Under an alarm still: known to one site only, or the sites do not agree. */
  unclear: z.int().nonnegative(),
});
export type Rebuilt = z.infer<typeof RebuiltSchema>;

export const AlarmSchema = z.object({
  uid: z.string(),
  site: z.string(),
  login: z.string(),
  wpId: z.int().positive(),
  reason: TroubleSchema,
  /** What can be answered. */
  answers: z.array(z.string()),
});
export type Alarm = z.infer<typeof AlarmSchema>;
/** By login. */
export const AlarmListSchema = z.object({ alarms: z.array(AlarmSchema), next: NextSchema });
export type AlarmList = z.infer<typeof AlarmListSchema>;
export const AlarmListQuerySchema = z.strictObject({
  site: SiteNameSchema.optional(),
  ...PageQuerySchema.shape,
});
export type AlarmListQuery = z.infer<typeof AlarmListQuerySchema>;

/**
 * `recreate`: what vanished is created again from the other sites. `forget`: it is gone there, and
 * stays where else it is. `delete`: what is there again is deleted there, too. `new`: who is there
 * now is a new person.
 */
export const ALARM_ANSWERS = ['recreate', 'forget', 'delete', 'new'] as const;
export const AnswerAlarmsSchema = z.strictObject({
  site: SiteNameSchema,
  answer: z.enum(ALARM_ANSWERS),
  /** Without it: all alarms of the site that this answers. */
  logins: z.array(LoginSchema).min(1).max(1000).optional(),
  /** `next` of the answer before. */
  after: PageQuerySchema.shape.after,
});
export type AnswerAlarms = z.infer<typeof AnswerAlarmsSchema>;
export const AnsweredAlarmsSchema = z.object({
  answered: z.int().nonnegative(),
  /** Many take their time: the rest is answered when asked again `after` this; null: all are answered. */
  next: NextSchema,
});
export type AnsweredAlarms = z.infer<typeof AnsweredAlarmsSchema>;
