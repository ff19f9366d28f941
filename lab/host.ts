/**
 * What a host may do to a site, besides running it.
 *
 * Does not: mean anything to WebAssembly sites: all of it is done by nginx and PHP-FPM.
 */
export interface Host {
  /** ModSecurity with the OWASP core rule set in front, blocking, at this paranoia level. */
  readonly firewall?: 1 | 2;
  /** Lines of nginx's own for `http`, for `server` (before WordPress's), and for PHP's `location`. */
  readonly nginx?: { readonly http?: string; readonly server?: string; readonly php?: string };
  /** FastCGI parameters that PHP gets instead of the usual ones; empty: not at all. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Gives the site a PHP-FPM of its own. */
  readonly php?: OwnPhp;
}

export interface OwnPhp {
  /** Of php.ini; WordPress can't change them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Of the pool, `request_terminate_timeout` for one. */
  readonly pool?: Readonly<Record<string, string>>;
  /** Extensions that are not loaded, `mbstring` for one. What is built into PHP itself stays. */
  readonly without?: readonly string[];
}
