/** What the operations need besides the engine's own ports. */

import type { z } from 'zod';
import type { ConnectRequestSchema, StatusAnswer } from '#contract/messages.ts';
import type { Caller } from '../api/operations.ts';
import type { Fault } from '../errors.ts';
import type { Approvals } from '../model/approval.ts';
import type { Arrangements } from '../model/arrangement.ts';
import type { Erasures } from '../model/erasure.ts';
import type { NetworkRuns } from '../model/network-run.ts';
import type { Reconciles } from '../model/reconcile.ts';
import type { NetworkPort } from '../sync/network-port.ts';
import type { Pipeline } from '../sync/pipeline.ts';
import type {
  Credential,
  LogKeeping,
  Marks,
  Proofs,
  Registry,
  Runs,
  SitePort,
  Store,
  Views,
  Wake,
} from '../sync/ports.ts';

/** Where to knock, with an administrator's credential that is used once and not kept. */
export interface Door {
  readonly restUrl: string;
  /** It was found at a public address. */
  readonly publicOnly: boolean;
  readonly administrator: Credential;
}

/** Getting to know a site. Every call throws `Fault` (`site.*`). */
export interface Introductions {
  /** From an address to the REST root. `publicOnly`: never looked for at a private address. */
  discover(address: string, publicOnly?: boolean): Promise<Pick<Door, 'restUrl' | 'publicOnly'>>;
  status(door: Door): Promise<StatusAnswer>;
  connect(
    door: Door,
    request: z.input<typeof ConnectRequestSchema>,
  ): Promise<{ readonly credential: Credential; readonly status: StatusAnswer }>;
  /** Where an administrator approves an Application Password, without what to put behind it. */
  approvePage(address: string): Promise<string>;
  /** With a name and password, which are forgotten by the end of the call. */
  signIn(address: string, login: Credential): Promise<OneTimeLogin>;
  /** What stands behind a credential that was refused, where the site tells. */
  whyRefused(fault: Fault): Fault;
  /** Ends an Application Password that was obtained for this hub. False: it could not be told. */
  revoke(door: Door): Promise<boolean>;
}

/** A person's session on a site. Whoever opened it ends it. */
export interface OneTimeLogin {
  /** Uploads or updates the connector where need be, and activates it. */
  installConnector(): Promise<void>;
  makePassword(): Promise<Credential>;
  /** Ends the password that was made, and the session. */
  end(): Promise<void>;
}

export interface OperationPorts {
  readonly store: Store;
  readonly registry: Registry;
  readonly views: Views;
  readonly logKeeping: LogKeeping;
  readonly marks: Marks;
  readonly proofs: Proofs;
  readonly runs: Runs;
  readonly reconciles: Reconciles;
  readonly networkRuns: NetworkRuns;
  readonly site: SitePort;
  readonly network: NetworkPort;
  readonly introductions: Introductions;
  readonly approvals: Approvals;
  readonly arrangements: Arrangements;
  readonly erasures: Erasures;
  readonly pipeline: Pipeline;
  readonly wake: Wake;
  readonly hub: {
    readonly id: string;
    readonly name: string;
    term(): Promise<number>;
    /** The term rises: whoever still speaks with the older one is refused. */
    takeOver(): Promise<void>;
    verifyToken(token: string): Promise<Caller | null>;
    ready(): Promise<boolean>;
    backUp(): Promise<{ readonly bytes: number; readonly content: AsyncIterable<Uint8Array> }>;
    /** When one was last given out whole (hub ms); null: never. */
    lastBackupMs(): Promise<number | null>;
  };
  readonly version: string;
  /** Of the connector that comes with this hub. */
  readonly connectorVersion: string;
  /** Base of the address at which sites reach the hub with their signals. */
  readonly publicUrl: () => string;
  readonly newSecret: () => string;
  readonly newId: () => string;
}
