/** What people are asked to prove of their accounts: `/api/v1/links/ask`, `/asked`. */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import {
  AskedProofSchema,
  AskForProofSchema,
  ProofListSchema,
  ProofParamsSchema,
} from '../schemas/proof.ts';

export function proofRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'POST',
    url: '/links/ask',
    ...access('operator'),
    schema: {
      ...says('Ask whoever has two accounts to prove that they are one person', AskedProofSchema),
      body: AskForProofSchema,
    },
    handler: ({ body, caller }) => operations.askForProof(body, caller?.name ?? ''),
  });
  api.route({
    method: 'GET',
    url: '/links/asked',
    ...access('viewer'),
    schema: says('What people were asked to prove, and what came of it', ProofListSchema),
    handler: async () => ({ proofs: [...(await operations.askedProofs())] }),
  });
  api.route({
    method: 'POST',
    url: '/links/asked/:proof/withdraw',
    ...access('operator'),
    schema: { ...says('Take the question back', AskedProofSchema), params: ProofParamsSchema },
    handler: ({ params, caller }) => operations.withdrawProof(params.proof, caller?.name ?? ''),
  });
}
