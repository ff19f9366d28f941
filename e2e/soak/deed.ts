/**
 * What people do to accounts, as values, and how WordPress is made to do it.
 *
 * Always true: a deed carries a value that no other deed carries, so that what is found in the end
 * tells whose it is.
 */
import type { Site } from '#lab/start-site.ts';

/** Fields whose last value must be found in the end, by their names on the wire. */
export const SCALARS = [
  'first_name',
  'last_name',
  'nickname',
  'display_name',
  'description',
  'url',
  'email',
  'meta:phone',
] as const;
export type Scalar = (typeof SCALARS)[number];
export const ROLES = ['subscriber', 'contributor', 'author'] as const;

export type Deed =
  | { readonly kind: 'register'; readonly login: string; readonly password: string }
  | {
      readonly kind: 'edit';
      readonly login: string;
      readonly field: Scalar;
      readonly value: string;
      /** The request is killed once WordPress has written. */
      readonly killed?: boolean;
    }
  | { readonly kind: 'role'; readonly login: string; readonly role: (typeof ROLES)[number] }
  | { readonly kind: 'password'; readonly login: string; readonly password: string }
  | { readonly kind: 'remove'; readonly login: string };

export const emailOf = (login: string): string => `${login}@people.test`;

type RunPhp = (code: string) => Promise<string>;

/** Does it in one request. @returns whether there was anything to do */
export async function perform(
  site: Site,
  deed: Deed,
  run: RunPhp = (code) => site.php(code),
): Promise<boolean> {
  if (deed.kind === 'edit' && deed.killed === true) {
    const exists = `echo get_user_by( 'login', ${quoted(deed.login)} ) ? 'yes' : 'no';`;
    if ((await run(exists)) !== 'yes') return false;
    const dies = `${phpOf(deed)} posix_kill( getmypid(), 9 );`;
    // It prints nothing any more, and whoever asked sees it die.
    await run(dies).catch(() => {});
    return true;
  }
  return (await run(`${phpOf(deed)} echo $done ? 'done' : 'nobody';`)) === 'done';
}

const quoted = (text: string): string => `'${text.replaceAll(/['\\]/gu, '\\$&')}'`;

function phpOf(deed: Deed): string {
  if (deed.kind === 'register') {
    return `$done = ! is_wp_error( wp_insert_user( array( 'user_login' => ${quoted(deed.login)},
      'user_email' => ${quoted(emailOf(deed.login))}, 'user_pass' => ${quoted(deed.password)} ) ) );`;
  }
  return `$user = get_user_by( 'login', ${quoted(deed.login)} ); $done = (bool) $user;
    if ( $user ) { ${changeOf(deed)} }`;
}

function changeOf(deed: Exclude<Deed, { kind: 'register' }>): string {
  switch (deed.kind) {
    case 'edit':
      return editOf(deed.field, quoted(deed.value));
    case 'role':
      // Who has the role already is not changed, and nothing is to be heard of it.
      return `$done = array( ${quoted(deed.role)} ) !== array_values( $user->roles );
        $user->set_role( ${quoted(deed.role)} );`;
    case 'password':
      return `wp_set_password( ${quoted(deed.password)}, $user->ID );`;
    default:
      return `require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user( $user->ID );`;
  }
}

/**
 * WordPress's own update writes every field back as it has read it, and so undoes what arrives in
 * between: nobody could tell then which value was meant. Here a save writes what was edited.
 */
function editOf(field: Scalar, value: string): string {
  if (field === 'meta:phone') return `update_user_meta( $user->ID, 'phone', ${value} );`;
  const name = field === 'email' || field === 'url' ? `user_${field}` : field;
  const only = (values: string, more: string): string =>
    `function ( ${values} ) { return array_intersect_key( ${values}, array( '${name}' => 1${more} ) ); }`;
  return `add_filter( 'wp_pre_insert_user_data', ${only('$row', ", 'user_nicename' => 1")} );
    add_filter( 'insert_user_meta', ${only('$meta', '')} );
    wp_update_user( array( 'ID' => $user->ID, '${name}' => ${value} ) );`;
}

/** What WordPress says of one account. */
export interface Seen {
  readonly fields: Readonly<Record<Scalar, string>>;
  readonly roles: readonly string[];
  readonly hash: string;
}

/** Everybody but administrators and the hub itself, by login. */
export async function everybodyOn(site: Site): Promise<Readonly<Record<string, Seen>>> {
  const found: Readonly<Record<string, Seen>> = JSON.parse(
    await site.php(`$all = new stdClass();
      foreach ( get_users( array( 'role__not_in' => array( 'administrator' ) ) ) as $u ) {
        if ( user_can( $u, 'rollcall_hub' ) ) { continue; }
        $roles = array_values( $u->roles );
        sort( $roles );
        if ( isset( $all->{$u->user_login} ) ) { throw new Exception( "two are $u->user_login" ); }
        $all->{$u->user_login} = array( 'fields' => array( 'first_name' => $u->first_name,
          'last_name' => $u->last_name, 'nickname' => $u->nickname, 'display_name' => $u->display_name,
          'description' => $u->description, 'url' => $u->user_url, 'email' => $u->user_email,
          'meta:phone' => (string) get_user_meta( $u->ID, 'phone', true ) ),
          'roles' => $roles, 'hash' => $u->user_pass );
      }
      echo wp_json_encode( $all );`),
  );
  return found;
}
