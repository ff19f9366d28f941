/**
 * What an installed template is: a snapshot under a name that a copy replaces by its own.
 */
import { ADMIN_LOGIN, ADMIN_PASSWORD, type Snapshot } from './site.ts';

/** Occurs nowhere else in WordPress's database, so that replacing it touches nothing else. */
const TEMPLATE_NAME = 'rollcall-template';

export function templateSnapshot(
  facts: Pick<Snapshot, 'engine' | 'version' | 'multisite' | 'hostAndPort' | 'folder'>,
): Snapshot {
  return { ...facts, php: '8.3', name: TEMPLATE_NAME, adminEmail: adminEmail(TEMPLATE_NAME) };
}

export function isTemplate(origin: Snapshot): boolean {
  return origin.name === TEMPLATE_NAME;
}

export function adminEmail(name: string): string {
  return `admin@${name}.test`;
}

/** WP-CLI's arguments that turn an empty database into a template. */
export function installCommand(hostAndPort: string, multisite: boolean): string[] {
  return [
    ...(multisite
      ? ['core', 'multisite-install', '--base=/', '--skip-config']
      : ['core', 'install']),
    `--url=http://${hostAndPort}`,
    `--title=${TEMPLATE_NAME}`,
    `--admin_user=${ADMIN_LOGIN}`,
    `--admin_password=${ADMIN_PASSWORD}`,
    `--admin_email=${adminEmail(TEMPLATE_NAME)}`,
    '--skip-email',
  ];
}

/** A network's main site has pretty ones from its installer. */
export const PRETTY_PERMALINKS = permalinks('/%postname%/');

/** PHP that sets them; the empty text means plain ones. */
export function permalinks(structure: string): string {
  return `$GLOBALS['wp_rewrite']->set_permalink_structure( '${structure}' ); flush_rewrite_rules( false );`;
}
