/** `/api/v1/groups` */
import { z } from 'zod';
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import {
  AddGroupSchema,
  AddMembersSchema,
  ChangeGroupSchema,
  ExceptSchema,
  GroupListSchema,
  GroupMemberParamsSchema,
  GroupParamsSchema,
  GroupViewSchema,
} from '../schemas/group.ts';

export function groupRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/groups',
    ...access('viewer'),
    schema: says('All groups', GroupListSchema),
    handler: async () => ({ groups: [...(await operations.groups())] }),
  });
  api.route({
    method: 'POST',
    url: '/groups',
    ...access('operator'),
    schema: {
      ...says('Keep sites in step under one rule set', GroupViewSchema),
      body: AddGroupSchema,
    },
    handler: (request) => operations.addGroup(request.body),
  });
  api.route({
    method: 'GET',
    url: '/groups/:group',
    ...access('viewer'),
    schema: { ...says('A group', GroupViewSchema), params: GroupParamsSchema },
    handler: (request) => operations.group(request.params.group),
  });
  api.route({
    method: 'PATCH',
    url: '/groups/:group',
    ...access('operator'),
    schema: {
      ...says('Rename, pause or resume a group, or change its rules', GroupViewSchema),
      params: GroupParamsSchema,
      body: ChangeGroupSchema,
    },
    handler: (request) => operations.changeGroup(request.params.group, request.body),
  });
  api.route({
    method: 'DELETE',
    url: '/groups/:group',
    ...access('operator'),
    schema: {
      ...says('Remove a group and its routes', z.object({ removed: z.literal(true) })),
      params: GroupParamsSchema,
    },
    handler: async (request) => {
      await operations.removeGroup(request.params.group);
      return { removed: true as const };
    },
  });
  memberRoutes(api, operations);
}

function memberRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'POST',
    url: '/groups/:group/members',
    ...access('operator'),
    schema: {
      ...says('Add members, or say which way they sync', GroupViewSchema),
      params: GroupParamsSchema,
      body: AddMembersSchema,
    },
    handler: (request) => operations.addMembers(request.params.group, request.body),
  });
  api.route({
    method: 'DELETE',
    url: '/groups/:group/members/:site',
    ...access('operator'),
    schema: {
      ...says('Take a site out of a group', GroupViewSchema),
      params: GroupMemberParamsSchema,
    },
    handler: (request) => operations.removeMember(request.params.group, request.params.site),
  });
  api.route({
    method: 'POST',
    url: '/groups/:group/exceptions',
    ...access('operator'),
    schema: {
      ...says(
        'Give one route of a group rules of its own, pause it or leave it out',
        GroupViewSchema,
      ),
      params: GroupParamsSchema,
      body: ExceptSchema,
    },
    handler: (request) => operations.exceptRoute(request.params.group, request.body),
  });
}
