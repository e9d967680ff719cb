import { useMemo } from 'react'
import type { LiveQuery } from '../store/index.ts'
import { sourceOf } from './source.ts'
import { useSource } from './use-source.ts'

/** The rows of a live query: the same array while the result is the same. The query is whoever made it's to close. */
export function useLive<Row>(live: LiveQuery<Row>): readonly Row[] {
  const source = useMemo(
    () =>
      sourceOf(
        () => live.rows,
        () => live.rows$,
      ),
    [live],
  )
  return useSource(source)
}
