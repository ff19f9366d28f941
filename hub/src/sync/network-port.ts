/** Memberships within a network, as the sites of an installation are asked for them. `wordpress` implements it. */
import type {
  Network,
  NetworkRow,
  NetworkRun,
  NetworkSettings,
  NetworkSpec,
  SitePreview,
} from '#contract/network-messages.ts';
import type { Connection } from './ports.ts';

export interface TightenNetwork
  extends Partial<
    Pick<NetworkSettings, 'new_account' | 'new_site' | 'role_change' | 'role_sites' | 'site_admins'>
  > {
  readonly network: number;
  readonly revoke?: readonly string[];
  readonly exclude?: readonly number[];
}

/**
 * Every call throws `Fault` when the site can't be spoken to; repeating any call is safe. The connection says at
 * which site it is asked: `page` at the one that is written to.
 */
export interface NetworkPort {
  /** @param network null: all of the installation */
  show(connection: Connection, network: number | null): Promise<readonly Network[]>;
  /** What is named is set, all of it or nothing. */
  settings(connection: Connection, change: TightenNetwork): Promise<NetworkSettings>;
  /** Sites behind `after`, as many as there was time for; writes nothing. */
  preview(
    connection: Connection,
    asked: { readonly network: number; readonly spec: NetworkSpec; readonly after: number },
  ): Promise<{ readonly sites: readonly SitePreview[]; readonly after: number | null }>;
  /** The run of this id; it begins with the first call. */
  begin(
    connection: Connection,
    run: {
      readonly id: string;
      readonly network: number;
      readonly spec: NetworkSpec;
      readonly by: string;
    },
  ): Promise<NetworkRun>;
  page(connection: Connection, run: string, blog: number): Promise<NetworkRun>;
  control(
    connection: Connection,
    run: string,
    order: 'pause' | 'resume' | 'cancel' | 'undo',
  ): Promise<NetworkRun>;
  /** The newest first. */
  runs(
    connection: Connection,
    asked: { readonly network: number; readonly before?: string; readonly limit: number },
  ): Promise<readonly NetworkRun[]>;
  rows(
    connection: Connection,
    asked: { readonly run: string; readonly after?: string; readonly limit: number },
  ): Promise<{ readonly rows: readonly NetworkRow[]; readonly after: string | null }>;
}
