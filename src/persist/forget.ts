import { PersistenceError } from './persistence-error.ts'
import type { Persistence } from './persistence.ts'

/**
 * Removes all that is kept there: of whichever user and database, of another schema, damaged or set aside. What was not
 * sent is lost. Nothing to remove is fine. Rejects with `persistence-in-use` while it is open, here or elsewhere.
 *
 * @example
 * await forget(opfsPersistence({ name: 'editor' }))
 */
export async function forget(persistence: Persistence): Promise<void> {
  if (!persistence.forget)
    throw new PersistenceError('persistence-unavailable', 'this persistence has no forget(): remove what it keeps by its own means')
  await persistence.forget()
}
