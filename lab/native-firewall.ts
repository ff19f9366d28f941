/**
 * ModSecurity's rules for one native site.
 *
 * Does: the module's own recommended settings, blocking, and the whole OWASP core rule set on top.
 * Always true: JSON answers are looked at, too, which the recommended settings leave out; nothing is written
 *   outside of the files that are named here.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FIREWALL } from './native-programs.ts';

export interface FirewallPlace {
  /** What was blocked, and by which rule. */
  readonly auditLog: string;
  /** A folder that is there. */
  readonly temporary: string;
}

export async function firewallRules(paranoia: 1 | 2, place: FirewallPlace): Promise<string> {
  const recommended = await readFile(FIREWALL.settings, 'utf8');
  const settings = recommended
    .replace(/^SecRuleEngine .*$/mu, 'SecRuleEngine On')
    .replace(/^SecAuditLog .*$/mu, `SecAuditLog ${place.auditLog}`)
    .replaceAll(/^(SecTmpDir|SecDataDir) .*$/gmu, `$1 ${place.temporary}`)
    .replace(/^(SecResponseBodyMimeType .*)$/mu, '$1 application/json')
    .replace(
      /^SecUnicodeMapFile (\S+)/mu,
      `SecUnicodeMapFile ${join(dirname(FIREWALL.settings), '$1')}`,
    );
  const level = `setvar:tx.paranoia_level=${paranoia}`;
  return `${settings}
SecAction "id:900000,phase:1,nolog,pass,t:none,${level}"
Include ${FIREWALL.rulesSetup}
Include ${FIREWALL.rules}/*.conf
`;
}
