// Folders that hold their notes, both observable, as MobX advises for domain objects; a computed value and a reaction each.
import { action, computed, observable, reaction } from 'mobx'

export function openNotes() {
  const folders = new Map()
  const notes = new Map()
  return {
    insert: action((givenFolders, givenNotes) => {
      for (const { id, title } of givenFolders)
        folders.set(id, observable({ id, title, notes: observable.array([], { deep: false }) }))
      for (const note of givenNotes) {
        const own = observable({ ...note })
        notes.set(note.id, own)
        folders.get(note.folder).notes.push(own)
      }
    }),
    change: action(({ notes: patches = [], folders: renamed = [] }) => {
      for (const { id, ...patch } of patches) Object.assign(notes.get(id), patch)
      for (const { id, title } of renamed) folders.get(id).title = title
    }),
    onFolder: (folder, hear) => {
      const result = computed(() =>
        folders
          .get(folder)
          .notes.map(({ id, folder: of, rank, text }) => ({ id, folder: of, rank, text }))
          .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      )
      return reaction(() => result.get(), hear, { fireImmediately: true })
    },
    close: () => undefined,
  }
}
