import { expect, it } from 'vitest';
import { rangeOf } from './address-range.ts';

it('T701: no form of a link-local, metadata or nowhere address passes for another', () => {
  for (const address of [
    '169.254.169.254',
    '169.254.0.1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::169.254.169.254',
    '64:ff9b::169.254.169.254',
    '2002:a9fe:a9fe::1',
    'fe80::1',
    'fe80::1%eth0',
    '[fe80::1]',
    'febf::1',
    'fd00:ec2::254',
    'FD00:EC2:0:0:0:0:0:254',
    'fd20:ce::254',
    '100.100.100.200',
    '192.0.0.192',
    '168.63.129.16',
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '::ffff:0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '240.0.0.1',
    'ff02::1',
    'not an address',
    '',
  ]) {
    expect([address, rangeOf(address)]).toEqual([address, 'forbidden']);
  }
});

it('T701: this machine and local networks are told from the public internet in every form', () => {
  for (const address of [
    '127.0.0.1',
    '127.8.8.8',
    '::1',
    '::ffff:127.0.0.1',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '::ffff:c0a8:0101',
    '64:ff9b::10.0.0.1',
    '2002:0a00:0001::1',
    '100.64.0.1',
    'fc00::1',
    'fdff::1',
    'fec0::1',
  ]) {
    expect([address, rangeOf(address)]).toEqual([address, 'private']);
  }
  for (const address of [
    '1.1.1.1',
    '172.15.0.1',
    '172.32.0.1',
    '100.128.0.1',
    '169.253.1.1',
    '::ffff:1.1.1.1',
    '64:ff9b::1.1.1.1',
    '2606:4700::1111',
  ]) {
    expect([address, rangeOf(address)]).toEqual([address, 'public']);
  }
});
