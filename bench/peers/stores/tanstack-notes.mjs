// Two local-only collections; a live query for each folder, and one with a join.
import {
  BTreeIndex,
  createCollection,
  createLiveQueryCollection,
  createTransaction,
  eq,
  gte,
  localOnlyCollectionOptions,
} from '@tanstack/db'

const collection = async () => {
  const rows = createCollection(
    localOnlyCollectionOptions({ getKey: (row) => row.id, autoIndex: 'eager', defaultIndexType: BTreeIndex }),
  )
  await rows.preload()
  return rows
}

export async function openNotes() {
  const [folders, notes] = [await collection(), await collection()]
  const live = async (build, hear) => {
    const query = createLiveQueryCollection(build)
    await query.preload()
    const tell = () => {
      hear(query.toArray)
    }
    const subscription = query.subscribeChanges(tell)
    tell()
    return async () => {
      subscription.unsubscribe()
      await query.cleanup()
    }
  }
  return {
    insert: (givenFolders, givenNotes) => {
      folders.insert([...givenFolders])
      notes.insert([...givenNotes])
    },
    change: async ({ notes: patches = [], folders: renamed = [] }) => {
      const transaction = createTransaction({
        mutationFn: ({ transaction: done }) => {
          folders.utils.acceptMutations(done)
          notes.utils.acceptMutations(done)
          return Promise.resolve()
        },
      })
      transaction.mutate(() => {
        if (patches.length > 0)
          notes.update(
            patches.map(({ id }) => id),
            (drafts) => {
              for (const [index, draft] of drafts.entries()) Object.assign(draft, patches[index])
            },
          )
        for (const { id, title } of renamed)
          folders.update(id, (draft) => {
            draft.title = title
          })
      })
      await transaction.isPersisted.promise
    },
    onFolder: (folder, hear) =>
      live(
        (build) => build.from({ note: notes }).where(({ note }) => eq(note.folder, folder)),
        (rows) => {
          hear(
            rows
              .map(({ id, folder: of, rank, text }) => ({ id, folder: of, rank, text }))
              .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
          )
        },
      ),
    onJoin: ({ from, limit }, hear) =>
      live(
        (build) =>
          build
            .from({ note: notes })
            .innerJoin({ folder: folders }, ({ note, folder }) => eq(note.folder, folder.id))
            .where(({ note }) => gte(note.rank, from))
            .orderBy(({ note }) => note.rank, 'desc')
            .limit(limit)
            .select(({ note, folder }) => ({ id: note.id, rank: note.rank, title: folder.title })),
        (rows) => {
          hear(rows.map(({ id, rank, title }) => ({ id, rank, title })))
        },
      ),
    close: async () => {
      await folders.cleanup()
      await notes.cleanup()
    },
  }
}
