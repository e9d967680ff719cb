/** What is selected: keys of annotations. The panels show the primary one. */
export interface Selection {
  readonly ids: readonly string[]
  readonly primary: string | undefined
}

export const nothing: Selection = { ids: [], primary: undefined }

export function selectionOf(ids: readonly string[], primary: string | undefined = ids.at(-1)): Selection {
  return ids.length === 0 ? nothing : { ids, primary }
}

/** Adds what is not selected yet, or takes a single one away that is. */
export function toggled(selection: Selection, ids: readonly string[]): Selection {
  const [only] = ids
  if (ids.length === 1 && only !== undefined && selection.ids.includes(only)) {
    return selectionOf(selection.ids.filter((id) => id !== only))
  }
  return selectionOf([...new Set([...selection.ids, ...ids])], ids.at(-1) ?? selection.primary)
}
