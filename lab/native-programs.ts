/**
 * The programs that native sites need, and where they are on this machine.
 *
 * Does not: look at versions; whatever PHP, MariaDB and nginx are installed is what the sites run on.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface NativePrograms {
  readonly php: string;
  readonly phpFpm: string;
  readonly nginx: string;
  readonly mariadbd: string;
  readonly mariadb: string;
  readonly mariadbDump: string;
  readonly mariadbInstallDb: string;
}

const INSTALL =
  'apt-get install -y --no-install-recommends php-cli php-fpm php-mysql php-sqlite3 php-curl php-xml php-mbstring php-zip php-intl mariadb-server nginx';

/** For who asked for WebAssembly alone: then nothing native runs, as on a machine without it. */
const UNSET = 'unset ROLLCALL_LAB_ENGINE';

/** null, or the one line that installs what native sites need and this machine lacks. */
export function nativeMissing(): string | null {
  if (process.env['ROLLCALL_LAB_ENGINE'] === 'wasm') return missingHere() ?? UNSET;
  return missingHere();
}

function missingHere(): string | null {
  try {
    nativePrograms();
    return null;
  } catch {
    return INSTALL;
  }
}

const INSTALL_FIREWALL =
  'apt-get install -y --no-install-recommends libnginx-mod-http-modsecurity modsecurity-crs';

/** ModSecurity and the OWASP core rule set, where Debian's packages put them. */
export const FIREWALL = {
  module: '/usr/lib/nginx/modules/ngx_http_modsecurity_module.so',
  rules: '/usr/share/modsecurity-crs/rules',
  rulesSetup: '/etc/modsecurity/crs/crs-setup.conf',
  /** What the module's packager thinks a host should start from. */
  settings: '/etc/nginx/modsecurity.conf',
} as const;

/** null, or the one line that installs what native sites behind a firewall need and this machine lacks. */
export function firewallMissing(): string | null {
  const missing = nativeMissing();
  if (Object.values(FIREWALL).every((file) => existsSync(file))) return missing;
  return missing === null ? INSTALL_FIREWALL : `${missing} && ${INSTALL_FIREWALL}`;
}

/** Throws exactly that line when something is missing. */
export function nativePrograms(): NativePrograms {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  const files = folders.flatMap((folder) => list(folder).map((name) => ({ folder, name })));
  const find = (pattern: RegExp): string => {
    const file = files.find(({ name }) => pattern.test(name));
    if (file === undefined) throw new Error(INSTALL);
    return join(file.folder, file.name);
  };
  return {
    php: find(/^php$/),
    phpFpm: find(/^php-fpm[\d.]*$/),
    nginx: find(/^nginx$/),
    mariadbd: find(/^mariadbd$/),
    mariadb: find(/^mariadb$/),
    mariadbDump: find(/^mariadb-dump$/),
    mariadbInstallDb: find(/^mariadb-install-db$/),
  };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
