/**
 * What kind of place an IP address leads to. Pure.
 *
 * Always true: an IPv4 address is judged alike in every form in which IPv6 carries it; what is no
 * address is forbidden.
 *
 * Sources: the special-purpose registries of RFC 6890; metadata services by their vendors' manuals.
 */
import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * `private`: this machine, a local network, a carrier's. Sites live there, too, in labs and
 * intranets. `forbidden`: no site ever does.
 */
export type AddressRange = 'public' | 'private' | 'forbidden';

type Ranges = ReadonlyArray<readonly [net: string, prefix: number]>;

const FORBIDDEN: Ranges = [
  // "This host", multicast, reserved and broadcast.
  ['0.0.0.0', 8],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['ff00::', 8],
  // Link-local: where clouds keep their metadata service, and with it their keys.
  ['169.254.0.0', 16],
  ['fe80::', 10],
  // Metadata and host services at other addresses: Oracle, Alibaba, Azure, AWS, Google.
  ['192.0.0.0', 24],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['fd00:ec2::', 32],
  ['fd20:ce::', 32],
];
const PRIVATE: Ranges = [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['198.18.0.0', 15],
  ['::1', 128],
  ['fc00::', 7],
  ['fec0::', 10],
];

function listOf(ranges: Ranges): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of ranges) list.addSubnet(net, prefix, isIPv6(net) ? 'ipv6' : 'ipv4');
  return list;
}
const forbidden = listOf(FORBIDDEN);
const local = listOf(PRIVATE);

/** @param address IPv4 or IPv6, a zone (`%eth0`) and brackets allowed */
export function rangeOf(address: string): AddressRange {
  const plain = address.replace(/^\[(.*)\]$/u, '$1').replace(/%.*$/u, '');
  if (isIP(plain) === 0) return 'forbidden';
  const carried = isIPv6(plain) ? carriedIpv4(plain) : plain;
  if (carried === null) return inLists(plain, 'ipv6');
  return inLists(carried, 'ipv4');
}

function inLists(address: string, family: 'ipv4' | 'ipv6'): AddressRange {
  if (forbidden.check(address, family)) return 'forbidden';
  return local.check(address, family) ? 'private' : 'public';
}

/** The IPv4 address within: mapped, compatible, NAT64 (RFC 6052) or 6to4 (RFC 3056); else null. */
function carriedIpv4(address: string): string | null {
  const groups = groupsOf(address);
  const start = groups.slice(0, 6).join(':');
  if (['0:0:0:0:0:ffff', '64:ff9b:0:0:0:0'].includes(start)) return dotted(groups.slice(6));
  const compatible = start === '0:0:0:0:0:0' && (groups[6] !== '0' || Number(`0x${groups[7]}`) > 1);
  if (compatible) return dotted(groups.slice(6));
  return groups[0] === '2002' ? dotted(groups.slice(1, 3)) : null;
}

/** Eight groups in hex. The URL parser writes every form of an address alike. */
function groupsOf(address: string): readonly string[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right];
}

const dotted = (groups: readonly string[]): string =>
  groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
