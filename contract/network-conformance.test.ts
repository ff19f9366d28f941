import { randomUUID } from 'node:crypto';
import { describe } from 'vitest';
import { installationId } from '#hub/model/ids.ts';
import { FakeNetwork } from '#hub/operate/test/fake-network.ts';
import { describeNetworks } from './conformance/networks.ts';

describe('the network in memory', () => {
  describeNetworks(async () => {
    const accounts = ['admin', 'anna', 'ben', 'cleo'].map((login, i) => ({ id: i + 1, login }));
    const blogs = [1, 2, 3].map((blog) => ({ blog, name: `Site ${blog}` }));
    const network = new FakeNetwork('brands.test', blogs, () => accounts);
    network.superAdmins.add(1);
    network.pageSize = 2;
    const at = (blog: number) => ({
      installation: installationId('11111111-1111-4111-8111-111111111111'),
      restUrl: `https://brands.test/${blog}/wp-json/`,
      publicOnly: true,
      credential: { user: 'hub', password: 'secret' },
      hub: { id: randomUUID(), term: 1 },
    });
    return {
      port: network.port,
      at,
      sites: [1, 2, 3],
      superAdmin: 1,
      people: [2, 3, 4],
      reset: async (members) => network.reset(members),
      exclude: async (excluded) => {
        network.settings = { ...network.settings, excluded: [...excluded] };
      },
      give: async (blog, id, role) => {
        network.on(blog).set(id, [role]);
      },
      roles: async (blog, id) => network.on(blog).get(id) ?? null,
      stop: async () => {},
    };
  });
});
