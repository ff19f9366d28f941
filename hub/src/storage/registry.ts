/**
 * Installations, sites and routes.
 *
 * Always true: each call is one transaction; credentials and signal secrets are sealed before
 * they reach the database and opened after; what is given back never holds them, except by
 * `connection` and `signalSecret`.
 * On failure: `site.*` and `route.*` Faults; nothing has changed then.
 */
import type { Kysely } from 'kysely';
import type { Registry } from '../sync/ports.ts';
import { refuseInside } from './in-transaction.ts';
import type { Database } from './open-database.ts';
import * as events from './registry/events.ts';
import * as installations from './registry/installations.ts';
import { keepSites } from './registry/keep-sites.ts';
import * as places from './registry/places.ts';
import { removeEnded, removeInstallation } from './registry/remove-installation.ts';
import * as routes from './registry/routes.ts';
import * as sites from './registry/sites.ts';
import type { Secrets } from './secrets.ts';
import type { Tables } from './tables.ts';

export function createRegistry({ kysely }: Database, secrets: Secrets): Registry {
  const outside = (what: string): Kysely<Tables> => {
    refuseInside(`Registry.${what}`);
    return kysely;
  };
  const topology = sites.keepTopology();
  return {
    topology: async () => topology(outside('topology')),
    installations: async () => installations.list(outside('installations')),
    installation: async (id) => installations.find(outside('installation'), id),
    installationOfStore: async (store) =>
      installations.ofStore(outside('installationOfStore'), store),
    sites: async () => sites.list(outside('sites')),
    reserveSiteKeys: async (count) => sites.reserveKeys(outside('reserveSiteKeys'), count),
    saveInstallation: async (installation, its, given) =>
      installations.save(outside('saveInstallation'), secrets, installation, its, given),
    connection: async (id) => installations.connection(outside('connection'), secrets, id),
    signalSecret: async (id) => installations.signalSecret(outside('signalSecret'), secrets, id),
    replaceCredential: async (id, from, to) =>
      installations.replaceCredential(outside('replaceCredential'), secrets, id, { from, to }),
    updateInstallation: async (id, change) =>
      installations.update(outside('updateInstallation'), id, change),
    relocate: async (id, place) => places.relocate(outside('relocate'), id, place),
    news: async (id) => places.news(outside('news'), id),
    noteNews: async (id, change) => places.note(outside('noteNews'), id, change),
    noteEvent: async (id, event) => events.note(outside('noteEvent'), id, event),
    keepSites: async (id, change) => keepSites(outside('keepSites'), id, change),
    updateSite: async (key, change) => sites.update(outside('updateSite'), key, change),
    removeInstallation: async (id) => removeInstallation(outside('removeInstallation'), id),
    removeEnded: async (key) => removeEnded(outside('removeEnded'), key),
    addRoute: async (route) => routes.add(outside('addRoute'), route),
    updateRoute: async (id, change) => routes.update(outside('updateRoute'), id, change),
    removeRoute: async (id) => routes.remove(outside('removeRoute'), id),
  };
}
