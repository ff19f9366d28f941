/**
 * The text of a site's wp-config.php.
 *
 * Does: the same for both kinds of site; only the database part differs.
 * Always true: fresh salts each time.
 */
import { randomBytes } from 'node:crypto';
import { LAB_THEME } from './fetch-wordpress.ts';

export interface DatabaseAccess {
  readonly name: string;
  readonly user: string;
  readonly password: string;
  /** WordPress's own form, `localhost:/path/to/socket` included. */
  readonly host: string;
}

export interface WpConfig {
  readonly hostAndPort: string;
  readonly multisite: boolean;
  /** undefined: SQLite, through the db.php drop-in. */
  readonly database?: DatabaseAccess;
}

type Constants = Readonly<Record<string, string | boolean | number>>;

const SALTS = ['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY'].flatMap((key) => [
  key,
  key.replace('KEY', 'SALT'),
]);

export function wpConfig(config: WpConfig): string {
  const constants: Constants = {
    ...databaseConstants(config.database),
    ...Object.fromEntries(SALTS.map((name) => [name, randomBytes(32).toString('hex')])),
    WP_ENVIRONMENT_TYPE: 'local',
    WP_DEBUG: true,
    WP_DEBUG_LOG: true,
    WP_DEBUG_DISPLAY: false,
    DISABLE_WP_CRON: true,
    AUTOMATIC_UPDATER_DISABLED: true,
    WP_DEFAULT_THEME: LAB_THEME,
    ...(config.multisite ? networkConstants(config.hostAndPort) : {}),
  };
  const lines = Object.entries(constants).map(
    ([name, value]) => `define( '${name}', ${typeof value === 'string' ? `'${value}'` : value} );`,
  );
  return [
    '<?php',
    ...lines,
    "$table_prefix = 'wp_';",
    "if ( ! defined( 'ABSPATH' ) ) {",
    "\tdefine( 'ABSPATH', __DIR__ . '/' );",
    '}',
    "require_once ABSPATH . 'wp-settings.php';",
    '',
  ].join('\n');
}

/** An existing wp-config.php, whatever has been written into it since, at another address and database. */
export function movedWpConfig(text: string, from: string, to: Omit<WpConfig, 'multisite'>): string {
  const moved = text.replaceAll(from, to.hostAndPort);
  const database = to.database;
  if (database === undefined) return moved;
  return moved.replace(/define\( 'DB_NAME', '[^']*' \)/, `define( 'DB_NAME', '${database.name}' )`);
}

function databaseConstants(database: DatabaseAccess | undefined): Constants {
  return {
    DB_NAME: database?.name ?? 'wordpress',
    DB_USER: database?.user ?? '',
    DB_PASSWORD: database?.password ?? '',
    DB_HOST: database?.host ?? '',
    DB_CHARSET: 'utf8mb4',
    DB_COLLATE: '',
  };
}

function networkConstants(hostAndPort: string): Constants {
  return {
    WP_ALLOW_MULTISITE: true,
    MULTISITE: true,
    SUBDOMAIN_INSTALL: false,
    DOMAIN_CURRENT_SITE: hostAndPort,
    PATH_CURRENT_SITE: '/',
    SITE_ID_CURRENT_SITE: 1,
    BLOG_ID_CURRENT_SITE: 1,
  };
}
