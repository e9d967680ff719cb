import { createContext, useContext } from 'react'
import type { FieldProps } from 'rowcast/react'
import { useGuestAt } from '../collaboration/context.ts'
import type { Guest } from '../collaboration/presence-state.ts'
import type { Editor } from './editor.ts'
import { useAnnotationField, useAnnotationProps, useSceneField, useSceneProps, useTable } from './editor-store.ts'

/** What a panel edits: one annotation, or the scene. A panel is mounted anew for another one. */
export interface FieldBinding {
  readonly panel: string
  readonly useProps: (path: string) => FieldProps
  readonly useValue: (path: string) => [value: unknown, set: (value: unknown) => void]
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

export function annotationBinding(panel: string, id: string): FieldBinding {
  return {
    panel,
    useProps: (path) => useAnnotationProps('annotation', id, path),
    useValue: (path) => useAnnotationField('annotation', id, path),
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
    useGuest: () => undefined,
    useReset: () => (path) => editor.draft$.value?.value('scene').reset(path as 'title'),
  }
}
