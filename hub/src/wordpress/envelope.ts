/** `{ "z": base64(gzip(JSON)) }`: the form of a request that web application firewalls let pass. */
import { gzipSync } from 'node:zlib';

export const packEnvelope = (json: string): string =>
  JSON.stringify({ z: gzipSync(json, { level: 6 }).toString('base64') });
