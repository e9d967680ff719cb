import { defineSchema, type Draft, type InsertOf, type RowOf, type Schema, type Store } from 'rowcast'
import { createStoreContext, type FieldProps } from 'rowcast/react'
import { editorSchemaInput } from '../annotation-schema.ts'

export type EditorSchema = typeof editorSchemaInput
export type EditorStore = Store<EditorSchema>
export type EditorDraft = Draft<EditorSchema>
export type Annotation = RowOf<EditorSchema, 'annotation'>
export type NewAnnotation = InsertOf<EditorSchema, 'annotation'>
export type Layer = RowOf<EditorSchema, 'layer'>

export const editorSchema: Schema<EditorSchema> = defineSchema(editorSchemaInput)

const context = createStoreContext(editorSchema)

export const { StoreProvider, DraftProvider, useStore, useTable, useRow, useRows, useQuery, useHistory, useValue } =
  context

// The panels take their paths from the JSON Schema at run time, so these few hooks are used with any path.

/** `useField` of an annotation, for a path found in the schema. */
export const useAnnotationField = context.useField as unknown as (
  table: 'annotation',
  id: string,
  path: string,
) => [value: unknown, set: (value: unknown) => void]

/** `useFieldProps` of an annotation, for a path found in the schema. */
export const useAnnotationProps = context.useFieldProps as unknown as (
  table: 'annotation',
  id: string,
  path: string,
) => FieldProps

/** `useValueField` of the scene, for a path found in the schema. */
export const useSceneField = context.useValueField as unknown as (
  table: 'scene',
  path: string,
) => [value: unknown, set: (value: unknown) => void]

/** `useValueFieldProps` of the scene, for a path found in the schema. */
export const useSceneProps = context.useValueFieldProps as unknown as (table: 'scene', path: string) => FieldProps
