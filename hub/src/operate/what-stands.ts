/** What people should know of an installation while it goes on, and what to do about it. */
import { FAULTS, isFaultCode } from '../errors.ts';
import type { Installation, InstallationNews } from '../sync/ports.ts';

export interface Standing {
  readonly code: string;
  readonly message: string;
}

/** News of other places are shown for so long. */
export const NEWS_MS = 30 * 86_400_000;

export function standing(
  installation: Pick<Installation, 'home'>,
  { copy, rewritten, others }: InstallationNews,
  nowMs: number,
): readonly Standing[] {
  const found: Standing[] = [];
  if (rewritten !== null) {
    found.push({ code: 'source.rewritten_outside', message: rewritten.message });
  }
  if (others !== null) found.push({ code: 'installation.other_sync', message: others.message });
  if (copy !== null && copy.home !== installation.home && nowMs - copy.atMs < NEWS_MS) {
    const message = `An installation with this site’s database woke up at ${copy.home} on ${day(copy.atMs)} and stays silent.`;
    found.push({ code: 'installation.copied', message });
  }
  return found;
}

export const day = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);

/**
 * The operator's next step.
 * @param name of the site
 * @param elsewhere the address that it is about, where there is one
 */
export function whatToDo(code: string, name: string, elsewhere = 'ADDRESS'): string {
  if (code === 'source.rewritten_outside') {
    return `“rollcall site rewritten ${name} --take edits”, “others” or “nothing” says what becomes of it.`;
  }
  if (code === 'source.accounts_missing') {
    return `If a table was restored, “rollcall site rewritten ${name} --take …” reads the site anew; then answer the alarms.`;
  }
  if (code === 'installation.copied') {
    return `Say in its wp-admin whether it is a copy or the site moved there; then here, for a copy “rollcall site copy ${name}”, after a move “rollcall site moved ${name} ${elsewhere}”.`;
  }
  if (code === 'installation.other_sync') {
    return `Deactivate it there, or remove the site here: “rollcall site remove ${name}”. docs/guides/moving-over.md has the order.`;
  }
  if (isFaultCode(code)) return FAULTS[code].next;
  return 'Look at the site’s User Sync page.';
}
