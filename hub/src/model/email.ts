/**
 * Does WordPress keep an e-mail address as it is written?
 *
 * Always true: whatever `sanitize_email()` would change is `false` here; what newer versions let pass
 * besides is `false`, too. Two addresses that only look alike are never taken for one.
 */
const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+$/u;
const LABEL = /^[A-Za-z0-9-]+$/u;
/** Shorter ones are none for WordPress. */
const SHORTEST = 6;

export function isKeptAsWritten(email: string): boolean {
  const at = email.indexOf('@');
  const labels = email.slice(at + 1).split('.');
  return (
    email.length >= SHORTEST &&
    at > 0 &&
    LOCAL.test(email.slice(0, at)) &&
    labels.length > 1 &&
    labels.every((label) => LABEL.test(label) && !label.startsWith('-') && !label.endsWith('-'))
  );
}

/** Byte by byte, lower-cased: what a database's collation takes for the same is not. */
export const isSameEmail = (one: string, other: string): boolean =>
  one !== '' && one.toLowerCase() === other.toLowerCase();
