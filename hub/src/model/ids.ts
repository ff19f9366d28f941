/** Branded ids: a number or string of one kind can't be passed for another. */
// Giving a brand is what this file is for.
/* oxlint-disable typescript/no-unsafe-type-assertion */

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** The global user identifier of one person. UUID. */
export type IdentityUid = Branded<string, 'IdentityUid'>;
/** One WordPress code base and database. UUID, given by this hub. */
export type InstallationId = Branded<string, 'InstallationId'>;
/** One site. Small positive integer, never used again; also the second part of every stamp. */
export type SiteKey = Branded<number, 'SiteKey'>;
/** WordPress's own user id on one installation. */
export type WordPressId = Branded<number, 'WordPressId'>;
export type RouteId = Branded<number, 'RouteId'>;
export type DeliveryId = Branded<string, 'DeliveryId'>;
export type GroupId = Branded<string, 'GroupId'>;

export const identityUid = (value: string): IdentityUid => value as IdentityUid;
export const installationId = (value: string): InstallationId => value as InstallationId;
export const siteKey = (value: number): SiteKey => value as SiteKey;
export const wordPressId = (value: number): WordPressId => value as WordPressId;
export const routeId = (value: number): RouteId => value as RouteId;
export const deliveryId = (value: string): DeliveryId => value as DeliveryId;
export const groupId = (value: string): GroupId => value as GroupId;
