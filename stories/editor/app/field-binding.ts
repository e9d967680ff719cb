import { createContext, useContext } from 'react'
import type { FieldProps } from 'rowcast/react'
import { useGuestAt } from '../collaboration/context.ts'
import type { Guest } from '../collaboration/presence-state.ts'
import type { Editor } from './editor.ts'
import { useAnnotationField, useAnnotationProps, useSceneField, useSceneProps, useTable } from './editor-store.ts'
import type { MixedPaths } from './mixed-paths.ts'
import { useSubject } from './use-subject.ts'

/** What a panel edits: the selected annotations, or the scene. A panel is mounted anew for others. */
export interface FieldBinding {
  readonly panel: string
  readonly useProps: (path: string) => FieldProps
  readonly useValue: (path: string) => [value: unknown, set: (value: unknown) => void]
  /** Gives each of the annotations a value made from its own. */
  readonly useChange: (path: string) => (change: (value: unknown) => unknown) => void
  /** Whether the annotations differ in a property: what is then read is the primary one's. */
  readonly useMixed: (path: string) => boolean
  /** Who else edits a property. */
  readonly useGuest: (path: string) => Guest | undefined
  /** Puts a property back to its default, in the draft. */
  readonly useReset: () => (path: string) => void
}

const FieldContext = createContext<FieldBinding | undefined>(undefined)
export const FieldBindingProvider = FieldContext.Provider

export function useFieldBinding(): FieldBinding {
  const binding = useContext(FieldContext)
  if (!binding) throw new Error('A field stands outside of a property panel.')
  return binding
}

/** Of the primary annotation `id`, and of all of `ids`: a write goes to each (see `writeToAll`). */
export function annotationBinding(
  panel: string,
  id: string,
  ids: readonly string[],
  { paths$ }: MixedPaths,
): FieldBinding {
  return {
    panel,
    useProps: (path) => useAnnotationProps('annotation', id, path),
    useValue: (path) => useAnnotationField('annotation', id, path),
    useChange: (path) => {
      const table = useTable('annotation')
      return (change) => {
        table.updateMany(ids, (row) => ({ ...row, [path]: change(row[path as 'tags']) }))
      }
    },
    useMixed: (path) => useSubject(paths$).has(path),
    useGuest: (path) => useGuestAt('annotation', id, path),
    useReset: () => {
      const table = useTable('annotation')
      return (path) => table.reset(id, path as 'name')
    },
  }
}

export function sceneBinding(panel: string, editor: Editor): FieldBinding {
  return {
    panel,
    useProps: (path) => useSceneProps('scene', path),
    useValue: (path) => useSceneField('scene', path),
    useChange: (path) => {
      const [value, set] = useSceneField('scene', path)
      return (change) => set(change(value))
    },
    useMixed: () => false,
    useGuest: () => undefined,
    useReset: () => (path) => editor.draft$.value?.value('scene').reset(path as 'title'),
  }
}
