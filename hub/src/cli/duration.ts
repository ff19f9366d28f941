/** Spans of time, as people write and read them. */
import { usage } from './failure.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `90s`, `15m`, `2h`, `7d` ago, or a date as ISO 8601; gives a moment in UTC. */
export function parseSince(text: string, nowMs: number, option = '--since'): string {
  const ago = /^(\d{1,6})([smhd])$/u.exec(text);
  const unit = UNIT_MS[ago?.[2] ?? ''];
  if (ago !== null && unit !== undefined) {
    return new Date(nowMs - Number(ago[1]) * unit).toISOString();
  }
  const at = /^\d{4}-\d\d-\d\d/u.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) {
    throw usage(
      `${option} “${text}” is no time.`,
      'Write 15m, 2h, 7d, or a date such as 2026-11-21.',
    );
  }
  return new Date(at).toISOString();
}

/** `90s`, `15m`, `2h`, `7d` → seconds. */
export function parseSpan(text: string, option: string): number {
  const span = /^(\d{1,6})([smhd])$/u.exec(text);
  const unit = UNIT_MS[span?.[2] ?? ''];
  if (span !== null && unit !== undefined) return (Number(span[1]) * unit) / 1000;
  throw usage(`${option} “${text}” is no span of time.`, 'Write 90s, 15m, 2h or 3d.');
}

/** How long ago, roughly: `12 s`, `5 min`, `3 h`, `2 d`. */
export function ago(moment: string, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(moment)) / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export function parseSeconds(text: string, option: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds < 0 || seconds > 1e7) {
    throw usage(`${option} “${text}” is no number of seconds.`);
  }
  return seconds;
}
