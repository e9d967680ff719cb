import { randomUUID } from 'node:crypto'
import type { RefusalCode, WireTransaction } from '../../../transport/index.ts'
import { transactionBody } from '../body-schemas.ts'
import { withDatabase, type Answer } from '../call.ts'
import { errorBody } from '../error-response.ts'
import { readJson } from '../read-body.ts'

const STATUS: Readonly<Record<RefusalCode, number>> = {
  validation: 422,
  constraint: 422,
  'not-found': 422,
  forbidden: 403,
  'read-only': 403,
  'schema-version': 409,
  conflict: 409,
  'too-large': 413,
  internal: 500,
}

/** A transaction over plain HTTP. With an id it may be sent again: it is applied once. */
export const transact: Answer = async (call) => {
  const { core, user, name } = call
  await core.authorize(user, 'open', name)
  const body = await readJson<Omit<WireTransaction, 'id'> & { readonly id?: string }>(
    call,
    transactionBody,
    core.limits.messageBytes,
  )
  const transaction: WireTransaction = { ...body, id: body.id ?? randomUUID() }
  return withDatabase(call, async (database) => {
    const access = core.access(database, user)
    const outcome = await database.submit(transaction, { access })
    if (outcome.kind === 'refused') return errorBody(STATUS[outcome.code], outcome.code, outcome.reason)
    return Response.json({
      id: transaction.id,
      // Its gaps would tell of what may not be seen.
      ...(access.unrestricted && { sequence: outcome.sequence }),
      ...(outcome.kind === 'known' && { known: true }),
    })
  })
}
