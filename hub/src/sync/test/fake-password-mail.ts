/** What Rollcall_Password_Mail says in a receipt. The site in memory sends no mails, and has no bounds. */
import type { Operation, Receipt } from '#contract/messages.ts';

export function mailedFor(operation: Operation, receipt: Receipt): Receipt {
  const password = receipt.fields?.['password'];
  if (operation.kind !== 'write' || operation.password_mail === undefined) return receipt;
  if (password?.why !== 'password.unverifiable') return receipt;
  const why = 'password.mailed';
  const fields = { ...receipt.fields, password: { ...password, why } };
  const reason = receipt.reason === 'password.unverifiable' ? { reason: why } : {};
  return { ...receipt, ...reason, fields };
}
