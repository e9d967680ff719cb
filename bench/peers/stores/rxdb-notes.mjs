// A collection with a query for each folder. Several documents are changed by one bulk write; there are no transactions.
import { createRxDatabase } from 'rxdb'
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'

const text = { type: 'string' }
const key = { type: 'string', maxLength: 20 }
const schema = {
  version: 0,
  primaryKey: 'id',
  type: 'object',
  additionalProperties: false,
  properties: { id: key, folder: key, rank: { type: 'number' }, text },
  required: ['id', 'folder', 'rank', 'text'],
  indexes: [['folder', 'id']],
}

let opened = 0

export async function openNotes() {
  const database = await createRxDatabase({
    name: `notes${opened++}`,
    storage: getRxStorageMemory(),
    eventReduce: true,
    multiInstance: false,
  })
  const { note: notes } = await database.addCollections({ note: { schema } })
  return {
    insert: async (_folders, given) => {
      const { error } = await notes.bulkInsert([...given])
      if (error.length > 0) throw new Error(`RxDB took ${error.length} notes not in`, { cause: error[0] })
    },
    change: async ({ notes: patches = [] }) => {
      const byId = new Map(patches.map((patch) => [patch.id, patch]))
      await notes.findByIds([...byId.keys()]).incrementalModify((data) => Object.assign(data, byId.get(data.id)))
    },
    onFolder: async (folder, hear) => {
      const query = notes.find({ selector: { folder }, sort: [{ id: 'asc' }] })
      const subscription = query.$.subscribe((found) => {
        hear(found.map(({ id, folder: of, rank, text: written }) => ({ id, folder: of, rank, text: written })))
      })
      await query.exec()
      return () => {
        subscription.unsubscribe()
      }
    },
    close: async () => {
      await database.remove()
    },
  }
}
